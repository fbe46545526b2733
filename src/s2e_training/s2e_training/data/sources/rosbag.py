"""rosbag2 recordings (.db3 and .mcap): raw or compressed images, camera_info, odometry, TF."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from s2e_core.camera import CameraModel
from s2e_core.errors import ContractError
from s2e_core.pixels import rgb_from_encoded, rgb_from_raw
from s2e_training.data.sources.options import SourceOptions, plain
from s2e_training.data.sources.recording import Recording
from s2e_training.data.sources.rosbag_driving import read_driving
from s2e_training.data.sources.rosbag_poses import TransformTree, odometry_track
from s2e_training.errors import TrainingError

RAW = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
ODOMETRY = 'nav_msgs/msg/Odometry'
TF = 'tf2_msgs/msg/TFMessage'
OTHER_IMAGES = ('depth', 'infra', 'mask', 'segmentation', 'disparity')
SUFFIXES = ('.mcap', '.db3')


@contextmanager
def open_bag(path: Path) -> Iterator[AnyReader]:
    """Open a bag; whatever goes wrong inside becomes one error.

    Raises:
        TrainingError: No bag, truncated or damaged.
    """
    try:
        with AnyReader([path], default_typestore=get_typestore(Stores.ROS2_KILTED)) as reader:
            yield reader
    except (TrainingError, GeneratorExit):
        raise
    except Exception as error:  # sqlite, struct, zstd, yaml: damaged bytes raise anything
        raise TrainingError(f'{path}: cannot be read as a bag: {error!s:.200}') from error


def is_rosbag(path: Path) -> bool:
    """Whether a path is a bag folder or a bag file."""
    return (path / 'metadata.yaml').is_file() or (path.is_file() and path.suffix in SUFFIXES)


class BagImages:
    """A `Loader` over one topic."""

    def __init__(self, path: Path, topic: str) -> None:
        """Take the bag and the topic."""
        self.path, self.topic = path, topic

    def __call__(self, wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Decode; images that break a rule are left out."""
        left = set(wanted)
        with open_bag(self.path) as reader:
            chosen = [c for c in reader.connections if c.topic == self.topic]
            for index, (connection, _, data) in enumerate(reader.messages(chosen)):
                if not left:
                    return
                if index not in left:
                    continue
                left.discard(index)
                try:
                    message: Any = reader.deserialize(data, connection.msgtype)
                    rgb = image_of(message, connection.msgtype)
                except ContractError:
                    continue
                yield index, rgb


def image_of(message: Any, kind: str) -> np.ndarray:
    """Decode an image message. [H, W, 3] uint8

    Raises:
        ContractError: Unknown encoding or sizes that do not agree.
    """
    if kind == RAW:
        return rgb_from_raw(
            message.data, int(message.height), int(message.width), int(message.step),
            message.encoding,
        )
    return rgb_from_encoded(message.data, message.format)


def read_rosbag(path: Path, options: SourceOptions) -> Recording:
    """Open a bag. A bag without images becomes a recording of no images with its track.

    Raises:
        TrainingError: Damaged, or the choice of topics is not clear.
    """
    with open_bag(path) as reader:
        topic = _image_topic(reader, options, path)
        stamps, broken, frame, first = _scan(reader, topic)
        tree = TransformTree()
        for connection, _, data in _messages(reader, msgtype=TF):
            tree.add(reader.deserialize(data, connection.msgtype))
        own = _camera_info(reader, topic)
        track, notes = odometry_track(reader, _odometry_topic(reader, options), tree, options)
        driving = read_driving(reader)
    if topic and len(stamps) and first is None:
        raise TrainingError(f'{path}: {topic}: no image can be decoded: {broken}')
    camera = options.camera_for(first.shape[1], first.shape[0], own) if first is not None else own
    mount = options.mount or tree.mount(options.base_frame, frame)
    return Recording(
        path.resolve().name, 'rosbag', stamps, BagImages(path, topic), camera, mount, track,
        options.licence, tuple(notes), {'topic': topic, **plain(options)}, driving,
    )


def _messages(reader: AnyReader, **wanted: str) -> Iterator[tuple[Any, int, bytes]]:
    """Read the messages of a topic or type; none where there is no such (rosbags: all)."""
    chosen = [
        c for c in reader.connections if all(getattr(c, k) == v for k, v in wanted.items())
    ]
    return iter(reader.messages(chosen)) if chosen else iter(())


def _image_topic(reader: AnyReader, options: SourceOptions, path: Path) -> str:
    images = [c for c in reader.connections if c.msgtype in (RAW, COMPRESSED)]
    # A recorder opens topics on which nothing may ever come.
    found = sorted({c.topic for c in images if c.msgcount} or {c.topic for c in images})
    if options.image_topic:
        if options.image_topic not in found:
            raise TrainingError(
                f'{path}: has no images on {options.image_topic}; on {", ".join(found) or "none"}'
            )
        return options.image_topic
    colour = [t for t in found if not any(word in t.lower() for word in OTHER_IMAGES)]
    # A raw topic and its compressed twin are one camera.
    colour = [t for t in colour if t.removesuffix('/compressed') == t
              or t.removesuffix('/compressed') not in colour]
    if len(colour) > 1:
        raise TrainingError(f'{path}: has images on {", ".join(colour)}; name one of them (topic)')
    return colour[0] if colour else ''


def _scan(
    reader: AnyReader, topic: str
) -> tuple[np.ndarray, str, str, np.ndarray | None]:
    """Return stamps [N], the last problem, the frame and one decoded image of a topic."""
    stamps, problem, frame, first = [], '', '', None
    for connection, logged, data in _messages(reader, topic=topic):
        stamps.append(header_stamp(data) or logged)
        if first is None:
            try:
                message: Any = reader.deserialize(data, connection.msgtype)
                first, frame = image_of(message, connection.msgtype), message.header.frame_id
            except ContractError as error:
                problem = str(error)
    return np.array(stamps, np.int64), problem, frame, first


def header_stamp(data: bytes | memoryview) -> int:
    """Read the stamp at the start of a serialised message with a header, nanoseconds.

    Unpacking all pixels of a raw image only for its stamp costs 0.1 ms a megabyte.
    """
    order = '<' if data[1] & 1 else '>'
    seconds, rest = struct.unpack_from(f'{order}iI', data, 4)
    return int(seconds) * 1_000_000_000 + int(rest)


def _camera_info(reader: AnyReader, topic: str) -> CameraModel | None:
    infos = [c for c in reader.connections if c.msgtype == CAMERA_INFO]
    beside = topic.removesuffix('/compressed').rpartition('/')[0] + '/camera_info'
    chosen = [c for c in infos if c.topic == beside] or (infos if len(infos) == 1 else [])
    if not chosen:
        return None
    for connection, _, data in reader.messages(chosen[:1]):
        message: Any = reader.deserialize(data, connection.msgtype)
        try:
            return CameraModel.from_calibration(
                int(message.width), int(message.height), message.k, message.distortion_model,
                message.d,
            )
        except ContractError:
            return None
    return None


def _odometry_topic(reader: AnyReader, options: SourceOptions) -> str:
    found = sorted({c.topic for c in reader.connections if c.msgtype == ODOMETRY})
    if options.pose_source in ('', 'tf'):
        return found[0] if found and not options.pose_source else ''
    if options.pose_source not in found:
        raise TrainingError(
            f'no odometry on {options.pose_source}; on {", ".join(found) or "none"}'
        )
    return options.pose_source
