"""A study with people: what is driven when, what is recorded, where it is kept."""
