"""Where a study with people is kept, and what of it is done.

`study.json` says what everyone drives. `people/p001/person-4g` is a block: a run folder of the
benchmark (`run.json`, `episodes/ID.json`, `maps/`) with `workload.json` (the form), `practice/`,
where nothing counts, and `drives/p001_person-4g_ID` for each run. That is a recording of its own,
which `s2e train import` and `ros2 bag` read, with `drive.json` in it, and appears when it is
whole: a run is done when it is there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from navbench_gs.runner.plan import write_atomically
from s2e_core.config import to_mapping
from s2e_nav.errors import StartError
from s2e_teleop.study.plan import Condition, Route, StudyPlan
from s2e_teleop.study.workload import Workload

STUDY_FILE, DRIVE_FILE, FORM_FILE = 'study.json', 'drive.json', 'workload.json'
DRIVES, UNFINISHED = 'drives', '.unfinished'


class BlockFolder:
    """One block of one participant."""

    def __init__(self, root: Path) -> None:
        """Take the folder; nothing is written yet."""
        self.root = root

    @property
    def has_form(self) -> bool:
        """Whether the form was filled in."""
        return (self.root / FORM_FILE).is_file()

    def done(self) -> set[Route]:
        """Return the routes whose runs are finished."""
        found = set()
        for path in sorted((self.root / DRIVES).glob(f'*/{DRIVE_FILE}')):
            record = read_object(path)
            route = record.get('route', {})
            try:
                known = Route(str(route['scene']), str(route['task']), int(route['index']))
            except (KeyError, TypeError, ValueError) as error:
                raise StartError(f'{path}: names no route ({error})') from error
            if (self.root / 'episodes' / f'{record.get("id")}.json').is_file():
                found.add(known)
        return found

    def begin(self, identity: str, practice: bool) -> Path:
        """Return where to record a run; what was left of a broken-off one is gone."""
        shutil.rmtree(self._drive(identity, practice), ignore_errors=True)
        draft = self._draft(identity, practice)
        shutil.rmtree(draft, ignore_errors=True)
        return draft

    def finish(self, identity: str, practice: bool, record: Mapping[str, Any]) -> Path:
        """Keep a run: its record is added, then its folder gets its place."""
        folder, draft = self._drive(identity, practice), self._draft(identity, practice)
        write_atomically(draft / DRIVE_FILE, dump(record))
        draft.replace(folder)
        return folder

    def store_form(self, load: Workload, about: Mapping[str, Any]) -> Path:
        """Keep the answers of the form."""
        path = self.root / FORM_FILE
        write_atomically(path, dump({**about, **to_mapping(load), 'raw_tlx': round(load.raw, 3)}))
        return path

    def _drive(self, identity: str, practice: bool) -> Path:
        """Its name tells it from those of other blocks: clips are named after it."""
        name = f'{self.root.parent.name}_{self.root.name}_{identity}'
        return (self.root / 'practice' if practice else self.root) / DRIVES / name

    def _draft(self, identity: str, practice: bool) -> Path:
        folder = self._drive(identity, practice)
        return folder.parent / UNFINISHED / folder.name


class StudyFolder:
    """The whole study."""

    def __init__(self, root: Path) -> None:
        """Take the folder; nothing is written yet."""
        self.root = root

    def block(self, participant: int, condition: Condition) -> BlockFolder:
        """Return the folder of a block."""
        person = self.root / 'people' / f'p{participant:03d}'
        return BlockFolder(person / condition.folder)

    def claim(self, plan: StudyPlan, about: Mapping[str, Any]) -> None:
        """Note what everyone drives, or refuse a folder in which people drove something else.

        Args:
            plan: What is driven.
            about: What else decides a drive: robot, policy, protocol.

        Raises:
            StartError: The folder holds another study.
        """
        record = {'plan': to_mapping(plan), **about}
        path = self.root / STUDY_FILE
        if not path.is_file():
            write_atomically(path, dump(record))
            return
        old = read_object(path)
        for key in record:
            if old.get(key) == record[key]:
                continue
            was, is_now = old.get(key), record[key]
            if isinstance(was, dict) and isinstance(is_now, dict):
                key, was, is_now = next(
                    (name, was.get(name), value) for name, value in is_now.items()
                    if was.get(name) != value
                )
            raise StartError(
                f'{path}: holds a study with {key} {was!r}, asked for {is_now!r}; choose another '
                'output:='
            )


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        StartError: It cannot be read.
    """
    try:
        values = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise StartError(f'{path}: cannot be read: {error}') from error
    if not isinstance(values, dict):
        raise StartError(f'{path}: must hold an object, got {type(values).__name__}')
    return values


def dump(record: Mapping[str, Any]) -> str:
    """Write a record as JSON."""
    return json.dumps(record, indent=2, sort_keys=True) + '\n'
