"""Rules for tests: short routes, and little time for them."""

from __future__ import annotations

from pathlib import Path

import yaml

from navbench_gs.tasks.protocol import load_protocol
from s2e_core.config import to_mapping


def write_short_protocol(path: Path, seconds: float) -> str:
    """Write the default protocol with routes of 6 to 9 m; return the path.

    Args:
        path: The file.
        seconds: Time for a route, beside 1 s for each metre at full speed.
    """
    rules = to_mapping(load_protocol('default'))
    rules['judge'] |= {'time_base': seconds, 'time_factor': 1.0}
    rules['route'] |= {'geodesic_low': 6.0, 'geodesic_high': 9.0}
    path.write_text(yaml.safe_dump(rules))
    return str(path)
