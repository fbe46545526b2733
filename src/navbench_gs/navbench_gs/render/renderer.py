"""The interface every renderer back end fulfils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera, rigid
from navbench_gs.render.frame import Frame
from navbench_gs.splats.cloud import GaussianCloud


@dataclass(frozen=True)
class DynamicGroup:
    """Gaussians that move together as one rigid body (a person, a robot, an obstacle).

    Back ends prepare a group's cloud once and keep it as long as the same cloud object is
    passed, so hold on to the cloud and make a new group per frame with the new pose.
    """

    cloud: GaussianCloud
    pose: NDArray[np.floating]
    """`[4, 4]` scene <- group, rigid, metres; RenderError when it is not."""

    def __post_init__(self) -> None:
        object.__setattr__(self, 'pose', rigid(self.pose, 'the pose of a group'))


@dataclass(frozen=True)
class View:
    """One picture of several: a camera and what moves in its world."""

    camera: RenderCamera
    dynamic: Sequence[DynamicGroup] = ()


class Renderer(Protocol):
    """Draws views of one static cloud with moving groups in it."""

    def render(self, camera: RenderCamera, dynamic: Sequence[DynamicGroup] = ()) -> Frame:
        """Draw one view.

        Args:
            camera: where from and with which lens.
            dynamic: rigidly moving groups, merged with the static cloud in depth order.

        Raises:
            RenderError: the back end cannot draw this view.
        """
        ...

    def render_many(self, views: Sequence[View]) -> list[Frame]:
        """Draw several views of the static cloud, each with its own moving groups.

        Gives the same bytes as one call of `render` for each view.

        Raises:
            RenderError: the back end cannot draw one of the views.
        """
        ...
