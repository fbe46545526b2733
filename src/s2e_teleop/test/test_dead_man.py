"""The dead-man: what counts as held, what spends a press, and when a driver is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from s2e_teleop.deadman import DeadMan, DeadManConfig, Hold, Verdict

CONFIG = DeadManConfig()


def feed(man, now, sequence, press=1, held=True, age=0.0):
    return man.offer(now, sequence, press, held, age)


def test_commands_of_a_press_are_accepted_until_it_ends():
    man = DeadMan(CONFIG)
    assert feed(man, 0.0, 1) is Verdict.ACCEPTED
    assert man.state is Hold.DRIVING
    assert feed(man, 0.05, 2) is Verdict.ACCEPTED
    assert feed(man, 0.10, 3, held=False) is Verdict.RELEASED
    assert man.state is Hold.IDLE
    # A command of the same press that overtook its end is spent; a new press drives.
    assert feed(man, 0.11, 4) is Verdict.SPENT
    assert feed(man, 0.12, 5, press=2) is Verdict.ACCEPTED


def test_silence_of_220_ms_spends_the_press():
    man = DeadMan(CONFIG)
    feed(man, 1.0, 1)
    assert not man.lost_at(1.22)
    assert man.lost_at(1.2201)
    assert not man.lost_at(1.3), 'it is told once'
    assert man.state is Hold.LOST
    # What the link held back comes in a burst: nothing of it counts, however fresh it claims.
    assert {feed(man, 1.4, 2 + k) for k in range(20)} == {Verdict.SPENT}
    assert man.state is Hold.LOST
    assert feed(man, 1.5, 30, held=False) is Verdict.RELEASED
    assert man.state is Hold.IDLE
    assert feed(man, 1.6, 31, press=2) is Verdict.ACCEPTED


def test_a_driver_who_was_late_is_lost_also_if_nobody_looked():
    man = DeadMan(CONFIG)
    feed(man, 0.0, 1)
    assert feed(man, 0.3, 2) is Verdict.SPENT
    assert man.state is Hold.LOST


def test_old_future_and_repeated_commands_do_not_count():
    man = DeadMan(CONFIG)
    assert feed(man, 0.0, 1, age=0.401) is Verdict.OLD
    assert feed(man, 0.0, 2, age=float('nan')) is Verdict.OLD
    assert feed(man, 0.0, 3, age=-0.101) is Verdict.FUTURE
    assert man.state is Hold.IDLE
    assert feed(man, 0.0, 4, age=0.4) is Verdict.ACCEPTED
    assert feed(man, 0.01, 4) is Verdict.SEQUENCE
    assert feed(man, 0.01, 3) is Verdict.SEQUENCE


def test_old_commands_do_not_keep_a_driver_alive():
    man = DeadMan(CONFIG)
    feed(man, 0.0, 1)
    for k in range(10):
        feed(man, 0.05 * (k + 1), 2 + k, age=0.5)
    assert man.lost_at(0.23)


def test_letting_go_counts_however_late_and_disordered_it_comes():
    man = DeadMan(CONFIG)
    feed(man, 0.0, 10)
    assert feed(man, 0.05, 3, held=False, age=9.0) is Verdict.RELEASED
    assert man.state is Hold.IDLE


def test_the_end_of_an_old_press_does_not_end_the_new_one():
    man = DeadMan(CONFIG)
    feed(man, 0.0, 1, press=1)
    feed(man, 0.05, 2, press=2)
    assert feed(man, 0.06, 3, press=1, held=False) is Verdict.RELEASED
    assert man.state is Hold.DRIVING
    assert feed(man, 0.10, 4, press=1) is Verdict.SPENT


def test_a_spent_press_needs_a_new_one():
    man = DeadMan(CONFIG)
    feed(man, 0.0, 1)
    man.spend()
    assert man.state is Hold.IDLE
    assert feed(man, 0.05, 2) is Verdict.SPENT


@given(st.lists(st.tuples(
    st.floats(0, 0.4), st.integers(0, 40), st.integers(1, 4), st.booleans(), st.floats(-0.5, 1.5),
), max_size=60))
def test_never_accepted_past_its_age_out_of_order_or_after_the_press_ended(steps):
    man, now, newest, ended, last = DeadMan(CONFIG), 0.0, -1, set(), None
    for wait, sequence, press, held, age in steps:
        now += wait
        if last is not None and now - last[0] > CONFIG.timeout:
            ended.add(last[1])
        verdict = man.offer(now, sequence, press, held, age)
        if verdict is Verdict.ACCEPTED:
            assert held and sequence > newest and press not in ended
            assert -CONFIG.future <= age <= CONFIG.max_age
            assert man.state is Hold.DRIVING and man.deadline == now + CONFIG.timeout
            if last is not None and press != last[1]:
                ended.add(last[1])
            last = (now, press)
        newest = max(newest, sequence)
        if not held:
            ended.add(press)
            if last is not None and press >= last[1]:
                last = None
