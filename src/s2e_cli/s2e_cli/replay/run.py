"""A whole replay: from a recording to a folder with film, page and numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from s2e_cli.replay.files import summary, write_csv, write_json
from s2e_cli.replay.footage import Footage, pick
from s2e_cli.replay.options import GoalChoice, ReplayOptions, choose_goal
from s2e_cli.replay.page import render
from s2e_cli.replay.player import Player, Step
from s2e_cli.replay.screen import Screen, film_rate
from s2e_core.camera import SMALL_MOUNT, UNSEEN_WORDS, CameraModel, CameraMount
from s2e_core.errors import S2EError
from s2e_core.reprojection import Reprojector

if TYPE_CHECKING:
    from s2e_policy.named import LoadedPolicy

FILM, PAGE, JSON, CSV = 'replay.mp4', 'index.html', 'replay.json', 'replay.csv'


class ReplayError(S2EError):
    """A recording cannot be replayed."""


def replay(
    footage: Footage, loaded: LoadedPolicy, out: Path, options: ReplayOptions,
    progress: Callable[[Iterable[Step], int], Iterable[Step]] | None = None,
) -> dict[str, Any]:
    """Run a policy over a recording and write what it would have done.

    Args:
        footage: The recording.
        loaded: The policy.
        out: Folder for film, page and numbers.
        options: Goal, length, size.
        progress: Wraps the steps, told how many come.

    Returns:
        The summary, as in `replay.json`.

    Raises:
        S2EError: Nothing to replay, or the policy refuses.
    """
    indices = pick(footage.stamps_ns, options.seconds)
    first = next(iter(footage.load([int(i) for i in indices[:5]])), None)
    if first is None:
        raise ReplayError(f'{footage.name}: no image could be read')
    notes = list(footage.notes)
    camera = _camera(footage, first[1], options, notes)
    mount = footage.mount
    if mount is None:
        mount = SMALL_MOUNT
        notes.append(
            f'The camera is taken to sit {mount.z} m above the ground, looking '
            f'{math.degrees(mount.pitch):.0f}° down: lines on the ground depend on it.'
        )
    policy = loaded.policy
    goal = choose_goal(options.goal, footage.track is not None, policy.spec.goal == 'required')
    # A guessed mount is the policy's own already: only a known one moves the view.
    mounts = None if footage.mount is None else policy.spec.mounts(footage.mount)
    reprojector = Reprojector(camera, policy.spec.camera, mounts, policy.spec.unseen)
    if reprojector.coverage < 0.999:
        notes.append(f'The camera sees {reprojector.coverage:.0%} of the view the policy wants; '
                     f'the rest {UNSEEN_WORDS[policy.spec.unseen]}.')
    out.mkdir(parents=True, exist_ok=True)
    title = f'{footage.name}   {policy.spec.name}'
    rate = film_rate(footage.stamps_ns[indices])
    screen = Screen(out / FILM, camera, mount, title, options.width, rate)
    player = Player(policy, footage, reprojector, goal)
    steps = _play(player, indices, screen, progress)
    if not steps:
        raise ReplayError(f'{footage.name}: no image could be read')
    return _write(out, steps, _head(footage, loaded, goal, camera, mount, notes, steps))


def _play(
    player: Player, indices: np.ndarray, screen: Screen,
    progress: Callable[[Iterable[Step], int], Iterable[Step]] | None,
) -> list[Step]:
    """Draw and keep every step; of the images only the film remains."""
    stream: Iterable[Step] = player.play(indices)
    if progress is not None:
        stream = progress(stream, len(indices))
    steps = []
    try:
        for step in stream:
            screen.add(step)
            steps.append(step.without_image())
    finally:
        screen.close()
    return steps


def _camera(
    footage: Footage, rgb: np.ndarray, options: ReplayOptions, notes: list[str]
) -> CameraModel:
    """Return the recording's camera, or a guess that is written down."""
    height, width = rgb.shape[:2]
    if footage.camera is not None:
        return footage.camera
    notes.append(
        f'Nobody knows the lens: {options.fov:g}° from left to right are assumed (--fov).'
    )
    return CameraModel.from_fov(width, height, math.radians(options.fov))


def _head(
    footage: Footage, loaded: LoadedPolicy, goal: GoalChoice, camera: CameraModel,
    mount: CameraMount, notes: list[str], steps: list[Step],
) -> dict[str, Any]:
    spec = loaded.policy.spec
    speeds = [abs(step.odometry.v) for step in steps if step.odometry is not None]
    where = str(goal)
    if spec.goal == 'ignored':
        pictured = hasattr(loaded.policy, 'set_goal_image') and goal != GoalChoice()
        where = f'picture: {where}' if pictured else 'none'
    return {
        'source': footage.name, 'format': footage.kind, 'policy': loaded.identity,
        'provider': loaded.provider, 'about': loaded.about, 'goal': where,
        'policy_v_max': spec.v_max,
        'mean_speed': round(float(np.mean(speeds)), 3) if speeds else None,
        'camera': {
            'width': camera.width, 'height': camera.height,
            'hfov_deg': round(math.degrees(camera.hfov), 2), 'model': camera.model,
        },
        'mount': {'x': mount.x, 'y': mount.y, 'z': mount.z, 'pitch': mount.pitch},
        'notes': notes,
    }


def _write(out: Path, steps: list[Step], head: dict[str, Any]) -> dict[str, Any]:
    summed = summary(steps, head)
    write_json(out / JSON, summed)
    write_csv(out / CSV, steps)
    (out / PAGE).write_text(render(steps, summed, out / FILM), encoding='utf-8')
    return summed
