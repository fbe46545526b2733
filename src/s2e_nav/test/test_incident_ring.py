"""The ring of the last seconds, and the thinning of what enters it."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_nav.incidents.ring import OVERHEAD, Ring, Sample
from s2e_nav.recorded import RecordedTopic, Thinning

SECOND = 1_000_000_000
ODOM = RecordedTopic('odom', 'nav_msgs/msg/Odometry')
GOAL = RecordedTopic('s2e/goal', 'geometry_msgs/msg/PoseStamped')
ROOMY = 10**9


def sample(seconds: float, topic: RecordedTopic = ODOM, size: int = 10) -> Sample:
    return Sample(topic, round(seconds * SECOND), bytes(size))


def times(samples: list[Sample]) -> list[float]:
    return [s.steady_ns / SECOND for s in samples]


def test_what_is_older_than_the_span_leaves():
    ring = Ring(30.0, ROOMY)
    for k in range(41):
        ring.add(sample(k))
    # Newest 40: everything before 40 - 30 = 10 is gone.
    assert times(ring.since(0))[0] == 10.0 and ring.seconds == pytest.approx(30.0)
    assert ring.size == 31 * (10 + OVERHEAD)
    assert times(ring.since(38 * SECOND)) == [38.0, 39.0, 40.0]


def test_silence_empties_the_ring_as_well():
    ring = Ring(30.0, ROOMY)
    ring.add(sample(5))
    ring.trim(36 * SECOND)
    assert ring.since(0) == [] and ring.size == 0 and ring.seconds == 0.0


def test_the_bytes_bound_what_the_seconds_allow():
    # Three of 1000 - 300 + 300 = 1000 bytes fit into 3500; the fourth sends the first away.
    ring = Ring(30.0, 3500)
    for k in range(4):
        ring.add(sample(k, size=1000 - OVERHEAD))
    assert times(ring.since(0)) == [1.0, 2.0, 3.0] and ring.size == 3000
    ring.add(sample(4, size=3501 - OVERHEAD))
    assert ring.refused == 1 and times(ring.since(0)) == [1.0, 2.0, 3.0]


def test_a_state_outlives_the_span_and_is_told_first():
    ring = Ring(30.0, ROOMY)
    ring.add(sample(1, GOAL, 5))
    ring.add(sample(2, GOAL, 6))
    ring.add(sample(3))
    ring.add(sample(50))
    # Of both goals the newer held at 20; odometry of 3 is history.
    kept = ring.since(20 * SECOND)
    assert [(s.topic, len(s.data)) for s in kept] == [(GOAL, 6), (ODOM, 10)]
    assert times(kept) == [20.0, 50.0]
    assert ring.size == (6 + OVERHEAD) + (10 + OVERHEAD)


def test_a_state_that_is_still_in_the_ring_but_before_the_beginning_is_told_too():
    ring = Ring(30.0, ROOMY)
    ring.add(sample(1, GOAL))
    ring.add(sample(2))
    assert times(ring.since(2 * SECOND)) == [2.0, 2.0]


def test_static_transforms_of_several_publishers_add_up():
    static = RecordedTopic('/tf_static', 'tf2_msgs/msg/TFMessage')
    ring = Ring(30.0, ROOMY)
    for seconds, size in ((1, 5), (2, 7), (3, 5)):
        ring.add(sample(seconds, static, size))
    ring.add(sample(90))
    # The third repeats the first.
    assert sorted(len(s.data) for s in ring.since(60 * SECOND)) == [5, 7, 10]
    assert ring.size == 5 + 7 + 10 + 3 * OVERHEAD


@given(
    st.lists(st.tuples(st.floats(0, 20), st.sampled_from([ODOM, GOAL]), st.integers(0, 3000))),
    st.floats(0.5, 40), st.integers(1, 20_000),
)
def test_the_bounds_hold_whatever_comes(steps, seconds, most):
    ring, now, fed = Ring(seconds, most), 1.0, []
    for gap, topic, size in steps:
        now += gap
        fed.append(sample(now, topic, size))
        ring.add(fed[-1])
        kept = ring.since(0)
        assert ring.size <= most
        assert ring.size == sum(s.size for s in kept)
        assert ring.seconds <= seconds + 1e-6
    # Nothing is lost but for want of time or bytes: the newest are there without a gap.
    rest = [s for s in ring.since(0) if s.steady_ns]
    fits = [s for s in fed if s.size <= most]
    assert rest == fits[len(fits) - len(rest):] and len(fits) == len(fed) - ring.refused


def test_the_overhead_is_not_more_than_counted():
    ring = Ring(1e6, ROOMY)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for k in range(2000):
        ring.add(Sample(ODOM, 10**15 + k, bytes([k % 251]) * 100))
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert used / 2000 < 100 + OVERHEAD


def test_thirty_hertz_are_thinned_to_five():
    # 0.2 s with a tenth of slack: after 0 the next at or after 0.18 s, which is 6/30 = 0.2.
    thin = Thinning(0.2)
    kept = [k for k in range(13) if thin.keeps(round(k * SECOND / 30))]
    assert kept == [0, 6, 12]
    assert thin.keeps(0), 'a clock that went back'
    assert all(Thinning(0.0).keeps(5) for _ in range(3))
