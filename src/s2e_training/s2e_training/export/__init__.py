"""From a checkpoint to a policy bundle."""
