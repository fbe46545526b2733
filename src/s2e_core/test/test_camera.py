"""Cameras: projection by hand, and re-projection between fields of view and lenses."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from s2e_core.camera import (
    SMALL_CAMERA,
    SMALL_MOUNT,
    CameraModel,
    CameraMount,
    Reprojector,
    project,
)
from s2e_core.errors import ContractError

GO2 = CameraModel(
    1280, 720, 864.4, 863.7, 639.2, 373.3, 'plumb_bob', (-0.355, 0.102, -0.0016, -0.0012, 0.0)
)


def checkered(width: int, height: int) -> np.ndarray:
    """Make a smooth colour pattern whose value tells the place."""
    u, v = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    return np.stack([255 * u, 255 * v, 128 + 100 * np.sin(9 * u)], -1).astype(np.uint8)


def test_small_camera_sees_a_full_four_to_three_view() -> None:
    """2 atan(64 / 64) = 90 deg across; 2 atan(64 / 85.333) = 73.74 deg upright."""
    assert math.degrees(SMALL_CAMERA.hfov) == pytest.approx(90.0)
    assert math.degrees(SMALL_CAMERA.vfov) == pytest.approx(73.7398, abs=1e-3)
    assert SMALL_CAMERA.same_view(CameraModel.from_fov(320, 240, math.pi / 2))


def test_project_by_hand() -> None:
    """Level camera 1 m up, f = 100, centre 50: 2 m ahead, 1 m left, on the floor.

    u = 50 - 100 * 1 / 2 = 0, v = 50 + 100 * 1 / 2 = 100 (the edge, so outside).
    """
    camera, mount = CameraModel(100, 100, 100, 100, 50, 50), CameraMount(0, 0, 1.0, 0)
    uv, visible = project(camera, mount, np.array([[2.0, 1.0, 0.0], [2.0, 0.5, 0.8], [-1, 0, 1]]))
    assert np.allclose(uv[0], [0.0, 100.0])
    assert not visible[0]
    # u = 50 - 100 * 0.5 / 2 = 25, v = 50 + 100 * 0.2 / 2 = 60.
    assert np.allclose(uv[1], [25.0, 60.0])
    assert visible[1]
    assert not visible[2]
    assert np.isnan(uv[2]).all()


def test_pitch_looks_down() -> None:
    """Pitched down by atan(0.6 / 2), the optical axis meets the floor 2 m ahead."""
    mount = CameraMount(0.0, 0.0, 0.6, math.atan2(0.6, 2.0))
    uv, _ = project(SMALL_CAMERA, mount, np.array([[2.0, 0.0, 0.0]]))
    assert np.allclose(uv[0], [64.0, 64.0])


def test_mount_is_a_rotation() -> None:
    """The optical axes are orthonormal and right-handed."""
    rotation = SMALL_MOUNT.base_from_optical()[:3, :3]
    assert np.allclose(rotation @ rotation.T, np.eye(3))
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_identity_returns_the_image_itself() -> None:
    """The policy's own camera is not touched."""
    image = checkered(128, 128)
    assert Reprojector(SMALL_CAMERA, SMALL_CAMERA)(image) is image


def test_same_view_is_an_area_resize() -> None:
    """A 4:3 camera of 90 deg is only squeezed."""
    image = checkered(320, 240)
    small = Reprojector(CameraModel.from_fov(320, 240, math.pi / 2), SMALL_CAMERA)(image)
    assert np.array_equal(small, cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA))


def test_wide_view_is_cropped_through_the_intrinsics() -> None:
    """The ray at 20 deg must land where the target camera looks for it."""
    source = CameraModel.from_fov(640, 480, math.radians(110))
    target = CameraModel.from_fov(200, 150, math.radians(60))
    image = np.zeros((480, 640, 3), np.uint8)
    u = source.cx + source.fx * math.tan(math.radians(20))
    cv2.circle(image, (round(u - 0.5), 240), 6, (255, 255, 255), -1)
    seen = Reprojector(source, target)(image)[..., 0].astype(float)
    columns = np.arange(200) + 0.5
    found = (seen.sum(0) * columns).sum() / seen.sum()
    assert found == pytest.approx(target.cx + target.fx * math.tan(math.radians(20)), abs=1.0)


def test_narrow_camera_leaves_black_borders() -> None:
    """A 60 deg camera fills tan(30) / tan(45) = 0.577 of the width, squared over both axes."""
    source = CameraModel.from_fov(320, 240, math.radians(60))
    reprojector = Reprojector(source, SMALL_CAMERA)
    assert reprojector.coverage == pytest.approx(0.577**2, abs=0.02)
    seen = reprojector(np.full((240, 320, 3), 200, np.uint8))
    assert (seen[:, :20] == 0).all()
    assert (seen[64, 64] == 200).all()


def test_plumb_bob_agrees_with_opencv_undistortion() -> None:
    """Un-distorting the Go2 camera by our table equals OpenCV's own."""
    target = CameraModel(400, 300, 300.0, 300.0, 200.0, 150.0)
    image = checkered(1280, 720)
    ours = Reprojector(GO2, target)(cv2.blur(image, (2, 2))).astype(int)
    maps = cv2.initUndistortRectifyMap(
        GO2.matrix(), np.array(GO2.distortion), None, target.matrix(), (400, 300), cv2.CV_32FC1
    )
    theirs = cv2.remap(cv2.blur(image, (2, 2)), *maps, cv2.INTER_LINEAR).astype(int)
    assert np.abs(ours - theirs)[5:-5, 5:-5].mean() < 3.0


def test_equidistant_by_hand() -> None:
    """Without coefficients beyond zero the radius is f * angle."""
    source = CameraModel(400, 400, 150, 150, 200, 200, 'equidistant', (0.0, 0.0, 0.0, 0.0))
    target = CameraModel.from_fov(101, 101, math.radians(80))
    image = np.zeros((400, 400, 3), np.uint8)
    angle = math.radians(30)
    cv2.circle(image, (round(200 + 150 * angle - 0.5), 200), 4, (255, 255, 255), -1)
    seen = Reprojector(source, target)(image)[..., 0].astype(float)
    found = (seen.sum(0) * (np.arange(101) + 0.5)).sum() / seen.sum()
    assert found == pytest.approx(target.cx + target.fx * math.tan(angle), abs=1.0)


def test_wrong_size_is_refused() -> None:
    """The message names both sizes."""
    reprojector = Reprojector(CameraModel.from_fov(320, 240, 1.2), SMALL_CAMERA)
    with pytest.raises(ContractError, match=r'240x320.*480x640'):
        reprojector(np.zeros((480, 640, 3), np.uint8))


@pytest.mark.parametrize(
    'changes', [{'fx': 0.0}, {'fx': math.nan}, {'width': 0}, {'width': 100_000, 'height': 100_000}]
)
def test_bad_intrinsics_are_refused(changes: dict[str, float]) -> None:
    """Zero, NaN and absurd sizes never reach an allocation."""
    values = {'width': 320, 'height': 240, 'fx': 200.0, 'fy': 200.0, 'cx': 160.0, 'cy': 120.0}
    with pytest.raises(ContractError):
        CameraModel(**{**values, **changes})  # type: ignore[arg-type]


def test_barrel_distortion_does_not_fold_back() -> None:
    """k1 = -0.4 alone turns at r = sqrt(1 / 1.2) = 0.913 (42.4 deg): beyond it all is black."""
    source = CameraModel(400, 400, 200, 200, 200, 200, 'plumb_bob', (-0.4, 0.0, 0.0, 0.0))
    target = CameraModel.from_fov(200, 200, math.radians(120))
    seen = Reprojector(source, target)(np.full((400, 400, 3), 255, np.uint8))[100, :, 0]
    tangent = (np.arange(200) + 0.5 - 100) / target.fx
    assert (seen[np.abs(tangent) > 0.93] == 0).all()
    assert (seen[np.abs(tangent) < 0.90] == 255).all()
