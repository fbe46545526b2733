"""Child processes: start, output, end. Knows nothing of launch descriptions."""
