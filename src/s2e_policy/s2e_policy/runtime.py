"""Runs a bundle as a policy."""

from __future__ import annotations

import numpy as np

from s2e_core.contract import Observation, PolicyOutput, PolicySpec, check_observation
from s2e_policy.bundle import Bundle
from s2e_policy.errors import PolicyError
from s2e_policy.goal import encode_goal
from s2e_policy.graphs import open_graph, output_names
from s2e_policy.session import choose_provider
from s2e_policy.tensors import image_tensor


class OnnxPolicy:
    """The policy protocol over a bundle.

    In streaming mode each image is encoded once: its token is kept under its stamp, so any camera
    rate and any choice of frames gives the same answer as the window graph. An observation whose
    older frames were never seen costs one run of the graph for each of them.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        mode: str = 'streaming',
        provider: str | None = None,
        require_provider: str | None = None,
        threads: int | None = None,
    ) -> None:
        """Open the graph.

        Args:
            bundle: A verified bundle.
            mode: `streaming` or `window`.
            provider: Execution provider to use; the best present when left out.
            require_provider: Provider without which nothing runs.
            threads: Threads within an operator; one when left out, which is fastest for the
                `small` size beside other work.

        Raises:
            PolicyError: The mode, provider or graph is refused.
        """
        if threads is not None and threads < 1:
            raise PolicyError(f'threads must be at least 1, got {threads}')
        self.bundle = bundle
        self.mode = mode
        self.provider = choose_provider(provider, require_provider)
        self._session = open_graph(bundle, mode, self.provider, threads or 1)
        self._outputs = output_names(bundle.manifest.free_space)
        self._tokens: dict[int, np.ndarray] = {}
        spec = bundle.spec
        frames = (spec.frames,) if mode == 'window' else ()
        # Filled anew for each run of the graph, which reads it in place.
        self._tensor = np.empty((1, *frames, 3, spec.height, spec.width), np.float32)

    @property
    def spec(self) -> PolicySpec:
        """What the policy needs to be fed."""
        return self.bundle.spec

    def reset(self) -> None:
        """Forget every cached frame."""
        self._tokens.clear()

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer one observation.

        Raises:
            ContractError: The observation does not fit ``spec``.
        """
        check_observation(observation, self.spec)
        goal, mask = encode_goal(observation.goal, self.bundle.manifest.goal_encoding)
        conditions = {'goal': goal[None], 'goal_mask': mask[None]}
        if self.mode == 'window':
            image_tensor(observation.images, self._tensor[0])
            feed = {'images': self._tensor, **conditions}
            answers = self._session.run(list(self._outputs), feed)
        else:
            answers = self._stream(observation, conditions)
        scale = self.bundle.manifest.output.scale
        modes, scores, sigmas, rho, *free = (answer[0] for answer in answers)
        return PolicyOutput(
            observation.stamp_ns, modes * scale, scores, sigmas * scale, rho, *free
        )

    def _stream(
        self, observation: Observation, conditions: dict[str, np.ndarray]
    ) -> list[np.ndarray]:
        stamps = [int(stamp) for stamp in observation.stamps_ns]
        images = observation.images
        empty = np.zeros((1, len(stamps) - 1, self.bundle.manifest.token_dim), np.float32)
        known: dict[int, np.ndarray] = {}
        for stamp, image in zip(stamps[:-1], images[:-1], strict=True):
            if stamp in known:
                continue
            # A repeated newest image (the window at the start) has no token yet either.
            token = self._tokens.get(stamp)
            known[stamp] = self._run(image, empty, conditions)[-1] if token is None else token
        cache = empty
        if len(stamps) > 1:
            cache = np.stack([known[stamp] for stamp in stamps[:-1]])[None]
        *answers, newest = self._run(images[-1], cache, conditions)
        known[stamps[-1]] = newest
        self._tokens = known
        return answers

    def _run(
        self, image: np.ndarray, cache: np.ndarray, conditions: dict[str, np.ndarray]
    ) -> list[np.ndarray]:
        """Run the graph once; the last entry is the newest frame's token. [D]"""
        image_tensor(image, self._tensor[0])
        feed = {'image': self._tensor, 'cache': cache, **conditions}
        *answers, cache_out = self._session.run([*self._outputs, 'cache_out'], feed)
        # A copy: a view would keep the tokens of the whole window.
        return [*answers, cache_out[0, -1].copy()]
