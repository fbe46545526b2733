"""`s2e policy`: export, check and time policy bundles."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2e_cli.training.open_loop import add_evaluate_parser, run_evaluate

if TYPE_CHECKING:
    from s2e_policy.bundle import Bundle

ORDER = 40

EPILOG = """examples:
  s2e policy info models/s2e-small
  s2e policy check models/s2e-small
  s2e policy bench models/s2e-small
  s2e policy bench random:paper
  s2e policy evaluate models/s2e-small clips
  s2e policy export runs/small models/my-policy --name my-policy
  s2e policy vote models/my-policy --width 0.2 --memory 0.5
  s2e policy measured models/my-policy results.yaml
  s2e policy convert models/s2e-small models/s2e-small-int8 --precision int8
"""


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        'policy',
        help='export, check, describe and time policy bundles',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(dest='step', metavar='STEP', required=True)
    for name, text in (
        ('info', 'say what a bundle is'),
        ('check', 'verify hashes and interface, replay the reference with both graphs'),
        ('bench', 'time window and streaming graph with one and two threads'),
    ):
        step = steps.add_parser(name, help=text)
        step.add_argument('bundle', help='folder, name under models/' + (
            '' if name == 'bench' else ', or adapter:KIND:PATH'))
        if name == 'bench':
            step.epilog = 'random:small and random:paper time those sizes with random weights'
            step.add_argument('--runs', type=int, default=200, help='timed calls (default 200)')
    export = steps.add_parser('export', help='make a bundle from a training run')
    export.add_argument(
        'training', type=Path, metavar='run', help='folder of the run, or a checkpoint'
    )
    export.add_argument('out', type=Path, help='folder of the bundle; replaced if it exists')
    export.add_argument('--name', help='name of the policy; the folder name when left out')
    export.add_argument('--metrics', type=Path, help='YAML of measured metrics for the card')
    export.add_argument('--licence', default='',
                        help='of the weights; Apache-2.0 where all data is, when left out')
    measured = steps.add_parser('measured', help='put measurements into a bundle and its card')
    measured.add_argument('bundle', help='folder, or name under models/')
    measured.add_argument('metrics', type=Path, help='YAML of measured metrics; others stay')
    vote = steps.add_parser('vote', help='say how the modes of a bundle are chosen')
    vote.add_argument('bundle', help='folder, or name under models/')
    vote.add_argument('--width', type=float, required=True, metavar='METRES',
                      help='how far apart modes vote for each other; 0: the highest score')
    vote.add_argument('--memory', type=float, default=0.0, metavar='SHARE',
                      help='weight of the answers before (0)')
    add_evaluate_parser(steps)
    convert = steps.add_parser('convert', help='make a bundle in float16 or int8 of another')
    convert.add_argument('bundle', help='folder, or name under models/; float32')
    convert.add_argument('out', type=Path, help='folder of the new bundle; replaced if it exists')
    convert.add_argument('--precision', choices=('float16', 'int8'), required=True,
                         help='of weights and arithmetic; int8 leaves convolutions alone')


def run(args: argparse.Namespace) -> int:
    """Run one step."""
    steps = {
        'info': _info, 'check': _check, 'bench': _bench, 'export': _export, 'convert': _convert,
        'evaluate': run_evaluate, 'measured': _measured, 'vote': _vote,
    }
    return steps[args.step](args)


def _info(args: argparse.Namespace) -> int:
    import yaml

    from s2e_core.config import to_mapping
    from s2e_core.paths import find_model
    from s2e_policy.adapters.options import is_adapter
    from s2e_policy.manifest import read_manifest

    if is_adapter(args.bundle):
        return _describe_adapter(args.bundle)
    manifest = to_mapping(read_manifest(find_model(args.bundle)))
    manifest['anchors'] = f'{len(manifest["anchors"])} points'
    print(yaml.safe_dump(manifest, sort_keys=False, width=99), end='')
    return 0


def _check(args: argparse.Namespace) -> int:
    from s2e_core.paths import find_model
    from s2e_policy.adapters.options import is_adapter
    from s2e_policy.bundle import load_bundle
    from s2e_policy.reference import replay

    if is_adapter(args.bundle):
        return _describe_adapter(args.bundle)
    bundle = load_bundle(find_model(args.bundle), replay_reference=False)
    print(f'{bundle.root}: hashes and contract hold')
    for mode, error in replay(bundle).items():
        print(f'  {mode:9s} answers the reference within {error:.1e}')
    return 0


def _describe_adapter(name: str) -> int:
    """Open somebody else's graphs, which compares them with their contract, and describe them."""
    import yaml

    from s2e_policy.named import open_policy

    about = open_policy(name, goal_comes_later=True).about
    print(yaml.safe_dump(about, sort_keys=False, width=99), end='')
    return 0


def _bench(args: argparse.Namespace) -> int:
    from s2e_core.paths import find_model
    from s2e_policy.bundle import load_bundle

    if args.bundle.startswith('random:'):
        from s2e_training.export.random import random_bundle

        with tempfile.TemporaryDirectory() as folder:
            print(f'making {args.bundle}', file=sys.stderr)
            return _time(random_bundle(args.bundle.partition(':')[2], Path(folder)), args.runs)
    return _time(load_bundle(find_model(args.bundle)), args.runs)


def _time(bundle: Bundle, runs: int) -> int:
    from s2e_policy.latency import measure

    print('graph      threads  provider   p50 ms   p95 ms   p99 ms')
    for mode in ('streaming', 'window'):
        for threads in (1, 2):
            x = measure(bundle, mode, threads, runs, time.perf_counter)
            times = f'{x.p50:8.2f} {x.p95:8.2f} {x.p99:8.2f}'
            print(f'{mode:9s}  {threads:7d}  {x.provider:8s} {times}')
    return 0


def _measured(args: argparse.Namespace) -> int:
    from s2e_core.paths import find_model
    from s2e_training.export.measured import put_metrics, read_metrics

    bundle = put_metrics(find_model(args.bundle), read_metrics(args.metrics))
    print(f'{bundle.root}: card and metadata hold {", ".join(bundle.manifest.metrics)}')
    return 0


def _vote(args: argparse.Namespace) -> int:
    from s2e_core.paths import find_model
    from s2e_policy.vote import put_vote

    bundle = put_vote(find_model(args.bundle), args.width, args.memory)
    chosen = bundle.manifest.output
    way = f'modes vote within {chosen.vote} m' if chosen.vote > 0.0 else 'the highest score counts'
    print(f'{bundle.root}: {way}, answers before weigh {chosen.memory}')
    return 0


def _convert(args: argparse.Namespace) -> int:
    from s2e_core.paths import find_model
    from s2e_training.export.precision import convert_bundle

    bundle = convert_bundle(find_model(args.bundle), args.out, args.precision)
    size = sum(entry.bytes for entry in bundle.manifest.files.values())
    print(f'{bundle.root}: {args.precision}, {size / 1e6:.1f} MB, against float32:')
    for key, value in bundle.manifest.metrics['against_float32'].items():
        print(f'  {key.replace("_", " ")}: {value}')
    return 0


def _export(args: argparse.Namespace) -> int:
    from s2e_training.export.run import export_run

    bundle = export_run(
        args.training, args.out, args.name or args.out.name, args.metrics, args.licence
    )
    size = sum(entry.bytes for entry in bundle.manifest.files.values())
    print(f'{bundle.root}: exported and checked, {size / 1e6:.1f} MB')
    return 0
