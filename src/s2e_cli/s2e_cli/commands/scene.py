"""`s2e scene`: make, import, look at and measure the worlds to drive in."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from s2e_cli.scene import reconstruct

ORDER = 20

EPILOG = """examples:
  s2e scene generate --seed 7 --out scenes/city-7
  s2e scene import ~/captures/garden scenes/garden --distance "0.1,2,-1 0.1,2.9,-1 2.04"
  s2e scene reconstruct walk.mp4 runs/walk
  s2e scene preview city:7 --out previews
  s2e scene doctor ~/captures/garden
  s2e scene info scenes/garden
  s2e scene object '{file: chair.ply, up: -y, height: 0.9}' --out chair.png
SCENE is city:SEED, the folder of a scene bundle, or a capture (.ply, .sog, or a folder with
meta.json or lod-meta.json), which is imported into the cache on first use.
"""


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        'scene', help='make, import, preview and measure scenes', epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    generate = _action(actions, 'generate', 'make a city scene from a seed',
                       's2e scene generate --seed 1000 --out scenes/city-1000')
    generate.add_argument('--seed', type=int, required=True,
                          help='0-25 test, 100-125 validation, 1000 and up training, of which '
                               '5000-5999 are gardens')
    generate.add_argument('--out', type=Path, required=True, metavar='DIR', help='bundle folder')
    _add_import(actions)
    convert = _action(actions, 'convert', 'rewrite a splat file: .ply keeps all, .sog is small, '
                      '.splat drops what depends on the direction of view',
                      's2e scene convert capture.spz capture.ply')
    convert.add_argument('source', type=Path, metavar='IN', help='any splat file or folder')
    convert.add_argument('out', type=Path, metavar='OUT', help='.ply, .sog or .splat')
    convert.add_argument('--level', type=int, metavar='N',
                         help='level of a streamed scene, 0 the finest (finest that is present)')
    reconstruct.add_arguments(_action(
        actions, 'reconstruct', 'make splats from photos or a video; the page in OUT shows '
        'photos that were held out beside drawings of them',
        's2e scene reconstruct ~/captures/yard runs/yard'))
    preview = _action(actions, 'preview', 'draw a scene from above and from robot height',
                      's2e scene preview city:7 --out previews --views 8')
    preview.add_argument('scene', metavar='SCENE')
    preview.add_argument('--out', type=Path, default=Path('previews'), metavar='DIR',
                         help='folder for the PNG files (previews)')
    preview.add_argument('--views', type=int, default=6, metavar='N',
                         help='views from robot height, 1-36 (6)')
    preview.add_argument('--backend', default='cpu', choices=('cpu', 'reference', 'cuda'),
                         help='renderer back end (cpu)')
    doctor = _action(actions, 'doctor', 'judge a scene: scale, tilt, holes, sharpness, floaters, '
                     'reachable ground; exit code 1 if it cannot be used',
                     's2e scene doctor captures/yard --out yard-doctor.html')
    doctor.add_argument('scene', metavar='SCENE')
    doctor.add_argument('--out', type=Path, metavar='FILE',
                        help='HTML page with top view, occupancy, heights and views, or a '
                        'folder for it (NAME-doctor.html)')
    doctor.add_argument('--radius', type=float, default=0.3, metavar='M',
                        help='radius of the robot, metres (0.3)')
    thing = _action(actions, 'object', 'list captured objects, or measure and draw one with its '
                    'body', "s2e scene object '{file: chair.ply, up: -y, height: 0.9}' "
                    '--out chair.png')
    thing.add_argument('object', metavar='OBJECT', help='CATALOGUE (config/objects or a .yaml '
                       'file), CATALOGUE:NAME, or a line in braces')
    thing.add_argument('--out', type=Path, metavar='FILE', help='PNG file with four views')
    info = _action(actions, 'info', 'say what a scene holds and offers',
                   's2e scene info city:7 --radius 0.35')
    info.add_argument('scene', metavar='SCENE')
    info.add_argument('--radius', type=float, default=0.3, metavar='M',
                      help='radius of the robot, metres (0.3)')


def _action(
    actions: argparse._SubParsersAction[Any], name: str, text: str, example: str
) -> argparse.ArgumentParser:
    """Add one action with an example in its help."""
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=text, description=text, epilog=f'example:\n  {example}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def _add_import(actions: argparse._SubParsersAction[Any]) -> None:
    """Add the import action."""
    parser = _action(actions, 'import', 'make a captured splat scene navigable',
                     's2e scene import capture.ply scenes/yard --up=-y --scale 0.8')
    parser.add_argument('capture', type=Path, metavar='CAPTURE', help='.ply, .sog or folder')
    parser.add_argument('out', type=Path, metavar='OUT', help='bundle folder')
    parser.add_argument('--up', default='auto', choices=('auto', '+z', '-z', '+y', '-y'),
                        help='axis of the capture that points up; write --up=-y (auto)')
    parser.add_argument('--scale', type=float, metavar='M',
                        help='metres per unit; left out, 1 is assumed and recorded as unknown')
    parser.add_argument('--distance', metavar='"X,Y,Z X,Y,Z M"',
                        help='instead: two points of the capture and the metres between them')
    parser.add_argument('--camera-height', type=float, metavar='M',
                        help='instead: height over ground at which its photos were taken, which '
                        'are listed in cameras.json beside the capture')
    parser.add_argument('--walked', type=float, metavar='M',
                        help='the photos were taken walking, M metres over the ground: the ground '
                        'below them is floor and free, whatever the splats show there')
    parser.add_argument('--cameras', type=Path, metavar='FILE',
                        help='that list, if it lies elsewhere')
    parser.add_argument('--radius', type=float, default=0.3, metavar='M',
                        help='radius of the robot that must fit through, metres (0.3)')
    parser.add_argument('--gaussians', type=int, metavar='N',
                        help='level of detail: merge until N are left to draw (all)')
    parser.add_argument('--source', default='', help='where the capture comes from (its name)')
    parser.add_argument('--licence', default='unknown', help='licence of the capture (unknown)')


def run(args: argparse.Namespace) -> int:
    """Run the action."""
    actions = {
        'generate': _generate, 'import': _import, 'convert': _convert, 'preview': _preview,
        'doctor': _doctor, 'info': _info, 'object': _object, 'reconstruct': reconstruct.run,
    }
    return actions[args.action](args)


def _progress(text: str, share: float) -> None:
    """Show what is being done on the error stream, so that output stays clean."""
    print(f's2e scene: {100.0 * share:3.0f} %  {text}', file=sys.stderr, flush=True)


def _generate(args: argparse.Namespace) -> int:
    from navbench_gs.scenes.city import write_city

    bundle = write_city(args.seed, args.out, _progress)
    print(f'{bundle.root}: {bundle.gaussians} gaussians, layout {bundle.notes["layout"]}')
    return 0


def _import(args: argparse.Namespace) -> int:
    from navbench_gs.scenes.importer import ImportOptions, import_capture

    options = ImportOptions(
        up=args.up, scale=args.scale, distance=_distance(args.distance),
        camera_height=args.camera_height, walked=args.walked, cameras=args.cameras,
        robot_radius=args.radius, gaussians=args.gaussians,
        licence=args.licence, source=args.source,
    )
    bundle = import_capture(args.capture, args.out, options, _progress)
    print(f'{bundle.root}: {bundle.gaussians} gaussians')
    for key, value in bundle.notes.items():
        print(f'  {key}: {value}')
    return 0


def _distance(words: str | None) -> Any:
    """Read two points and a length."""
    from navbench_gs.errors import SceneError

    if words is None:
        return None
    try:
        one, other, metres = words.split()
        first, second = ([float(part) for part in word.split(',')] for word in (one, other))
        (a, b, c), (d, e, f) = first, second
        return (a, b, c), (d, e, f), float(metres)
    except ValueError as error:
        raise SceneError(f'--distance takes "X,Y,Z X,Y,Z M", got {words!r}') from error


def _convert(args: argparse.Namespace) -> int:
    from navbench_gs.errors import SceneError
    from navbench_gs.splats import load, save_ply, save_sog, save_splat

    writers = {'.ply': save_ply, '.sog': save_sog, '.splat': save_splat}
    writer = writers.get(args.out.suffix.lower())
    if writer is None:
        raise SceneError(f'OUT must end in {", ".join(writers)}, got {args.out.name}')
    cloud = load(args.source, level=args.level)
    writer(args.out, cloud)
    degree = 0 if writer is save_splat else cloud.sh_degree
    lost = f', {cloud.sh_degree} in {args.source}' if degree < cloud.sh_degree else ''
    print(f'{args.out}: {len(cloud)} gaussians, SH degree {degree}{lost}')
    return 0


def _preview(args: argparse.Namespace) -> int:
    from navbench_gs.errors import SceneError
    from navbench_gs.scenes import resolve_scene
    from navbench_gs.scenes.preview import write_previews

    if not 1 <= args.views <= 36:
        raise SceneError(f'--views must lie in 1..36, got {args.views}')
    bundle = resolve_scene(args.scene, progress=_progress)
    _progress('drawing', 0.9)
    for path in write_previews(args.out, bundle, args.views, args.backend):
        print(path)
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from navbench_gs.errors import SceneError
    from navbench_gs.scenes import resolve_scene
    from navbench_gs.scenes.doctor import examine, write_page

    if not 0.05 <= args.radius <= 2.0:
        raise SceneError(f'--radius must lie in 0.05..2 m, got {args.radius}')
    bundle = resolve_scene(args.scene, progress=_progress)
    cloud = bundle.cloud()
    _progress('measuring', 0.6)
    findings, found = examine(bundle, cloud, args.radius)
    _progress('drawing', 0.8)
    page = args.out or Path()
    if page.suffix not in ('.html', '.htm'):
        page = page / f'{bundle.name}-doctor.html'
    write_page(page, bundle, cloud, findings, found, args.radius)
    for finding in findings:
        print(f'{finding.verdict:4}  {finding.name}: {finding.value}')
        if finding.verdict != 'ok':
            print(f'      {finding.advice}')
    print(page)
    return 1 if any(finding.verdict == 'bad' for finding in findings) else 0


def _object(args: argparse.Namespace) -> int:
    from s2e_cli.scene_object import show

    return show(args.object, args.out)


def _info(args: argparse.Namespace) -> int:
    from navbench_gs.scenes import resolve_scene
    from navbench_gs.scenes.survey import survey

    bundle = resolve_scene(args.scene, progress=_progress)
    found = survey(bundle, args.radius)
    x0, y0, x1, y1 = bundle.collision.bounds
    scale = 'metric' if bundle.metric else 'scale not measured, 1 unit taken as 1 m'
    print(f'{bundle.name} ({bundle.kind}), {bundle.root}')
    print(f'  source {bundle.source}; licence {bundle.licence}; {scale}')
    print(f'  {bundle.gaussians} gaussians, hash {bundle.hash[:16]}')
    print(f'  ground {x1 - x0:.1f} x {y1 - y0:.1f} m, {len(bundle.collision.boxes)} boxes')
    print(f'  free for a radius of {found.radius} m: {found.free:.0f} m2')
    print(f'  longest route {found.length:.1f} m, floor rises {found.climb:.2f} m along it')
    for key, value in bundle.notes.items():
        print(f'  {key}: {value}')
    return 0
