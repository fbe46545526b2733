"""Images and services of docker/, where there is a Docker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from s2e_cli.doctor.check import Check
from s2e_cli.doctor.command import failure, run_command

GROUP = 'selftest'
BUILD_SECONDS = 3600
SERVICES = (('robot',), ('robot', 'gpu'), ('sim',))
MEND = 'report it with this line'


def checks(source: Path | None, build: bool) -> Iterator[Check]:
    """Look at the services; build and run the images if that is asked for.

    Args:
        source: The checkout, or None in an installation.
        build: Whether to build; it fetches gigabytes.
    """
    docker = shutil.which('docker')
    if docker is None or source is None:
        yield Check(GROUP, 'Docker', 'skip', 'no docker, or not in a source tree')
        return
    composes = not failure([docker, 'compose', 'version'], 60)
    for names in SERVICES:
        files = [w for name in names for w in ('-f', str(source / f'docker/compose.{name}.yaml'))]
        title = f'compose {" + ".join(names)}'
        if not composes:
            yield Check(GROUP, title, 'skip', 'this docker has no compose')
            continue
        failed = failure([docker, 'compose', *files, 'config', '--quiet'], 60)
        yield Check(GROUP, title, 'fail' if failed else 'ok', failed or 'is valid', MEND)
    if not build:
        yield Check(GROUP, 'Docker image cpu', 'skip', 'give --docker to build and run it')
        return
    if failed := failure([docker, 'info'], 60):
        yield Check(GROUP, 'Docker image cpu', 'skip', f'no daemon answers: {failed}')
        return
    yield _image(docker, source, 'cpu', (), 'models')
    if shutil.which('nvidia-smi') is None:
        yield Check(GROUP, 'Docker image gpu', 'skip', 'no NVIDIA GPU (nvidia-smi) here')
        return
    yield _image(docker, source, 'gpu', ('--gpus', 'all'), 'compute', 'CUDA')


def _image(
    docker: str, source: Path, target: str, options: Sequence[str], group: str, wanted: str = ''
) -> Check:
    """Build an image and let the doctor in it look at a group."""
    name, tag = f'Docker image {target}', f's2e_nav:selftest-{target}'
    failed = failure(
        [docker, 'build', '-f', str(source / 'docker/Dockerfile'), '--target', target, '-t', tag,
         str(source)], BUILD_SECONDS,
    )
    if failed:
        return Check(GROUP, name, 'fail', failed, MEND)
    done, said = run_command(
        [docker, 'run', '--rm', '--network', 'none', *options, tag, 's2e', 'doctor', '--only',
         group],
    )
    if not done or wanted not in said:
        return Check(GROUP, name, 'fail', f'built; in it: {" ".join(said.split())[-200:]}', MEND)
    return Check(GROUP, name, 'ok', 'builds, and its doctor is content')
