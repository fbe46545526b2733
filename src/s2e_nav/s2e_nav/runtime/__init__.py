"""How node processes start, spin, stop and report."""
