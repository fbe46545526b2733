"""Parts of the gate node."""
