"""Trajectory modes: visualization_msgs/MarkerArray with scores, choice and rejections."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from s2e_core.contract import PolicyOutput
from s2e_nav.convert.stamps import to_ns, to_time

NAMESPACE = 'modes'
LABELS = 'labels'
LABELLED = 6
"""Modes that get a text beside them; more hide each other."""


def markers_from_output(
    output: PolicyOutput,
    chosen: int | None,
    rejected: Mapping[int, str],
    frame_id: str = 'base_link',
) -> MarkerArray:
    """Draw every mode; `text` of a line holds score, choice and reason.

    Args:
        output: What the policy answered.
        chosen: Index of the mode that is followed, or None.
        rejected: Reason by index of each mode that may not be followed.
        frame_id: Frame of the modes.
    """
    array = MarkerArray()
    clear = _marker(output.stamp_ns, frame_id, NAMESPACE, 0, Marker.LINE_STRIP)
    clear.action = Marker.DELETEALL
    array.markers.append(clear)
    top = float(output.scores.max()) or 1.0
    points = output.modes.astype(np.float64)
    for index, score in enumerate(output.scores.tolist()):
        marker = _marker(output.stamp_ns, frame_id, NAMESPACE, index, Marker.LINE_STRIP)
        reason = rejected.get(index, '')
        state = 'chosen' if index == chosen else 'rejected' if reason else 'open'
        marker.scale.x = 0.06 if state == 'chosen' else 0.02
        marker.color = _colour(state, score / top)
        marker.points = [Point(x=x, y=y, z=0.02) for x, y in points[index].tolist()]
        marker.text = f'{score!r} {state} {reason}'.rstrip()
        array.markers.append(marker)
    array.markers += _labels(output, chosen, rejected, frame_id)
    return array


def output_from_markers(array: MarkerArray) -> tuple[PolicyOutput, int | None] | None:
    """Read the modes back, and the chosen one; None if there are none."""
    lines = [m for m in array.markers if m.ns == NAMESPACE and m.action == Marker.ADD]
    if not lines:
        return None
    lines.sort(key=lambda marker: marker.id)
    modes = np.array([[(p.x, p.y) for p in marker.points] for marker in lines], np.float32)
    words = [marker.text.split(' ', 2) for marker in lines]
    scores = np.array([float(word[0]) for word in words], np.float32)
    chosen = [i for i, word in enumerate(words) if len(word) > 1 and word[1] == 'chosen']
    output = PolicyOutput(to_ns(lines[0].header.stamp), modes, scores)
    return output, (chosen[0] if chosen else None)


def _labels(
    output: PolicyOutput, chosen: int | None, rejected: Mapping[int, str], frame_id: str
) -> list[Marker]:
    """Write the score beside the ends of the best modes, the chosen one and two rejected."""
    order = np.argsort(-output.scores, kind='stable')[:LABELLED].tolist()
    wanted = dict.fromkeys(order + ([] if chosen is None else [chosen]) + list(rejected)[:2])
    labels = []
    for index in wanted:
        if not 0 <= index < len(output.scores):
            continue
        label = _marker(output.stamp_ns, frame_id, LABELS, index, Marker.TEXT_VIEW_FACING)
        end = output.modes[index, -1]
        label.pose.position.x, label.pose.position.y = float(end[0]), float(end[1])
        label.pose.position.z = 0.2
        label.scale.z = 0.15
        label.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=0.9)
        reason = rejected.get(index)
        label.text = f'{output.scores[index]:.2f}' + (f' ({reason})' if reason else '')
        labels.append(label)
    return labels


def _marker(stamp_ns: int, frame_id: str, namespace: str, index: int, kind: int) -> Marker:
    marker = Marker()
    marker.header.stamp, marker.header.frame_id = to_time(stamp_ns), frame_id
    marker.ns, marker.id, marker.type, marker.action = namespace, index, kind, Marker.ADD
    marker.pose.orientation.w = 1.0
    return marker


def _colour(state: str, share: float) -> ColorRGBA:
    if state == 'chosen':
        return ColorRGBA(r=0.1, g=0.9, b=0.2, a=1.0)
    if state == 'rejected':
        return ColorRGBA(r=0.9, g=0.15, b=0.1, a=0.6)
    return ColorRGBA(r=0.2, g=0.5, b=1.0, a=0.15 + 0.65 * share)
