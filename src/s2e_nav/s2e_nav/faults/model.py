"""The policy node with a model that breaks when it is told to."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import numpy as np
from std_msgs.msg import String

from s2e_core.contract import Observation, Policy, PolicyOutput
from s2e_nav.nodes.policy import PolicyNode
from s2e_nav.policies import LoadedPolicy, load_policy
from s2e_nav.qos import RELIABLE
from s2e_nav.runtime.process import main_program

TOPIC = 's2e/sabotage'
"""std_msgs/String: ok, raise, sleep, nan or nonsense."""
SLEEP = 2.5
"""Seconds that a sleeping model takes over one answer."""


class BreakableModel:
    """Answers as a policy does, or fails in the way that was asked for."""

    def __init__(self, policy: Policy) -> None:
        """Start healthy."""
        self._policy = policy
        self.spec = policy.spec
        self.mode = 'ok'
        self._wake = threading.Event()

    def reset(self) -> None:
        """Forget everything about earlier images."""
        self._policy.reset()

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer, or break."""
        output = self._policy.infer(observation)
        if self.mode == 'raise':
            raise RuntimeError('sabotage: the model raised')
        if self.mode == 'sleep':
            self._wake.wait(SLEEP)
        if self.mode == 'nan':
            return dataclasses.replace(output, modes=np.full_like(output.modes, np.nan))
        if self.mode == 'nonsense':
            return dataclasses.replace(output, modes=output.modes * 100.0)
        return output


def make() -> PolicyNode:
    """Make the node and let it listen to the saboteur."""
    models: list[BreakableModel] = []

    def load(*args: Any, **options: Any) -> LoadedPolicy:
        loaded = load_policy(*args, **options)
        models.append(BreakableModel(loaded.policy))
        return dataclasses.replace(loaded, policy=models[-1])

    def on_word(message: String) -> None:
        for model in models:
            model.mode = message.data

    node = PolicyNode(load=load)
    node.create_subscription(String, TOPIC, on_word, RELIABLE)
    return node


def main(args: list[str] | None = None) -> None:
    """Run the node."""
    main_program(make, args)


if __name__ == '__main__':
    main()
