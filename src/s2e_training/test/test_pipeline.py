"""In miniature: clips, features, four steps, a break, export, check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from arc_clips import SIZE, make_clip

from s2e_core.contract import POLICY_PERIOD_NS, Observation
from s2e_core.errors import ConfigError
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_policy.bundle import load_bundle
from s2e_policy.errors import PolicyError
from s2e_policy.reference import replay
from s2e_policy.runtime import OnnxPolicy
from s2e_policy.vote import put_vote
from s2e_training.data.clip import Clip, find_clips, load_clip, save_clip
from s2e_training.data.draws import DrawWeights
from s2e_training.data.features import FeatureEncoder, encode_clips, features_path
from s2e_training.data.windows import BatchOptions, WindowSet
from s2e_training.errors import TrainingError
from s2e_training.export.measured import put_metrics, read_metrics
from s2e_training.export.run import export_run
from s2e_training.models.config import ModelConfig
from s2e_training.models.lite0 import Lite0
from s2e_training.pretrain.checkpoint import LAST, load_checkpoint
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.setup import make_trainer

MODEL = ModelConfig(
    frames=3, image_size=SIZE, token_channels=4, dim=16, heads=2, feed_forward=32,
    fusion_layers=1, decoder_layers=1, anchors=4,
)


@pytest.fixture(scope='module')
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('clips')
    for seed in range(3):
        make_clip(root / 'train' / f'{seed}', seed)
    make_clip(root / 'validation' / '9', 9)
    return root


def settings(clips: Path, **changes: object) -> PretrainConfig:
    values: dict[str, object] = {
        'name': 'mini', 'clips': (str(clips / 'train'),), 'model': MODEL, 'steps': 4, 'batch': 8,
        'validation': (str(clips / 'validation'),), 'warmup': 1, 'validate_every': 2, 'threads': 1,
        'checkpoint_minutes': 0.0, 'validation_samples': 16,
    }
    values.update(changes)
    return PretrainConfig(**values)  # type: ignore[arg-type]


@pytest.fixture(scope='module')
def finished(clips: Path) -> Path:
    """A run that was broken off after two steps and went on."""
    folder = clips / 'run'
    make_trainer(settings(clips), folder, clock=lambda: 0.0).run(stop_at=2)
    trainer = make_trainer(settings(clips), folder, clock=lambda: 0.0)
    assert trainer.step == 2
    trainer.run()
    return folder


def test_a_resumed_run_equals_an_unbroken_one(clips: Path, finished: Path) -> None:
    unbroken = make_trainer(settings(clips), clips / 'unbroken', clock=lambda: 0.0)
    unbroken.run()
    stored = load_checkpoint(finished / LAST)
    assert stored['step'] == 4
    for name, value in unbroken.model.state_dict().items():
        assert torch.equal(value, stored['model'][name]), name


def test_another_seed_gives_other_weights(clips: Path, finished: Path) -> None:
    other = make_trainer(settings(clips, seed=1), clips / 'seed1', clock=lambda: 0.0)
    other.run(stop_at=1)
    stored = load_checkpoint(finished / LAST)
    assert not torch.equal(other.model.score.weight, stored['model']['score.weight'])


def test_a_run_is_not_mixed_with_other_settings(clips: Path, finished: Path) -> None:
    with pytest.raises(TrainingError, match='other settings'):
        make_trainer(settings(clips, batch=4), finished, clock=lambda: 0.0)


def test_a_run_can_begin_where_another_ended(clips: Path, finished: Path) -> None:
    stored = load_checkpoint(finished / LAST)
    config = settings(clips, initial=str(finished / LAST), seed=5)
    trainer = make_trainer(config, clips / 'second', clock=lambda: 0.0)
    assert torch.equal(trainer.model.anchors, stored['anchors'])
    assert torch.equal(trainer.model.score.weight, stored['average']['score.weight'])
    small = ModelConfig(**{**MODEL.__dict__, 'decoder_layers': 2})
    with pytest.raises(TrainingError, match='another size'):
        make_trainer(
            settings(clips, model=small, initial=str(finished / LAST)), clips / 'third',
            clock=lambda: 0.0,
        )


def test_the_encoder_stays_frozen(clips: Path, finished: Path) -> None:
    fresh = Lite0()
    fresh.load_pretrained()
    stored = load_checkpoint(finished / LAST)['model']
    for name, value in fresh.state_dict().items():
        assert torch.equal(value, stored[f'encoder.{name}']), name


def test_export_and_parity(clips: Path, finished: Path) -> None:
    bundle = export_run(finished, clips / 'bundle', 'mini')
    # The stored answers are PyTorch's.
    assert max(replay(bundle).values()) < 1e-4
    manifest = bundle.manifest
    assert manifest.output.modes == 4
    assert manifest.provenance['data']['frames'] == 60 and manifest.licence == 'Apache-2.0'
    card = (bundle.root / 'MODEL_CARD.md').read_text()
    assert 'Pre-trained on rendered video only' in card
    # It was trained through whole views: black margins would be news to it.
    assert bundle.spec.unseen == 'edge' and 'takes the nearest pixel' in card
    window, streaming = OnnxPolicy(bundle, mode='window'), OnnxPolicy(bundle)
    images = load_clip(find_clips(clips / 'validation')[0]).rgb
    for first in range(5):
        stamps = (np.arange(3, dtype=np.int64) + first) * POLICY_PERIOD_NS
        seen = Observation(
            images[first:first + 3], stamps, np.array([4.0, 1.0]),
            Odometry(int(stamps[-1]), Pose2(0.0, 0.0, 0.0)),
        )
        a, b = window.infer(seen), streaming.infer(seen)
        np.testing.assert_allclose(a.modes, b.modes, atol=1e-4)
        assert a.scores.sum() == pytest.approx(1.0, abs=1e-5)


def test_a_policy_of_narrow_lenses_sees_their_margins_black(clips: Path, finished: Path) -> None:
    content = load_checkpoint(finished / LAST)
    content['config']['views'] = 2
    folder = clips / 'narrow'
    folder.mkdir()
    torch.save(content, folder / LAST)
    bundle = export_run(folder / LAST, clips / 'narrow_bundle', 'narrow')
    assert bundle.spec.unseen == 'black'
    assert 'not see is black' in (bundle.root / 'MODEL_CARD.md').read_text()


def test_measurements_can_be_put_in_later(clips: Path, finished: Path) -> None:
    """Metadata, card and hash change together; what is not named and the weights stay."""
    root = export_run(finished, clips / 'later', 'mini').root
    weights, card = (root / 'policy.weights').read_bytes(), (root / 'MODEL_CARD.md').read_text()
    bundle = put_metrics(root, {'closed_loop': {'empty': 'success 0.5'}})
    assert list(bundle.manifest.metrics) == ['open_loop', 'closed_loop']
    assert (root / 'policy.weights').read_bytes() == weights
    changed = (root / 'MODEL_CARD.md').read_text()
    assert changed == card.replace(
        '\n\n## Limits', '\n- closed loop:\n  - empty: success 0.5\n\n## Limits')
    put_metrics(root, {'closed_loop': {'empty': 'success 0.7'}})
    again = (root / 'MODEL_CARD.md').read_text()
    assert again == changed.replace('0.5\n\n## L', '0.7\n\n## L')
    (root / 'bad.yaml').write_text('- a\n')
    with pytest.raises(TrainingError, match='must hold a mapping, got list'):
        read_metrics(root / 'bad.yaml')
    (root / 'MODEL_CARD.md').write_text('x')
    with pytest.raises(PolicyError, match='MODEL_CARD'):
        put_metrics(root, {})


def test_the_choice_of_modes_can_be_set_later(clips: Path, finished: Path) -> None:
    root = export_run(finished, clips / 'voting', 'mini').root
    before = load_bundle(root)
    assert (before.spec.vote, before.spec.memory) == (0.0, 0.0)
    after = put_vote(root, 0.2, 0.5)
    assert (after.spec.vote, after.spec.memory) == (0.2, 0.5)
    assert after.weights == before.weights and after.manifest.files == before.manifest.files
    with pytest.raises(ConfigError, match='memory'):
        put_vote(root, 0.2, 1.0)
    assert load_bundle(root).spec.memory == 0.5


def test_the_bundle_shares_its_weights_and_guards_them(clips: Path, finished: Path) -> None:
    bundle = export_run(finished, clips / 'guarded', 'mini')
    graphs = len(bundle.window) + len(bundle.streaming)
    # Both graphs together are topology; the encoder alone has 2.7 MB of weights.
    assert graphs < 1_000_000 < 2_700_000 < len(bundle.weights)
    path = bundle.root / 'policy.weights'
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(PolicyError, match='sha256'):
        load_bundle(bundle.root)


def test_mirrored_windows_are_mirrored_everywhere(clips: Path) -> None:
    encoder = Lite0()
    encoder.load_pretrained()
    runner = FeatureEncoder(encoder, SIZE)
    folders = find_clips(clips / 'train')
    encode_clips(folders, runner)
    windows = WindowSet(folders, runner.key, 3, 'log')
    rng = np.random.default_rng(0)
    samples = np.array([0, 7])
    plain = windows.batch(samples, BatchOptions(), rng)
    mirrored = windows.batch(samples, BatchOptions(mirror=1.0), rng)
    flip = torch.tensor([1.0, -1.0])
    assert torch.equal(plain.plan * flip, mirrored.plan)
    assert torch.allclose(plain.goal * torch.tensor([1.0, 1.0, -1.0]), mirrored.goal)
    rgb = load_clip(folders[0]).rgb[7:8, :, ::-1]
    with torch.no_grad():
        image = torch.from_numpy(rgb.copy()).permute(0, 3, 1, 2).float() / 255
        expected = encoder(image)[0]
    # float16 keeps 11 bits: 0.05 % of features that reach 20
    assert torch.allclose(mirrored.features[1, -1], expected, atol=0.02)


def test_narrower_views_are_cached_beside_the_clip_and_drawn(clips: Path) -> None:
    runner = FeatureEncoder(_imagenet(), SIZE)
    folders = find_clips(clips / 'train')
    encode_clips(folders, runner, views=2)
    samples = np.full(40, 7)
    options, rng = BatchOptions(), np.random.default_rng(0)
    one = WindowSet(folders, runner.key, 3, 'log').batch(samples, options, rng)
    two = WindowSet(folders, runner.key, 3, 'log', views=2).batch(samples, options, rng)
    narrow = np.load(features_path(folders[0], runner.key, 1))[7, 0].astype(np.float32)
    same = (one.features == two.features).flatten(1).all(dim=1)
    # Half of 40 draws on average: 5 to 35 leave out 1 in a million.
    assert 5 <= int(same.sum()) <= 35
    assert torch.equal(two.features[~same][0, -1], torch.from_numpy(narrow))
    # Lenses do not move waypoints, goals or free distances.
    assert torch.equal(one.plan, two.plan)
    assert torch.equal(one.goal, two.goal)
    with pytest.raises(TrainingError, match=r'view2\.npy: missing'):
        WindowSet(folders, runner.key, 3, 'log', views=3)


def test_clips_of_another_rate_are_not_trained_on(clips: Path, tmp_path: Path) -> None:
    folder = find_clips(clips / 'train')[0]
    sparse = tmp_path / 'sparse'
    clip = load_clip(folder)
    save_clip(replace(clip, info=replace(clip.info, period=0.8)), sparse)
    runner = FeatureEncoder(_imagenet(), SIZE)
    encode_clips([sparse], runner)
    with pytest.raises(TrainingError, match=r'0\.2 s apart to train on, got 0\.800 s'):
        WindowSet([sparse], runner.key, 3, 'log')


def test_folders_are_mixed_by_weight(clips: Path) -> None:
    folders = find_clips(clips / 'train')
    make_trainer(settings(clips), clips / 'encoded', clock=lambda: 0.0)
    key = FeatureEncoder(_imagenet(), SIZE).key
    weights = DrawWeights(folders=(0, 1, 1), shares=(0.9, 0.1))
    windows = WindowSet(folders, key, 3, 'log', weights)
    batch = windows.draw(400, BatchOptions(), np.random.default_rng(0))
    first = torch.from_numpy(windows.plans[windows.owner == 0])
    count = sum(bool((first == plan).all(dim=(1, 2)).any()) for plan in batch.plan)
    # 360 expected, standard deviation sqrt(400 * 0.9 * 0.1) = 6: five of them.
    assert abs(count - 360) <= 30


def _imagenet() -> Lite0:
    encoder = Lite0()
    encoder.load_pretrained()
    return encoder


def test_windows_repeat_the_first_frame_and_restart(clips: Path) -> None:
    encoder = Lite0()
    encoder.load_pretrained()
    runner = FeatureEncoder(encoder, SIZE)
    folders = find_clips(clips / 'train')
    encode_clips(folders, runner)
    windows = WindowSet(folders, runner.key, 3, 'log')
    rng = np.random.default_rng(0)
    first = windows.batch(np.array([0]), BatchOptions(), rng).features[0]
    assert torch.equal(first[0], first[2])
    later = windows.batch(np.array([5]), BatchOptions(), rng).features[0]
    assert not torch.equal(later[0], later[1])
    free = windows.batch(np.array([5]), BatchOptions(goal_free=1.0), rng)
    assert not free.mask.any()
    assert not free.goal.any()


def test_broken_clips_are_refused(tmp_path: Path) -> None:
    folder = make_clip(tmp_path / 'clip', 0)
    clip = load_clip(folder)
    with pytest.raises(TrainingError, match=r'plan must be \(20, 10, 2\), got \(19, 10, 2\)'):
        save_clip(
            Clip(clip.info, clip.rgb, clip.stamps_ns, clip.odometry, clip.goal, clip.plan[1:]),
            tmp_path / 'bad',
        )
    assert not (tmp_path / 'bad').exists()
    (folder / 'frames.npz').write_bytes(b'PK\x05\x06' + bytes(10))
    with pytest.raises(TrainingError, match='frames'):
        load_clip(folder)
    with pytest.raises(TrainingError, match='holds no clip'):
        find_clips(tmp_path / 'nowhere')


def test_test_cities_cannot_be_recorded() -> None:
    from s2e_training.data.record import RecordConfig

    for seed in (0, 25, 205):
        with pytest.raises(ConfigError, match='are for tests only'):
            RecordConfig(first_seed=seed, scenes=1)
    RecordConfig(first_seed=100, scenes=26)
    with pytest.raises(ConfigError, match='are for tests only'):
        RecordConfig(first_seed=190, scenes=20)


def test_rounds_in_one_scene_drive_other_routes(tmp_path: Path) -> None:
    from navbench_gs.scenes.resolve import resolve_scene
    from s2e_training.data.record import RecordConfig, record

    scene = resolve_scene('city:101').root
    config = RecordConfig(
        scene=str(scene), first_seed=0, scenes=2, tasks=('empty',), robot='coco', workers=1,
    )
    done = record(config, tmp_path)
    clips = [load_clip(folder) for folder in find_clips(tmp_path)]
    assert len(done) == len(clips) == 2
    assert all(item.name.endswith('_0_empty_teacher_0') for item in done)
    first, second = (clip.info.provenance['episode'] for clip in clips)
    assert first != second
    assert not np.allclose(clips[0].goal, clips[1].goal)
    # What is there is not recorded again.
    assert record(config, tmp_path) == []
