"""Settings of a post-training run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from navbench_gs.agents.onlooker import PLANNERS
from navbench_gs.env.gym.reward import RewardWeights
from navbench_gs.render.factory import Mode as RenderMode
from navbench_gs.sensors.jitter import JitterConfig
from s2e_core.config import check, option
from s2e_core.errors import ConfigError
from s2e_core.follower import FollowerConfig
from s2e_core.navigator import NavigatorConfig
from s2e_training.posttrain.curriculum import CurriculumConfig
from s2e_training.posttrain.entropy import FORMS

Mode = Literal['ram', 'decoder', 'full', 'sft']
MODES: tuple[Mode, ...] = ('ram', 'decoder', 'full', 'sft')


@dataclass(frozen=True)
class ExplorationConfig:
    """How the exploring policy differs from the one that is exported."""

    temperature: float = option(
        1.0, low=0.01, high=10.0,
        help='Scores of the modes are divided by it: a mode is drawn anew each 0.2 s, and below 1 '
        'the draw comes nearer to the best mode, which is what the exported policy drives.',
    )
    memory: float = option(
        0.0, low=0.0, high=0.99,
        help='Correlation of the draws of modes in neighbouring steps. Independent draws average '
        'out before the robot has moved; above 0 it tries a way for some steps. The density '
        'stays that of a single step.',
    )
    memory_normal: float = option(
        0.0, low=0.0, high=0.99,
        help='The same of the normal numbers: what lasts there is an error of steering.',
    )
    floor: float = option(
        0.03, unit='m', low=0.0, high=1.0,
        help='Added to sigma; keeps actions apart where pre-training was certain.',
    )
    start: float = option(
        0.0, unit='ln', low=-5.0, high=5.0, help="Start of the term added to the head's log sigma."
    )
    low: float = option(-2.0, unit='ln', low=-10.0, high=0.0, help='Lowest such term.')
    high: float = option(
        1.0, unit='ln', low=0.0, high=5.0,
        help='Highest such term; an entropy bonus must not blow the robot off its way.',
    )
    head_gradient: bool = option(
        False, help="Whether PPO may also change the head's sigmas through its features."
    )

    def __post_init__(self) -> None:
        check(self, source='exploration')


@dataclass(frozen=True)
class PPOConfig:
    """Objective and optimisation. The public stand-in's values where it states them."""

    gamma: float = option(0.99, low=0.0, high=1.0, help='Discount a policy step of 0.2 s.')
    lam: float = option(0.95, low=0.0, high=1.0, help='Decay of advantage estimation.')
    density: str = option(
        'executed', choices=('executed', 'trajectory'),
        help='executed: of the waypoint the controller aims at, exact. trajectory: the product '
        'over all waypoints, which puts noise into the ratio that was never executed.',
    )
    clip: float = option(0.2, low=0.01, high=1.0, help='Clip of the density ratio.')
    epochs: int = option(4, low=1, high=100, help='Passes over a rollout.')
    minibatch: int = option(256, low=2, high=10**6, help='Samples of one step.')
    value_weight: float = option(0.5, low=0.0, high=100.0, help='alpha, weight of the value loss.')
    value_rate: float = option(1e-3, low=0.0, high=1.0, help='Learning rate of the value head.')
    value_warmup: int = option(
        2, low=0, high=10**6,
        help='Rollouts that train the value head only: advantages of an ignorant one would '
        'first shake what pre-training knows.',
    )
    entropy_weight: float = option(0.002, low=0.0, high=10.0, help='beta, weight of the entropy.')
    entropy: str = option('upper', choices=FORMS, help='Form of the entropy; upper: the paper.')
    rate: float = option(3e-4, low=0.0, high=1.0, help='First learning rate of the policy.')
    rate_low: float = option(1e-6, low=0.0, high=1.0, help='Lowest learning rate.')
    rate_high: float = option(3e-3, low=0.0, high=1.0, help='Highest learning rate.')
    target_kl: float = option(
        0.01, unit='nat', low=1e-6, high=10.0, help='Divergence a rollout aims at.'
    )
    stop_kl: float = option(
        4.0, low=1.0, high=1000.0, help='Multiple of target_kl past which the epochs end.'
    )
    retries: int = option(
        3, low=0, high=20, help='How often an update that goes past that is taken back and done '
        'again at a third of the rate: the first steps of Adam are as long as the rate, whatever '
        'the gradient, and moved all weights of s2e-small by 0.3 to 1.0 nat at 0.0003.'
    )
    bfloat16: bool = option(
        False,
        help='Whether the residual branch computes in bfloat16, a third of the time where the '
        'processor has it; all else, the exported policy too, stays float32.',
    )
    clip_norm: float = option(
        1.0, low=1e-3, high=1e6, help='Gradient norm, of policy and value head each.'
    )

    def __post_init__(self) -> None:
        check(self, source='ppo')
        if not self.rate_low <= self.rate <= self.rate_high:
            raise ConfigError(
                f'ppo: rate must be in rate_low..rate_high ({self.rate_low}..{self.rate_high}), '
                f'got {self.rate}'
            )


@dataclass(frozen=True)
class ForesightConfig:
    """How much is learned from foresight, and how fast."""

    weight: float = option(
        0.0, low=0.0, high=1000.0, help='Weight of the divergence; 0 foresees nothing.'
    )
    divergence: str = option(
        'reverse', choices=('reverse', 'forward'),
        help='reverse: KL(p || q), the expected cost less T times the entropy; where images leave '
        'open which way is free it chooses what costs least on the whole. forward: KL(q || p), '
        'cross-entropy; there it chooses what is best most often.',
    )
    people: str = option(
        'onlooker', choices=tuple(PLANNERS),
        help='onlooker: only people whom the camera has shown count; privileged: all.',
    )
    cap: float = option(
        5.0, unit='m', low=0.1, high=1e6,
        help='Costs count to so much above the cheapest: touching is bad, how much means little.',
    )
    temperature: float = option(
        1.0, unit='m', low=0.01, high=100.0,
        help='T: so many metres of way make a mode e times less likely.',
    )
    prior: float = option(
        1.0, low=0.0, high=1.0,
        help="Power to which the parent's weights enter: 1 is the closed form. Without them a "
        'robot in doubt stands: 3 s of standing cost 3 m, touching something the cap.',
    )
    keep: float = option(
        10.0, unit='1/m^2', low=0.0, high=1e6,
        help='Weight of the squared change of waypoints: costs were foretold for these.',
    )
    rate: float = option(3e-4, low=0.0, high=1.0, help='Learning rate.')
    minibatch: int = option(256, low=2, high=10**6, help='Samples of one step.')
    passes: float = option(
        3.0, low=0.0, high=1000.0, help='Samples learned from for each environment step.'
    )
    clip_norm: float = option(1.0, low=1e-3, high=1e6, help='Gradient norm.')

    def __post_init__(self) -> None:
        check(self, source='foresight')


@dataclass(frozen=True)
class SFTConfig:
    """Supervised fine-tuning, the comparison: the same loss as pre-training, on clips."""

    clips: tuple[str, ...] = option((), help='Folders of clips; needed by mode sft.')
    batch: int = option(128, low=1, high=65536, help='Samples a step.')
    learning_rate: float = option(3e-4, low=0.0, high=1.0, help='Constant rate.')
    weight_decay: float = option(0.05, low=0.0, high=10.0, help='Decoupled weight decay.')

    def __post_init__(self) -> None:
        check(self, source='sft')


@dataclass(frozen=True)
class EvaluationConfig:
    """The benchmark, run now and then on validation scenes by the exported policy."""

    every: int = option(
        24, low=1, high=10**6, help='Rollouts between two; a multiple of `segment`.'
    )
    scenes: tuple[str, ...] = option(
        ('city:100-103',), help='Scenes; never those of the test range.'
    )
    tasks: tuple[str, ...] = option(('empty', 'obstacle'), help='Tasks.')
    episodes: int = option(3, low=1, high=1000, help='Episodes per scene and task.')
    protocol: str = option('default', help='Protocol by name or file.')
    seed: int = option(0, low=0, high=2**31 - 1, help='Seed of the episodes.')
    workers: int = option(2, low=1, high=256, help='Processes.')

    def __post_init__(self) -> None:
        check(self, source='evaluation')


@dataclass(frozen=True)
class EnvironmentConfig:
    """Where the policy gathers experience."""

    count: int = option(8, low=1, high=1024, help='Environments side by side.')
    workers: int = option(
        2, low=1, high=256, help='Processes they are spread over; results do not depend on it.'
    )
    scenes: tuple[str, ...] = option(
        ('city:1000-1031',), help='Training scenes: city seeds from 1000 on, or captures.'
    )
    robot: str = option('coco', help='Robot profile by name.')
    protocol: str = option(
        'default', help='Protocol by name or file; stages replace distances, obstacles, people.'
    )
    goal_hidden: float = option(0.0, low=0.0, high=1.0, help='Share of episodes without a goal.')
    episodes_per_scene: int = option(
        8, low=1, high=10000, help='Episodes before the next scene is entered.'
    )
    scenes_kept: int = option(
        32, low=1, high=1000,
        help='Scenes that each process keeps in memory: with fewer than there are environments '
        'and scenes to come, they are loaded again and again.',
    )
    end_stuck: bool = option(
        True,
        help='Whether episodes end where the robot is stuck; what it does there teaches little.',
    )
    renderer: RenderMode = option(
        'exact', choices=get_args(RenderMode),
        help='exact; fast, which surveys scenes first; coarse, which merges what is far.',
    )
    survey_cache: str = option('', help='Folder in which fast keeps its surveys; empty: nowhere.')
    truth: bool = option(
        True,
        help='Whether the value head also sees the state of the world (way left, things and '
        'people around); the policy never does.',
    )
    jitter: JitterConfig = JitterConfig()
    reward: RewardWeights = RewardWeights()

    def __post_init__(self) -> None:
        check(self, source='environment')
        if self.workers > self.count:
            raise ConfigError(
                f'environment: workers must be at most count ({self.count}), got {self.workers}'
            )


@dataclass(frozen=True)
class PosttrainConfig:
    """One post-training run."""

    name: str = option(help='Name of the run.')
    initial: str = option(
        help='The parent: a bundle by folder or name, a run of `s2e train pretrain`, or a '
        'checkpoint.'
    )
    mode: Mode = option(
        'ram', choices=MODES,
        help='ram: the residual-attention branch beside frozen weights; decoder: decoder and '
        'heads; full: everything but the encoder; sft: everything but the encoder, supervised.',
    )
    seed: int = option(0, low=0, high=2**31 - 1, help='Seed of actions, batches and episodes.')
    steps: int = option(200_000, low=1, high=10**10, help='Environment steps of 0.2 s in all.')
    rollout: int = option(128, low=1, high=10**6, help='Steps of each environment in a rollout.')
    segment: int = option(
        4, low=1, high=10**6,
        help='Rollouts between two resets of all environments. A simulator cannot be written '
        'to a checkpoint, so runs are saved and resumed where all episodes begin anew; episodes '
        'cut there are bootstrapped like time-outs.',
    )
    environment: EnvironmentConfig = EnvironmentConfig()
    curriculum: CurriculumConfig = CurriculumConfig()
    exploration: ExplorationConfig = ExplorationConfig()
    ppo: PPOConfig = PPOConfig()
    foresight: ForesightConfig = ForesightConfig()
    sft: SFTConfig = SFTConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    follower: FollowerConfig = FollowerConfig()
    navigator: NavigatorConfig = NavigatorConfig()
    threads: int = option(
        1, low=1, high=256,
        help='Threads of PyTorch, encoder and renderer. More pay on idle processors only: where '
        'others compute, they wait for each other.',
    )
    checkpoint_minutes: float = option(
        3.0, unit='min', low=0.0, high=600.0,
        help='Least time between two checkpoints; they are written between segments.',
    )

    def __post_init__(self) -> None:
        check(self, source='posttrain')
        if self.evaluation.every % self.segment:
            raise ConfigError(
                f'posttrain: evaluation.every must be a multiple of segment ({self.segment}), '
                f'got {self.evaluation.every}'
            )
        if self.mode == 'sft' and not self.sft.clips:
            raise ConfigError('posttrain: mode sft needs sft.clips')
        if self.mode == 'sft' and self.foresight.weight > 0.0:
            raise ConfigError('posttrain: mode sft does not drive: foresight.weight must be 0')

    @property
    def rollouts(self) -> int:
        """Rollouts of the whole run."""
        return -(-self.steps // (self.environment.count * self.rollout))
