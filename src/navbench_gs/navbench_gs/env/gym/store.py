"""Scenes kept in memory, and the next one made ready while the current one is driven in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from navbench_gs.env.kit import SceneKit


class SceneStore:
    """Keeps the scenes used last; `announce` loads one in the background.

    What is loaded does not depend on when, so episodes do not depend on the store.
    """

    def __init__(self, make: Callable[[str], SceneKit], keep: int) -> None:
        """Start empty.

        Args:
            make: Loads a scene by name.
            keep: Scenes to keep.
        """
        self._make, self._keep = make, keep
        self._scenes: OrderedDict[str, Future[SceneKit]] = OrderedDict()
        self._loader: ThreadPoolExecutor | None = None

    def get(self, scene: str) -> SceneKit:
        """Return a scene, loaded or on its way or made now.

        Raises:
            SceneError: the scene cannot be had.
        """
        self.announce(scene)
        try:
            return self._scenes[scene].result()
        except BaseException:
            # An error of today, such as a full disk, may be gone tomorrow.
            self._scenes.pop(scene, None)
            raise

    def announce(self, scene: str) -> None:
        """Begin to load a scene that will be wanted soon."""
        if scene in self._scenes:
            self._scenes.move_to_end(scene)
            return
        if self._loader is None:
            self._loader = ThreadPoolExecutor(1, thread_name_prefix='scene')
        self._scenes[scene] = self._loader.submit(self._make, scene)
        while len(self._scenes) > self._keep + 1:
            self._scenes.popitem(last=False)

    def close(self) -> None:
        """Let every scene go."""
        if self._loader is not None:
            self._loader.shutdown(wait=True, cancel_futures=True)
            self._loader = None
        self._scenes.clear()
