"""City scenes generated from a seed."""

from __future__ import annotations

from navbench_gs.scenes.city.generate import (
    GENERATOR_VERSION,
    check_seed,
    generate_city,
    write_city,
)

__all__ = ['GENERATOR_VERSION', 'check_seed', 'generate_city', 'write_city']
