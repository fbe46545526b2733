"""A person's study through the launch file, the page and a real browser, from start to form."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROS2 = Path(sys.prefix) / 'bin' / 'ros2'
OVERLAY = ROOT / 'install' / 'lib' / 's2e_nav' / 'study'
PATIENCE = 600.0
"""Seconds for what takes ninety on an idle machine."""
TOKEN = 'correct-horse-battery'

support = ROOT / 'src' / 's2e_teleop' / 'test' / 'browser.py'
spec = importlib.util.spec_from_file_location('browser', support)
browser = importlib.util.module_from_spec(spec)
sys.modules['browser'] = browser
spec.loader.exec_module(browser)

pytestmark = [
    pytest.mark.ros, pytest.mark.e2e, pytest.mark.slow,
    pytest.mark.skipif(
        browser.find() is None,
        reason='no Chromium here: apt-get install chromium, or name one in S2E_CHROMIUM',
    ),
]
SEEN = """
(() => {
  const id = (name) => document.getElementById(name);
  const turn = /rotate\\((.+)rad\\)/.exec(id('study-arrow')?.style.transform || '');
  return {
    role: id('role').textContent, where: id('study-where')?.textContent || '',
    who: id('study-who')?.textContent || '', practice: id('study-practice')?.hidden === false,
    panel: id('study-panel')?.hidden === false ? id('study-panel').textContent : '',
    ready: id('study-start')?.disabled === false, form: document.querySelectorAll('.scale').length,
    metres: parseFloat(id('study-metres')?.textContent), turn: turn ? -Number(turn[1]) : 0,
    held: id('stick').classList.contains('held'), rearm: !id('rearm').hidden,
  };
})()
"""
SLOWER = """
document.getElementById('limit').value = 0.8;
document.getElementById('limit').dispatchEvent(new Event('input'));
"""
FILL = """
[...document.querySelectorAll('.scale input')].forEach((slider, index) => {
  slider.value = 15 * index; slider.dispatchEvent(new Event('input'));
});
document.getElementById('study-submit').click();
"""


class Participant:
    """Sees what the page shows and presses keys; steers by the arrow, as a person would."""

    def __init__(self, tab: Any) -> None:
        self.tab, self.down, self.seen, self.bars = tab, set(), {}, []
        self.turn = 0.0

    async def look(self) -> dict[str, Any]:
        self.seen = await self.tab.run(SEEN)
        if self.seen['role'] == 'nobody drives':
            # At the start, and after a connection that a busy machine has cost.
            await self.click('take')
        bar = (self.seen['where'], self.seen['who'], self.seen['practice'])
        if not self.bars or self.bars[-1] != bar:
            self.bars.append(bar)
        return self.seen

    async def click(self, name: str) -> None:
        await self.tab.run(f"document.getElementById('{name}').click()")

    async def until(self, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not (await self.look())[what]:
            assert time.monotonic() < deadline, f'{what}: {self.seen}'
            await asyncio.sleep(0.2)

    async def hold(self, *keys: str) -> None:
        for key in self.down - set(keys):
            await self.tab.key('keyUp', key)
        for key in set(keys) - self.down:
            await self.tab.key('keyDown', key)
        self.down = set(keys)

    async def steer(self, stop: float) -> None:
        """Press what leads to the goal; press anew what the robot or the page let go."""
        seen = self.seen
        if seen['rearm']:
            await self.hold()
            await self.click('rearm')
        elif (self.down and not seen['held']) or seen['metres'] is None or seen['metres'] < stop:
            await self.hold()
        else:
            # One tap for each new look at the arrow: a key is full lock, and the arrow is late.
            new, self.turn = seen['turn'] != self.turn, seen['turn']
            side = 'KeyA' if self.turn > 0.0 else 'KeyD'
            aside = [side] if new and abs(self.turn) > 0.1 else []
            await self.hold('KeyW', *aside)

    async def start(self) -> float:
        """Press the button and wait until the run has begun; return when to give up."""
        deadline = time.monotonic() + PATIENCE
        await self.click('study-start')
        while (await self.look())['panel']:
            assert time.monotonic() < deadline, self.seen
            await asyncio.sleep(0.05)
        return deadline

    async def drive(self, enough: float | None = None) -> None:
        """Drive until the run is over, or as many metres of practice as are enough."""
        deadline, first = await self.start(), None
        while not (await self.look())['panel']:
            assert time.monotonic() < deadline, self.seen
            await self.steer(0.4)
            left = self.seen['metres']
            first = first or left
            if enough is not None and left is not None and first - left > enough:
                await self.click('study-enough')
            await asyncio.sleep(0.1)
        await self.hold()


async def take_part(url: str, profile: Path) -> Participant:
    async with browser.open_tab(profile) as tab:
        person = Participant(tab)
        await tab.call('Page.navigate', url=url)
        await tab.until("document.getElementById('take')?.disabled === false")
        await person.until('ready')
        await tab.run(SLOWER)
        await person.drive(enough=1.0)
        await person.until('ready')
        await person.drive()
        await person.until('form')
        assert person.seen['form'] == 6
        await tab.run(FILL)
        await tab.until("document.getElementById('study-panel').textContent.includes('Thank you')")
        assert tab.errors == []
        return person


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])


def test_a_person_drives_a_route_from_the_page(ros_environment, tmp_path):
    """13 m of open street: practice, the run with its banner, the form, and what is kept."""
    if not ROS2.exists() or not OVERLAY.exists():
        pytest.skip('ROS missing: no overlay with the study node here; run `make setup`')
    port, study = free_port(), tmp_path / 'study'
    words = [
        ROS2, 'launch', 's2e_nav', 'teleop_compare.launch.py', 'participant:=3',
        'drivers:=person', 'links:=good', 'scenes:=city:100', 'tasks:=empty', 'episodes:=1',
        'seed:=12', 'policy:=straight', f'output:={study}', f'port:={port}', f'token:={TOKEN}',
        'image_width:=160', 'image_height:=120', 'webrtc:=off',
    ]
    environment = {**ros_environment, 'ROS_LOG_DIR': str(tmp_path / 'log')}
    with (tmp_path / 'launch.log').open('w') as log:
        launch = subprocess.Popen(
            words, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        wait_for_page(launch, tmp_path / 'launch.log')
        url = f'http://127.0.0.1:{port}/#token={TOKEN}'
        person = asyncio.run(take_part(url, tmp_path / 'profile'))
        assert launch.wait(PATIENCE) == 0, (tmp_path / 'launch.log').read_text()
    finally:
        if launch.poll() is None:
            launch.send_signal(signal.SIGINT)
            launch.wait(30)
    assert ('Block 1 of 1, 1 runs', 'You drive, link good', True) in person.bars
    assert ('Block 1 of 1, run 1 of 1', 'You drive, link good', False) in person.bars
    check_what_is_kept(study / 'people' / 'p003' / 'person-good')
    report(study, tmp_path / 'report')


def wait_for_page(launch: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while 'drive at' not in log.read_text():
        assert launch.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def check_what_is_kept(block: Path) -> None:
    [episode] = (block / 'episodes').glob('*.json')
    kept = json.loads(episode.read_text())
    assert kept['policy'] == 'person (good)' and kept['spec']['index'] == 0
    # A machine that stalls may cost the goal in time; that the person drove is not up to it.
    assert kept['outcome'] in ('success', 'timed_out')
    assert kept['ticks']['geodesic'][0] - kept['ticks']['geodesic'][-1] > 3.0
    [drive] = (block / 'drives').glob('*/drive.json')
    record = json.loads(drive.read_text())
    assert record['participant'] == 3 and record['link']['round_trip'] > 0.004
    assert len(list((block / 'practice' / 'drives').glob('*/drive.json'))) == 1
    load = json.loads((block / 'workload.json').read_text())
    assert load['raw_tlx'] == 37.5 and load['frustration'] == 75
    assert json.loads((block / 'run.json').read_text())['complete']


def report(study: Path, out: Path) -> None:
    """What was driven can be compared, imported and drawn by the commands for it."""
    s2e = [sys.executable, '-m', 's2e_cli']
    [drive] = (study / 'people' / 'p003' / 'person-good' / 'drives').glob('p003_*')
    for words in (
        ['teleop', 'compare', study, '--out', out],
        ['teleop', 'disagreement', drive, '--out', out / 'disagreement.svg'],
        ['train', 'import', drive, out / 'clips', '--licence', 'CC0-1.0'],
    ):
        done = subprocess.run(
            [*s2e, *map(str, words)], capture_output=True, text=True, check=False,
            env={**os.environ}, timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
    assert 'person (good)' in (out / 'drives.csv').read_text()
    assert (out / 'disagreement.svg').is_file()
    assert list((out / 'clips').glob('p003_person-good_*'))
    shutil.rmtree(out)
