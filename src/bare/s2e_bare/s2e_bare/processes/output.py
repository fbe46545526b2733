"""Where a child's lines go: screen, the launch's log, a log file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TextIO

STREAMS = {1: 'stdout', 2: 'stderr'}
_PLACES = ('screen', 'log', 'own_log')
# Upstream's shorthands: place -> streams that go there.
_SHORT: dict[str, dict[str, tuple[str, ...]]] = {
    'screen': {'both': ('screen',)},
    'log': {'both': ('log',), 'stderr': ('screen',)},
    'both': {'both': ('log', 'screen')},
    'own_log': {'both': ('own_log',)},
    'full': {'both': ('screen', 'log', 'own_log')},
}

OutputChoice = str | Mapping[str, str | Iterable[str]]


def places(choice: OutputChoice) -> dict[int, frozenset[str]]:
    """Work out where each stream goes.

    Args:
        choice: `screen`, `log`, `both`, `own_log`, `full`, or a mapping from `stdout`,
            `stderr`, `both` to one or several of `screen`, `log`, `own_log`.

    Returns:
        For 1 (stdout) and 2 (stderr) the set of places.

    Raises:
        ValueError: Anything else; the message lists what is possible.
    """
    if isinstance(choice, str):
        if choice not in _SHORT:
            raise ValueError(f'output must be one of {sorted(_SHORT)}, got {choice!r}')
        named: Mapping[str, str | Iterable[str]] = _SHORT[choice]
    else:
        named = choice
    found: dict[int, frozenset[str]] = {1: frozenset(), 2: frozenset()}
    for stream, where in named.items():
        wanted = frozenset([where] if isinstance(where, str) else where)
        if stream not in ('stdout', 'stderr', 'both') or not wanted <= set(_PLACES):
            raise ValueError(
                f'output: streams are stdout, stderr, both and places {list(_PLACES)}, '
                f'got {stream!r}: {sorted(wanted)}'
            )
        for number, name in STREAMS.items():
            if stream in (name, 'both'):
                found[number] |= wanted
    return found


class ProcessOutput:
    """Writes one child's lines to their places; the own log file gets every line."""

    def __init__(
        self,
        *,
        name: str,
        choice: OutputChoice,
        log_dir: Path,
        screen: Callable[[str], None],
        log: Callable[[str], None],
        form: Callable[[str], str] | None = None,
    ) -> None:
        """Open the log file `<log_dir>/<name>.log`.

        Args:
            name: Name of the child with its counter.
            choice: See `places`.
            log_dir: Existing folder.
            screen: Writes a line to the screen.
            log: Writes a line to the launch's log.
            form: Makes the line to show; by default `[name] line`.
        """
        self._places = places(choice)
        self._screen = screen
        self._log = log
        self._form = form or (lambda line: f'[{name}] {line}')
        self.path = log_dir / f'{name}.log'
        self._file: TextIO | None = self.path.open('a', encoding='utf-8', buffering=1)

    def write(self, number: int, line: bytes) -> str:
        """Write a line of stream 1 or 2; gives it as text."""
        text = line.decode('utf-8', errors='replace')
        if self._file is not None:
            self._file.write(text + '\n')
        shown = self._form(text)
        if 'screen' in self._places[number]:
            self._screen(shown)
        if 'log' in self._places[number]:
            self._log(shown)
        return text

    def close(self) -> None:
        """Close the log file."""
        if self._file is not None:
            self._file.close()
            self._file = None
