"""Other people's policies: each known error of a public wrapper has a test of its own."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from s2e_core.contract import Observation, check_observation
from s2e_core.errors import ContractError
from s2e_core.history import ObservationHistory
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2
from s2e_policy.adapters.base import resample
from s2e_policy.adapters.diffusion import cosine_betas, sample
from s2e_policy.errors import PolicyError
from s2e_policy.named import open_policy


def look(policy, goal=None, colour=(90, 90, 90), poses=None, stamp=10_000_000_000) -> Observation:
    """A window of one colour (RGB), spaced as the policy wants."""
    spec = policy.spec
    images = np.empty((spec.frames, spec.height, spec.width, 3), np.uint8)
    images[:] = colour
    stamps = stamp - spec.frame_period_ns * np.arange(spec.frames - 1, -1, -1, dtype=np.int64)
    goal = None if goal is None else np.array(goal, np.float64)
    return Observation(images, stamps, goal, Odometry(int(stamps[-1]), Pose2()), poses)


def test_s2e_scale_and_goal_code(published, tmp_path) -> None:
    """A wrong scale row would rescale every command: metres = 0.25 x output.

    Goal (3, 4): distance 5 / 200 = 0.025, cosine 0.6. Waypoint k is ((k + 1) 0.025, 0.6), so
    the last, k = 9, is (0.25, 0.6) units = (0.0625, 0.15) m.
    """
    policy = open_policy(f'adapter:s2e:{published.s2e(tmp_path / "s2e.onnx")}').policy
    output = policy.infer(look(policy, (3.0, 4.0)))
    assert output.modes.shape == (1, 10, 2)
    np.testing.assert_allclose(output.modes[0, -1], [0.0625, 0.15], rtol=1e-5)
    assert output.problem() is None
    wide = open_policy(f'adapter:s2e:{tmp_path / "s2e.onnx"},scale=0.5').policy
    np.testing.assert_allclose(wide.infer(look(wide, (3, 4))).modes, 2 * output.modes, rtol=1e-5)


def test_s2e_without_a_goal_is_refused_not_invented(published, tmp_path) -> None:
    policy = open_policy(f'adapter:s2e:{published.s2e(tmp_path / "s2e.onnx")}').policy
    with pytest.raises(ContractError, match='s2e: this policy cannot drive without a goal'):
        policy.infer(look(policy))


@pytest.mark.parametrize('kind', ['gnm', 'vint'])
def test_image_goal_policies_never_get_a_made_up_picture(published, tmp_path, kind) -> None:
    """Public wrappers feed random numbers; here there is a picture or no policy."""
    path = published.image_goal(tmp_path / 'x.onnx')
    with pytest.raises(PolicyError, match=rf'{kind} drives to a picture'):
        open_policy(f'adapter:{kind}:{path}')
    later = open_policy(f'adapter:{kind}:{path}', goal_comes_later=True).policy
    with pytest.raises(ContractError, match='no goal image was given'):
        later.infer(look(later))


@pytest.mark.parametrize('names', [('obs_img', 'goal_img'), ('x', 'y')])
def test_colours_and_normalisation_of_image_goal_policies(published, tmp_path, names) -> None:
    """RGB, normalised outside the graph, newest image last.

    Newest red 255: (1 - 0.485) / 0.229 = 2.2489. Goal blue 51 = 0.2: (0.2 - 0.406) / 0.225 =
    -0.91556. Waypoint k = (k + 1) x these x 0.25 m, due at (k + 1) x 0.25 s; at 1 s it is the
    fourth: (2.2489, -0.91556) m.
    """
    goal = np.zeros((64, 85, 3), np.uint8)
    goal[:] = (51, 0, 255)  # OpenCV writes BGR: blue 51, red 255
    cv2.imwrite(str(tmp_path / 'goal.png'), goal)
    path = published.image_goal(tmp_path / 'gnm.onnx', names)
    policy = open_policy(f'adapter:gnm:{path},goal_image={tmp_path / "goal.png"}').policy
    output = policy.infer(look(policy, colour=(255, 0, 0)))
    np.testing.assert_allclose(output.modes[0, 4], [2.2489, -0.91556], atol=1e-4)
    assert policy.notes['steps to goal image'] == pytest.approx(0.91556, abs=1e-4)


def test_the_goal_image_matters(published, tmp_path) -> None:
    path = published.image_goal(tmp_path / 'gnm.onnx')
    policy = open_policy(f'adapter:gnm:{path}', goal_comes_later=True).policy
    ends = []
    for blue in (0, 255):
        policy.set_goal_image(np.full((120, 160, 3), (9, 9, blue), np.uint8))
        ends.append(policy.infer(look(policy)).modes[0, -1, 1])
    assert ends[0] < 0 < ends[1]


def test_nomad_unnormalises_its_steps(published, tmp_path) -> None:
    """Clean sample 0 is the middle of the step's range: forward (5 - 2.5) / 2 = 1.25, left 0.

    Steps of 1.25 units x 0.25 m at 4 Hz: 1.25 m/s, so 1.25 m after 1 s, whatever the noise.
    """
    policy = open_policy(f'adapter:nomad:{published.nomad(tmp_path / "n")}').policy
    output = policy.infer(look(policy))
    assert output.modes.shape == (8, 10, 2)
    np.testing.assert_allclose(output.modes[:, 4], np.tile([1.25, 0.0], (8, 1)), atol=1e-3)
    np.testing.assert_allclose(output.scores, 1 / 8)
    # Clean (1, -0.5): 5 forward, -4 + 0.25 x 8 = -2 left, x 0.25 m: (1.25, -0.5) m a step.
    other = open_policy(f'adapter:nomad:{published.nomad(tmp_path / "m", (1.0, -0.5))}').policy
    np.testing.assert_allclose(other.infer(look(other)).modes[0, 4], [5.0, -2.0], atol=1e-3)


def test_nomad_masks_the_goal_unless_a_picture_is_given(published, tmp_path) -> None:
    folder = published.nomad(tmp_path / 'n')
    policy = open_policy(f'adapter:nomad:{folder}').policy
    encoder = policy._graphs['encoder']
    seen = []
    run = encoder.run
    encoder.run = lambda **feeds: seen.append(feeds) or run(**feeds)
    policy.infer(look(policy))
    assert seen[-1]['mask'].tolist() == [True]
    assert not seen[-1]['goal_image'].any()
    assert policy.notes == {}
    policy.set_goal_image(np.full((96, 128, 3), 255, np.uint8))
    policy.infer(look(policy))
    assert seen[-1]['mask'].tolist() == [False]
    # The stand-in's distance is the goal's red mean: (1 - 0.485) / 0.229.
    assert policy.notes['steps to goal image'] == pytest.approx(2.2489, abs=1e-3)


def test_nomad_repeats_and_its_seed_matters() -> None:
    """The noise comes from seed and stamp alone."""
    def draw(seed: int) -> np.ndarray:
        rng = np.random.default_rng([seed, 5])
        return sample(lambda noisy, k: np.zeros_like(noisy), (8, 8, 2), 10, rng)

    np.testing.assert_array_equal(draw(1), draw(1))
    assert not np.array_equal(draw(1), draw(2))
    assert np.abs(draw(1)).max() <= 1.0


def test_cosine_schedule() -> None:
    """Two steps: a(k) = cos^2((k/2 + 0.008)/1.008 x pi/2); a(0) = cos^2(0.012466) = 0.999845,
    a(1) = cos^2(0.791632) = 0.493767, a(2) = 0. Betas 1 - 0.493844 and, capped, 0.999."""
    np.testing.assert_allclose(cosine_betas(2), [0.506157, 0.999], atol=1e-5)
    assert (np.diff(cosine_betas(10)) > 0).all()


def test_citywalker_uses_the_goal_in_its_own_axes(published, tmp_path) -> None:
    """Its rows are (right, forward); the stand-in walks to the last row in five seconds.

    Goal 10 m ahead, 5 m left: row (-5, 10); after 2 s two fifths of the way: (4, 2) m.
    """
    policy = open_policy(f'adapter:citywalker:{published.citywalker(tmp_path / "c.onnx")}').policy
    still = np.zeros((5, 3))
    output = policy.infer(look(policy, (10.0, 5.0), poses=still))
    np.testing.assert_allclose(output.modes[0, -1], [4.0, 2.0], atol=1e-5)
    mirrored = policy.infer(look(policy, (10.0, -5.0), poses=still))
    np.testing.assert_allclose(mirrored.modes[0, -1], [4.0, -2.0], atol=1e-5)
    assert policy.notes['arrived'] == pytest.approx(0.5)


def test_citywalker_sees_its_past_way_in_the_newest_frame(published, tmp_path) -> None:
    """Driven 4 m along +y of odom, facing +y: the oldest place is 4 m behind.

    The stand-in's arrival logit is the sum of the oldest row (0, -4): 1 / (1 + e^4) = 0.01799.
    """
    policy = open_policy(f'adapter:citywalker:{published.citywalker(tmp_path / "c.onnx")}').policy
    poses = np.array([[7.0, float(y), math.pi / 2] for y in range(5)])
    policy.infer(look(policy, (10.0, 0.0), poses=poses))
    assert policy.notes['arrived'] == pytest.approx(0.01799, abs=1e-4)
    with pytest.raises(ContractError, match='pose of every image'):
        policy.infer(look(policy, (10.0, 0.0)))


@pytest.mark.parametrize(('columns', 'end'), [(2, 30.0 * 0.25), (4, 30.0)])
def test_mbra_pulls_far_goals_in(published, tmp_path, columns, end) -> None:
    """Goal 90 m ahead becomes 30 m; 8 waypoints of 1/3 s reach it after 2.667 s.

    Two columns are metres, so the stand-in answers 30 units = 7.5 m; four are units of 0.25 m:
    120 units = 30 m. After 2 s it is at three quarters.
    """
    path = published.mbra(tmp_path / 'm.onnx', columns)
    policy = open_policy(f'adapter:mbra:{path}').policy
    output = policy.infer(look(policy, (90.0, 0.0)))
    np.testing.assert_allclose(output.modes[0, -1], [0.75 * end, 0.0], atol=1e-4)


def test_resampling_to_our_times() -> None:
    """Waypoints at 0.25 s steps of 1 m: 4 m/s, at 0.2 s 0.8 m; past the end the last step goes
    on: the fifth of two more steps at 1.25 s, so 8 m at 2 s."""
    waypoints = np.stack([np.arange(1.0, 6.0), np.zeros(5)], -1)[None]
    np.testing.assert_allclose(resample(waypoints, 0.25)[0, :, 0], 0.8 * np.arange(1, 11))
    ours = np.random.default_rng(0).random((3, 10, 2))
    np.testing.assert_allclose(resample(ours, 0.2), ours, rtol=1e-6)


def test_frames_come_at_the_policys_own_rate(published, tmp_path) -> None:
    """CityWalker looks once a second: of a 10 Hz camera every tenth image, with its pose."""
    policy = open_policy(f'adapter:citywalker:{published.citywalker(tmp_path / "c.onnx")}').policy
    spec = policy.spec
    history = ObservationHistory(spec)
    image = np.zeros((spec.height, spec.width, 3), np.uint8)
    for k in range(61):
        stamp = k * 100_000_000
        history.add(CameraFrame(stamp, image), Odometry(stamp, Pose2(0.1 * k, 0.0, 0.0)))
    seen = history.observation(np.array([5.0, 0.0]), Odometry(stamp, Pose2(6.0, 0.0, 0.0)))
    check_observation(seen, spec)
    assert (seen.stamps_ns / 1e9).tolist() == [2.0, 3.0, 4.0, 5.0, 6.0]
    np.testing.assert_allclose(seen.poses[:, 0], [2.0, 3.0, 4.0, 5.0, 6.0])


def test_the_view_is_the_named_one(published, tmp_path) -> None:
    """A full 4:3 view squeezed to a square: tan(45 deg) = 1, height 3/4 of it."""
    path = published.s2e(tmp_path / 's2e.onnx')
    camera = open_policy(f'adapter:s2e:{path}').policy.spec.camera
    assert (camera.fx, camera.fy) == pytest.approx((128.0, 128.0 / 0.75))
    narrow = open_policy(f'adapter:s2e:{path},fov=60').policy.spec.camera
    assert math.degrees(narrow.hfov) == pytest.approx(60.0)


def test_what_a_report_says(published, tmp_path) -> None:
    """A stand-in is not the published file, and the report says so."""
    path = published.s2e(tmp_path / 's2e.onnx')
    loaded = open_policy(f'adapter:s2e:{path}')
    assert loaded.about['as_published'] is False
    assert loaded.about['files']['s2e.onnx'].startswith(loaded.identity.split('@')[1])
    assert loaded.about['metres_per_unit'] == 0.25
