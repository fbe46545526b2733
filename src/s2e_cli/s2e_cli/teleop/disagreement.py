"""Where a policy would have driven otherwise than the person did: over the map, and over time."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import ReportError
from navbench_gs.report.map import SceneMap, load_map
from navbench_gs.runner.plan import write_atomically
from s2e_cli.teleop.figures import figure_bytes
from s2e_core.interventions import Intervention, InterventionKind
from s2e_core.se2 import Pose2

if TYPE_CHECKING:
    from s2e_nav.shadow.recorded import ShadowDrive

FORMS = ('.svg', '.pdf', '.png')
WORST = 6
"""Plans that are drawn, the farthest from what was driven first."""
APART_NS = 3_000_000_000
"""Two of them are at least so far apart: six pictures of one moment tell nothing."""
MARGIN = 4.0
COLUMNS = ('stamp_ns', 'x', 'y', 'ade', 'fde', 'planned', 'driven')
TICKS = ('stamp_ns', 'x', 'y', 'v_policy', 'w_policy', 'v_person', 'w_person')


def write_disagreement(recording: Path, out: Path, scene: str, maps: Path | None) -> list[Path]:
    """Write the picture, and two CSV files beside it.

    Args:
        recording: Folder or file of a drive by a person beside whom a policy planned.
        out: Picture; its ending says how it is written.
        scene: Name of the scene whose map is drawn; the only one of `maps` when empty.
        maps: Folder of maps, as runs have it; looked for above the recording when None.

    Raises:
        ConversionError: The recording cannot be used.
        ReportError: There is no such map, or no such form.
        RunError: A file cannot be written.
    """
    from s2e_nav.shadow.recorded import read_shadow

    if out.suffix.lower() not in FORMS:
        raise ReportError(f'{out}: a picture ends in {", ".join(FORMS)}')
    drive = read_shadow(recording)
    background = find_map(recording, scene, maps)
    place = drive.map_from_odom or Pose2()
    plans, ticks = out.with_suffix('.plans.csv'), out.with_suffix('.ticks.csv')
    write_atomically(plans, _plans_csv(drive, place))
    write_atomically(ticks, _ticks_csv(drive, place))
    write_atomically(out, draw(drive, background if drive.map_from_odom else None,
                               out.suffix.lower()[1:]))
    return [out, plans, ticks]


def find_map(recording: Path, scene: str, maps: Path | None) -> SceneMap | None:
    """Return a scene's map, or None where none was asked for and none is near.

    Raises:
        ReportError: It was asked for and is not there, or there are several.
    """
    wanted = bool(scene or maps)
    scene = scene or _scene_of(recording)
    folder = maps
    if folder is None:
        above = (parent / 'maps' for parent in recording.absolute().parents)
        folder = next((path for path in above if path.is_dir()), None)
    if folder is None:
        if wanted:
            raise ReportError(f'{recording}: no folder of maps is above it; name one')
        return None
    names = [scene] if scene else [path.stem for path in sorted(folder.glob('*.png'))]
    if len(names) > 1:
        raise ReportError(f'{folder}: has several maps ({", ".join(names)}): name the scene')
    found = load_map(names[0], folder) if names else None
    if found is None and wanted:
        raise ReportError(f'{folder}: has no map of {scene or "any scene"}')
    return found


def _scene_of(recording: Path) -> str:
    """Return the scene that a study noted beside the recording, or nothing."""
    try:
        record = json.loads((recording / 'drive.json').read_text(encoding='utf-8'))
        return str(record['route']['scene'])
    except (OSError, ValueError, KeyError, TypeError):
        return ''


def draw(drive: ShadowDrive, scene: SceneMap | None, form: str) -> bytes:
    """Return the picture: the way over the map, coloured by how far the plan was from it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 6.0), layout='constrained')
    grid = figure.add_gridspec(3, 2, width_ratios=(1.25, 1.0))
    _draw_map(figure, figure.add_subplot(grid[:, 0]), drive, scene)
    _draw_times([figure.add_subplot(grid[k, 1]) for k in range(3)], drive)
    return figure_bytes(figure, form)


def _draw_map(figure: Any, plot: Any, drive: ShadowDrive, scene: SceneMap | None) -> None:
    place = drive.map_from_odom or Pose2()
    way = _moved(place, np.array([(o.pose.x, o.pose.y) for o in drive.odometry]))
    if scene is not None:
        rows, columns = scene.grey.shape
        x, y = scene.origin
        plot.imshow(
            scene.grey, cmap='gray', vmin=0, vmax=255, origin='lower', interpolation='nearest',
            extent=(x, x + columns * scene.resolution, y, y + rows * scene.resolution),
        )
    plot.plot(*way.T, color='#1c2430', linewidth=1.0, label='driven by the person')
    stamps, ade = _scored(drive)
    if len(stamps):
        spots = plot.scatter(*_moved(place, drive.at(stamps)).T, c=ade, s=22, cmap='viridis',
                             vmin=0.0, zorder=3)
        figure.colorbar(spots, ax=plot, shrink=0.7, label='mean distance of the plan, m')
    for number, stamp in enumerate(worst_plans(stamps, ade)):
        points = np.vstack([drive.at(np.array([stamp])), drive.plans[stamp].points])
        plot.plot(*_moved(place, points).T, color='#d4588f', linewidth=1.6, zorder=4,
                  label='' if number else 'planned by the policy, farthest from it')
    told = set()
    for item in drive.interventions:
        name, colour = _moment(item)
        plot.plot(*_moved(place, drive.at(np.array([item.stamp_ns])))[0], 'x', color=colour,
                  markersize=9, markeredgewidth=2, zorder=5, label='' if name in told else name)
        told.add(name)
    low, high = way.min(axis=0) - MARGIN, way.max(axis=0) + MARGIN
    plot.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect='equal', xlabel='x, m',
             ylabel='y, m')
    plot.legend(loc='upper left', fontsize=8)


def _draw_times(plots: list[Any], drive: ShadowDrive) -> None:
    # Points: where nobody drove there is nothing, and a line would fill it in.
    start = drive.odometry[0].stamp_ns
    stamps, ade = _scored(drive)
    plots[0].plot((stamps - start) * 1e-9, ade, '.', color='#0b9c8e', markersize=3)
    plots[0].set(ylabel='plan apart, m', ylim=(0.0, None))
    t = np.array([tick.stamp_ns - start for tick in drive.ticks]) * 1e-9
    for plot, name, unit in ((plots[1], 'v', 'speed, m/s'), (plots[2], 'w', 'yaw rate, rad/s')):
        for who, colour in (('person', '#1c2430'), ('policy', '#d4588f')):
            values = [getattr(getattr(tick, who), name) for tick in drive.ticks]
            plot.plot(t, values, '.', markersize=2, color=colour, label=who)
        plot.set(ylabel=unit)
    plots[1].legend(fontsize=8, markerscale=4)
    plots[2].set(xlabel='time, s')
    for plot in plots:
        plot.grid(alpha=0.25)
        plot.set_xlim(0.0, (drive.odometry[-1].stamp_ns - start) * 1e-9)
        for item in drive.interventions:
            colour = _moment(item)[1]
            plot.axvline((item.stamp_ns - start) * 1e-9, color=colour, linewidth=0.8)


def _moment(item: Intervention) -> tuple[str, str]:
    """Return how a moment is called and drawn."""
    if item.kind is InterventionKind.SLOWED:
        return 'slowed by the gate', '#e08a1e'
    return 'intervention', '#c8211c'


def worst_plans(stamps: NDArray[np.int64], ade: NDArray[np.float64]) -> list[int]:
    """Return the stamps of the plans that were farthest from the way, some seconds apart."""
    found: list[int] = []
    for index in np.argsort(-ade, kind='stable'):
        stamp = int(stamps[index])
        if all(abs(stamp - other) >= APART_NS for other in found):
            found.append(stamp)
        if len(found) == WORST:
            break
    return found


def _scored(drive: ShadowDrive) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return (np.array([score.stamp_ns for score in drive.scores], np.int64),
            np.array([score.ade for score in drive.scores]))


def _moved(place: Pose2, points: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(place.transform(points), np.float64).reshape(-1, 2)


def _plans_csv(drive: ShadowDrive, place: Pose2) -> str:
    stamps, _ = _scored(drive)
    where = _moved(place, drive.at(stamps))
    return _csv(COLUMNS, [
        (s.stamp_ns, *xy, s.ade, s.fde, s.planned, s.driven)
        for s, xy in zip(drive.scores, where.tolist(), strict=True)
    ])


def _ticks_csv(drive: ShadowDrive, place: Pose2) -> str:
    where = _moved(place, drive.at(np.array([tick.stamp_ns for tick in drive.ticks], np.int64)))
    return _csv(TICKS, [
        (t.stamp_ns, *xy, t.policy.v, t.policy.w, t.person.v, t.person.w)
        for t, xy in zip(drive.ticks, where.tolist(), strict=True)
    ])


def _csv(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(head)
    writer.writerows([row[0], *(f'{value:.4f}' for value in row[1:])] for row in rows)
    return text.getvalue()
