"""Bad links: profiles, the arithmetic of a bottleneck, and statistics of delay and loss."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.errors import ConfigError
from s2e_teleop.impairment import Impairment
from s2e_teleop.link import Direction, LinkProfile, load_link

PROFILES = ('good', 'wifi', '4g', 'congested', 'satellite')


def impairment(direction, ordered=True, retransmit=0.2, seed=0):
    return Impairment(direction, ordered, retransmit, np.random.default_rng(seed))


def test_every_profile_loads_and_is_worse_than_the_one_before():
    links = [load_link(name) for name in PROFILES]
    assert [link.name for link in links] == list(PROFILES)
    delays = [link.to_robot.delay + link.to_driver.delay for link in links]
    assert delays == sorted(delays)
    assert load_link('none').transparent and not load_link('good').transparent


def test_an_age_past_400_ms_costs_speed_in_proportion():
    assert LinkProfile().speed_cap == 5.0
    assert LinkProfile(max_age=0.2).speed_cap == 5.0
    # 0.6 m/s x 0.4 / 0.8
    assert load_link('satellite').speed_cap == pytest.approx(0.3)
    assert load_link('congested').speed_cap == pytest.approx(0.64)


def test_an_unknown_profile_or_key_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match='carrier-pigeon'):
        load_link('carrier-pigeon')
    path = tmp_path / 'x.yaml'
    path.write_text('name: x\nlatency: 3\n')
    with pytest.raises(ConfigError, match="unknown key 'latency'"):
        load_link(path)
    path.write_text('name: x\nto_robot: {loss: 0.9}\n')
    with pytest.raises(ConfigError, match='loss must be in'):
        load_link(path)


def test_a_bottleneck_of_1_mbit_takes_8_ms_for_a_kilobyte():
    link = impairment(Direction(delay=0.1, bandwidth=1.0))
    assert link.arrival(0.0, 1000) == pytest.approx(0.108)
    # The second waits for the first: 16 ms; after the queue is empty it is 8 ms again.
    assert link.arrival(0.0, 1000) == pytest.approx(0.116)
    assert link.arrival(1.0, 1000) == pytest.approx(1.108)


def test_what_would_wait_longer_than_the_queue_is_lost():
    link = impairment(Direction(bandwidth=1.0, queue=0.02))
    arrivals = [link.arrival(0.0, 1000) for _ in range(5)]
    # Waits before each: 0, 8, 16, 24 (over 20 ms: lost), 24 ms.
    assert arrivals[:3] == pytest.approx([0.008, 0.016, 0.024], abs=1e-5)
    assert arrivals[3:] == [None, None] and link.lost == 2


def test_a_lost_message_holds_up_those_behind_it():
    link = impairment(Direction(loss=0.5), retransmit=0.2, seed=1)
    arrivals = [link.arrival(0.01 * k, 100) for k in range(200)]
    assert None not in arrivals
    assert all(b > a for a, b in itertools.pairwise(arrivals))
    assert max(a - 0.01 * k for k, a in enumerate(arrivals)) >= 0.4, 'two losses in a row'


def test_a_long_message_has_many_packets_to_lose():
    link = impairment(Direction(loss=0.02), ordered=False, retransmit=0.2)
    late = [link.arrival(float(k), 12_000) - k >= 0.2 for k in range(2000)]
    # Ten packets: 1 - 0.98 ** 10 = 18.3 %; standard deviation of 2000 such draws 0.9 %.
    assert np.mean(late) == pytest.approx(0.183, abs=0.04)


def test_without_retransmission_a_share_never_comes():
    link = impairment(Direction(loss=0.1), ordered=False, retransmit=0.0)
    arrivals = [link.arrival(float(k), 100) for k in range(4000)]
    missing = arrivals.count(None)
    # 400 expected, standard deviation sqrt(4000 x 0.1 x 0.9) = 19: five of them.
    assert abs(missing - 400) < 95 and link.lost == missing


def test_delay_and_jitter_are_those_of_the_profile():
    link = impairment(Direction(delay=0.1, jitter=0.02), ordered=False)
    delays = np.array([link.arrival(float(k), 100) - k for k in range(4000)])
    assert delays.mean() == pytest.approx(0.1, abs=0.002)
    assert delays.std() == pytest.approx(0.02, abs=0.002)


def test_a_datagram_that_is_lost_holds_up_nothing_and_never_comes():
    link = impairment(Direction(delay=0.1, loss=0.5), retransmit=0.2, seed=1)
    arrivals = [link.arrival(0.05 * k, 100, datagram=True) for k in range(200)]
    assert link.lost == arrivals.count(None) > 60
    late = [at - 0.05 * k - 0.1 for k, at in enumerate(arrivals) if at is not None]
    assert late == pytest.approx([0.0] * len(late), abs=1e-9)


def test_a_held_up_stream_does_not_hold_up_datagrams_but_the_bottleneck_does():
    link = impairment(Direction(bandwidth=1.0), retransmit=0.2)
    link._newest = 5.0
    assert link.arrival(0.0, 1000) == pytest.approx(5.0, abs=1e-5)
    # 8 ms behind the kilobyte of the stream, and 8 ms of its own.
    assert link.arrival(0.0, 1000, datagram=True) == pytest.approx(0.016)


def test_datagrams_of_one_picture_travel_alike_and_in_order():
    link = impairment(Direction(delay=0.1, jitter=0.05))
    ways = [link.arrival(0.001 * k, 100, datagram=True) - 0.001 * k for k in range(5)]
    assert ways == pytest.approx([ways[0]] * 5)
    arrivals = [link.arrival(1.0 + 0.02 * k, 100, datagram=True) for k in range(200)]
    assert all(b > a for a, b in itertools.pairwise(arrivals))
    assert np.std(np.array(arrivals) - 0.02 * np.arange(200)) > 0.01


@given(
    st.builds(
        Direction, delay=st.floats(0, 1), jitter=st.floats(0, 0.5), loss=st.floats(0, 0.5),
        bandwidth=st.floats(0, 50), queue=st.floats(0.01, 1),
    ),
    st.booleans(), st.floats(0, 0.5),
    st.lists(st.tuples(st.floats(0, 0.2), st.integers(0, 50_000)), max_size=50),
)
def test_nothing_arrives_before_it_was_sent_or_out_of_order(direction, ordered, again, sends):
    link, now, last = impairment(direction, ordered, again), 0.0, 0.0
    for wait, size in sends:
        now += wait
        at = link.arrival(now, size)
        if at is None:
            continue
        assert at >= now
        if ordered:
            assert at > last
            last = at


def test_the_same_seed_gives_the_same_link():
    direction = Direction(delay=0.1, jitter=0.05, loss=0.1)
    runs = [
        [impairment_.arrival(k * 0.05, 90) for k in range(100)]
        for impairment_ in (impairment(direction), impairment(direction),
                            impairment(direction, seed=1))
    ]
    assert runs[0] == runs[1] != runs[2]
