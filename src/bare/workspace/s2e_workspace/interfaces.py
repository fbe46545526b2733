"""Builds the message packages that are on no index, where the real ones are absent."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

from s2e_workspace.cmake_paths import patch_cmake_files
from s2e_workspace.console import Console
from s2e_workspace.environment import python_tag
from s2e_workspace.errors import WorkspaceError
from s2e_workspace.layout import INTERFACE_PACKAGES, Layout
from s2e_workspace.machine import clean_environment, compiler
from s2e_workspace.run import run
from s2e_workspace.stamps import Stamps, digest
from s2e_workspace.wheel import pack_wheel

DISTRIBUTION = 's2e_bare_interfaces'
STEP = 'interfaces'


def missing_interfaces(prefixes: Iterable[Path]) -> list[str]:
    """Return the interface packages that none of the ament prefixes has.

    Args:
        prefixes: Prefixes to look into; ours must only be built where the real one is absent.
    """
    prefixes = list(prefixes)
    index = 'share/ament_index/resource_index/packages'
    return [
        name
        for name in INTERFACE_PACKAGES
        if not any((prefix / index / name).is_file() for prefix in prefixes)
    ]


def interfaces_digest(layout: Layout) -> str:
    """Return the hash of everything that decides the built wheel."""
    files = [layout.requirements('ros'), layout.requirements('build')]
    for name in INTERFACE_PACKAGES:
        files += [path for path in (layout.bare / name).rglob('*') if path.is_file()]
    machine = f'{python_tag()} {platform.machine()} {"".join(platform.libc_ver())}'
    return digest(texts=[machine], files=files, base=layout.root)


def wheel_path(layout: Layout) -> Path:
    """Return where the built wheel is kept; its name carries the hash of its inputs."""
    machine = platform.machine()
    tag = f'{python_tag()}-{python_tag()}-linux_{machine}'
    version = f'0.1.0+{interfaces_digest(layout)[:12]}'
    return layout.cache / 'wheels' / f'{DISTRIBUTION}-{version}-{tag}.whl'


def build_interfaces(layout: Layout, console: Console) -> None:
    """Compile the interface packages that are missing, unless their wheel is in the cache.

    Raises:
        WorkspaceError: If the compiler is missing or the build fails.
    """
    names = _wanted(layout)
    if names and not wheel_path(layout).is_file():
        with console.step(f'compiling {" and ".join(names)}'):
            _build(layout, names)


def install_interfaces(layout: Layout, console: Console) -> None:
    """Install the wheel of `build_interfaces`, unless it is installed.

    Raises:
        WorkspaceError: If pip fails.
    """
    stamps = Stamps(layout.stamps)
    wanted = interfaces_digest(layout)
    if stamps.fresh(STEP, wanted):
        return
    stamps.drop(STEP)
    if _wanted(layout):
        with console.step('installing the compiled messages'):
            run(
                [
                    str(layout.python),
                    '-m',
                    'pip',
                    'install',
                    '--disable-pip-version-check',
                    '--no-deps',
                    '--no-index',
                    '--force-reinstall',
                    str(wheel_path(layout)),
                ],
                log=layout.logs / 'pip-interfaces.log',
                environment=clean_environment(),
                purpose='installing the compiled messages',
            )
    stamps.write(STEP, wanted)


def _wanted(layout: Layout) -> list[str]:
    """Return what to build: nothing when another distribution brought the packages."""
    return missing_interfaces([] if _ours_installed(layout) else [layout.venv])


def _ours_installed(layout: Layout) -> bool:
    return any(layout.venv.glob(f'lib/python*/site-packages/{DISTRIBUTION}-*.dist-info'))


def _build(layout: Layout, names: list[str]) -> None:
    environment = clean_environment()
    environment['CXX'] = compiler()
    # Without this colcon adds a load limit, and on a busy machine one file is compiled at a time.
    environment['MAKEFLAGS'] = f'-j{len(os.sched_getaffinity(0))}'
    _patch(layout)
    prefix = str(layout.venv)
    environment.update(
        AMENT_PREFIX_PATH=prefix,
        CMAKE_PREFIX_PATH=prefix,
        PATH=f'{prefix}/bin:{environment.get("PATH", "")}',
    )
    work = Path(tempfile.mkdtemp(prefix='interfaces-', dir=_made(layout.cache)))
    try:
        run(
            [
                f'{prefix}/bin/colcon',
                '--log-base',
                str(work / 'log'),
                'build',
                '--merge-install',
                '--build-base',
                str(work / 'build'),
                '--install-base',
                str(work / 'install'),
                '--base-paths',
                *(str(layout.bare / name) for name in names),
                '--cmake-args',
                '-G',
                'Ninja',
                '-DBUILD_TESTING=OFF',
            ],
            log=layout.logs / 'colcon-interfaces.log',
            environment=environment,
            cwd=work,
            purpose='compiling the message packages',
        )
        pack_wheel(work / 'install', wheel_path(layout))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _patch(layout: Layout) -> None:
    probe = 'import json, numpy; print(json.dumps(numpy.get_include()))'
    done = subprocess.run(
        [str(layout.python), '-c', probe],
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    if done.returncode != 0:
        raise WorkspaceError(f'NumPy does not import in .venv: {done.stderr.strip()[-300:]}')
    include = sysconfig.get_path('include')  # of the base Python: an environment has none
    patch_cmake_files(layout.venv / 'share', include, json.loads(done.stdout))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
