"""Captured objects: one line of YAML sets one upright, and its body follows its look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mujoco
import numpy as np
import pytest

from navbench_gs.errors import SceneError
from navbench_gs.physics.solids import Solid, add_solid
from navbench_gs.scenes import captured
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.hull import inside
from navbench_gs.scenes.importer.orient import rotation
from navbench_gs.scenes.object_sheet import agreement, write_sheet
from navbench_gs.scenes.objects import make_obstacle
from navbench_gs.scenes.solids import box, cylinder
from navbench_gs.scenes.surfels import Surfels
from navbench_gs.splats import save_ply
from navbench_gs.splats.reduce import reduced
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import sample_episode
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.config import from_mapping, to_mapping
from s2e_core.robot import load_robot

ROOT = Path(__file__).parents[3]
OBSTACLES = ('guitar', 'narcissus', 'massa', 'angel', 'plant', 'rock', 'playbot')


def lamp() -> Surfels:
    """A square foot of 0.4 x 0.2 m, 0.3 m high, with a thin post up to 1.2 m on its middle."""
    return Surfels.join([
        box((0, 0, 0.15), (0.2, 0.1, 0.15), (0.5, 0.4, 0.3), 0.03),
        cylinder((0, 0, 0.3), (0, 0, 1.2), (0.04, 0.04), (0.2, 0.2, 0.2), 0.02),
    ])


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A catalogue with the lamp, stored y down, turned, in units of 0.25 m, far from 0."""
    pose = np.eye(4)
    pose[:3, :3] = 4.0 * rotation('-y').T @ np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    pose[:3, 3] = (7.0, -3.0, 2.0)
    save_ply(tmp_path / 'lamp.ply', lamp().cloud().transformed(pose))
    path = tmp_path / 'things.yaml'
    path.write_text(
        'objects:\n'
        '  lamp: {file: lamp.ply, up: -y, height: 1.2, mass: 6}\n'
        '  guard: {file: lamp.ply, up: -y, scale: 0.25, person: true}\n'
        '  stump: {file: lamp.ply, up: -y, height: 0.9, floor: 0.3, mass: 60}\n'
        '  gone: {file: nowhere.ply, height: 1}\n'
    )
    return path


def test_a_line_sets_an_object_upright(catalogue: Path) -> None:
    """It stands on the floor, 1.2 m high, and its rectangle is turned back to x and y."""
    made = make_obstacle(f'{catalogue}:lamp', np.random.default_rng(0))
    assert made.shape == 'box' and made.pushable and made.mass == 6.0
    assert sorted(made.size) == pytest.approx([0.1, 0.2, 0.6], abs=0.03)
    assert made.cloud.means[:, 2].min() == pytest.approx(0.0, abs=0.03)
    assert made.cloud.means[:, 2].max() == pytest.approx(1.2, abs=0.03)
    assert np.abs(made.cloud.means[:, :2]).max(axis=0) == pytest.approx(made.size[:2], abs=0.03)
    assert make_obstacle(f'{catalogue}:lamp', np.random.default_rng(9)) is made


def test_the_body_is_narrow_where_the_look_is(catalogue: Path) -> None:
    """The foot is as wide as its box, the post a hand: points beside it lie outside."""
    made = captured.captured_object(f'{catalogue}:lamp')
    long = int(np.argmax(made.size[:2]))
    beside, foot = np.zeros((2, 3))
    beside[long], beside[2] = 0.12, 0.8
    foot[long], foot[2] = 0.17, 0.1
    assert not inside(made.slabs, beside[None])[0]
    assert inside(made.slabs, foot[None])[0]
    found = agreement(made)
    assert found.inside > 0.97 and found.overlap > 0.75


def test_cut_at_the_foot(catalogue: Path) -> None:
    """0.36 of 1.2 m, foot and all, are cut off: what is left is the post, scaled to 0.9 m."""
    made = captured.captured_object(f'{catalogue}:stump')
    assert 2.0 * made.size[-1 if made.shape == 'box' else 1] == pytest.approx(0.9, abs=0.03)
    assert max(made.size[:1]) < 0.07 and not made.pushable


def test_a_captured_person_stands(catalogue: Path) -> None:
    """One pose for every phase; scale 0.25 gives 1.2 m."""
    person = captured.captured_person(f'{catalogue}:guard')
    assert person.height == pytest.approx(1.2, abs=0.03)
    assert person.frame(0.3) is person.frame(None)
    with pytest.raises(SceneError, match=r'people\.looks'):
        captured.captured_object(f'{catalogue}:guard')
    with pytest.raises(SceneError, match='person: true'):
        captured.captured_person(f'{catalogue}:lamp')


def test_physics_has_the_layers(catalogue: Path) -> None:
    """The body's mass is the line's, its meshes span the height, and it rests on the floor."""
    made = captured.captured_object(f'{catalogue}:lamp')
    spec = mujoco.MjSpec()
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[5, 5, 1])
    solid = Solid('obstacle_0_lamp', made.shape, made.size, made.mass, 1.0, 2.0, 0.5, True,
                  made.slabs)
    add_solid(spec, solid, 0.0)
    model = spec.compile()
    body = model.body('obstacle_0_lamp')
    assert float(body.mass[0]) == pytest.approx(6.0)
    assert model.nmesh == len(made.slabs) == 8
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, nstep=500)
    assert data.body('obstacle_0_lamp').xpos == pytest.approx((1.0, 2.0, 0.6), abs=0.02)
    up = data.body('obstacle_0_lamp').xmat.reshape(3, 3)[2, 2]
    assert up > 0.999


def test_episodes_pin_the_object(
    catalogue: Path, block_scene: SceneBundle
) -> None:
    """A spec carries a digest of line and file, survives JSON, and a changed line is refused."""
    protocol = load_protocol()
    values = to_mapping(protocol)
    values['obstacle'] |= {'kinds_pushable': [f'{catalogue}:lamp'],
                           'kinds_fixed': [f'{catalogue}:stump']}
    values['people'] |= {'looks': [f'{catalogue}:guard'], 'standing': 0.5}
    rules = from_mapping(type(protocol), values)
    assert rules.hash != protocol.hash
    robot = load_robot('coco')
    spec = sample_episode(block_scene, 'obstacle_pedestrian', 0, 0, rules, robot)
    assert {captured.short_name(item.kind) for item in spec.obstacles} == {'lamp', 'stump'}
    kind = next(item.kind for item in spec.obstacles if 'lamp' in item.kind)
    assert len(kind.partition('@')[2]) == 12
    looks = {person.look for person in spec.people if person.behaviour == 'stand'}
    assert len(looks) == 1 and 'guard@' in looks.pop()
    assert not any(person.look for person in spec.people if person.behaviour == 'walk')
    assert EpisodeSpec.from_json(spec.to_json()) == spec
    captured.find_entry.cache_clear()
    catalogue.write_text(catalogue.read_text().replace('height: 1.2', 'height: 1.3'))
    with pytest.raises(SceneError, match='one of them was changed'):
        captured.find_entry(kind)


def test_protocols_without_looks_keep_their_hash() -> None:
    """The default protocol, version 1, has the hash that it had before people could have looks."""
    protocol = load_protocol()
    assert protocol.version == 1
    assert protocol.hash.startswith('bf8046e26e786eac')


def test_wrong_lines_are_refused(catalogue: Path) -> None:
    """Absent files, names and variables, and lines without a scale, each give one error."""
    for kind, words in (('gone', 'nowhere.ply must exist'), ('cat', "got 'cat'")):
        with pytest.raises(SceneError, match=words):
            captured.find_entry(f'{catalogue}:{kind}')
    with pytest.raises(SceneError, match='not found'):
        captured.read_catalogue('no-such-catalogue')
    catalogue.write_text('folder: $S2E_NO_SUCH_VARIABLE\nobjects: {a: {file: b, scale: 1}}\n')
    with pytest.raises(SceneError, match='not set'):
        captured.read_catalogue(str(catalogue))
    for line in ('{file: a.ply}', '{file: a.ply, height: 1, scale: 2}', '{file: a, mess: 1}'):
        catalogue.write_text(f'objects: {{a: {line}}}\n')
        with pytest.raises(SceneError, match=r'height|mess'):
            captured.read_catalogue(str(catalogue))


def test_merging_keeps_mass_centre_and_extent() -> None:
    """400 of 4,000 gaussians: same centre to 1 %, same spread to 3 %, colours stay in range."""
    rng = np.random.default_rng(0)
    whole = lamp().cloud()
    assert reduced(whole, len(whole)) is whole
    few = reduced(whole, 400)
    assert 200 < len(few) <= 400
    assert few.means.mean(axis=0) == pytest.approx(whole.means.mean(axis=0), abs=0.1)
    assert few.means[:, 2].max() == pytest.approx(1.2, abs=0.1)
    assert (few.opacities > 0.0).all() and (few.opacities <= 0.981).all()
    # Two equal gaussians 0.2 apart along x, each 0.1 wide: variance 0.01 + 0.01.
    two = whole.select(np.array([0, 0]))
    means = np.array([[0.0, 0, 0], [0.2, 0, 0]], np.float32)
    pair = type(two)(means, np.tile([1.0, 0, 0, 0], (2, 1)), np.full((2, 3), 0.1),
                     np.full(2, 0.5), rng.normal(size=(2, 1, 3)))
    one = reduced(pair, 1)
    assert one.means[0] == pytest.approx((0.1, 0.0, 0.0), abs=1e-6)
    assert np.sort(one.scales[0]) == pytest.approx((0.1, 0.1, np.sqrt(0.02)), abs=1e-5)
    assert one.sh[0] == pytest.approx(pair.sh.mean(axis=0), abs=1e-6)


@pytest.mark.data
@pytest.mark.parametrize('name', OBSTACLES)
def test_real_objects_stand(
    name: str, real_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each stands on its floor, its body holds its matter and covers little else."""
    monkeypatch.setenv('S2E_DATA', str(real_data('splats').parent))
    made = captured.captured_object(f'{ROOT / "config/objects/examples.yaml"}:{name}')
    found = agreement(made)
    assert found.inside > 0.95
    # Foliage, and gaps under arms, count against the convex layers.
    assert found.overlap > 0.6
    low = np.quantile(made.cloud.means[:, 2], 0.01)
    assert 0.0 <= low < 0.1
    assert 5000 < len(made.cloud) <= 12000
    assert write_sheet(tmp_path / 'sheet.png', made.cloud, made).stat().st_size > 10000


@pytest.mark.data
def test_the_biker_is_a_person(
    real_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.8 m high, feet on the floor, most of him inside his body, looking along +x."""
    monkeypatch.setenv('S2E_DATA', str(real_data('splats').parent))
    biker = captured.captured_person(f'{ROOT / "config/objects/examples.yaml"}:biker')
    assert biker.height == pytest.approx(1.8, abs=0.03)
    means = biker.standing.means
    assert (np.hypot(means[:, 0], means[:, 1]) < biker.radius + 0.05).mean() > 0.85
    # He holds his helmet before him: it is what reaches farthest.
    assert means[:, 0].max() > -means[:, 0].min()
