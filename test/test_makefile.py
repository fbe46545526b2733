"""The make targets: launch arguments are handed on, and what the README names is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def dry_run(*words):
    done = subprocess.run(
        ['make', '-n', *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize(
    ('words', 'arguments'),
    [
        ([], []),
        (['scene:=city:7'], ["'scene:=city:7'"]),
        (['scene=city:7'], ["'scene:=city:7'"]),
        (['scenes:=city:0 city:1', 'seed:=3'], ["'scenes:=city:0 city:1'", "'seed:=3'"]),
        (['ARGS=--show-args'], ['--show-args']),
        (['PYTHON=python3'], []),
    ],
)
def test_launch_arguments_are_handed_on(words, arguments):
    line = next(text for text in dry_run('sim', *words).splitlines() if 'ros2 launch' in text)
    given = line.split('navbench_sim.launch.py', 1)[1]
    assert sorted(re.findall(r"'[^']*'|\S+", given)) == sorted(arguments)


def test_simulating_installs_nothing_of_training_or_test():
    assert 'development' not in dry_run('sim')
    assert 'development' in dry_run('test')


def test_targets_of_the_readme_exist():
    readme = (ROOT / 'README.md').read_text()
    named = set(re.findall(r'^make ([a-z]+)', readme, re.MULTILINE))
    assert {'sim', 'test', 'lint', 'bench'} <= named
    for target in named:
        dry_run(target)
