"""Pictures for pages: one encoding for all who want the same size, never a queue."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np

from s2e_core.errors import ContractError
from s2e_core.pixels import encoded_size, rgb_from_encoded

IN_FLIGHT = 2
"""Pictures on the way to a page near by: one on the wire, one being shown."""
MOST_IN_FLIGHT = 16
"""Pictures on the way at most, however far the page is."""
GIVEN_UP = 1.0
"""A picture that is not confirmed for so long no longer holds the next one back, seconds."""


@dataclass
class Picture:
    """An image of the camera, as a file, as pixels, or both; encoded on demand."""

    number: int
    """Counts the images."""
    capture: float
    """Time of exposure on the robot's steady clock, seconds."""
    jpeg: bytes | None = None
    """The camera's own file."""
    rgb: np.ndarray | None = None
    """[H, W, 3] uint8"""
    _encoded: dict[tuple[int, int], tuple[int, int, bytes]] = field(default_factory=dict)
    _planes: dict[int, np.ndarray] = field(default_factory=dict)

    def encode(self, width: int, quality: int) -> tuple[int, int, bytes]:
        """Return the picture at most so wide.

        The camera's own file is passed on untouched where it is small enough: no second loss, no
        time lost.

        Args:
            width: Widest picture, pixels.
            quality: JPEG quality of pictures that are encoded here.

        Returns:
            Width, height and the bytes of the file.

        Raises:
            ContractError: Neither a file that can be decoded nor pixels.
        """
        key = (width, quality)
        if key not in self._encoded:
            self._encoded[key] = self._pass_on(width) or self._resize(width, quality)
        return self._encoded[key]

    def planes(self, width: int) -> np.ndarray:
        """Return the picture at most so wide as video codecs want it.

        Args:
            width: Widest picture, pixels.

        Returns:
            [H * 3 / 2, W] uint8, Y over U and V at half the size (I420), BT.601; W and H even.

        Raises:
            ContractError: Neither a file that can be decoded nor pixels.
        """
        if width not in self._planes:
            rgb = self._pixels()
            height, full = rgb.shape[:2]
            scale = min(1.0, width / full)
            size = (max(2, round(full * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2))
            if size != (full, height):
                rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
            self._planes[width] = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
        return self._planes[width]

    def _pixels(self) -> np.ndarray:
        if self.rgb is None:
            self.rgb = rgb_from_encoded(self.jpeg or b'', 'camera')
        return self.rgb

    def _pass_on(self, width: int) -> tuple[int, int, bytes] | None:
        # Browsers show JPEGs; a PNG from a robot is encoded anew.
        if self.jpeg is None or self.jpeg[:2] != b'\xff\xd8':
            return None
        size = encoded_size(np.frombuffer(self.jpeg, np.uint8))
        return (*size, self.jpeg) if size is not None and size[0] <= width else None

    def _resize(self, width: int, quality: int) -> tuple[int, int, bytes]:
        rgb = self._pixels()
        height, full = rgb.shape[:2]
        if full > width:
            size = (width, max(1, round(height * width / full)))
            rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        good, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not good:
            raise ContractError(f'video: the JPEG encoder refused {rgb.shape}')
        return rgb.shape[1], rgb.shape[0], data.tobytes()


class Flow:
    """Decides whether a page gets the next picture: only once it has shown those before.

    A slow link then shows fewer pictures, each as new as the link allows, instead of a film that
    falls further and further behind.
    """

    def __init__(self, rate: float) -> None:
        """Start with nothing on the way.

        Args:
            rate: Most pictures a second.
        """
        self._gap = 1.0 / rate
        self._sent: dict[int, tuple[float, float]] = {}
        self._last = -1e9
        self._shown: deque[tuple[float, float]] = deque(maxlen=60)
        self.sent = self.confirmed = 0
        """Pictures so far."""

    def wants(self, now: float, round_trip: float = 0.0) -> bool:
        """Whether a picture may be sent now.

        Args:
            now: Seconds.
            round_trip: Way there and back of a small message, seconds. A far page has as many
                pictures on the way as are sent meanwhile; what a narrow link delays beyond that
                only makes them older.
        """
        for number, (at, _) in list(self._sent.items()):
            if now - at > GIVEN_UP:
                del self._sent[number]
        # A tenth of slack: a camera of the same rate must not lose every other picture to jitter.
        room = min(max(IN_FLIGHT, 1 + math.ceil(round_trip / self._gap)), MOST_IN_FLIGHT)
        return len(self._sent) < room and now - self._last >= 0.9 * self._gap

    def send(self, number: int, capture: float, now: float) -> None:
        """Note a picture on its way."""
        self._sent[number] = (now, capture)
        self._last = now
        self.sent += 1

    def shown(self, number: int, at: float, now: float) -> bool:
        """Note that a picture is on the screen.

        Args:
            number: Of the picture; one that was not sent is left out.
            at: When it was shown, robot's clock, seconds.
            now: Robot's clock, seconds.

        Returns:
            Whether the picture was known.
        """
        entry = self._sent.pop(number, None)
        if entry is None:
            return False
        self.confirmed += 1
        # A page cannot show a picture before it was sent or after it said so.
        self._shown.append((now, min(max(at, entry[0]), now) - entry[1]))
        return True

    def glass_to_glass(self) -> float:
        """Median time from exposure to screen of the newest pictures, seconds; NaN without any."""
        ages = [age for _, age in self._shown]
        return float(np.median(ages)) if ages else float('nan')

    def frame_rate(self, now: float) -> float:
        """Pictures shown in the last two seconds, per second."""
        return sum(now - at <= 2.0 for at, _ in self._shown) / 2.0
