"""A block of a study as its participant goes through it: practice, runs, form."""

from __future__ import annotations

from dataclasses import dataclass, replace

from s2e_teleop.study.card import Phase, StudyCard


@dataclass(frozen=True)
class BlockSize:
    """How much there is to drive."""

    practice: int
    """Runs that do not count, driven first."""
    runs: int
    """Runs that count, with those of earlier sessions."""
    done: int
    """Of these, driven in earlier sessions."""
    form: bool
    """Whether the form is still to be filled in."""
    last: bool
    """Whether no block comes after this one."""


class BlockFlow:
    """Says which card is shown; each change makes a new one."""

    def __init__(self, card: StudyCard, size: BlockSize) -> None:
        """Begin with preparing the first run.

        Args:
            card: Participant, block, driver and link.
            size: How much there is to drive.
        """
        self._size, self._driven = size, 0
        self.is_over = False
        """Whether nothing is left of the block."""
        self.card = replace(card, number=0, run=0, runs=size.runs)
        self._turn('prepare')

    @property
    def practises(self) -> bool:
        """Whether the run that comes, or is driven, is practice."""
        return self._driven < self._size.practice

    def prepared(self, hint: str = '') -> None:
        """The world stands at the beginning of a run and waits for the participant.

        Args:
            hint: What they should know.
        """
        self._turn('ready', hint=hint)

    def started(self) -> None:
        """The participant has started the run."""
        self._turn('running')

    def ended(self, result: str) -> None:
        """A run is over.

        Args:
            result: How it ended, for the participant.
        """
        self._driven += 1
        self._turn('prepare', result)

    def exhausted(self) -> None:
        """No run is left."""
        if self._size.form:
            self._turn('form', self.card.result)
        else:
            self._end(self.card.result)

    def answered(self) -> None:
        """The form is filled in and stored."""
        self._end('')

    def _end(self, result: str) -> None:
        self.is_over = True
        # Between two blocks the page is told to wait; only after the last one it is thanked.
        self._turn('done' if self._size.last else 'prepare', result)

    def _turn(self, phase: Phase, result: str | None = None, hint: str = '') -> None:
        size, counted = self._size, self._driven - self._size.practice
        kept = self.card.result if phase == 'ready' else ''
        self.card = replace(
            self.card, number=self.card.number + 1, phase=phase, practice=self.practises,
            run=min(size.runs, size.done + counted + 1) if counted >= 0 else 0,
            result=kept if result is None else result, hint=hint,
        )
