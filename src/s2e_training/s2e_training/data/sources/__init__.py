"""Readers of real recordings: each turns one format into `recording.Recording`; no torch."""
