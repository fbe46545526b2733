"""The last half minute before a safety stop, kept in memory and written when one happens."""
