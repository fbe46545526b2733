"""Messages to records and back: pure functions, no node needed."""
