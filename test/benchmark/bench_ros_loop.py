"""Time lock-step through ROS: real-time factor and CPU time of each process; results as CSV.

Example:
    python test/benchmark/bench_ros_loop.py --policies straight,s2e-small --cameras policy,robot

Wall time depends on what else the machine does; CPU time per tick of 50 ms does far less, and its
ratio to a fixed small kernel timed in the same run compares between days and machines. `possible`
is the real-time factor of an idle machine with a core for film and recording: the tick over the
CPU time of bridge, policy, follower and gate, which work one after the other.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from kernel import kernel_seconds

RESULTS = Path(__file__).parent / 'results/bench_ros_loop.csv'
ROS2 = Path(sys.prefix) / 'bin' / 'ros2'
CHAIN = ('sim_bridge', 'policy', 'follower', 'gate')
STARTED = re.compile(r'\[([a-z_]+)-\d+\]: process started with pid \[(\d+)\]')


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


class Meter:
    """Samples the CPU time of the launched processes until their run is over."""

    def __init__(self) -> None:
        self.pids: dict[str, int] = {}
        self.samples: list[tuple[float, dict[str, float]]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Take a last sample and end."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            over = self._over.wait(0.1)
            now = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
            self.samples.append((time.monotonic(), now))
            if over:
                return

    def driving(self) -> tuple[float, dict[str, float]]:
        """Return wall and CPU seconds from the first command of the follower to the end."""
        idle = self.samples[0][1]['follower'] + 0.05
        first = max(i for i, (_, cpu) in enumerate(self.samples) if cpu['follower'] <= idle)
        (t0, before), (t1, after) = self.samples[first], self.samples[-1]
        return t1 - t0, {name: after[name] - before[name] for name in after}


def measure(policy: str, camera: str, film: bool, scene: str, domain: int) -> dict[str, object]:
    """Run one episode and return its row."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(ROS2), 'launch', 's2e_nav', 'navbench_sim.launch.py', f'scene:={scene}',
            f'policy:={policy}', f'camera:={camera}', f'film:={film}', f'record:={film}',
            'episodes:=1', f'output:={folder}/run',
        ]
        process = subprocess.Popen(
            command, env={**os.environ, 'ROS_DOMAIN_ID': str(domain)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        meter, lines = Meter(), []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if found := STARTED.search(line):
                meter.pids[found[1]] = int(found[2])
            if 'scene ' in line and 'sim_bridge' in line and not meter.samples:
                meter.start()
            if '[1/1]' in line:
                meter.stop()
                break
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        lines += process.stdout.readlines()
        process.wait()
        down = time.monotonic() - asked
        logs = list(Path(folder, 'run/episodes').glob('*.json'))
        if not logs:
            sys.exit(''.join(lines))
        ticks = len(json.loads(logs[0].read_text())['ticks']['x']) - 1
    wall, cpu = meter.driving()
    chain = sum(cpu[name] for name in CHAIN)
    per_tick = {f'{name}_ms': round(1e3 * cpu.get(name, 0.0) / ticks, 2) for name in (
        *CHAIN, 'episode_runner', 'recorder')}
    kernel = kernel_seconds()
    return {
        'policy': policy, 'camera': camera, 'film_and_recording': film, 'scene': scene,
        'ticks': ticks, 'wall_s': round(wall, 2), 'times_real_time': round(0.05 * ticks / wall, 2),
        'possible': round(0.05 * ticks / chain, 2), **per_tick,
        'chain_over_kernel': round(chain / ticks / kernel, 3), 'ctrl_c_s': round(down, 2),
        'load': round(os.getloadavg()[0], 1), 'cores': os.cpu_count(),
    }


def main() -> None:
    """Measure every combination and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--policies', default='straight,s2e-small')
    parser.add_argument('--cameras', default='policy,robot')
    parser.add_argument('--scene', default='city:100')
    parser.add_argument('--domain', type=int, default=99)
    args = parser.parse_args()
    rows = []
    for policy in args.policies.split(','):
        for camera in args.cameras.split(','):
            for film in (False, True):
                rows.append(measure(policy, camera, film, args.scene, args.domain))
                print(json.dumps(rows[-1]), flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open('w', newline='', encoding='utf-8') as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == '__main__':
    main()
