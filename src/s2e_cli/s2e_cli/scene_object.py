"""`s2e scene object`: check captured objects, and draw one with its body."""

from __future__ import annotations

from pathlib import Path

from navbench_gs.errors import SceneError
from navbench_gs.scenes.captured import (
    Entry,
    ObjectLine,
    find_entry,
    make_object,
    make_standing,
    read_catalogue,
)
from navbench_gs.scenes.object_sheet import agreement, write_sheet
from navbench_gs.scenes.thing import SceneObject


def show(what: str, out: Path | None) -> int:
    """List a catalogue, or describe and draw one of its objects.

    Args:
        what: 'CATALOGUE', 'CATALOGUE:NAME', or a line in braces.
        out: PNG file for the picture.

    Raises:
        SceneError: no such catalogue, line or file.
    """
    if what.lstrip().startswith('{'):
        return _describe(_typed(what), 'object', out)
    if ':' in what:
        return _describe(find_entry(what), what, out)
    for name, entry in read_catalogue(what).items():
        found = 'ok' if entry.path.exists() else 'absent'
        role = 'person' if entry.line.person else 'obstacle'
        print(f'{what}:{name:<14} {role:<9} {found:<7} {entry.path}')
    return 0


def _typed(text: str) -> Entry:
    """Return the entry of a line as it would stand in a catalogue; its file from here."""
    import yaml

    from s2e_core.config import from_mapping

    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SceneError(f'the line must be YAML, got {text!r}: {error}') from error
    if not isinstance(values, dict):
        raise SceneError(f'the line must be a mapping, got {text!r}')
    line = from_mapping(ObjectLine, values, source='line')
    path = Path(line.file).expanduser()
    if not path.exists():
        raise SceneError(f'file {line.file!r}: no such file or folder')
    return Entry('object', line, path)


def _describe(entry: Entry, kind: str, out: Path | None) -> int:
    """Print an object's measures and draw it."""
    line = entry.line
    print(f'{kind}: {entry.path}, licence {line.licence}')
    made: SceneObject | None = None
    if line.person:
        person = make_standing(entry)
        cloud = person.standing
        print(f'  person {person.height:.2f} m high, body of radius {person.radius} m')
    else:
        made = make_object(entry, kind)
        cloud = made.cloud
        found = agreement(made)
        size = ' x '.join(f'{part:.2f}' for part in made.size if part)
        print(f'  {made.shape} {size} m (half sizes), {made.mass} kg, '
              f'{"pushable" if made.pushable else "stands fast"}')
        print(f'  body of {len(made.slabs)} layers holds {100 * found.inside:.1f} % of the '
              f'matter; silhouettes overlap by {100 * found.overlap:.0f} %')
    print(f'  {len(cloud)} gaussians')
    if out is not None:
        print(write_sheet(out, cloud, made))
    return 0
