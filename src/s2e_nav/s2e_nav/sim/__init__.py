"""Parts of the simulator bridge."""
