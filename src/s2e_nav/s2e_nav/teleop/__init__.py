"""A person drives: velocity and emergency stop for the gate, pictures and modes for the page."""
