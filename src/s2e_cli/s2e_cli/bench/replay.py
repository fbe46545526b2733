"""`s2e bench replay`: one episode again, to the byte, and its film."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

EPILOG = """examples:
  s2e bench replay runs/a/episodes/city-100_obstacle_003.json
  s2e bench replay runs/a/episodes/city-100_empty_000.json --no-film
Exit code 0: equal to the byte; 1: it differs, and where it first does is printed.
"""


def add_replay(actions: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this action."""
    parser = actions.add_parser(
        'replay', help='drive a recorded episode again and compare it byte by byte',
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('episode', type=Path, metavar='EPISODE',
                        help='episode file in its run folder: RUN/episodes/NAME.json')
    parser.add_argument('--policy', metavar='POLICY', help='where the policy lies now')
    parser.add_argument('--scene', metavar='SCENE', help='where the scene lies now')
    parser.add_argument('--film', type=Path, metavar='FILE',
                        help='film of the drive (RUN/films/NAME.mp4)')
    parser.add_argument('--no-film', action='store_true', help='make no film: faster')
    parser.add_argument('--anyway', action='store_true',
                        help='drive even where versions differ from those of the run')


def run_replay(args: argparse.Namespace) -> int:
    """Run the action."""
    from navbench_gs.errors import RunError
    from navbench_gs.metrics.scores import evaluate
    from navbench_gs.runner.identity import changed_versions, code
    from navbench_gs.runner.replay import changed_setting, open_recorded, replay
    from s2e_cli.bench.policies import policy_factory

    path: Path = args.episode
    recorded = open_recorded(path)
    changed = changed_versions(recorded.run) + changed_setting(recorded)
    if changed and not args.anyway:
        raise RunError(
            f'{path}: was driven with others: {"; ".join(changed)[:600]}. Install those, or '
            'compare with --anyway'
        )
    for line in changed:
        print(f'another than then: {line}', file=sys.stderr)
    rules = recorded.protocol.judge
    factory = policy_factory(args.policy or recorded.policy_source, rules.v_max)
    film = args.film or path.resolve().parent.parent / 'films' / f'{path.stem}.mp4'
    result = replay(
        recorded, factory, film=None if args.no_film else film, scene=args.scene
    )
    scores = evaluate(result.log, rules)
    print(f'{result.log.spec.id}: {result.log.outcome} after {scores.duration:.1f} s, '
          f'{scores.collisions} collisions, route completion {scores.route_completion:.2f}')
    if not args.no_film:
        print(f'film: {film}')
    if result.difference:
        print(f'differs from {path}: {result.difference}')
        if recorded.run.get('code', here := code()) != here:
            print('the code has changed since: run.json has the digests under code')
        return 1
    print(f'equal to {path} to the byte')
    return 0
