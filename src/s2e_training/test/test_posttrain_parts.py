"""What joins the trainer to the benchmark: environments, parents, scenes, settings and exports."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from navbench_gs.env.gym.truth import TRUTH
from navbench_gs.scenes import resolve
from s2e_core.config import from_mapping, from_yaml, to_mapping
from s2e_core.contract import POLICY_PERIOD_NS
from s2e_core.errors import ConfigError
from s2e_core.history import ObservationHistory
from s2e_core.paths import find_config
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2
from s2e_policy.goal import encode_goal
from s2e_policy.reference import replay
from s2e_policy.runtime import OnnxPolicy
from s2e_training.data.features import EncoderSession, FeatureEncoder
from s2e_training.errors import TrainingError
from s2e_training.export.bundle import ExportInfo, export_bundle
from s2e_training.export.margins import WHOLE_VIEWS
from s2e_training.export.run import export_run
from s2e_training.models.anchors import fan_anchors
from s2e_training.models.config import ModelConfig
from s2e_training.models.policy import S2EModel
from s2e_training.posttrain.actor import Actor
from s2e_training.posttrain.config import EnvironmentConfig, ExplorationConfig, PosttrainConfig
from s2e_training.posttrain.curriculum import Stage
from s2e_training.posttrain.history import FrameHistory
from s2e_training.posttrain.navbench import (
    GROUPS,
    NavBench,
    NavBenchFactory,
    stage_protocol,
    write_protocol,
)
from s2e_training.posttrain.scenes import check_training_scenes, check_validation_scenes
from s2e_training.pretrain.checkpoint import save_checkpoint
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.parent import load_parent

sys.path.append(str(Path(__file__).parents[2] / 'navbench_gs' / 'test' / 'support'))

SIZE = 32
TINY = ModelConfig(
    frames=3, image_size=SIZE, token_channels=4, dim=16, heads=2, feed_forward=32,
    fusion_layers=1, decoder_layers=1, anchors=4, dropout=0.0,
)


def make_model(seed: int = 0) -> S2EModel:
    torch.manual_seed(seed)
    model = S2EModel(TINY, torch.from_numpy(fan_anchors(TINY.anchors, 1.0))).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith('encoder.'):
                parameter.add_(0.02 * torch.randn(parameter.shape))
    return model


def test_features_in_training_are_those_of_the_deployed_policy(tmp_path: Path) -> None:
    """History, encoder and network of the rollout against ONNX streaming, frame by frame."""
    model = make_model()
    bundle = export_bundle(model, tmp_path / 'x', ExportInfo('x', 'x', WHOLE_VIEWS))
    policy = OnnxPolicy(bundle)
    runner = EncoderSession(FeatureEncoder(model.encoder, SIZE).model)
    actor = Actor(model, 'ram', ExplorationConfig())
    history, window = FrameHistory(TINY.frames), ObservationHistory(policy.spec)
    rng, goal = np.random.default_rng(0), np.array([3.0, 1.0])
    code, mask = encode_goal(goal[None], TINY.goal_encoding)
    for step in range(5):
        rgb = rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
        newest = actor.perceive(torch.from_numpy(runner.encode(rgb[None])))
        if step:
            history.push(newest, torch.tensor([False]))
        else:
            history.begin(newest)
        stamp = step * POLICY_PERIOD_NS
        odometry = Odometry(stamp, Pose2())
        window.add(CameraFrame(stamp, rgb), odometry)
        expected = policy.infer(window.observation(goal, odometry))
        seen = actor.observe(
            history.windows, torch.from_numpy(code), torch.from_numpy(mask),
            torch.zeros(1, 2), torch.zeros(1, 0),
        )
        with torch.no_grad():
            mixture, _ = actor(seen)
        # Half precision keeps 11 bits of a feature.
        np.testing.assert_allclose(mixture.mean[0].numpy(), expected.modes, atol=5e-3)


@pytest.fixture
def yard(monkeypatch: pytest.MonkeyPatch) -> None:
    from yard import make_yard

    made = make_yard()
    monkeypatch.setattr(resolve, 'resolve_scene', lambda scene: made)


def open_yard(folder: Path) -> NavBench:
    config = EnvironmentConfig(count=2, workers=1, scenes=('yard',), end_stuck=False)
    stage = Stage(('empty',), 6.0, 9.0, 0.0, 0)
    rules = write_protocol(config, stage, folder)
    encoder = FeatureEncoder(make_model().encoder, SIZE).model
    return NavBenchFactory(config, stage, rules, SIZE, encoder, 1)(config.count)


def towards(goal: np.ndarray) -> np.ndarray:
    bearing = np.arctan2(goal[:, 1], goal[:, 0])
    return np.stack([np.minimum(1.0, goal[:, 0].clip(0)), 2 * bearing], 1).astype(np.float32)


@pytest.mark.usefixtures('yard')
def test_the_benchmark_fulfils_the_protocol(tmp_path: Path) -> None:
    world = open_yard(tmp_path)
    seen = world.reset(3)
    assert seen.features.shape == (2, 112, 2, 2) and seen.present.all()
    first, ended = seen.goal.copy(), 0
    for _ in range(200):  # an episode of 9 m may take 35 s, 175 steps
        steps = world.step(towards(seen.goal))
        groups = np.sum([steps.terms[name] for name in GROUPS], axis=0)
        # The groups of the step that was paid sum to its reward, also where the episode ended.
        np.testing.assert_allclose(groups, steps.rewards, atol=1e-4)
        assert len(steps.episodes) == int(steps.done.sum())
        for row in np.flatnonzero(steps.done):
            # The last view is of the old episode, the next of a new one 6 m or more away.
            if steps.terminated[row]:
                assert np.linalg.norm(steps.final.goal[row]) < 0.8
                assert steps.terms['arrive'][row] == 20.0
            assert np.linalg.norm(steps.observations.goal[row]) > 3.9
            assert (steps.final.features[row] != steps.observations.features[row]).any()
        going = ~steps.done
        np.testing.assert_array_equal(
            steps.final.goal[going], steps.observations.goal[going]
        )
        ended += len(steps.episodes)
        seen = steps.observations
        if ended > 2:
            break
    assert ended > 1
    again = world.reset(3)
    np.testing.assert_array_equal(again.goal, first)
    world.close()


def test_a_stage_changes_distances_obstacles_and_people_only() -> None:
    from navbench_gs.tasks.protocol import load_protocol

    base = load_protocol('default')
    rules = stage_protocol(base, Stage(('empty',), 6.0, 9.0, 2.0, 3))
    assert (rules.route.geodesic_low, rules.route.geodesic_high) == (6.0, 9.0)
    assert (rules.obstacle.per_area, rules.people.count) == (2.0, 3)
    assert rules.judge == base.judge and rules.drift == base.drift
    full = stage_protocol(base, Stage())
    assert (full.route, full.obstacle, full.people) == (base.route, base.obstacle, base.people)


def test_scenes_keep_to_their_ranges() -> None:
    check_training_scenes(['city:1000-1003', 'my/capture.ply'])
    check_validation_scenes(['city:100-103'])
    for words in (['city:5'], ['city:100'], ['city:999-1000']):
        with pytest.raises(ConfigError, match='training cities have seeds from 1000 on'):
            check_training_scenes(words)
    for words in (['city:25'], ['city:204']):
        with pytest.raises(ConfigError, match='is for tests only'):
            check_validation_scenes(words)


def test_the_example_settings_hold_and_wrong_ones_are_refused() -> None:
    config = from_yaml(PosttrainConfig, find_config('training/posttrain.yaml'))
    assert from_mapping(PosttrainConfig, to_mapping(config)) == config
    for changes, message in (
        ({'mode': 'sft'}, 'mode sft needs sft.clips'),
        ({'mode': 'sft', 'sft': {'clips': ['x']}, 'foresight': {'weight': 1.0}}, 'does not drive'),
        ({'mode': 'all'}, 'mode must be one of'),
        ({'segment': 7}, 'must be a multiple of segment'),
        ({'ppo': {'entropy': 'guess'}}, 'entropy must be one of'),
        ({'ppo': {'rate': 0.5}}, 'rate must be in'),
        ({'curriculum': {'stages': []}}, 'at least one stage'),
        ({'environment': {'colour': 1}}, 'unknown key'),
    ):
        with pytest.raises(ConfigError, match=message):
            from_mapping(PosttrainConfig, {**to_mapping(config), **changes})


def post_trained(folder: Path, model: S2EModel) -> Path:
    """A checkpoint as the trainer writes it."""
    pretrain = PretrainConfig('x', ('a',), ('b',), model=TINY)
    settings = to_mapping(PosttrainConfig('x', 'parent'))
    folder.mkdir()
    save_checkpoint(folder / 'best.pt', {
        'config': to_mapping(pretrain), 'posttrain': settings, 'model': model.state_dict(),
        'anchors': model.anchors, 'step': 36000, 'parent_step': 5,
        'examples': torch.randint(0, 256, (2, TINY.frames, SIZE, SIZE, 3), dtype=torch.uint8),
        'provenance': {'training': {'step': 5, 'config': to_mapping(pretrain)}},
    })
    (folder / 'evaluation.csv').write_text('step,all_success,score\n36000,0.75,0.7\n')
    return folder


def test_a_post_trained_checkpoint_exports_and_is_a_parent_again(tmp_path: Path) -> None:
    model = make_model()
    model.add_residual()
    assert model.residual is not None
    with torch.no_grad():
        for parameter in model.residual.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    bundle = export_run(post_trained(tmp_path / 'run', model), tmp_path / 'bundle', 'x')
    assert max(replay(bundle).values()) < 1e-4
    about = bundle.manifest
    assert 'mode ram' in about.description
    assert about.provenance['posttraining']['hours_simulated'] == 2.0  # 36000 * 0.2 / 3600
    assert about.metrics['validation']['all_success'] == 0.75
    for source in ('run', 'bundle'):
        parent = load_parent(str(tmp_path / source))
        assert parent.model.residual is not None
        for name, value in model.state_dict().items():
            torch.testing.assert_close(
                parent.model.state_dict()[name], value, rtol=0, atol=1e-6, msg=name
            )
    with pytest.raises((TrainingError, ConfigError), match='nowhere'):
        load_parent('nowhere')
    (tmp_path / 'broken.pt').write_bytes(b'PK')
    with pytest.raises(TrainingError, match=r'broken\.pt: is not a readable checkpoint'):
        load_parent(str(tmp_path / 'broken.pt'))


@pytest.mark.usefixtures('yard')
def test_a_critic_sees_the_truth_of_the_episode_that_ended(tmp_path: Path) -> None:
    world = open_yard(tmp_path)
    seen = world.reset(3)
    assert seen.truth.shape == (2, TRUTH)
    for _ in range(200):
        steps = world.step(towards(seen.goal))
        seen = steps.observations
        if steps.done.any():
            break
    row = int(np.flatnonzero(steps.done)[0])
    # The goal by odometry that has drifted by centimetres, then that of a new episode; in 10 m.
    assert abs(steps.final.truth[row, 1:3] - steps.final.goal[row] / 10).max() < 0.05
    assert abs(seen.truth[row, 1:3] - seen.goal[row] / 10).max() < 1e-4
    assert abs(seen.goal[row] - steps.final.goal[row]).max() > 1.0
    world.close()


def test_the_branch_in_bfloat16_leaves_the_parents_answer_alone() -> None:
    torch.manual_seed(0)
    exact = Actor(make_model(), 'ram', ExplorationConfig())
    half = Actor(make_model(), 'ram', ExplorationConfig(), bfloat16=True)
    seen = exact.observe(
        torch.randn(5, TINY.frames, TINY.dim), torch.randn(5, 3), torch.ones(5, 1),
        torch.zeros(5, 2), torch.zeros(5, 0),
    )
    with torch.no_grad():
        one, other = exact(seen)[0], half(seen)[0]
        assert torch.equal(one.mean, other.mean)  # psi' is multiplied by zero, to the last bit
        for actor in (exact, half):
            assert actor.model.residual is not None
            actor.model.residual.leave.weight.copy_(torch.eye(TINY.dim))
        one, other = exact(seen)[0], half(seen)[0]
    assert not torch.equal(one.mean, other.mean)
    # Eight bits of a residual of order one: some per cent of a waypoint.
    torch.testing.assert_close(one.mean, other.mean, rtol=0.05, atol=0.02)
