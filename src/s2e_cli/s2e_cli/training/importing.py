"""`s2e train import` and `s2e train inspect`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2e_cli.training.sources import add_source_options, source_options

if TYPE_CHECKING:
    from s2e_training.data.importer import ClipReport

EPILOG = """examples:
  s2e train import drive.mcap clips/drive --licence CC-BY-4.0
  s2e train import recon_release/some_trajectory clips/recon --hfov 100 --mount 0.2 0.8 0
  s2e train import kitti/sequences/00 clips/kitti --sparse
  s2e train import walk.mp4 clips/walk --poses walk_tum.txt --hfov 70 --mount 0 1.5 0.05
"""


def add_import_parser(steps: argparse._SubParsersAction[Any]) -> None:
    """Add `import`."""
    parser = steps.add_parser(
        'import', help='turn real recordings with poses into clips', epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('source', type=Path, help='bag, video, or folder of one or many')
    parser.add_argument('out', type=Path, help='folder of the clips')
    parser.add_argument('--size', type=int, help='width and height of the images (128)')
    parser.add_argument('--v-max', type=float, metavar='M/S',
                        help='stretch time down to this speed (1.5); 0 keeps the speed')
    parser.add_argument('--platform-v-max', type=float, metavar='M/S',
                        help='fastest possible speed of the platform (40); more is a wrong unit')
    parser.add_argument('--longest', type=float, metavar='S', help='longest clip (20)')
    parser.add_argument('--shortest', type=float, metavar='S', help='shortest clip (2)')
    parser.add_argument('--sparse', action='store_true',
                        help='accept images over 0.5 s apart: clips for evaluation only')
    parser.add_argument('--force', action='store_true', help='accept impossible speeds')
    parser.add_argument('--unseen', choices=('black', 'edge'),
                        help="what of the policy's view the camera does not see (black), or its "
                        'nearest pixel')
    add_source_options(parser)


def add_inspect_parser(steps: argparse._SubParsersAction[Any]) -> None:
    """Add `inspect`."""
    parser = steps.add_parser(
        'inspect', help='list clips with hours, licence and findings, and draw a strip',
        epilog='example:\n  s2e train inspect clips --strip clips.png',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('clips', type=Path, nargs='+', help='folders of clips')
    parser.add_argument('--strip', type=Path, metavar='PNG',
                        help='picture: images of each clip and its path')


def run_import(args: argparse.Namespace) -> int:
    """Import every recording of a source; one that is refused does not stop the others."""
    from s2e_core.config import from_mapping
    from s2e_core.errors import S2EError
    from s2e_training.data.importer import ImportConfig, import_recording
    from s2e_training.data.sources.opening import find_recordings, open_recording

    names = ('size', 'v_max', 'platform_v_max', 'longest', 'shortest', 'unseen')
    values = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    config = from_mapping(
        ImportConfig, {**values, 'sparse': args.sparse, 'force': args.force}, source='import'
    )
    options = source_options(args)
    sources = find_recordings(args.source, options)
    refused = clips = 0
    seconds = 0.0

    def show(report: ClipReport) -> None:
        print(f'  {report.folder.name:32s} {report.frames:5d} images {report.seconds:7.1f} s '
              f'{report.metres:7.1f} m', flush=True)
        for finding in report.findings:
            print(f'    {finding}')

    for number, source in enumerate(sources, start=1):
        print(f'{number}/{len(sources)} {source}', flush=True)
        try:
            recording = open_recording(source, options)
            reports, findings = import_recording(recording, args.out, config, progress=show)
        except S2EError as error:
            if len(sources) == 1:
                raise
            refused += 1
            print(f'  refused: {error}', file=sys.stderr)
            continue
        for finding in findings:
            print(f'  {finding}')
        clips += len(reports)
        seconds += sum(report.seconds for report in reports)
    print(f'{clips} clips, {seconds / 3600:.3f} h in {args.out}; {refused} of {len(sources)} '
          'recordings refused')
    return 0 if clips else 1


def run_inspect(args: argparse.Namespace) -> int:
    """List clips."""
    import cv2

    from s2e_training.data.clip import find_clips
    from s2e_training.data.overview import count_interventions, draw_strip, summarise, totals

    rows = [summarise(clip) for folder in args.clips for clip in find_clips(folder)]
    for row in rows:
        print(f'{row.folder.name:32s} {row.frames:5d} images {row.seconds:7.1f} s '
              f'{row.metres:7.1f} m  {row.speed:4.2f} m/s  {row.licence}')
        for finding in row.findings:
            print(f'  {finding}')
        if row.interventions:
            print(f'  interventions: {_counts(row.interventions)}')
    print()
    for (source, licence), hours in totals(rows).items():
        print(f'{source:32s} {hours:8.4f} h  {licence}')
    moments = count_interventions(rows)
    if moments:
        print(f'interventions: {sum(moments.values())} ({_counts(moments)})')
    if args.strip is not None:
        picture = draw_strip([row.folder for row in rows])
        if not cv2.imwrite(str(args.strip), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
            print(f'{args.strip}: cannot be written', file=sys.stderr)
            return 1
        print(args.strip)
    return 0


def _counts(kinds: Mapping[str, int]) -> str:
    return ', '.join(f'{count} {kind.replace("_", " ")}' for kind, count in kinds.items())
