"""A long drive, watched: memory, processor time, deadlines and latencies by the minute."""
