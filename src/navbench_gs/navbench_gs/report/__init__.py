"""Films, maps and the HTML report of a run."""
