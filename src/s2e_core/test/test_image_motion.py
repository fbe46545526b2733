"""Pictures that turn as odometry says, and those that do not."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from s2e_core.camera import SMALL_CAMERA, CameraModel
from s2e_core.image_motion import WITNESSES, TurnWatch

PERIOD = 200_000_000
PITCH = 0.1


def panorama(seed: int = 0) -> np.ndarray:
    """A full turn in bearings, 4 pixels a degree, of blurred noise. [240, 1440] uint8"""
    noise = np.random.default_rng(seed).normal(128, 200, (240, 1440)).astype(np.float32)
    blurred = cv2.GaussianBlur(np.concatenate([noise, noise, noise], axis=1), (0, 0), 4.0)
    return np.clip(blurred[:, 1440:2880], 0, 255).astype(np.uint8)


def view(world: np.ndarray, yaw: float, camera: CameraModel = SMALL_CAMERA) -> np.ndarray:
    """Draw what a level camera sees of it; elevation as bearing, which is enough here."""
    u = np.arange(camera.width) + 0.5
    v = np.arange(camera.height) + 0.5
    bearing = yaw - np.arctan((u - camera.cx) / camera.fx)
    column = np.degrees(-bearing) * 4.0 % 1440
    row = 120.0 + np.degrees(np.arctan((v - camera.cy) / camera.fy)) * 4.0 * 0.7
    maps = np.meshgrid(column.astype(np.float32), np.clip(row, 0, 239).astype(np.float32))
    grey = cv2.remap(world, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.repeat(grey[..., None], 3, axis=2)


def noisy(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add a sensor's noise of 4 grey levels."""
    return np.clip(rgb + rng.normal(0, 4, rgb.shape), 1, 255).astype(np.uint8)


def drive(turn, picture, rates, watch: TurnWatch | None = None) -> list[tuple[int, str]]:
    """Feed pictures while odometry turns; returns when something was said, and what.

    Args:
        turn: Yaw rate of odometry, rad/s.
        picture: From yaw and number to a picture.
        rates: How many pictures.
        watch: Another one than a fresh one.
    """
    watch = watch or TurnWatch(SMALL_CAMERA, 0.0)
    rng = np.random.default_rng(1)
    said = []
    for k in range(rates):
        yaw = turn * k * 0.2
        text = watch.add(k * PERIOD, noisy(picture(yaw, k), rng), math.remainder(yaw, math.tau))
        if text:
            said.append((k, text))
    return said


@pytest.mark.parametrize('turn', [0.11, -0.3, 0.6, -1.2, 1.9])
def test_a_camera_that_turns_with_the_robot_is_fine(turn):
    world = panorama()
    assert drive(turn, lambda yaw, k: view(world, yaw), 60) == []


@pytest.mark.parametrize('turn', [0.3, -0.3, 0.6, -1.2])
def test_a_mirrored_one_is_found_within_a_second_of_the_first_tenth_of_a_radian(turn):
    """The first picture 0.1 rad after another, and three more: 0.6 s."""
    world = panorama()
    said = drive(turn, lambda yaw, k: view(world, yaw)[:, ::-1], 40)
    first = math.ceil(0.1 / (abs(turn) * 0.2) - 1e-9)
    assert said[0][0] == first + WITNESSES - 1 and (WITNESSES - 1) * 0.2 < 1.0
    assert 'turns the other way' in said[0][1] and f'{turn:.1f}'[0] in said[0][1]


def test_a_held_picture_with_fresh_noise_is_found():
    world = panorama()
    said = drive(0.6, lambda yaw, k: view(world, 0.0), 20)
    assert 'does not turn' in said[0][1]


def test_another_robots_camera_that_turns_the_other_way_is_found():
    world = panorama(5)
    assert drive(0.6, lambda yaw, k: view(world, 1.0 - yaw), 20)


def test_driving_straight_and_standing_say_nothing():
    """There is nothing to compare; a mirrored camera goes unseen until the robot turns."""
    world = panorama()
    assert drive(0.0, lambda yaw, k: view(world, 0.3 * k)[:, ::-1], 40) == []
    assert drive(0.05, lambda yaw, k: view(world, yaw)[:, ::-1], 40) == []


def test_a_plain_wall_and_the_dark_say_nothing():
    """Noise of 4 grey levels over one shade is no picture, and does not turn."""
    for grey in (2, 90):
        shade = np.full((128, 128, 3), grey, np.uint8)
        assert drive(0.6, lambda yaw, k, shade=shade: shade, 40) == []


def test_what_the_lens_does_not_reach_is_not_held_against_it():
    """Black columns at both sides stand still whatever the camera does."""
    world = panorama()

    def narrow(yaw: float, k: int) -> np.ndarray:
        rgb = view(world, yaw).copy()
        rgb[:, :30] = rgb[:, -30:] = 0
        return rgb

    watch = TurnWatch(SMALL_CAMERA, 0.0)
    rng = np.random.default_rng(2)
    for k in range(40):
        rgb = np.where(narrow(0.12 * k, k) > 0, noisy(narrow(0.12 * k, k), rng), 0)
        assert watch.add(k * PERIOD, rgb.astype(np.uint8), 0.12 * k) == ''


def test_people_who_walk_by_do_not_outvote_the_street():
    """A third of the view moves against the turn."""
    world, crowd = panorama(), panorama(9)

    def street(yaw: float, k: int) -> np.ndarray:
        rgb = view(world, yaw).copy()
        rgb[:, 40:84] = view(crowd, -yaw)[:, 40:84]
        return rgb

    assert drive(0.6, street, 40) == []


def test_a_gap_and_a_clock_that_goes_back_begin_anew():
    world = panorama()
    watch = TurnWatch(SMALL_CAMERA, 0.0)
    for k in range(20):
        # Each picture 1.2 s after the last: nothing within a second to compare with.
        assert watch.add(k * 6 * PERIOD, view(world, 0.2 * k)[:, ::-1], 0.2 * k) == ''
    for k in range(20):
        assert watch.add(-k, view(world, 0.2 * k)[:, ::-1], 0.2 * k) == ''


def test_the_pitch_and_a_quick_turn():
    """Past 0.4 rad between two pictures nothing is judged."""
    world = panorama()
    watch = TurnWatch(SMALL_CAMERA, PITCH)
    assert drive(2.5, lambda yaw, k: view(world, yaw)[:, ::-1], 40, watch) == []
