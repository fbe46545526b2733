"""Behaviour cloning with anchor-guided distribution matching."""
