"""Reference agents that fulfil the policy protocol."""
