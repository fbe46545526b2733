"""Damaged splat files of every format, and a judge of what the readers make of them."""
