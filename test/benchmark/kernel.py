"""Small fixed computations that measurements of different days and machines are divided by.

The first one, until 2026-11, squared its matrix again and again, and after nine rounds that holds
numbers too small for the normal format. That one round took 117 of 125 ms on one processor and
next to nothing on another, so the ratios in older result files (kernels of 30 and of 174 ms in
`bench_env.csv` and `bench_env_idle.csv`) do not compare machines.
"""

from __future__ import annotations

import time

import numpy as np

ROUNDS = 40


def kernel_seconds() -> float:
    """CPU seconds of 40 float64 products of 256 x 256 with `tanh`, the least of five."""
    rng = np.random.default_rng(0)
    start, fixed = rng.random((256, 256)), rng.random((256, 256)) / 128.0
    times = []
    for _ in range(5):
        # Columns sum to about one, so values stay near 0.2 however many rounds there are.
        matrix, begin = start, time.process_time()
        for _ in range(ROUNDS):
            matrix = np.tanh(matrix @ fixed)
        times.append(time.process_time() - begin)
    return min(times)


def product_seconds() -> float:
    """CPU seconds of one float32 product of 256 x 256, the median of 51."""
    matrix = np.random.default_rng(0).random((256, 256), np.float32)
    times = []
    for _ in range(51):
        begin = time.process_time()
        matrix @ matrix
        times.append(time.process_time() - begin)
    return float(np.median(times))
