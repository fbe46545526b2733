"""Fast marching on a grid: travel cost to a goal, and the way down its gradient.

Solves |grad T| = c with the first-order upwind scheme of Sethian (1996). Instead of a heap the
front is kept in buckets of a quarter of the cheapest step ("untidy" fast marching, Yatziv et al.
2006): linear in the number of cells, and the order inside one bucket costs less than the scheme.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.compiled import compiled

Floats = NDArray[np.float64]
Costs = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Links = NDArray[np.int32]

_QUEUED, _DONE = 1, 2


def march(
    costs: NDArray[np.float32], seeds: NDArray[np.intp], values: NDArray[np.float64],
    wanted: NDArray[np.intp] | None = None, limit: float = math.inf,
) -> NDArray[np.float32]:
    """Spread travel cost from seed cells over all cells of finite cost.

    Args:
        costs: Cost of crossing one cell, > 0, inf where it cannot be crossed. [R, C]
        seeds: Row and column of cells whose value is known. [S, 2]
        values: Their values. [S]
        wanted: Row and column of the only cells whose value matters; the others may be left at
            what was known of them when those were certain. [W, 2]
        limit: Where all of them cost more than this they may be left so too; all that can then be
            said of them is that they cost more.

    Returns:
        Travel cost of every cell, inf where none of the seeds can be reached. [R, C]
    """
    rows, columns = costs.shape
    # A blocked frame of one cell replaces every bounds check in the inner loop.
    framed = np.full((rows + 2, columns + 2), np.inf, np.float32)
    framed[1:-1, 1:-1] = costs
    result = np.full((rows + 2) * (columns + 2), np.inf, np.float64)
    state = np.zeros(result.size, np.uint8)
    flat = (seeds[:, 0] + 1) * (columns + 2) + seeds[:, 1] + 1
    usable = np.isfinite(framed.reshape(-1)[flat])
    flat, values = flat[usable], np.asarray(values, np.float64)[usable]
    if len(flat):
        result[flat] = values
        state[flat] = _QUEUED
        finite = framed[np.isfinite(framed)]
        width = 0.25 * float(finite.min())
        span = float(finite.max()) + float(np.ptp(values))
        # A power of two, so that the ring is a mask.
        mask = (1 << (int(span / width) + 3).bit_length()) - 1
        ends = np.zeros((0, 2), np.intp) if wanted is None else wanted
        ends = (ends[:, 0] + 1) * (columns + 2) + ends[:, 1] + 1
        _march(result, state, framed.reshape(-1), columns + 2, 1.0 / width, mask, flat, ends,
               limit / width)
    framed_result = result.reshape(rows + 2, columns + 2)
    return framed_result[1:-1, 1:-1].astype(np.float32)


@compiled
def _upwind(values: Floats, state: Bytes, cell: int, columns: int, cost: float) -> float:
    """Solve the upwind quadratic at one cell from its accepted neighbours."""
    a = b = np.inf
    if state[cell - 1] == _DONE:
        a = values[cell - 1]
    if state[cell + 1] == _DONE and values[cell + 1] < a:
        a = values[cell + 1]
    if state[cell - columns] == _DONE:
        b = values[cell - columns]
    if state[cell + columns] == _DONE and values[cell + columns] < b:
        b = values[cell + columns]
    if a > b:
        a, b = b, a
    if b - a >= cost:
        return a + cost
    # (T - a)^2 + (T - b)^2 = cost^2 with both neighbours upwind
    return 0.5 * (a + b + math.sqrt(2.0 * cost * cost - (a - b) * (a - b)))


@compiled
def _link(cell: int, bucket: int, head: Links, after: Links, before: Links) -> None:
    top = head[bucket]
    after[cell] = top
    before[cell] = -1
    if top >= 0:
        before[top] = cell
    head[bucket] = cell


@compiled
def _unlink(cell: int, bucket: int, head: Links, after: Links, before: Links) -> None:
    if before[cell] >= 0:
        after[before[cell]] = after[cell]
    else:
        head[bucket] = after[cell]
    if after[cell] >= 0:
        before[after[cell]] = before[cell]


@compiled
def _march(
    values: Floats, state: Bytes, costs: Costs, columns: int, per_width: float, mask: int,
    seeds: NDArray[np.intp], wanted: NDArray[np.intp], last: float,
) -> None:
    """Spread the queued seeds in place; arrays are flat with a blocked frame.

    Ends when all of the `wanted` cells that can be crossed are done, or when bucket `last` is past
    and none of them is.
    """
    after = np.full(values.size, -1, np.int32)
    before = np.full(values.size, -1, np.int32)
    head = np.full(mask + 1, -1, np.int32)
    steps = (-1, 1, -columns, columns)
    waiting = seeds.size
    now = int(values[seeds].min() * per_width)
    for cell in seeds:
        _link(cell, int(values[cell] * per_width) & mask, head, after, before)
    while waiting > 0:
        bucket = now & mask
        while head[bucket] >= 0:
            cell = head[bucket]
            _unlink(cell, bucket, head, after, before)
            waiting -= 1
            state[cell] = _DONE
            for step in steps:
                near = cell + step
                if state[near] == _DONE or costs[near] == np.inf:
                    continue
                value = _upwind(values, state, near, columns, costs[near])
                if value < values[near]:
                    if state[near] == _QUEUED:
                        old = int(values[near] * per_width) & mask
                        _unlink(near, old, head, after, before)
                    else:
                        waiting += 1
                    values[near] = value
                    state[near] = _QUEUED
                    _link(near, int(value * per_width) & mask, head, after, before)
        now += 1
        if wanted.size > 0 and _certain(state, costs, wanted, now > last + 1.0):
            return


@compiled
def _certain(state: Bytes, costs: Costs, wanted: NDArray[np.intp], late: bool) -> bool:
    """Say whether all wanted cells that can be crossed are done or, late, none of them is."""
    done = left = 0
    for cell in wanted:
        if costs[cell] < np.inf:
            if state[cell] == _DONE:
                done += 1
            else:
                left += 1
    return left == 0 or (late and done == 0)


@compiled
def _slope(values: Costs, row: int, column: int) -> tuple[float, float]:
    """Downhill direction (x, y) at a cell by upwind differences; zero where there is none."""
    rows, columns = values.shape
    here = values[row, column]
    dx = dy = 0.0
    left = values[row, column - 1] if column > 0 else np.inf
    right = values[row, column + 1] if column + 1 < columns else np.inf
    below = values[row - 1, column] if row > 0 else np.inf
    above = values[row + 1, column] if row + 1 < rows else np.inf
    if min(left, right) < here:
        dx = left - here if left < right else here - right
    if min(below, above) < here:
        dy = below - here if below < above else here - above
    return dx, dy


@compiled
def descend(
    values: Costs, x: float, y: float, goal_x: float, goal_y: float, step: float, points: Floats
) -> int:
    """Follow the gradient down; everything in cells, column = floor(x), row = floor(y).

    Args:
        values: Travel cost. [R, C] float32
        x: Start, cells.
        y: Start, cells.
        goal_x: Goal, cells.
        goal_y: Goal, cells.
        step: Step, cells.
        points: Filled with the way, the start first. [P, 2] float64

    Returns:
        Number of points filled; the last is the goal if it was reached.
    """
    rows, columns = values.shape
    count = 1
    points[0, 0], points[0, 1] = x, y
    while count < points.shape[0]:
        gap = math.hypot(goal_x - x, goal_y - y)
        if gap <= max(1.5, step):
            points[count, 0], points[count, 1] = goal_x, goal_y
            return count + 1
        dx = dy = 0.0
        row0, column0 = math.floor(y - 0.5), math.floor(x - 0.5)
        for row in range(row0, row0 + 2):
            for column in range(column0, column0 + 2):
                if 0 <= row < rows and 0 <= column < columns and values[row, column] < np.inf:
                    weight = (1.0 - abs(x - 0.5 - column)) * (1.0 - abs(y - 0.5 - row))
                    gx, gy = _slope(values, row, column)
                    length = math.hypot(gx, gy)
                    if length > 0.0:
                        dx += weight * gx / length
                        dy += weight * gy / length
        length = math.hypot(dx, dy)
        if length < 1e-6:
            return count
        x += step * dx / length
        y += step * dy / length
        points[count, 0], points[count, 1] = x, y
        count += 1
    return count
