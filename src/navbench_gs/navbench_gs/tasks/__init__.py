"""Episodes: the protocol, routes over free space, and how starts, goals and hazards are drawn."""
