"""Reads a chunk of video into views: tracks every picture, keeps those at the mapping rate."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import cv2
import numpy as np

from s2e_training.label.config import Features
from s2e_training.label.frames import Frame
from s2e_training.label.signals import FROZEN, blurred, difference, sharpness
from s2e_training.label.tracks import Tracker
from s2e_training.label.views import REJECT_BLUR, REJECT_CUT, REJECT_FROZEN, Views

CUT = 0.15
"""Fewer corners than this share found again: another scene, or one lost."""
FROZEN_RUN = 3
"""This many equal pictures in a row are a frozen stream; two are a doubled frame."""
SIFT_POINTS = 2500


def gather(frames: Iterable[tuple[int, Frame]], kept: set[int], features: Features) -> Views:
    """Follow corners through a chunk.

    Args:
        frames: Number and picture, rising.
        kept: Numbers of the frames that are mapped; the others only help the tracker.
        features: Kind of image points.
    """
    items = list(frames)
    greys = [cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY) for _, frame in items]
    views, tracker, scene = Views(), Tracker(), 0
    sift = cv2.SIFT.create(SIFT_POINTS, contrastThreshold=0.02) if features == 'sift' else None
    soft = blurred(np.array([sharpness(grey) for grey in greys]))
    still = _frozen(greys)
    for index, (number, frame) in enumerate(items):
        if soft[index] or still[index]:
            views.rejected[number] = REJECT_BLUR if soft[index] else REJECT_FROZEN
            continue
        if sift is None and tracker.step(greys[index]) < CUT:
            scene += 1
            views.bounds.append(number)
            views.rejected[number] = REJECT_CUT
            tracker.forget()
            tracker.step(greys[index])
        if number not in kept:
            continue
        if sift is None:
            points, ids = tracker.points.copy(), tracker.ids.copy()
        else:
            corners, descriptors = sift.detectAndCompute(greys[index], None)
            points = np.array([c.pt for c in corners], np.float32).reshape(-1, 2)
            ids = np.zeros(0, np.int64)
            views.descriptors.append(descriptors if descriptors is not None
                                     else np.zeros((0, 128), np.float32))
        views.numbers.append(number)
        views.seconds.append(frame.seconds)
        views.points.append(points)
        views.ids.append(ids)
        views.scene.append(scene)
    return views


def _frozen(greys: list[np.ndarray]) -> np.ndarray:
    """Tell pictures that repeat the one before for a whole run. [N] bool"""
    same = np.array([False] + [
        difference(a, b) < FROZEN for a, b in itertools.pairwise(greys)
    ])
    found = np.zeros(len(greys), bool)
    start = None
    for index in range(len(greys) + 1):
        if index < len(greys) and same[index]:
            start = index if start is None else start
        elif start is not None:
            if index - start >= FROZEN_RUN:
                found[start:index] = True
            start = None
    return found
