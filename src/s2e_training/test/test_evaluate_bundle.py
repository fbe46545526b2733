"""Open-loop numbers of a bundle, with answers known beforehand, and of the shipped one."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from s2e_core.camera import SMALL_CAMERA
from s2e_core.contract import PolicyOutput, PolicySpec
from s2e_training.data.clip import Clip, ClipInfo, load_clip, save_clip
from s2e_training.pretrain.evaluate_bundle import evaluate_bundle

STEPS = 0.2 * np.arange(1, 11)


def write_clip(folder, speed=1.0, step=0.2, count=30, plan=True):
    t = step * np.arange(count)
    odometry = np.column_stack([speed * t, *np.zeros((2, count)), np.full(count, speed),
                                np.zeros(count)])
    camera = SMALL_CAMERA
    info = ClipInfo(
        source='line', licence='CC0', frames=count, width=128, height=128, fx=camera.fx,
        fy=camera.fy, cx=camera.cx, cy=camera.cy, mount_x=0.3, mount_z=0.6, mount_pitch=0.1,
        provenance={}, period=step,
    )
    ahead = np.zeros((count, 10, 2), np.float32)
    ahead[..., 0] = speed * STEPS
    rgb = np.zeros((count, 128, 128, 3), np.uint8)
    rgb += np.arange(count, dtype=np.uint8)[:, None, None, None]
    stamps = np.round(t * 1e9).astype(np.int64)
    save_clip(Clip(info, rgb, stamps, odometry, np.array([50.0, 0.0]), ahead if plan else None),
              folder)
    return folder


class Straight:
    """Answers two modes: 0.8 m/s ahead with score 0.9, and to the left."""

    spec = PolicySpec('straight', 3, SMALL_CAMERA, 1.5, 1.5)
    bundle = SimpleNamespace(manifest=SimpleNamespace(anchors=((2.0, 0.0), (0.0, 2.0))))

    def __init__(self):
        self.seen = []

    def reset(self):
        self.seen = []

    def infer(self, observation):
        self.seen.append((observation.images[:, 0, 0, 0].tolist(), observation.goal))
        modes = np.zeros((2, 10, 2), np.float32)
        modes[0, :, 0], modes[1, :, 1] = 0.8 * STEPS, STEPS
        return PolicyOutput(
            observation.stamp_ns, modes, np.array([0.9, 0.1], np.float32),
            np.full((2, 10, 2), 0.5, np.float32), np.zeros((2, 10), np.float32),
        )


def test_errors_of_a_known_answer(tmp_path):
    policy = Straight()
    rows = evaluate_bundle(policy, [write_clip(tmp_path / 'a')])
    row = rows[0]
    assert (row['name'], row['samples']) == ('all', 30)
    # 0.2 m/s too slow: 0.08, 0.2, 0.4 m after 0.4, 1 and 2 s; the mean over 10 points is 0.22.
    assert [row[f'fde_{t}'] for t in (0.4, 1.0, 2.0)] == pytest.approx([0.08, 0.2, 0.4], abs=1e-3)
    assert row['ade_2.0'] == pytest.approx(0.22, abs=1e-3)
    assert row['direction'] == pytest.approx(0.0, abs=1e-3)
    assert row['constant_fde_2.0'] == pytest.approx(0.0, abs=1e-3)
    # The straight baseline drives 1.2 m/s.
    assert row['straight_fde_2.0'] == pytest.approx(0.4, abs=1e-3)
    # -0.9 ln 0.9 - 0.1 ln 0.1
    assert row['score_entropy'] == pytest.approx(0.3251, abs=1e-3)
    assert {r['name'] for r in rows if r['group'] == 'source'} == {'line'}


class Seeing(Straight):
    """Says that everything is free for 2 m, with a confidence of 0.7."""

    def infer(self, observation):
        answer = super().infer(observation)
        return replace(answer, free_space=np.full(48, 2.0, np.float32),
                       free_confidence=np.full(48, 0.7, np.float32))


def test_free_distances_are_held_against_the_truth_of_the_same_view(tmp_path):
    """Half is 2.4 m (0.4 off, factor 1.2), half 5 m (3 off, 2.5): mean 1.7 m, half within 1.25."""
    folder = write_clip(tmp_path / 'a')
    clip = load_clip(folder)
    truth = np.tile(np.repeat([2.4, 5.0], 24), (30, 1))
    save_clip(replace(clip, free_space=truth), tmp_path / 'b')
    row = evaluate_bundle(Seeing(), [tmp_path / 'b'])[0]
    assert row['free_abs'] == pytest.approx(1.7, abs=2e-3)
    assert row['free_abs_3m'] == pytest.approx(0.4, abs=2e-3)
    assert (row['free_within'], row['free_confidence']) == pytest.approx((0.5, 0.7))
    # Through another lens the bearings are others.
    narrow = replace(clip, free_space=truth, info=replace(clip.info, fx=90.0))
    save_clip(narrow, tmp_path / 'c')
    assert np.isnan(evaluate_bundle(Seeing(), [tmp_path / 'c'])[0]['free_abs'])
    assert np.isnan(evaluate_bundle(Seeing(), [folder])[0]['free_abs'])
    assert 'free_abs' not in evaluate_bundle(Straight(), [tmp_path / 'b'])[0]


def test_windows_are_those_of_the_robot(tmp_path):
    policy = Straight()
    evaluate_bundle(policy, [write_clip(tmp_path / 'a')])
    assert policy.seen[0][0] == [0, 0, 0]
    assert policy.seen[5][0] == [3, 4, 5]
    np.testing.assert_allclose(policy.seen[5][1], [49.0, 0.0])
    # 2 s apart: the history begins anew with every image.
    evaluate_bundle(policy, [write_clip(tmp_path / 'b', step=2.0)], goal_free=True)
    assert policy.seen[5] == ([5, 5, 5], None)


def test_without_a_plan_the_last_two_seconds_have_no_label(tmp_path):
    rows = evaluate_bundle(Straight(), [write_clip(tmp_path / 'a', plan=False)])
    assert rows[0]['samples'] == 20


def test_the_shipped_bundle_answers(tmp_path):
    from s2e_core.paths import find_model
    from s2e_policy.bundle import load_bundle
    from s2e_policy.runtime import OnnxPolicy

    policy = OnnxPolicy(load_bundle(find_model('s2e-small')))
    row = evaluate_bundle(policy, [write_clip(tmp_path / 'a', count=5)])[0]
    assert 0.0 < row['ade_2.0'] < 3.0
    assert row['best_ade_2.0'] <= row['ade_2.0']
