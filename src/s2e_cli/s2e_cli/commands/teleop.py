"""`s2e teleop`: compare remote driving with autonomy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

ORDER = 70

LINKS = ('none', 'good', 'wifi', '4g', 'congested', 'satellite')

EPILOG = """examples:
  s2e teleop study runs/study --scenes city:100-103 --episodes 2
  s2e teleop study runs/study --scenes city:100-103 --episodes 2 --links none 4g satellite
  s2e teleop compare runs/study --out runs/study
  s2e teleop disagreement drive/recording --out disagreement.svg
"""

STUDY = """Runs the same routes, starts and seeds with the policy on board, and with a SCRIPTED
operator who drives from afar over each link. The operator is the planner that knows the map,
acting on what the robot saw as long ago as link and reaction make it; it is no person, and a
person sees less. Killed, it goes on where it was.
"""


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        'teleop', help='compare remote driving with autonomy', epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    study = actions.add_parser(
        'study', help='drive the same routes with the policy and with scripted operators',
        description=STUDY, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example:\n  s2e teleop study runs/study --scenes city:100-103 --episodes 2',
    )
    add = study.add_argument
    add('out', type=Path, metavar='OUT', help='folder of the study')
    add('--policy', default='auto', help='the autonomy; auto: what suits the lens (auto)')
    add('--links', nargs='+', default=list(LINKS), metavar='LINK',
        help=f'names in config/teleop/links, files, or none ({" ".join(LINKS)})')
    add('--reaction', type=float, default=0.25, metavar='S', help="the operator's, seconds (0.25)")
    add('--scenes', nargs='+', default=['city:100-103'], metavar='SCENE')
    add('--tasks', nargs='+', default=['obstacle', 'pedestrian'], metavar='TASK')
    add('--episodes', type=int, default=2, metavar='N', help='per scene and task (2)')
    add('--seed', type=int, default=0)
    add('--robot', default='coco')
    add('--workers', type=int, default=2, metavar='K', help='processes (2)')
    compare = actions.add_parser(
        'compare', help='write the report of drives by people and programs: page, CSV, plots',
        epilog='example:\n  s2e teleop compare runs/study --out runs/study\n'
        'Who drives on board goes first, and the others are compared with it; then by delay.',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.add_argument('run_dirs', type=Path, nargs='+', metavar='RUN',
                         help='run folder, or a folder of some, such as a study')
    compare.add_argument('--out', type=Path, required=True, metavar='DIR',
                         help='folder for compare.html, the CSV files, and plots as SVG and PDF')
    _add_disagreement(actions)


def _add_disagreement(actions: argparse._SubParsersAction[Any]) -> None:
    parser = actions.add_parser(
        'disagreement', help='draw where a policy would have driven otherwise than a person did',
        description='Reads a recording in which a person drove while a policy planned: a run of a '
        'study, or shadow:=true with record:=. Draws the way over the map, coloured by the mean '
        'distance of the plan made there from the way that was then driven, with the plans '
        'farthest from it, the interventions, and both velocities over time.',
        epilog='example:\n  s2e teleop disagreement '
        'runs/study/people/p001/person-4g/drives/ID/recording --out disagreement.svg',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('recording', type=Path, help='MCAP file or its folder')
    parser.add_argument('--out', type=Path, required=True, metavar='FILE',
                        help='picture: .svg, .pdf or .png; CSV files of the same name beside it')
    parser.add_argument('--scene', default='', help='whose map is drawn, if there are several')
    parser.add_argument('--maps', type=Path, metavar='DIR',
                        help='folder of maps; looked for above the recording')


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    if args.action == 'study':
        from s2e_cli.teleop.study import run_study

        return run_study(args)
    if args.action == 'disagreement':
        from s2e_cli.teleop.disagreement import write_disagreement

        for path in write_disagreement(args.recording, args.out, args.scene, args.maps):
            print(path)
        return 0
    from s2e_cli.teleop.report import write_report

    print(f'page: {write_report(args.run_dirs, args.out)}')
    return 0
