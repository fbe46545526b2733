"""docker/: what can be checked of images and services where there is no Docker."""

from __future__ import annotations

import ast
import fnmatch
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCKER = ROOT / 'docker'
DISTRIBUTIONS = ('jazzy', 'kilted')
COMPOSE = sorted(DOCKER.glob('compose.*.yaml'))


@dataclass
class Stage:
    """One stage of the Dockerfile."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [text for word, text in self.steps if word == instruction]


def instructions(text: str) -> list[tuple[str, str]]:
    """Join continued lines and leave out comments, as Docker does."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith('#')]
    joined = re.sub(r'\\\n', ' ', '\n'.join(lines))
    return [
        (line.split(None, 1)[0].upper(), line.split(None, 1)[1].strip())
        for line in joined.splitlines() if line.strip()
    ]


def substitute(text: str, values: dict[str, str]) -> str:
    """Put in the build arguments."""
    return re.sub(r'\$\{(\w+)\}', lambda found: values[found[1]], text)


def stages(**given: str) -> dict[str, Stage]:
    """Read the Dockerfile with some build arguments."""
    arguments: dict[str, str] = {}
    found: dict[str, Stage] = {}
    for word, text in instructions((DOCKER / 'Dockerfile').read_text(encoding='utf-8')):
        if word == 'ARG' and not found:
            name, _, default = text.partition('=')
            arguments[name] = given.get(name, substitute(default, arguments))
        elif word == 'FROM':
            base, _, name = text.partition(' AS ')
            found[name] = Stage(substitute(base, arguments), name)
        else:
            list(found.values())[-1].steps.append((word, text))
    return found


def lineage(name: str, **given: str) -> list[tuple[str, str]]:
    """Return the steps of a stage after those of the stages it is made from."""
    known = stages(**given)
    stage = known[name]
    before = lineage(stage.base, **given) if stage.base in known else []
    return before + stage.steps


def services() -> list[tuple[Path, str, dict[str, Any]]]:
    return [
        (path, name, service) for path in COMPOSE
        for name, service in yaml.safe_load(path.read_text())['services'].items()
    ]


def ignored(path: str) -> bool:
    """Say whether the build context leaves a path out; the last pattern that fits decides."""
    out = False
    for line in (DOCKER / 'Dockerfile.dockerignore').read_text().splitlines():
        if not line or line.startswith('#'):
            continue
        pattern, keep = line.lstrip('!'), line.startswith('!')
        parts = [path.rsplit('/', i)[0] for i in range(path.count('/') + 1)]
        if any(fnmatch.fnmatch(part, pattern.removeprefix('**/')) or
               (pattern.startswith('**/') and fnmatch.fnmatch(part, f'*/{pattern[3:]}'))
               for part in parts):
            out = not keep
    return out


def launched(words: list[str]) -> None:
    """Check that a launch file exists and declares the arguments that it is given."""
    package, file, *arguments = words
    assert package == 's2e_nav'
    tree = ast.parse((ROOT / 'launch' / file).read_text(encoding='utf-8'))
    [table] = [
        node.value for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == 'ARGUMENTS'
    ]
    declared = {name for name, _, _ in ast.literal_eval(table)}
    assert {argument.partition(':=')[0] for argument in arguments} <= declared
    assert all(':=' in argument for argument in arguments)


def checked(words: list[str]) -> None:
    """Check a command of an image or service as far as this repository can say."""
    if words[0] == '/entrypoint.sh':
        words = words[1:]
    if words[:2] == ['ros2', 'launch']:
        launched(words[2:])
    elif words[0] == 's2e':
        from s2e_cli.main import build_parser

        build_parser().parse_args(words[1:])
    else:
        assert words[:2] == ['ros2', 'topic'], words
        from s2e_bare.ros2.topic_command import make_parser

        make_parser().parse_args(words[2:])


@pytest.mark.parametrize('distribution', DISTRIBUTIONS)
def test_base_images_are_pinned_to_a_release(distribution):
    known = stages(ROS_DISTRO=distribution)
    bases = [stage.base for stage in known.values() if stage.base not in known]
    assert bases == [f'ros:{distribution}-ros-base-noble', 'nvcr.io/nvidia/tensorrt:25.03-py3']
    for base in bases:
        assert re.search(r'[:@]', base) and not base.endswith(':latest')


@pytest.mark.parametrize('target', ['cpu', 'gpu'])
def test_images_run_as_nobody_special_and_say_how_they_are(target):
    steps = lineage(target)
    assert [text for word, text in steps if word == 'USER'][-1] == 'robot'
    assert any(word == 'RUN' and 'useradd' in text and ' robot' in text for word, text in steps)
    [health] = [text for word, text in steps if word == 'HEALTHCHECK']
    checked(ast.literal_eval(health[health.index('['):]))
    checked(ast.literal_eval([text for word, text in steps if word == 'CMD'][-1]))
    assert [text for word, text in steps if word == 'ENTRYPOINT'] == ['["/entrypoint.sh"]']


def test_what_is_copied_exists_and_reaches_the_build():
    known = stages()
    copied = 0
    for stage in known.values():
        for text in stage.all('COPY'):
            words = [word for word in text.split() if not word.startswith('--')]
            origin = re.search(r'--from=(\S+)', text)
            if origin:
                assert origin[1] in known
                continue
            for source in words[:-1]:
                copied += 1
                assert (ROOT / source).exists(), source
                assert not ignored(source), source
    assert copied >= 6
    # Neither an environment nor a history nor tests are sent to the builder.
    for path in ('.git', '.venv', 'runs', 'src/s2e_core/test', 'docs', 'docker/compose.sim.yaml'):
        assert ignored(path), path


def test_what_pip_installs_is_pinned():
    named = re.findall(r'-r\s+(\S+)', (DOCKER / 'Dockerfile').read_text())
    assert len(named) == 2
    for name in named:
        for line in (ROOT / name.removeprefix('/ws/')).read_text().splitlines():
            if line and not line.startswith('#'):
                # NumPy is the distribution's; it may only not be replaced.
                pin = line.partition(';')[0].strip()
                assert re.fullmatch(r'[A-Za-z0-9_-]+==[0-9.]+|numpy<2', pin), line


def test_every_command_of_a_shell_step_ends_the_build_when_it_fails():
    for stage in stages().values():
        if not stage.all('RUN'):
            continue
        if stage.base != 'cpu':
            assert '-o", "pipefail' in stage.all('SHELL')[0]
        for text in stage.all('RUN'):
            body = text.replace('|| true', '')
            # Within a loop or a test, commands may follow each other by a semicolon.
            assert ';' not in re.sub(r'for .*? done|if .*? fi', '', body), text


def test_the_entry_point_is_a_program_that_becomes_its_command():
    script = DOCKER / 'entrypoint.sh'
    assert script.stat().st_mode & 0o111
    assert subprocess.run(['bash', '-n', script], check=False).returncode == 0
    assert script.read_text().rstrip().endswith('exec "$@"')


@pytest.mark.parametrize(('path', 'name', 'service'), services(),
                         ids=lambda value: getattr(value, 'name', str(value)[:12]))
def test_services_are_built_here_and_have_no_rights(path, name, service):
    targets = stages()
    assert service['build']['target'] in targets
    assert service['image'].startswith(f's2e_nav:{service["build"]["target"]}-')
    assert not service.get('privileged')
    words = [re.sub(r'\$\{\w+:-([^}]*)\}', r'\1', word) for word in service['command']]
    assert all(words) and not any('$' in word for word in words)
    checked(words)
    if path.name == 'compose.gpu.yaml':
        # It only changes a service of another file.
        return
    assert (path.parent / service['build']['context'] / service['build']['dockerfile']).is_file()
    assert set(service['build']['args']) == {'ROS_DISTRO'}
    assert service['user'] == '${UID:-1000}:${GID:-1000}'
    assert service['cap_drop'] == ['ALL'] and service['init']
    kind, *test = service['healthcheck']['test']
    assert kind == 'CMD'
    checked(test)
    assert {'interval', 'timeout', 'start_period', 'retries'} <= set(service['healthcheck'])


def test_the_gpu_service_is_the_robot_s_with_a_provider():
    robot, gpu = (
        yaml.safe_load((DOCKER / f'compose.{name}.yaml').read_text())['services']['robot']
        for name in ('robot', 'gpu')
    )
    assert gpu['command'] == [*robot['command'], 'require_provider:=${PROVIDER:-cuda}']
    [device] = gpu['deploy']['resources']['reservations']['devices']
    assert device['driver'] == 'nvidia' and device['capabilities'] == ['gpu']
