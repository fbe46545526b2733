"""What a learner is paid: progress on the true map, arrival, and what it costs others.

The groups are those of the S2E paper: R_G for the goal, R_R for the rules of the pavement, R_H
for moving as people do. Its weights are unpublished; ours are configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

from navbench_gs.metrics.outcome import Outcome
from s2e_core.config import check, option

GROUPS: dict[str, tuple[str, ...]] = {
    'goal': ('progress', 'arrive', 'time', 'contact', 'fall', 'stuck'),
    'rules': ('clearance', 'sidewalk', 'intrusion'),
    'human': ('acceleration', 'turning'),
}
"""Terms of R_G, R_R and R_H."""


@dataclass(frozen=True)
class RewardWeights:
    """Weights of the terms; every term but `progress` and `arrive` can only cost.

    Progress is the difference of a potential, the metres left, so that it sums to the metres
    gained: standing earns nothing, and neither does any way that ends where it began. Learners
    that discount by g gain at most d_0 from it, whatever they do: by Abel's summation
    sum g^t (d_t - d_t+1) = d_0 - (1 - g) sum g^t d_t+1 - ..., largest where the metres left
    shrink soonest. The rest of the weights keep arriving ahead of the alternatives:
    `contact` counts once for each second of sustained contact, so it outweighs what pushing
    something at 1.5 m/s gains in progress (`contact` > 1.5 `progress`); `time` costs the
    70 s of a 30 m episode less than half of what arriving pays.
    """

    progress: float = option(1.0, unit='1/m', low=0, high=100, help='Metres of way gained.')
    arrive: float = option(20.0, low=0, high=1e4, help='At rest in the goal, once.')
    time: float = option(0.1, unit='1/s', low=0, high=100, help='Cost of time.')
    contact: float = option(
        2.0, low=0, high=1e4, help='Cost of a collision with a thing, counted as CT is.'
    )
    contact_person: float = option(4.0, low=0, high=1e4, help='Cost of one with a person.')
    fall: float = option(20.0, low=0, high=1e4, help='Cost of tipping over, once.')
    stuck: float = option(
        10.0, low=0, high=1e4,
        help='Cost of an episode that ended stuck, once; more than `time` costs until its end.',
    )
    clearance: float = option(
        0.5, unit='1/s', low=0, high=100, help='Cost of touching; less with distance.'
    )
    clearance_distance: float = option(
        0.3, unit='m', low=0.01, high=5, help='Gap to things from which on nearness is free.'
    )
    sidewalk: float = option(
        0.1, unit='1/s', low=0, high=100, help='Cost of being off pavement and plaza.'
    )
    intrusion: float = option(
        1.0, unit='1/s', low=0, high=100,
        help="Cost of touching a person; less with distance, none outside the protocol's "
        'personal space.',
    )
    acceleration: float = option(
        0.02, unit='s^3/m^2', low=0, high=100, help='Cost of squared acceleration.'
    )
    turning: float = option(
        0.02, unit='s^3', low=0, high=100, help='Cost of squared angular acceleration.'
    )

    def __post_init__(self) -> None:
        check(self, source='reward')


@dataclass(frozen=True)
class StepFacts:
    """What happened between two decisions."""

    seconds: float
    """Simulated; less than a decision period where the episode ended."""
    gained: float
    """Metres of way, on the geodesic distance to the goal."""
    collisions: int
    """New collisions with things, counted as CT is."""
    collisions_people: int
    """New collisions with people."""
    clearance: float
    """Least gap to static things and obstacles, metres."""
    person_gap: float
    """Least gap to a person, metres; inf without people."""
    off_sidewalk: float
    """Share of the time off pavement and plaza; 0 where the scene has none."""
    acceleration: float
    """Change of forward speed, m/s^2."""
    turning: float
    """Change of yaw rate, rad/s^2."""
    outcome: Outcome | None
    """How the episode ended, None while it goes on."""


def reward_terms(
    facts: StepFacts, weights: RewardWeights, personal_space: float
) -> dict[str, float]:
    """Return every term of the reward, weighted; their sum is the reward.

    Args:
        facts: The step.
        weights: Weights.
        personal_space: Gap to a person below which the robot intrudes, metres.
    """
    near = _nearness(facts.clearance, weights.clearance_distance)
    close = _nearness(facts.person_gap, personal_space)
    seconds = facts.seconds
    return {
        'progress': weights.progress * facts.gained,
        'arrive': weights.arrive if facts.outcome is Outcome.SUCCESS else 0.0,
        'time': -weights.time * seconds,
        'contact': -weights.contact * facts.collisions
        - weights.contact_person * facts.collisions_people,
        'fall': -weights.fall if facts.outcome is Outcome.FELL else 0.0,
        'stuck': -weights.stuck if facts.outcome is Outcome.STUCK else 0.0,
        'clearance': -weights.clearance * near * seconds,
        'sidewalk': -weights.sidewalk * facts.off_sidewalk * seconds,
        'intrusion': -weights.intrusion * close * seconds,
        'acceleration': -weights.acceleration * facts.acceleration**2 * seconds,
        'turning': -weights.turning * facts.turning**2 * seconds,
    }


def group_sums(terms: dict[str, float]) -> dict[str, float]:
    """Sum the terms of R_G, R_R and R_H."""
    return {group: sum(terms[name] for name in names) for group, names in GROUPS.items()}


def _nearness(gap: float, reach: float) -> float:
    """Return 1 when touching, falling linearly to 0 at `reach` metres."""
    return max(0.0, 1.0 - gap / reach) if reach > 0.0 else 0.0
