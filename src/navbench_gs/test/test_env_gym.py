"""The Gymnasium environment: the same episodes as the benchmark's, and Gymnasium's own rules."""

from __future__ import annotations

import json
import math

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from yard import make_yard

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.env.gym import ENV_ID, EnvOptions
from navbench_gs.env.gym.store import SceneStore
from navbench_gs.env.gym.stream import EpisodeStream
from navbench_gs.errors import SimulationError, TaskError
from navbench_gs.metrics.record import read_log
from navbench_gs.runner.bench import Bench
from navbench_gs.runner.episode import run_episode
from navbench_gs.runner.plan import Item, RunConfig
from navbench_gs.sensors.odometry import drift_of
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import sample_episode
from s2e_core.contract import Observation
from s2e_core.errors import ConfigError
from s2e_core.gate import Gate, GateOutput, Source
from s2e_core.records import Command, Odometry
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

ROBOT = load_robot('coco')
SMALL = {'scenes': 'yard', 'width': 32, 'height': 24, 'threads': 1}
STAND, FULL = np.zeros(2, np.float32), np.array([1.5, 0.0], np.float32)


pytestmark = pytest.mark.usefixtures('only_yard')


def make(**settings):
    return gymnasium.make(ENV_ID, **{**SMALL, **settings})


def straight(observation, agent):
    """The straight agent's waypoints, from what a learner sees."""
    odometry = Odometry(0, Pose2())
    seen = Observation(observation['image'][None], np.zeros(1, np.int64),
                       observation['goal'].astype(np.float64), odometry)
    return agent.infer(seen).modes[0]


@pytest.mark.filterwarnings('ignore:.*Box action spaces, we recommend.*')
def test_passes_the_checker():
    check_env(make(jitter={'noise': 0.02}).unwrapped)
    check_env(make(action='waypoints').unwrapped)


class Straight:
    name = 'straight'

    def __call__(self):
        return StraightToGoal()


@pytest.mark.parametrize('task', ['empty', 'obstacle_pedestrian'])
def test_waypoints_drive_the_very_episode_of_the_benchmark(tmp_path, hurry, task):
    protocol = 'default' if task == 'empty' else hurry
    config = RunConfig(('yard',), (task,), load_protocol(protocol), 'coco', episodes=1, seed=5)
    Bench(config, Straight(), tmp_path, 1).run(Item('yard', task, 0))
    expected = json.loads((tmp_path / f'episodes/yard_{task}_000.json').read_text())
    env = make(action='waypoints', protocol=protocol)
    observation, _ = env.reset(seed=1, options={'task': task, 'index': 0, 'seed': 5})
    agent, over = StraightToGoal(), False
    # The runner hands the policy the goal in float64, an observation holds float32.
    session = env.unwrapped._session
    while not over:
        world = session.world
        observation['goal'] = world.odometry().pose.inverse().transform(world.goal_odom)
        observation, _, terminated, truncated, info = env.step(straight(observation, agent))
        over = terminated or truncated
    log = json.loads(env.unwrapped.episode_log.to_json())
    assert (log.pop('policy'), expected.pop('policy')) == ('learner', 'straight')
    assert log == expected
    assert info['outcome'] == expected['outcome']


class Held:
    """A control loop that holds velocities for 0.2 s, as the benchmark's runner calls it."""

    result = None

    def __init__(self, actions):
        self.gate, self.actions = Gate(ROBOT), actions

    def set_goal(self, goal):
        self.gate.rearm()

    def on_tick(self, now_ns, odometry, frame, scan=None) -> GateOutput:
        self.gate.update_odometry(odometry)
        if frame is not None:
            self.gate.update_camera(now_ns)
        v, w = self.actions[min(now_ns // 200_000_000, len(self.actions) - 1)]
        self.gate.update_command(Source.AUTONOMY, Command(now_ns, float(v), float(w)))
        return self.gate.step(now_ns)


def test_velocities_drive_as_the_runner_would(hurry):
    from navbench_gs.env import Simulation
    from s2e_core.camera import SMALL_CAMERA

    actions = np.random.default_rng(2).uniform([0.0, -1.0], [1.5, 1.0], (30, 2)).astype(np.float32)
    actions[20:] = 0.0
    protocol, bundle = load_protocol(hurry), make_yard()
    spec = sample_episode(bundle, 'pedestrian', 3, 0, protocol, ROBOT)
    world = Simulation(bundle, ROBOT, camera=SMALL_CAMERA, threads=1,
                       drift=drift_of(protocol.drift))
    world.reset(spec)
    expected = run_episode(world, spec, Held(actions), protocol, 'learner', look=world.image)
    env = make(protocol=hurry)
    env.reset(seed=0, options={'episode': spec})
    for index in range(10_000):
        over = env.step(actions[min(index, len(actions) - 1)])
        if over[2] or over[3]:
            break
    mine, theirs = json.loads(env.unwrapped.episode_log.to_json()), json.loads(expected.to_json())
    # The runner logs modes of the navigator, which this loop does not have.
    mine.pop('modes'), theirs.pop('modes')
    assert mine == theirs


def test_running_out_of_time_truncates_and_says_why(hurry):
    env = make(protocol=hurry, tasks='empty')
    observation, info = env.reset(seed=3)
    assert observation['goal_mask'].tolist() == [1]
    assert 5.0 < math.hypot(*observation['goal']) <= 10.0
    limit, steps, over = info['geodesic'] / 1.5, 0, False
    while not over:
        observation, _, terminated, over, info = env.step(STAND)
        assert not terminated
        steps += 1
    assert (info['outcome'], info['cause']) == ('timed_out', 'frozen')
    assert not info['success']
    # 0.2 s a step; the last may be cut.
    assert steps == math.ceil((limit - 0.05) / 0.2) or steps == math.ceil(limit / 0.2)
    with pytest.raises(SimulationError, match='call reset'):
        env.unwrapped.step(STAND)


def test_arriving_terminates(tmp_path):
    env = make(action='waypoints', tasks='empty')
    agent, total = StraightToGoal(), 0.0
    for index in range(5):
        observation, start = env.reset(seed=0, options={'index': 5 * index})
        if math.hypot(*observation['goal']) > start['geodesic'] - 0.05:
            break
    over = False
    while not over:
        observation, reward, terminated, truncated, info = env.step(straight(observation, agent))
        total, over = total + reward, terminated or truncated
        assert reward == pytest.approx(sum(info['reward'][g] for g in ('goal', 'rules', 'human')))
    assert terminated
    assert not truncated
    assert info['success']
    assert info['route_completion'] == 1.0
    assert total > 20.0
    path = tmp_path / 'log.json'
    path.write_text(env.unwrapped.episode_log.to_json())
    assert read_log(path).outcome == 'success'


def test_wrong_actions_and_options_are_refused():
    env = make()
    env.reset(seed=0)
    with pytest.raises(SimulationError, match=r'finite, got \[nan, 0.0\]'):
        env.unwrapped.step(np.array([np.nan, 0.0]))
    with pytest.raises(SimulationError, match="unknown key 'scnee'"):
        env.reset(options={'scnee': 'yard'})
    with pytest.raises(ConfigError, match="unknown key 'scene'"):
        make(scene='city:1')
    with pytest.raises(ConfigError, match='action must be one of'):
        make(action='joystick')
    with pytest.raises(ConfigError, match='environment: reward: unknown key'):
        make(reward={'arival': 1.0})
    with pytest.raises(SimulationError, match='either config or single options'):
        make(config=EnvOptions())


def test_actions_outside_the_box_are_clipped():
    poses = []
    for action in ([9.0, 0.0], [1.5, 0.0]):
        env = make(tasks='empty')
        env.reset(seed=0)
        for _ in range(5):
            info = env.step(np.array(action, np.float32))[-1]
        poses.append(info['pose'])
    assert np.array_equal(*poses)


def test_jitter_changes_the_picture_and_not_the_world():
    plain, varied = make(), make(jitter={'exposure': 0.5, 'pitch': 0.1})
    first, again = plain.reset(seed=4), varied.reset(seed=4)
    same = varied.reset(seed=4)
    assert np.array_equal(again[0]['image'], same[0]['image'])
    other = varied.reset(seed=5)
    assert not np.array_equal(again[0]['image'], other[0]['image'])
    assert first[1]['index'] == again[1]['index']
    assert not np.array_equal(first[0]['image'], again[0]['image'])
    varied.reset(seed=4)
    assert np.array_equal(plain.step(FULL)[-1]['pose'], varied.step(FULL)[-1]['pose'])


def test_hidden_goals_are_zero_and_masked():
    observation, info = make(goal_hidden=1.0).reset(seed=0)
    assert observation['goal_mask'].tolist() == [0]
    assert observation['goal'].tolist() == [0.0, 0.0]
    assert info['geodesic'] >= 10.0


def equal(first, second):
    return all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize('mode', ['vector_entry_point', 'async'])
def test_vector_is_the_same_as_single_ones(hurry, mode):
    settings = {**SMALL, 'protocol': hurry, 'jitter': {'noise': 0.02}}
    envs = gymnasium.make_vec(ENV_ID, 2, vectorization_mode=mode, **settings)
    assert envs.metadata['autoreset_mode'] is AutoresetMode.NEXT_STEP
    singles = [make(**settings) for _ in range(2)]
    observations, infos = envs.reset(seed=7)
    expected = [env.reset(seed=7 + i)[0] for i, env in enumerate(singles)]
    assert observations in envs.observation_space
    over, resets = [False, False], 0
    for _ in range(80 if mode == 'vector_entry_point' else 8):
        assert all(equal(expected[i], {k: v[i] for k, v in observations.items()})
                   for i in range(2))
        observations, rewards, terminated, truncated, infos = envs.step(np.tile(FULL, (2, 1)))
        for i, env in enumerate(singles):
            if over[i]:
                expected[i], over[i] = env.reset()[0], False
                assert rewards[i] == 0.0
                assert not (terminated[i] or truncated[i])
                resets += 1
            else:
                expected[i], reward, end, cut, info = env.step(FULL)
                assert (reward, end, cut) == (rewards[i], terminated[i], truncated[i])
                assert info['geodesic'] == infos['geodesic'][i]
                assert info['reward']['progress'] == infos['reward']['progress'][i]
                over[i] = end or cut
    assert resets > 0 or mode == 'async'
    envs.close()


def test_same_step_gives_the_last_view_and_the_next_one(hurry):
    envs = gymnasium.make_vec(ENV_ID, 2, autoreset_mode='SameStep', protocol=hurry, **SMALL)
    single = make(protocol=hurry)
    envs.reset(seed=1)
    single.reset(seed=1)
    for _ in range(110):
        observations, _, terminated, truncated, infos = envs.step(np.tile(STAND, (2, 1)))
        last = single.step(STAND)
        if truncated[0]:
            break
    assert last[3]
    assert equal(last[0], infos['final_obs'][0])
    assert infos['final_info']['cause'][0] == last[4]['cause']
    assert equal(single.reset()[0], {k: v[0] for k, v in observations.items()})
    assert infos['elapsed'][0] == 0.0


def test_disabled_autoreset_wants_a_mask(hurry):
    envs = gymnasium.make_vec(ENV_ID, 2, autoreset_mode='Disabled', protocol=hurry, **SMALL)
    envs.reset(seed=[4, 9])
    over = np.zeros(2, bool)
    while not over.any():
        over = envs.step(np.tile(STAND, (2, 1)))[3]
    with pytest.raises(SimulationError, match='are over: reset them'):
        envs.step(np.tile(STAND, (2, 1)))
    _, infos = envs.reset(options={'reset_mask': over})
    assert infos['_elapsed'].tolist() == over.tolist()
    envs.step(np.tile(STAND, (2, 1)))
    with pytest.raises(SimulationError, match='reset_mask must be'):
        envs.reset(options={'reset_mask': np.zeros(2, bool)})
    with pytest.raises(SimulationError, match='seed: need 2, got 1'):
        envs.reset(seed=[1])


def test_render_is_sharper_than_the_policy_sees():
    env = make(render_mode='rgb_array')
    env.reset(seed=0)
    assert env.render().shape == (480, 640, 3)
    envs = gymnasium.make_vec(ENV_ID, 2, render_mode='rgb_array', **SMALL)
    envs.reset(seed=0)
    assert [frame.shape for frame in envs.render()] == [(480, 640, 3)] * 2


def test_stream_stays_in_a_scene_and_knows_the_next():
    rng = np.random.default_rng(0)
    stream = EpisodeStream(['a', 'b', 'c', 'd', 'e'], ['empty', 'obstacle'], 3)
    assert stream.upcoming is None
    drawn = [(stream.next(rng), stream.upcoming) for _ in range(300)]
    for index in range(0, 297, 3):
        assert len({draw.scene for draw, _ in drawn[index:index + 3]}) == 1
        assert drawn[index + 3][0].scene == drawn[index][1]
    assert {draw.scene for draw, _ in drawn} == set('abcde')
    assert {draw.task for draw, _ in drawn} == {'empty', 'obstacle'}


def test_store_keeps_the_last_ones_and_forgets_failures():
    made = []

    def load(scene):
        made.append(scene)
        if scene == 'bad' and made.count('bad') < 2:
            raise TaskError('disk full')
        return scene.upper()

    store = SceneStore(load, keep=2)
    store.announce('b')
    assert [store.get(name) for name in 'abab'] == ['A', 'B', 'A', 'B']
    assert made == ['b', 'a']
    store.get('c')
    store.get('d')
    # Two are kept besides the newest; 'a' was used longest ago.
    assert [store.get('c'), store.get('b'), store.get('a')] == ['C', 'B', 'A']
    assert made == ['b', 'a', 'c', 'd', 'a']
    with pytest.raises(TaskError, match='disk full'):
        store.get('bad')
    assert store.get('bad') == 'BAD'
    store.close()
