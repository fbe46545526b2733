"""The policy beside a person who drives: where the two differ."""
