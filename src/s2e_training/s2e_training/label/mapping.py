"""Poses and points of a chunk by structure from motion (COLMAP's incremental mapper)."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2e_core.camera import CameraModel
from s2e_training.errors import TrainingError
from s2e_training.label.views import Views


@dataclass(frozen=True)
class Model:
    """One connected reconstruction; its unit of length is arbitrary."""

    frames: np.ndarray
    """Rising indices into the views. [K] int64"""
    poses: np.ndarray
    """model <- optical. [K, 4, 4]"""
    points: np.ndarray
    """[P, 3]"""
    seen: list[np.ndarray]
    """Indices of the points seen in each frame."""
    error: float
    """Mean reprojection error, pixels."""
    focal: float
    """Focal length along x, pixels."""


def map_views(views: Views, camera: CameraModel, refine_focal: bool = False) -> list[Model]:
    """Reconstruct a chunk.

    Args:
        views: Image points and matches.
        camera: Pinhole of the working images.
        refine_focal: Estimate the focal length too.

    Returns:
        Models, largest first; none where there is no parallax.

    Raises:
        TrainingError: pycolmap is not installed.
    """
    try:
        import pycolmap
    except ImportError as error:
        raise TrainingError('labelling needs pycolmap: pip install pycolmap') from error
    pycolmap.logging.minloglevel = 2
    pairs = views.pairs()
    if not pairs:
        return []
    with tempfile.TemporaryDirectory() as name:
        database = Path(name) / 'matches.db'
        _write_database(pycolmap, database, views, camera, pairs, refine_focal)
        found = pycolmap.incremental_mapping(
            database, name, name, _options(pycolmap, refine_focal)
        )
    models = [_model(item) for item in found.values()]
    return sorted(models, key=lambda model: -len(model.frames))


def _write_database(
    pycolmap: Any, path: Path, views: Views, camera: CameraModel,
    pairs: list[tuple[int, int, np.ndarray]], refine_focal: bool,
) -> None:
    lens = pycolmap.Camera(
        model='SIMPLE_PINHOLE' if refine_focal else 'PINHOLE', width=camera.width,
        height=camera.height, params=[camera.fx, camera.cx, camera.cy] if refine_focal
        else [camera.fx, camera.fy, camera.cx, camera.cy],
    )
    lens.has_prior_focal_length = True
    # COLMAP puts pixel centres at halves, OpenCV at integers.
    keypoints = [points.astype(np.float64) + 0.5 for points in views.points]
    rules = pycolmap.TwoViewGeometryOptions()
    rules.ransac.max_error, rules.ransac.random_seed = 2.0, 0
    rules.ransac.max_num_trials, rules.detect_watermark = 500, False
    with pycolmap.Database.open(path) as base:
        lens.camera_id = base.write_camera(lens)
        rig = pycolmap.Rig()
        rig.add_ref_sensor(lens.sensor_id)
        rig_id, images = base.write_rig(rig), []
        with pycolmap.DatabaseTransaction(base):
            for index, points in enumerate(keypoints):
                image = pycolmap.Image(name=f'{index:06d}', camera_id=lens.camera_id)
                image.image_id = base.write_image(image)
                frame = pycolmap.Frame()
                frame.rig_id = rig_id
                frame.add_data_id(image.data_id)
                base.write_frame(frame)
                base.write_keypoints(image.image_id, points.astype(np.float32))
                images.append(image.image_id)
            for i, j, match in pairs:
                geometry = pycolmap.estimate_calibrated_two_view_geometry(
                    lens, keypoints[i], lens, keypoints[j], match, rules
                )
                if len(geometry.inlier_matches) >= 15:
                    base.write_matches(images[i], images[j], match)
                    base.write_two_view_geometry(images[i], images[j], geometry)


def _options(pycolmap: Any, refine_focal: bool) -> Any:
    """Fit the mapper to forward motion with fixed intrinsics and small parallax."""
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = options.mapper.num_threads = 1
    options.random_seed = 0
    options.extract_colors = False
    options.max_num_models, options.min_model_size = 4, 10
    options.ba_refine_focal_length, options.ba_refine_extra_params = refine_focal, False
    options.ba_global_max_refinements = 2
    options.ba_global_frames_ratio = options.ba_global_points_ratio = 1.3
    mapper = options.mapper
    # A walker looks where he goes: pairs with pure forward motion must be allowed to start.
    mapper.init_max_forward_motion, mapper.init_min_tri_angle = 1.0, 4.0
    mapper.init_min_num_inliers = 50
    mapper.abs_pose_refine_focal_length = mapper.abs_pose_refine_extra_params = False
    mapper.abs_pose_max_error, mapper.filter_max_reproj_error = 4.0, 2.0
    mapper.filter_min_tri_angle = options.triangulation.min_angle = 1.0
    options.structure_less_registration_fallback = False
    return options


def _model(item: Any) -> Model:
    ids = list(item.points3D)
    place = {point: index for index, point in enumerate(ids)}
    rows = []
    for image in (item.image(number) for number in item.reg_image_ids()):
        pose = np.eye(4)
        pose[:3] = image.cam_from_world().inverse().matrix()
        seen = [place[p.point3D_id] for p in image.points2D if p.has_point3D()]
        rows.append((int(image.name), pose, np.array(seen, np.int64)))
    rows.sort(key=lambda row: row[0])
    return Model(
        np.array([row[0] for row in rows], np.int64), np.stack([row[1] for row in rows]),
        np.array([item.points3D[p].xyz for p in ids]).reshape(-1, 3), [row[2] for row in rows],
        float(item.compute_mean_reprojection_error()),
        float(next(iter(item.cameras.values())).params[0]),
    )
