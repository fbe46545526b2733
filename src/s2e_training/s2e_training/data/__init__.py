"""Clips: recording, storing, encoding and sampling them."""
