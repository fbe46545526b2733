"""Teleop nodes with the real gate: drive, let go, lose the link, stop, and time to zero."""

from __future__ import annotations

import contextlib
import itertools
import os
import pty
import statistics
import time

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from sensor_msgs.msg import BatteryState, CompressedImage, Joy
from std_msgs.msg import Bool
from teleop_bench import Bench, Driver, Stall
from visualization_msgs.msg import MarkerArray

from s2e_core.contract import PolicyOutput
from s2e_core.records import CameraFrame, Plan
from s2e_nav.convert.images import compressed_from_frame
from s2e_nav.convert.modes import markers_from_output
from s2e_nav.convert.plans import path_from_plan
from s2e_nav.convert.stamps import to_ns
from s2e_nav.nodes.joy_teleop import JoyTeleop
from s2e_nav.nodes.keyboard_teleop import KeyboardTeleop

BOUND = 0.3
"""No stop may take longer from the last good command, seconds."""
HOPS = 5
"""Threads from the driver to the velocity; each may have to wait for the processor."""


@pytest.fixture
def seated(ros):
    """Return a bench with a driver in the seat, and everything closed afterwards."""
    with contextlib.ExitStack() as stack:
        def make(autonomy=False, **parameters):
            bench = Bench(ros, autonomy)
            stack.callback(bench.gate.close)
            teleop = bench.teleop(**parameters)
            stack.callback(teleop.close)
            driver = Driver(teleop)
            stack.callback(driver.lose, 'cut')
            ros.wait(lambda: driver.state.get('link', {}).get('round_trip') is not None)
            driver.say('seat', action='take')
            ros.wait(lambda: driver.state['driver'] == driver.state['you'])
            return bench, teleop, driver
        yield make


def test_the_robot_drives_while_held_and_each_press_is_a_new_permission(seated, ros):
    bench, _, driver = seated()
    for _ in range(2):
        driver.press += 1
        driver.held = True
        ros.wait(lambda: bench.speed() > 0.2)
        driver.held = False
        ros.wait(lambda: bench.speed() == 0.0)
        # The gate waits for a person; the next press is one.
        ros.wait(bench.waits_for_a_person)
    count = len(bench.asked)
    time.sleep(0.4)
    assert len(bench.asked) == count, 'nothing is published while nothing is held'
    assert [m.twist.linear.x for m in bench.asked[-3:]] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize('how', ['cut', 'quiet'])
def test_a_lost_link_stops_within_the_bound_and_never_hands_over(seated, ros, how):
    bench, _, driver = seated(autonomy=True)
    bench.drives_itself()
    driver.held = True
    ros.wait(lambda: bench.speed() > 0.45)
    driver.insists = False
    with Stall() as stall:
        driver.lose(how)
        time.sleep(0.06)
        lost = driver.last_sent
        took = bench.ramp_began(lost) - lost
    assert took <= BOUND + HOPS * stall.worst
    # Autonomy still asks for 0.4 m/s: the robot waits for a person.
    ros.wait(bench.waits_for_a_person)
    time.sleep(0.5)
    assert bench.speed() == 0.0


def test_the_median_time_to_zero_of_a_silent_link_is_within_the_bound(seated, ros):
    bench, _, driver = seated()
    times, stalls = [], []
    for _ in range(5):
        driver.press += 1
        driver.held = driver.insists = True
        ros.wait(lambda: bench.speed() > 0.3)
        driver.insists = False
        with Stall() as stall:
            # Held all the while, but nothing comes any more: no release is sent.
            driver._how = 'quiet'
            time.sleep(0.06)
            lost = driver.last_sent
            times.append(bench.ramp_began(lost) - lost)
        stalls.append(stall.worst)
        driver.held, driver._how = False, ''
        ros.wait(lambda: driver.state['hold'] == 'idle')
    assert statistics.median(times) <= BOUND + HOPS * statistics.median(stalls), times


def test_an_emergency_stop_is_at_once_and_a_rearm_needs_a_new_press(seated, ros):
    bench, _, driver = seated()
    driver.held = True
    ros.wait(lambda: bench.speed() > 0.3)
    driver.insists = False
    driver.say('e_stop', pressed=True)
    ros.wait(lambda: bench.speed() == 0.0)
    speeds = [v for _, v in bench.sent]
    last = max(k for k, v in enumerate(speeds) if v > 0)
    # The ramp would take 2 m/s^2 x 0.02 s = 0.04 m/s a tick.
    assert speeds[last] > 0.25 and speeds[last + 1] == 0.0, 'no ramp'
    ros.wait(lambda: bench.latched == 'e_stop')
    driver.say('e_stop', pressed=False)
    ros.wait(lambda: driver.state['e_stop'] is False)
    # More than once: a heartbeat that a busy machine delays is a stop of its own.
    ros.wait(lambda: bench.latched == 'none' or driver.say('rearm'))
    ros.wait(lambda: 'rearmed' in driver.notes)
    time.sleep(0.3)
    assert bench.speed() == 0.0, 'what is held was held before'
    driver.insists = True
    driver.press += 1
    ros.wait(lambda: bench.speed() > 0.2)


def test_a_dead_server_is_a_lost_emergency_stop(seated, ros):
    bench, teleop, driver = seated(autonomy=True)
    bench.drives_itself()
    driver.lose('cut')
    teleop.server.stop()
    ros.wait(lambda: bench.latched == 'e_stop_lost')
    assert bench.speed() == 0.0


def test_pictures_modes_battery_and_goals_pass_through(seated, ros):
    bench, _, driver = seated()
    helper = bench.helper
    image = helper.create_publisher(CompressedImage, 'camera/image_raw/compressed', 5)
    modes = helper.create_publisher(MarkerArray, 's2e/modes', 20)
    battery = helper.create_publisher(BatteryState, 'battery_state', 5)
    goals = ros.listen(helper, PoseStamped, 'goal_pose')
    ahead = np.stack([np.linspace(0.5, 3.0, 10), np.zeros(10)], axis=1)[None].astype(np.float32)
    driver.say('view', width=320, modes=True)

    def feed() -> bool:
        now = int(bench.clock.now().nanoseconds)
        frame = CameraFrame(now, np.zeros((240, 320, 3), np.uint8))
        image.publish(compressed_from_frame(frame, 'optical'))
        output = PolicyOutput(now, ahead, np.ones(1, np.float32))
        modes.publish(markers_from_output(output, 0, {}))
        battery.publish(BatteryState(percentage=0.5))
        if bench.latched == 'e_stop_lost':
            driver.say('rearm')
        return bool(
            driver.frames and driver.overlay.get('lines')
            and driver.state['robot']['battery'] == 0.5
            and driver.state['robot']['latched'] == 'none'
        )

    ros.wait(feed)
    line = driver.overlay['lines'][0]
    assert line['chosen'] and abs(line['points'][0][0] - 0.5) < 0.01
    # A planner without modes: its path, once the modes are old.
    paths = helper.create_publisher(Path, 's2e/trajectory', 20)

    def plan() -> bool:
        now = int(bench.clock.now().nanoseconds)
        points = ahead[0].astype(np.float64) + (0.0, 0.5)
        paths.publish(path_from_plan(Plan(now, points, 0.2)))
        lines = driver.overlay['lines']
        return bool(lines) and lines[0]['points'][0][0] < 0.45

    ros.wait(plan)
    # Nobody but this test listens for goals here; the middle of the lower half is the ground.
    driver.say('goto', u=0.5, v=0.75)
    ros.wait(lambda: bool(goals))
    goal = goals[-1]
    assert goal.header.frame_id == 'odom' and to_ns(goal.header.stamp) > 0
    assert 0.8 < goal.pose.position.x < 3.0 and abs(goal.pose.position.y) < 0.01
    driver.say('goto', u=0.5, v=0.1)
    ros.wait(lambda: any('no ground' in note for note in driver.notes))


def test_the_journal_is_written(seated, ros, tmp_path):
    bench, teleop, driver = seated(log=str(tmp_path / 'log'))
    driver.held = True
    ros.wait(lambda: bench.speed() > 0.2)
    driver.held = False
    ros.wait(lambda: len((tmp_path / 'log/link.csv').read_text().splitlines()) > 1)
    rows = (tmp_path / 'log/operator_inputs.csv').read_text().splitlines()
    assert rows[0].startswith('time,client,sequence,press') and rows[1].endswith('accepted')


def test_a_joystick_drives_while_its_button_is_held(ros):
    bench = Bench(ros)
    node = ros.node('joy_teleop', robot='coco')
    joy = JoyTeleop(node)
    ros.spin(node)
    publisher = bench.helper.create_publisher(Joy, 'joy', 20)
    e_stops = ros.listen(bench.helper, Bool, 'e_stop')
    ros.wait(lambda: bool(joy._output.gate) and joy._output._admit.service_is_ready())

    def stick(held: bool, e_stop: int = 0, rearm: int = 0) -> None:
        buttons = [0, e_stop, 0, 0, int(held), 0, 0, rearm]
        publisher.publish(Joy(axes=[0.0, 1.0], buttons=buttons))

    def hold() -> None:
        """Hold the button, letting go for a moment when a busy machine made it look lost."""
        beats = itertools.count()
        ros.wait(lambda: stick(next(beats) % 60 < 50) or bench.speed() > 0.2)

    hold()
    # The joystick goes silent with the button down, as one does whose battery is empty.
    ros.wait(lambda: bench.speed() == 0.0)
    ros.wait(lambda: bench.latched == 'operator_lost')
    ros.wait(lambda: stick(0) or joy._state.stick is None)
    hold()
    assert e_stops == [], 'a heartbeat only once it was used'
    ros.wait(lambda: stick(1, e_stop=1) or bench.latched == 'e_stop')
    beats = itertools.count()
    ros.wait(lambda: stick(0, rearm=next(beats) // 5 % 2) or bench.latched == 'none')
    bench.gate.close()
    joy.close()


def test_a_terminal_drives_while_a_key_repeats(ros):
    bench = Bench(ros)
    master, slave = pty.openpty()
    node = ros.node('keyboard_teleop', robot='coco')
    keyboard = KeyboardTeleop(node, slave)
    ros.spin(node)
    ros.wait(lambda: bool(keyboard._output.gate) and keyboard._output._admit.service_is_ready())
    import tty

    tty.setcbreak(slave)
    os.write(master, b'w')
    time.sleep(0.4)
    assert bench.speed() == 0.0, 'a single press says nothing of being held'

    def repeat() -> bool:
        os.write(master, b'w')
        time.sleep(0.03)
        return bench.speed() > 0.2

    ros.wait(repeat)
    ros.wait(lambda: bench.speed() == 0.0)
    os.write(master, b' ')
    ros.wait(lambda: bench.latched == 'e_stop')
    ros.wait(lambda: bench.latched == 'none' or not os.write(master, b'r'))
    keyboard.close()
    bench.gate.close()
    os.close(master)
    os.close(slave)
