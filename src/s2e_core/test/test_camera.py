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
    project,
)
from s2e_core.errors import ContractError
from s2e_core.reprojection import Reprojector, moved_rays

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


def test_what_is_not_seen_may_take_the_nearest_pixel() -> None:
    """The 60 deg camera fills columns 27 to 100 of 128; what is left of them repeats its first."""
    source = CameraModel.from_fov(320, 240, math.radians(60))
    image = np.full((240, 320, 3), 200, np.uint8)
    image[:, :40] = 50
    black, edge = (Reprojector(source, SMALL_CAMERA, None, unseen) for unseen in ('black', 'edge'))
    assert edge.coverage == black.coverage < 1.0
    seen = edge(image)
    assert (black(image)[64, :27] == 0).all()
    assert (seen[64, :27] == 50).all() and (seen[64, 101:] == 200).all()
    # Above the image it is the colour of the column's first row.
    assert (seen[0, 64] == 200).all() and (seen[0, 28] == 50).all()
    inside = np.s_[40:88, 28:100]
    assert (seen[inside] == black(image)[inside]).all()


def test_a_whole_view_has_no_edge_to_repeat() -> None:
    """Nothing changes where every ray is seen."""
    source = CameraModel.from_fov(400, 400, math.radians(110))
    image = checkered(400, 400)
    same = [Reprojector(source, SMALL_CAMERA, None, unseen)(image) for unseen in ('black', 'edge')]
    assert (same[0] == same[1]).all()


def test_rays_behind_the_camera_stay_black() -> None:
    """A camera that looks 80 deg down sees nothing of a level view's upper half, nor near it."""
    down = CameraMount(SMALL_MOUNT.x, 0.0, SMALL_MOUNT.z, math.radians(80))
    level = CameraMount(SMALL_MOUNT.x, 0.0, SMALL_MOUNT.z, 0.0)
    source = CameraModel.from_fov(200, 200, math.radians(90))
    view = Reprojector(source, SMALL_CAMERA, (down, level), 'edge')
    seen = view(np.full((200, 200, 3), 90, np.uint8))
    # Row v looks atan((v + 0.5 - 64) / 85.3) down; behind is what is over 90 deg from the axis, so
    # looks up by more than 10 deg: above 64 - 85.3 tan(10 deg) = 48.95.
    assert (seen[:48, 64] == 0).all()
    assert (seen[50:, 64] == 90).all()


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


def painted(camera: CameraModel) -> np.ndarray:
    """Make an image whose red and green tell the place, with room for interpolation."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    image = np.stack([250 * u / camera.width, 250 * v / camera.height, 0 * u], -1)
    return np.round(image).astype(np.uint8)


def place_read(image: np.ndarray, uv: np.ndarray, camera: CameraModel) -> np.ndarray:
    """Return the place in the camera's image that the colour at a pixel tells. [2]"""
    column, row = (int(value) for value in uv)
    return image[row, column, :2] / 250.0 * (camera.width, camera.height)


LOW_CAMERA = CameraModel.from_fov(640, 480, math.radians(100.0))
LOW = CameraMount(-0.06, 0.0, 0.244, 0.0)


@pytest.mark.parametrize(('point', 'source', 'target'), [
    ([2.0, 0.5, 0.0], LOW, SMALL_MOUNT),                    # on the floor: height and pitch
    ([1.2, -0.3, 0.0], LOW, SMALL_MOUNT),
    ([3.0, 0.2, 0.0], CameraMount(0.1, 0.2, 1.65, 0.0), SMALL_MOUNT),
    ([2.0, 0.5, 0.9], CameraMount(0.3, 0.0, 0.6, -0.1), SMALL_MOUNT),  # pitch only: anywhere
    ([5.0, -2.0, 1.4], CameraMount(0.3, 0.0, 0.6, 0.3), SMALL_MOUNT),
])
def test_a_moved_camera_shows_points_where_the_other_would(
    point: list[float], source: CameraMount, target: CameraMount
) -> None:
    points = np.array([point])
    (expected, _), (wanted, seen) = (
        project(LOW_CAMERA, source, points), project(SMALL_CAMERA, target, points)
    )
    assert seen[0]
    image = Reprojector(LOW_CAMERA, SMALL_CAMERA, (source, target))(painted(LOW_CAMERA))
    # A pixel of the small image covers five of the large one; colours step by 2.6 pixels.
    assert place_read(image, wanted[0], LOW_CAMERA) == pytest.approx(expected[0], abs=7.0)


def test_height_moves_the_floor_by_hand() -> None:
    """The ray 45 deg down from 1 m up meets the floor 1 m ahead, 26.6 deg down from 0.5 m."""
    level = [CameraMount(0.0, 0.0, height, 0.0) for height in (0.5, 1.0)]
    ray = moved_rays(np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0], [0.0, -1.0, 1.0]]), *level)
    assert ray[0, 1] / ray[0, 2] == pytest.approx(0.5)
    # At the horizon and above all is far away.
    np.testing.assert_allclose(ray[1:], [[0.0, 0.0, 1.0], [0.0, -1.0, 1.0]], atol=1e-12)


def test_equal_places_change_nothing() -> None:
    image = painted(SMALL_CAMERA)
    assert Reprojector(SMALL_CAMERA, SMALL_CAMERA, (SMALL_MOUNT, SMALL_MOUNT))(image) is image


def test_a_camera_on_the_floor_is_refused() -> None:
    with pytest.raises(ContractError, match=r'above the floor, got 0\.0 and 0\.6'):
        Reprojector(LOW_CAMERA, SMALL_CAMERA, (CameraMount(0, 0, 0.0, 0), SMALL_MOUNT))


def test_what_a_camera_looks_away_from_is_black() -> None:
    away = CameraMount(0.3, 0.0, 0.6, -1.2)
    view = Reprojector(LOW_CAMERA, SMALL_CAMERA, (away, SMALL_MOUNT))
    assert view.coverage < 0.2
    assert not view(np.full((480, 640, 3), 255, np.uint8))[-1].any()


RATIONAL = (8.4, 9.1, 0.0002, -0.0001, 1.9, 8.6, 11.5, 3.9)
"""In the range that depth cameras with a wide lens report."""


def test_rational_polynomial_agrees_with_opencv_undistortion() -> None:
    k = [560.0, 0, 319.5, 0, 560.0, 239.5, 0, 0, 1]
    given = [*RATIONAL, *[0.0] * 6]
    source = CameraModel.from_calibration(640, 480, k, 'rational_polynomial', given)
    assert source.distortion == RATIONAL
    target = CameraModel(320, 240, 300.0, 300.0, 160.0, 120.0)
    image = checkered(640, 480)
    expected = cv2.undistort(
        image, source.matrix(), np.array(RATIONAL), newCameraMatrix=target.matrix()
    )[:240, :320]
    difference = np.abs(Reprojector(source, target)(image).astype(int) - expected)
    assert difference.mean() < 1.0


def test_thin_prism_terms_are_refused() -> None:
    with pytest.raises(ContractError, match='only 8 coefficients are known'):
        CameraModel.from_calibration(
            640, 480, [560.0, 0, 320, 0, 560.0, 240, 0, 0, 1], 'rational_polynomial',
            [*RATIONAL, 0.01, 0, 0, 0],
        )
