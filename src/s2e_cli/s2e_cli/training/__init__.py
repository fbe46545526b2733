"""Parts of `s2e train` that deal with recordings."""
