"""Counter-balanced order: who drives with what first (Williams 1949)."""

from __future__ import annotations

import numpy as np


def balanced_square(count: int) -> list[list[int]]:
    """Return orders of `count` conditions that balance place and neighbour.

    Over all rows each condition is in each place equally often, and each follows each other one
    equally often, so that practice and fatigue weigh on all alike. An odd count needs twice as
    many rows as conditions, an even one as many (Williams 1949).

    Args:
        count: Number of conditions, 1 or more.
    """
    # 0, 1, n-1, 2, n-2, ...: the steps between neighbours are all different.
    first, low, high = [0], 1, count - 1
    while len(first) < count:
        first.append(low)
        low += 1
        if len(first) < count:
            first.append(high)
            high -= 1
    rows = [[(value + shift) % count for value in first] for shift in range(count)]
    if count % 2 and count > 1:
        rows += [row[::-1] for row in rows]
    return rows


def order_of(participant: int, count: int, seed: int) -> list[int]:
    """Return the order of a participant's conditions.

    The square's rows are taken in turn; the seed decides which condition stands for which number
    of the square and which row comes first, so that two studies do not share an order.

    Args:
        participant: From 1.
        count: Number of conditions.
        seed: Of the study.
    """
    rng = np.random.default_rng([seed, count])
    names = rng.permutation(count)
    rows = balanced_square(count)
    turn = rng.permutation(len(rows))
    row = rows[int(turn[(participant - 1) % len(rows)])]
    return [int(names[value]) for value in row]
