"""An MCAP file in the rosbag2 layout, which Foxglove and `ros2 bag` open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError
from rosbags.typesys import Stores, get_typestore

from s2e_nav.errors import StartError

FOREVER = QosTime(0x7FFFFFFFFFFFFFFF // 1_000_000_000, 0)


class Recording:
    """Writes serialised messages; times never go back."""

    def __init__(self, folder: Path) -> None:
        """Create the folder.

        Raises:
            StartError: It exists, or cannot be written.
        """
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._writer: Any = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except (OSError, WriterError) as error:
            raise StartError(f'recording {folder}: {error}') from error
        self._types = get_typestore(Stores.ROS2_KILTED)
        self._last = 0
        self._open = True

    def channel(self, topic: str, kind: str, latched: bool = False) -> Any:
        """Add a topic.

        Args:
            topic: Its full name.
            kind: Its type, as in `nav_msgs/msg/Path`.
            latched: Whether late subscribers get the last message.
        """
        durability = QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE
        qos = Qos(
            QosHistory.KEEP_LAST, 10, QosReliability.RELIABLE, durability, FOREVER, FOREVER,
            QosLiveliness.AUTOMATIC, FOREVER, False,
        )
        return self._writer.add_connection(
            topic, kind, typestore=self._types, offered_qos_profiles=[qos]
        )

    def write(self, channel: Any, stamp_ns: int, data: bytes) -> None:
        """Append a message; after `close` it is dropped."""
        if not self._open:
            return
        self._last = max(self._last, stamp_ns)
        self._writer.write(channel, self._last, data)

    def close(self) -> None:
        """Finish the file."""
        if self._open:
            self._open = False
            self._writer.close()

    def abort(self) -> None:
        """Leave the file as it is, for want of a disk; it is not a recording then."""
        self._open = False
        self._writer.abort()
