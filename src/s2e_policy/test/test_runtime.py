"""The policy protocol over a bundle."""

from __future__ import annotations

import numpy as np
import pytest

from s2e_core.contract import POLICY_PERIOD_NS, Observation
from s2e_core.errors import ContractError
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_policy.bundle import load_bundle
from s2e_policy.errors import PolicyError
from s2e_policy.goal import encode_goal
from s2e_policy.runtime import OnnxPolicy
from s2e_policy.session import choose_provider, open_session
from s2e_policy.tensors import image_tensor


@pytest.fixture
def bundle(tiny, tmp_path):
    return load_bundle(tiny.write_bundle(tmp_path / 'tiny'))


def look(images: np.ndarray, stamps: list[int], goal: np.ndarray | None) -> Observation:
    odometry = Odometry(stamps[-1], Pose2(0.0, 0.0, 0.0))
    return Observation(images, np.array(stamps, np.int64), goal, odometry)


def frames(count: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, 16, 16, 3), np.uint8)


def test_the_answer_is_the_graphs(tiny, bundle) -> None:
    policy = OnnxPolicy(bundle, mode='window')
    images = frames(3)
    seen = look(images, [0, 1, 2], np.array([3.0, 4.0]))
    answer = policy.infer(seen)
    code = np.log1p(5.0) / np.log1p(200.0)
    np.testing.assert_allclose(
        answer.modes, tiny.expected(images, np.array([code]), 1.0), atol=1e-5
    )
    assert answer.stamp_ns == 2
    assert answer.problem() is None
    assert policy.provider == 'cpu'


@pytest.mark.parametrize('step', [1, 2, 5])
def test_streaming_equals_window_at_any_camera_rate(bundle, step: int) -> None:
    """Windows that overlap, skip frames or have nothing in common with the last one."""
    window, streaming = OnnxPolicy(bundle, mode='window'), OnnxPolicy(bundle)
    images = frames(24)
    for first in range(0, 20, step):
        stamps = [POLICY_PERIOD_NS * (first + k) for k in range(3)]
        seen = look(images[first:first + 3], stamps, np.array([2.0, -1.0]))
        a, b = window.infer(seen), streaming.infer(seen)
        np.testing.assert_allclose(a.modes, b.modes, atol=1e-5)


def test_streaming_equals_window_at_the_start(bundle) -> None:
    """The first window repeats its only image."""
    window, streaming = OnnxPolicy(bundle, mode='window'), OnnxPolicy(bundle)
    image = frames(1)
    seen = look(np.repeat(image, 3, axis=0), [7, 7, 7], None)
    np.testing.assert_allclose(window.infer(seen).modes, streaming.infer(seen).modes, atol=1e-5)


def test_reset_forgets(bundle) -> None:
    """After a reset the same stamps may carry other images."""
    streaming, window = OnnxPolicy(bundle), OnnxPolicy(bundle, mode='window')
    first, second = frames(6)[:3], frames(6)[3:]
    streaming.infer(look(first, [0, 1, 2], np.array([2.0, 0.0])))
    streaming.reset()
    seen = look(second, [0, 1, 2], np.array([2.0, 0.0]))
    np.testing.assert_allclose(
        streaming.infer(seen).modes, window.infer(seen).modes, atol=1e-5
    )


def test_a_wrong_observation_is_refused(bundle) -> None:
    policy = OnnxPolicy(bundle)
    with pytest.raises(ContractError, match=r'images must be \(3, 16, 16, 3\)'):
        policy.infer(look(frames(2), [0, 1], None))


def test_providers_are_named_not_guessed(bundle) -> None:
    assert choose_provider('cpu', None) == 'cpu'
    with pytest.raises(PolicyError, match='must be one of'):
        choose_provider('gpu', None)
    with pytest.raises(PolicyError, match='not in this ONNX Runtime'):
        OnnxPolicy(bundle, require_provider='tensorrt')
    with pytest.raises(PolicyError, match='mode must be one of'):
        OnnxPolicy(bundle, mode='batch')
    with pytest.raises(PolicyError, match='at least 1, got 0'):
        OnnxPolicy(bundle, threads=0)


def test_tensorrt_keeps_its_engines_and_the_cpu_takes_the_rest(tmp_path, monkeypatch) -> None:
    asked = []

    class Session:
        def __init__(self, model, options, providers) -> None:
            asked.append(providers)

        def get_providers(self):
            return ['CPUExecutionProvider']

    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setattr('s2e_policy.session.ort.InferenceSession', Session)
    for provider in ('tensorrt', 'cuda'):
        # ONNX Runtime falls back in silence where libraries are missing; we do not.
        with pytest.raises(PolicyError, match='did not start'):
            open_session(tmp_path / 'm.onnx', b'', {}, provider, 1)
    folder = tmp_path / 's2e' / 'tensorrt'
    assert folder.is_dir()
    assert asked == [
        [('TensorrtExecutionProvider',
          {'trt_engine_cache_enable': 'True', 'trt_engine_cache_path': str(folder)}),
         'CPUExecutionProvider'],
        ['CUDAExecutionProvider', 'CPUExecutionProvider'],
    ]


def test_goal_codes() -> None:
    # 3-4-5 triangle: range 5, cosine 0.6, sine 0.8
    code, mask = encode_goal(np.array([3.0, 4.0]), 'linear')
    np.testing.assert_allclose(code, [0.025, 0.6, 0.8], atol=1e-7)
    assert mask.tolist() == [1.0]
    code, _ = encode_goal(np.array([3.0, 4.0]), 'log')
    # log 6 / log 201 = 1.791759 / 5.303305
    np.testing.assert_allclose(code, [0.337857, 0.6, 0.8], atol=1e-6)
    code, _ = encode_goal(np.array([[0.0, 0.0], [500.0, 0.0]]), 'linear')
    np.testing.assert_allclose(code[:, 0], [0.0005, 1.0])
    code, mask = encode_goal(None, 'log')
    assert not code.any()
    assert not mask.any()


def test_images_become_rgb_planes() -> None:
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[0, 0, 1] = (255, 51, 0)
    tensor = image_tensor(image)
    assert tensor.shape == (1, 3, 2, 2)
    assert tensor.dtype == np.float32
    np.testing.assert_allclose(tensor[0, :, 0, 1], [1.0, 0.2, 0.0])
    spare = np.full((1, 3, 2, 2), np.nan, np.float32)
    assert image_tensor(image, spare) is spare
    np.testing.assert_array_equal(spare, tensor)
