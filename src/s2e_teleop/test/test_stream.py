"""Which picture of a stream a page shows, found without the sender's random number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_teleop.stream import TICKS, StreamFlow, ticks_of


def test_ticks_are_those_of_the_capture_to_a_millisecond_and_a_half():
    for number in range(300):
        late = ticks_of(2.0, number) - 180_000
        assert 0 <= late <= 8 * 15 and late % 8 == 0
    assert len({ticks_of(2.0, number) for number in range(300)}) == 16


@given(
    st.integers(0, TICKS - 1), st.floats(0, 1e5),
    st.lists(st.booleans(), min_size=30, max_size=150), st.integers(0, 20),
    st.lists(st.integers(-1, 1), min_size=150, max_size=150),
)
def test_the_age_of_a_picture_is_found_whatever_is_added_to_its_time(
    origin, start, shown, lag, off
):
    flow, now = StreamFlow(), start
    sent = []
    for number, good in enumerate(shown):
        # Exposed in exact steps of 50 ms, offered at once; the page is some pictures behind.
        capture = start + 0.05 * number
        sent.append((ticks_of(capture, number), capture))
        flow.send(*sent[-1], capture)
        if good and number >= lag:
            ticks, seen = sent[number - lag]
            now = capture + 0.01
            # Browsers report a time that is one tick off now and then.
            flow.shown((ticks + origin + off[number]) % TICKS, 1, now, now)
    reports = sum(shown[lag:])
    assert flow.confirmed == reports and flow.sent == len(shown)
    if reports >= 10:
        assert flow.aligned
        assert flow.glass_to_glass() == pytest.approx(0.05 * lag + 0.01, abs=1e-6)


def test_a_report_that_fits_nothing_begins_the_search_anew():
    flow = StreamFlow()
    for number in range(20):
        flow.send(ticks_of(0.05 * number, number), 0.05 * number, 0.0)
    for number in range(10):
        flow.shown(ticks_of(0.05 * number, number) + 7, 1, 1.0, 1.0)
    assert flow.aligned
    flow.shown(123_456_789, 1, 1.0, 1.0)
    assert not flow.aligned
    for number in range(10, 20):
        flow.shown(ticks_of(0.05 * number, number) + 99, 1, 1.0, 1.0)
    assert flow.aligned


def test_pictures_are_counted_in_the_last_two_seconds():
    flow = StreamFlow()
    for k in range(10):
        flow.shown(k, 4, 0.2 * k, 0.2 * k)
    assert flow.frame_rate(1.8) == 20.0
    assert flow.frame_rate(10.0) == 0.0


def test_only_so_many_are_on_the_way_as_the_way_explains():
    near, far = StreamFlow(), StreamFlow()
    for number in range(3):
        assert near.wants(0.0, 0.05, 0.001)
        near.send(ticks_of(number, number), number, 0.0)
    assert not near.wants(0.1, 0.05, 0.001)
    # The report of the third tells of those before, too: they were shown or never will be.
    near.shown(ticks_of(0, 0), 1, 0.1, 0.1)
    near.shown(ticks_of(2, 2), 1, 0.1, 0.1)
    assert near.aligned
    for number in range(3, 6):
        assert near.wants(0.1, 0.05, 0.001)
        near.send(ticks_of(number, number), number, 0.1)
    # 0.24 s there and back are 4.8 pictures of 50 ms: 5, and two more.
    for number in range(7):
        assert far.wants(0.0, 0.05, 0.24)
        far.send(ticks_of(number, number), number, 0.0)
    assert not far.wants(0.53, 0.05, 0.24)
    assert far.wants(0.55, 0.05, 0.24), 'lost ones are given up'
