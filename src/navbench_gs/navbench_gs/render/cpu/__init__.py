"""The CPU back end: tiles, depth buckets and vector rows, compiled by numba."""
