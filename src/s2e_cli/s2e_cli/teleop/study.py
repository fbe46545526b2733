"""Drives the same episodes with the policy on board and with scripted operators far away."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from navbench_gs.runner.plan import PolicyFactory, RunConfig
from s2e_core.contract import Policy
from s2e_teleop.link import LinkProfile, load_link
from s2e_teleop.study.operator import Lateness, OperatorModel, lateness

AUTONOMY = 'autonomy'
RUNS = 'runs'


@dataclass(frozen=True)
class OperatorFactory:
    """Makes the scripted operator."""

    link: str
    v_max: float
    late: Lateness

    @property
    def name(self) -> str:
        """Name in records and reports."""
        return f'scripted operator ({self.link})'

    def __call__(self) -> Policy:
        """Make it: the planner on the true map; what makes it late lies in the conditions."""
        from navbench_gs.agents.privileged import PrivilegedPlanner

        return PrivilegedPlanner(self.v_max)

    def details(self) -> dict[str, Any]:
        """Return what the report says about it."""
        return {
            'kind': 'scripted operator', 'inputs': 'true map and people, late', 'link': self.link,
            'latency': round(self.late.latency, 4), 'delay': round(self.late.delay, 4),
            'v_max': round(self.v_max, 3),
        }


@dataclass(frozen=True)
class Drive:
    """One run of the study."""

    name: str
    factory: PolicyFactory
    config: RunConfig
    details: dict[str, Any]


def plan(
    config: RunConfig, policy: PolicyFactory, about: dict[str, Any], links: list[LinkProfile],
    model: OperatorModel,
) -> list[Drive]:
    """Return the runs: the policy, then the operator over each link, over equal episodes."""
    drives = [Drive(AUTONOMY, policy, config, about)]
    for link in links:
        late = lateness(model, link)
        conditions = replace(
            config.conditions, latency=late.latency, jitter=late.jitter, command_loss=late.loss,
            retransmit=late.retransmit,
        )
        factory = OperatorFactory(link.name, late.v_max, late)
        drives.append(Drive(
            f'operator-{link.name}', factory, replace(config, conditions=conditions),
            factory.details(),
        ))
    return drives


def run_study(args: argparse.Namespace) -> int:
    """Run what is not there yet, then write the report."""
    from navbench_gs.runner.plan import parse_scenes, parse_tasks
    from navbench_gs.tasks.protocol import load_protocol
    from s2e_cli.bench.policies import policy_factory
    from s2e_cli.teleop.report import write_report
    from s2e_core.robot import load_robot
    from s2e_policy.choice import choose_policy

    protocol = load_protocol('default')
    config = RunConfig(
        parse_scenes(args.scenes), parse_tasks(args.tasks), protocol, args.robot,
        episodes=args.episodes, seed=args.seed, workers=args.workers,
    )
    through_robot = None if config.drawn == 'policy' else load_robot(args.robot)
    choice = choose_policy(args.policy, through_robot)
    print(*choice.lines, sep='\n', flush=True)
    policy = policy_factory(choice.policy, protocol.judge.v_max)
    model = OperatorModel(reaction=args.reaction, v_max=protocol.judge.v_max)
    links = [load_link(name) for name in args.links]
    drives = plan(config, policy, policy.details(), links, model)
    for number, drive in enumerate(drives, 1):
        print(f'[{number}/{len(drives)}] {drive.name}', flush=True)
        _drive(drive, args.out / RUNS / drive.name)
    folders = [args.out / RUNS / drive.name for drive in drives]
    print(f'page: {write_report(folders, args.out)}')
    return 0


def _drive(drive: Drive, folder: Path) -> None:
    from navbench_gs.runner.run import run_benchmark
    from s2e_cli.bench.console import Console

    console = Console(len(drive.config.items()), sys.stderr)
    try:
        run_benchmark(
            drive.config, drive.factory, folder, progress=console.finished, details=drive.details
        )
    finally:
        console.close()
