"""What an episode was worth: pure functions of its log, and intervals over many logs."""
