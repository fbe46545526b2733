"""The s2e command-line tool."""
