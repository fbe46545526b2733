"""The commands of `s2e`: one module each with `add_parser(subparsers)` and `run(args) -> int`."""
