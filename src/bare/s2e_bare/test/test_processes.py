"""Reading, placing and ending of child processes, below the launch machinery."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_bare.processes import exits
from s2e_bare.processes.child import ChildProcess
from s2e_bare.processes.escalation import Escalation
from s2e_bare.processes.output import ProcessOutput, places
from s2e_bare.processes.reader import LONGEST_LINE, LineReader


async def read_all(chunks: list[bytes]) -> list[bytes]:
    near, far = os.pipe()
    lines: list[bytes] = []
    reader = LineReader(asyncio.get_running_loop(), near, lines.append)
    for chunk in chunks:
        os.write(far, chunk)
        reader.drain()
    os.close(far)
    await asyncio.wait_for(reader.ended, 10)
    return lines


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_lines_do_not_depend_on_how_they_are_cut(chunks: list[bytes]) -> None:
    whole = b''.join(chunks)
    expected = whole.split(b'\n')
    if not expected[-1]:
        expected.pop()
    expected = [line.removesuffix(b'\r') for line in expected]
    assert asyncio.run(read_all(chunks)) == expected


def test_text_without_line_ends_is_cut_at_a_mebibyte() -> None:
    chunk = b'x' * 60000
    count = LONGEST_LINE // len(chunk) + 2
    lines = asyncio.run(read_all([chunk] * count))
    assert len(lines[0]) >= LONGEST_LINE
    assert b''.join(lines) == chunk * count


@pytest.mark.parametrize(
    ('choice', 'stdout', 'stderr'),
    [
        ('screen', {'screen'}, {'screen'}),
        ('log', {'log'}, {'log', 'screen'}),
        ('both', {'log', 'screen'}, {'log', 'screen'}),
        ('own_log', {'own_log'}, {'own_log'}),
        ({'stdout': 'screen', 'stderr': ['log', 'own_log']}, {'screen'}, {'log', 'own_log'}),
        ({'both': 'log'}, {'log'}, {'log'}),
        ({}, set(), set()),
    ],
)
def test_places(choice: object, stdout: set[str], stderr: set[str]) -> None:
    assert places(choice) == {1: stdout, 2: stderr}  # type: ignore[arg-type]


@pytest.mark.parametrize('choice', ['display', {'stdin': 'log'}, {'both': 'display'}])
def test_unknown_places_are_refused(choice: object) -> None:
    with pytest.raises(ValueError, match='output'):
        places(choice)  # type: ignore[arg-type]


def test_every_line_is_in_the_own_log_file(tmp_path: Path) -> None:
    screen: list[str] = []
    log: list[str] = []
    output = ProcessOutput(
        name='talker-1', choice='log', log_dir=tmp_path, screen=screen.append, log=log.append
    )
    output.write(1, b'out')
    output.write(2, b'\xff err')
    output.close()
    output.write(1, b'late')
    assert (tmp_path / 'talker-1.log').read_text() == 'out\n\ufffd err\n'
    assert screen == ['[talker-1] \ufffd err']
    assert log == ['[talker-1] out', '[talker-1] \ufffd err', '[talker-1] late']


class Watch:
    """Collects a child's lines and lets a test wait for one."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._changed = asyncio.Event()

    def __call__(self, number: int, line: bytes) -> None:
        self.lines.append(line.decode())
        self._changed.set()

    async def wait_for(self, text: str) -> str:
        while not (found := [line for line in self.lines if text in line]):
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 20)
        return found[0]


def child(code: str, watch: Watch, **kwargs: object) -> ChildProcess:
    loop = asyncio.get_running_loop()
    argv = [sys.executable, '-u', '-c', code]
    return ChildProcess(argv, loop=loop, on_line=watch, **kwargs)  # type: ignore[arg-type]


STUBBORN = (
    'import signal, time\n'
    'signal.signal(signal.SIGINT, lambda *a: print("int"))\n'
    'signal.signal(signal.SIGTERM, lambda *a: print("term"))\n'
    'print("ready")\n'
    'while True: time.sleep(60)\n'
)


def test_escalation_goes_through_all_steps() -> None:
    async def run() -> tuple[int, list[str], list[str]]:
        watch, said = Watch(), []
        process = child(STUBBORN, watch)
        await watch.wait_for('ready')
        escalation = Escalation(
            process,
            name='c-1',
            sigterm_timeout=0.2,
            sigkill_timeout=0.2,
            log=lambda level, message: said.append(message),
        )
        await escalation.run()
        return await process.finish(1.0), watch.lines, said

    code, lines, said = asyncio.run(run())
    assert code == -signal.SIGKILL
    assert lines == ['ready', 'int', 'term']
    late = "process[c-1] failed to terminate '0.2' seconds after receiving"
    assert said == [
        "sending signal 'SIGINT' to process[c-1]",
        f"{late} 'SIGINT', escalating to 'SIGTERM'",
        "sending signal 'SIGTERM' to process[c-1]",
        f"{late} 'SIGTERM', escalating to 'SIGKILL'",
        "sending signal 'SIGKILL' to process[c-1]",
    ]


def test_hurry_takes_the_next_step_at_once() -> None:
    async def run() -> int:
        watch = Watch()
        process = child(STUBBORN, watch)
        await watch.wait_for('ready')
        escalation = Escalation(
            process, name='c', sigterm_timeout=3600, sigkill_timeout=3600, log=lambda *_: None
        )
        task = asyncio.get_running_loop().create_task(escalation.run())
        await watch.wait_for('int')
        escalation.hurry()
        await watch.wait_for('term')
        escalation.hurry()
        await asyncio.wait_for(task, 20)
        return await process.finish(1.0)

    assert asyncio.run(run()) == -signal.SIGKILL


PARENT = (
    'import subprocess, sys\n'
    'code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); '
    "print('up', flush=True); time.sleep(600)\"\n"
    'child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)\n'
    'child.stdout.readline()\n'
    'print("grandchild", child.pid)\n'
)


def test_what_a_child_leaves_behind_is_ended_with_it() -> None:
    async def run() -> tuple[int, int, list[int]]:
        watch = Watch()
        process = child(PARENT, watch)
        pid = int((await watch.wait_for('grandchild')).split()[1])
        code = await process.finish(0.2)
        return pid, code, exits.members(process.pid)

    pid, code, left = asyncio.run(run())
    assert (code, left) == (0, [])
    stat = Path(f'/proc/{pid}/stat')
    assert not stat.exists() or stat.read_text().rpartition(')')[2].split()[0] == 'Z'


def test_exit_codes_and_last_lines() -> None:
    async def run(code: str) -> tuple[int, list[str]]:
        watch = Watch()
        return await child(code, watch).finish(1.0), watch.lines

    assert asyncio.run(run('import os; os.write(1, b"a\\nb"); os._exit(7)')) == (7, ['a', 'b'])
    assert asyncio.run(run('import os; os.kill(os.getpid(), 9)'))[0] == -9


def test_a_terminal_is_what_the_child_sees_where_asked() -> None:
    async def run(tty: bool) -> list[str]:
        watch = Watch()
        await child('import sys; print(sys.stdout.isatty())', watch, tty=tty).finish(1.0)
        return watch.lines

    assert asyncio.run(run(True)) == ['True']
    assert asyncio.run(run(False)) == ['False']


def test_standard_input_can_be_written() -> None:
    async def run() -> list[str]:
        watch = Watch()
        process = child('print(input()[::-1])', watch)
        process.write(b'abc\n')
        await process.finish(1.0)
        process.write(b'too late')
        return watch.lines

    assert asyncio.run(run()) == ['cba']


def descriptors() -> int:
    return len(list(Path('/proc/self/fd').iterdir()))


def test_a_program_that_does_not_exist_leaks_no_descriptor() -> None:
    async def run() -> None:
        for _ in range(3):
            with pytest.raises(FileNotFoundError):
                ChildProcess(
                    ['/s2e/absent'],
                    loop=asyncio.get_running_loop(),
                    on_line=lambda number, line: None,
                )

    before = descriptors()
    asyncio.run(run())
    assert descriptors() == before
