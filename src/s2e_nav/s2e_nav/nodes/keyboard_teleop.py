"""Keyboard node: drive from a terminal, as over SSH."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator

from rclpy.node import Node

from s2e_nav.errors import StartError
from s2e_nav.parameters import declare
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer
from s2e_nav.teleop.direct import DirectDriver, DirectParameters
from s2e_nav.teleop.output import OperatorOutput
from s2e_teleop.keys import KeyHold

HELP = """\
Hold a key to drive; let go to stop. A terminal only tells that a key is held once it repeats,
so driving begins about half a second after the key goes down.

    q w e     forward, left or right
    a   d     turn
    z s c     backward
    j   l     sideways, if the robot can

    + -  speed limit     space  emergency stop     r  release and rearm     ctrl-c  end
"""


class KeyboardTeleop:
    """Reads keys and sends what is held."""

    def __init__(self, node: Node, source: int) -> None:
        """Publish and begin to read.

        Args:
            node: Owner.
            source: File descriptor of the terminal.
        """
        self.node = node
        self.exit_code: int | None = None
        config = declare(node, DirectParameters)
        self._output = OperatorOutput(node, config.stamped)
        self._driver = DirectDriver(self._output, config)
        self._keys = KeyHold()
        self._ending = threading.Event()
        self._source = source
        self._reader = threading.Thread(target=self._read, name='keys', daemon=True)
        steady_timer(node, 0.05, self._each_tick)
        steady_timer(node, 0.05, self._driver.beat)
        self._say(HELP)
        self._reader.start()

    def close(self) -> None:
        """Leave a zero behind."""
        self._ending.set()
        self._driver.close()
        self._reader.join(timeout=1.0)

    def _read(self) -> None:
        while not self._ending.is_set():
            if not select.select([self._source], [], [], 0.1)[0]:
                continue
            text = os.read(self._source, 64).decode('ascii', 'ignore')
            if not text:
                # The terminal is gone, and with it the driver.
                self.exit_code = 0
                return
            for key in text.lower():
                self._press(key)

    def _press(self, key: str) -> None:
        if key == ' ':
            self._driver.press_e_stop(True)
            self._say('EMERGENCY STOP; r releases it')
        elif key == 'r':
            self._driver.press_e_stop(False)
            self._output.rearm(self._say)
        elif key in '+-':
            limit = self._driver.change_limit(1.1 if key == '+' else 1 / 1.1)
            self._say(f'speed limit {limit:.2f} m/s')
        else:
            self._keys.press(key, time.monotonic())

    def _each_tick(self) -> None:
        text = self._driver.step(self._keys.stick(time.monotonic()))
        if text:
            self._say(text)

    @staticmethod
    def _say(text: str) -> None:
        print(text, flush=True)


@contextlib.contextmanager
def single_keys(source: int) -> Iterator[None]:
    """Let a terminal give each key at once and unseen; ctrl-c still ends.

    Raises:
        StartError: There is no terminal.
    """
    try:
        before = termios.tcgetattr(source)
    except termios.error:
        raise StartError(
            'keyboard_teleop needs a terminal: start it with `ros2 run`, not from a launch file'
        ) from None
    try:
        tty.setcbreak(source)
        yield
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, before)


class _OnTerminal(KeyboardTeleop):
    """The node with the terminal's mode around it."""

    def __init__(self, node: Node) -> None:
        self._mode = contextlib.ExitStack()
        self._mode.enter_context(single_keys(sys.stdin.fileno()))
        super().__init__(node, sys.stdin.fileno())

    def close(self) -> None:
        """Leave a zero, and the terminal as it was."""
        super().close()
        self._mode.close()


def main(args: list[str] | None = None) -> None:
    """Run the keyboard node."""
    main_program(lambda: _OnTerminal(Node('keyboard_teleop')), args)


if __name__ == '__main__':
    main()
