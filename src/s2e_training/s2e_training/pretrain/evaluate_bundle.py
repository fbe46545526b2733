"""Open-loop evaluation of a policy bundle: its ONNX graph over clips, fed as on the robot."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from s2e_core.camera import CameraModel, CameraMount
from s2e_core.contract import FREE_SPACE_BEARINGS, PolicyOutput
from s2e_core.history import ObservationHistory
from s2e_core.records import CameraFrame, Odometry
from s2e_core.reprojection import Reprojector
from s2e_core.se2 import Pose2
from s2e_policy.runtime import OnnxPolicy
from s2e_training.data.clip import Clip, load_clip
from s2e_training.data.windows import labels
from s2e_training.errors import TrainingError
from s2e_training.models.agdm import assign
from s2e_training.models.policy import Mixture
from s2e_training.pretrain.evaluate import Row, group_rows, sample_errors
from s2e_training.pretrain.metrics import free_space_errors


def evaluate_bundle(
    policy: OnnxPolicy, clips: Sequence[Path], goal_free: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Row]:
    """Measure a bundle on every frame that has a label.

    Windows are laid out by the history that the robot uses, from the images' own stamps: sparse
    images are repeated, and after a second without one the window begins anew.

    Args:
        policy: The bundle.
        clips: Clip folders; images of another view are re-projected.
        goal_free: Whether the goal is withheld from the policy (not from the baselines).
        progress: Called with clips done and in all.

    Returns:
        One row for all samples, one for each task and one for each source.

    Raises:
        TrainingError: A clip is damaged, or none holds a sample.
    """
    anchors = torch.tensor(policy.bundle.manifest.anchors, dtype=torch.float32)
    parts: dict[str, list[Tensor]] = {}
    scores, modes, owner = [], [], []
    for number, folder in enumerate(clips):
        clip = load_clip(folder)
        plan, keep, goals = _labels(clip)
        if len(keep):
            said = run_clip(policy, clip, keep, None if goal_free else goals)
            mixture = _mixture(said)
            wanted = torch.from_numpy(plan[keep].astype(np.float32))
            mode = assign(anchors, wanted)
            found = sample_errors(
                mixture, mode, wanted, torch.from_numpy(goals[keep].astype(np.float32)),
                torch.from_numpy(clip.odometry[keep, 3:5].astype(np.float32)),
            )
            found.update(_free_errors(said, policy.spec.camera, clip, keep))
            for name, values in found.items():
                parts.setdefault(name, []).append(values)
            scores.append(torch.softmax(mixture.logits, dim=1))
            modes.append(mode)
            owner.append(np.full(len(keep), number))
        if progress is not None:
            progress(number + 1, len(clips))
    if not owner:
        raise TrainingError('the clips hold no sample')
    columns = {name: torch.cat(values) for name, values in parts.items()}
    return group_rows(columns, torch.cat(scores), torch.cat(modes), np.concatenate(owner), clips)


def run_clip(
    policy: OnnxPolicy, clip: Clip, keep: np.ndarray, goals: np.ndarray | None
) -> list[PolicyOutput]:
    """Run the policy over a clip from its first image; answers at the frames `keep` [S].

    Args:
        policy: The bundle.
        clip: The drive.
        keep: Rising frame indices.
        goals: Goal in base_link at each frame, NaN where there is none, or None. [N, 2]
    """
    spec, info = policy.spec, clip.info
    source = CameraModel(info.width, info.height, info.fx, info.fy, info.cx, info.cy)
    own = CameraMount(info.mount_x, 0.0, info.mount_z, info.mount_pitch)
    view = Reprojector(source, spec.camera, spec.mounts(own), spec.unseen)
    history = ObservationHistory(spec)
    policy.reset()
    answers, wanted = [], set(keep.tolist())
    for index, (stamp, rgb) in enumerate(zip(clip.stamps_ns.tolist(), clip.rgb, strict=True)):
        history.add(CameraFrame(stamp, view(rgb)))
        if index not in wanted:
            continue
        x, y, yaw, v, w = (float(value) for value in clip.odometry[index])
        goal = None if goals is None or np.isnan(goals[index]).any() else goals[index]
        odometry = Odometry(stamp, Pose2(x, y, yaw), v, w)
        answers.append(policy.infer(history.observation(goal, odometry)))
    return answers


def _mixture(answers: Sequence[PolicyOutput]) -> Mixture:
    def stack(parts: list[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(parts).astype(np.float32))

    mean = stack([answer.modes for answer in answers])
    if answers[0].sigmas is None or answers[0].rho is None:
        raise TrainingError('the policy gives no standard deviations')
    sigma = stack([np.asarray(answer.sigmas) for answer in answers])
    return Mixture(
        # Scores are a softmax: their logarithm is as good as the logits.
        stack([answer.scores for answer in answers]).clamp(min=1e-12).log(), mean,
        sigma.clamp(min=1e-6).log(), stack([np.asarray(answer.rho) for answer in answers]),
        mean.diff(dim=2).norm(dim=-1).mean(dim=-1),
    )


def _free_errors(
    answers: Sequence[PolicyOutput], camera: CameraModel, clip: Clip, keep: np.ndarray
) -> dict[str, Tensor]:
    """Errors of the free distances; NaN where the clip's truth has none or is of another view."""
    if answers[0].free_space is None or answers[0].free_confidence is None:
        return {}
    info = clip.info
    same = math.isclose(info.fx / info.width, camera.fx / camera.width, rel_tol=1e-3)
    same &= math.isclose(info.cx / info.width, camera.cx / camera.width, rel_tol=1e-3)
    truth = np.full((len(keep), FREE_SPACE_BEARINGS), np.nan, np.float32)
    if clip.free_space is not None and same:
        truth = clip.free_space[keep].astype(np.float32)
    said, sure = (
        torch.from_numpy(np.stack([np.asarray(getattr(answer, name)) for answer in answers]))
        for name in ('free_space', 'free_confidence')
    )
    return free_space_errors(said, sure, torch.from_numpy(truth))


def _labels(clip: Clip) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return plan [N, T, 2], frames with a label [S] and goals in base_link [N, 2]."""
    tracks = {'odometry': clip.odometry}
    if clip.plan is not None:
        tracks['plan'] = clip.plan
    plan, keep = labels(tracks)
    goals = np.stack([
        Pose2(x, y, yaw).inverse().transform(clip.goal) for x, y, yaw in clip.odometry[:, :3]
    ])
    return plan, keep, goals
