"""Parts of the policy node."""
