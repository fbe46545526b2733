"""Parts of the episode runner."""
