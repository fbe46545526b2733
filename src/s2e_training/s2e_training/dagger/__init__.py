"""One place learned from a planner that knows its map, on the policy's own drives (DAgger)."""
