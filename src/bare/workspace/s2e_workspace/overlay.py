"""The colcon overlay of our ament_python packages."""

from __future__ import annotations

from pathlib import Path

from s2e_workspace.console import Console
from s2e_workspace.environment import python_tag
from s2e_workspace.layout import Layout
from s2e_workspace.machine import clean_environment
from s2e_workspace.run import run
from s2e_workspace.stamps import Stamps, digest

STEP = 'overlay'
PACKAGE_FILES = ('package.xml', 'setup.py', 'setup.cfg')
INSTALLED_FOLDERS = ('launch', 'config', 'models')


def overlay_digest(layout: Layout) -> str:
    """Return the hash of what decides the installed tree.

    The tree consists of links, so contents of modules do not count; the set of installed files
    and of executables does.
    """
    files: list[Path] = []
    texts = [python_tag(), str(layout.root)]
    for package in layout.overlay_packages():
        files += [package / name for name in PACKAGE_FILES]
        nodes = package / package.name / 'nodes'
        texts += [str(path.relative_to(layout.root)) for path in sorted(nodes.glob('*.py'))]
    for folder in INSTALLED_FOLDERS:
        installed = sorted((layout.root / folder).rglob('*'))
        texts += [str(path.relative_to(layout.root)) for path in installed if path.is_file()]
    return digest(texts=texts, files=files, base=layout.root)


def build_overlay(layout: Layout, console: Console) -> None:
    """Run colcon unless the installed tree is already right.

    Raises:
        WorkspaceError: If colcon fails.
    """
    stamps = Stamps(layout.stamps)
    wanted = overlay_digest(layout)
    if stamps.fresh(STEP, wanted) and (layout.install / 'setup.sh').is_file():
        return
    stamps.drop(STEP)
    remove_dangling_links(layout.install)
    prefix = str(layout.venv)
    environment = clean_environment()
    environment.update(
        AMENT_PREFIX_PATH=prefix,
        CMAKE_PREFIX_PATH=prefix,
        PATH=f'{prefix}/bin:{environment.get("PATH", "")}',
        # colcon starts some fifty interpreters; with the libraries in place none starts twice.
        LD_LIBRARY_PATH=f'{prefix}/lib',
        _ROS_WHEELS_BOOTSTRAP_COMPLETE='1',
    )
    with console.step('colcon build'):
        run(
            [
                f'{prefix}/bin/colcon',
                '--log-base',
                str(layout.root / 'log'),
                'build',
                '--merge-install',
                '--symlink-install',
                '--build-base',
                str(layout.build),
                '--install-base',
                str(layout.install),
                '--base-paths',
                str(layout.root / 'src'),
                str(layout.bare / 's2e_bare'),
            ],
            log=layout.logs / 'colcon-overlay.log',
            environment=environment,
            cwd=layout.root,
            purpose='colcon build',
        )
    stamps.write(STEP, wanted)


def remove_dangling_links(folder: Path) -> int:
    """Remove links to files that are gone, which colcon leaves behind; returns how many."""
    removed = 0
    for path in folder.rglob('*') if folder.is_dir() else ():
        if path.is_symlink() and not path.exists():
            path.unlink()
            removed += 1
    return removed
