"""The film of an episode: what the camera saw and what the policy proposed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import ReportError
from navbench_gs.report import ink
from navbench_gs.report.topview import TRUTH
from navbench_gs.report.uncertainty import ellipse
from s2e_core.camera import CameraModel, CameraMount, project
from s2e_core.contract import PolicyOutput
from s2e_core.records import CameraFrame

STILLS = 8
"""Pictures kept for the camera strip."""
_STILL_WIDTH = 320
_MODES_DRAWN = 24
_STANDS = 0.2
"""A plan that stays within this many metres stands, as in training; it has no ribbon."""


class EpisodeFilm:
    """An H.264 film in the yuv420p form that browsers play, and stills of it.

    The policy's modes are drawn on the ground they lie on, coloured by score; the chosen one is
    a ribbon as wide as the robot.
    """

    def __init__(
        self,
        path: Path,
        camera: CameraModel,
        mount: CameraMount,
        fps: int = 5,
        *,
        width: int = 640,
        robot_width: float = 0.6,
        stills: Path | None = None,
    ) -> None:
        """Open the file.

        Args:
            path: Film; its folder is made. It appears under this name once closed.
            camera: Camera of the frames; the film has the aspect in which its pixels are square.
            mount: Where the camera sits.
            fps: Frames per second of film; 5 plays a 0.2 s policy in real time.
            width: Width of the film, pixels.
            robot_width: Width of the ribbon, metres.
            stills: Folder of the stills, named `<film>_<k>.jpg`; none are kept without it.

        Raises:
            ReportError: the file cannot be written.
        """
        width -= width % 2
        height = 2 * round(0.5 * width * camera.height / camera.width * camera.fx / camera.fy)
        self._camera, self._mount = camera.scaled(width, height), mount
        self._size, self._robot_width = (width, height), robot_width
        self._path, self._draft = path, path.with_name(f'.{path.name}.tmp.mp4')
        self._stills_folder, self._fps = stills, fps
        self._stills: list[NDArray[np.uint8]] = []
        self._stride, self._count = 1, 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(self._draft), 'w', options={'movflags': 'faststart'})
        except (OSError, av.error.FFmpegError) as error:
            raise ReportError(f'{path}: cannot be written: {error}') from error
        stream = self._container.add_stream(
            'libx264', rate=fps, options={'crf': '23', 'preset': 'veryfast'}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
        stream.time_base = Fraction(1, fps)
        # One thread: the film of a run must not compete with the run.
        stream.codec_context.thread_count = 1
        self._stream = stream

    def add(
        self,
        frame: CameraFrame,
        output: PolicyOutput | None,
        chosen: int | None,
        caption: Mapping[str, Any],
    ) -> None:
        """Add one image.

        Args:
            frame: Image of any size in the camera's view.
            output: What the policy answered.
            chosen: Index of the chosen mode; None or negative draws no ribbon.
            caption: Any of `title` and `status` (text), `time` (s), `speed` (m/s), `distance`
                (m to the goal), `bearing` (rad to the goal, base_link), `goal` (x, y in
                base_link), `truth` (way really driven, base_link, [T, 2]), `contact` (bool),
                `inset` ([h, w, 3] uint8 map for the corner).
        """
        picture = self._enlarged(frame.rgb)
        if output is not None:
            self._draw_modes(picture, output, -1 if chosen is None else chosen)
        if caption.get('truth') is not None:
            ink.polyline(picture, self._on_ground(_dense(caption['truth'])), TRUTH,
                         max(2, round(self._size[0] / 320)))
        picture = self._draw_caption(picture, _scores(output, chosen), caption)
        video = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format='rgb24')
        video.pts = self._count
        for packet in self._stream.encode(video):
            self._container.mux(packet)
        self._keep(picture)
        self._count += 1

    def close(self) -> None:
        """Finish the file and write the stills; a film without frames leaves none."""
        for packet in self._stream.encode():
            self._container.mux(packet)
        self._container.close()
        if self._count == 0:
            self._draft.unlink(missing_ok=True)
            return
        self._draft.replace(self._path)
        self._write_stills()

    def __enter__(self) -> EpisodeFilm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _enlarged(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        grows = rgb.shape[1] < self._size[0]
        method = cv2.INTER_CUBIC if grows else cv2.INTER_AREA
        return np.array(cv2.resize(rgb, self._size, interpolation=method))

    def _draw_modes(self, picture: NDArray[np.uint8], output: PolicyOutput, chosen: int) -> None:
        best = max(float(output.scores.max()), 1e-9)
        order = np.argsort(output.scores, kind='stable')[-_MODES_DRAWN:]
        unit = self._size[0] / 640.0
        for index in order:
            mode = output.modes[index]
            if index == chosen or not np.isfinite(mode).all():
                continue
            share = float(output.scores[index]) / best
            pixels = self._on_ground(_dense(mode))
            ink.polyline(picture, pixels, ink.score_colour(share),
                         max(1, round(unit * (1 + 2 * share))), 0.35 + 0.5 * share)
        if 0 <= chosen < len(output.modes) and np.isfinite(output.modes[chosen]).all():
            self._draw_chosen(picture, _dense(output.modes[chosen]), unit)
            self._draw_uncertainty(picture, output, chosen, unit)

    def _draw_uncertainty(
        self, picture: NDArray[np.uint8], output: PolicyOutput, chosen: int, unit: float
    ) -> None:
        """Outline where the chosen mode's waypoints at 1 and 2 s lie with probability 0.5."""
        if output.sigmas is None:
            return
        for k in (4, 9):
            rho = 0.0 if output.rho is None else float(output.rho[chosen, k])
            outline = ellipse(output.modes[chosen, k], output.sigmas[chosen, k], rho)
            ink.polyline(picture, self._on_ground(outline), ink.INK, max(1, round(unit)), 0.6)

    def _draw_chosen(
        self, picture: NDArray[np.uint8], points: NDArray[np.float64], unit: float
    ) -> None:
        if not _stands(points):
            left, right = _sides(points, 0.5 * self._robot_width)
            ink.ribbon(picture, self._on_ground(left), self._on_ground(right), ink.CHOSEN, 0.5)
            for side in (left, right):
                ink.polyline(picture, self._on_ground(side), ink.CHOSEN, max(1, round(unit)), 0.7)
        ink.polyline(picture, self._on_ground(points), ink.INK, max(1, round(2 * unit)))

    def _on_ground(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Project base_link floor points `[P, 2]` to pixels, NaN behind the camera. [P, 2]"""
        ground = np.column_stack([points, np.zeros(len(points))])
        return project(self._camera, self._mount, ground, near=0.15)[0]

    def _draw_caption(
        self, picture: NDArray[np.uint8], scores: str, caption: Mapping[str, Any]
    ) -> NDArray[np.uint8]:
        width, height = self._size
        unit = width / 640.0
        if 'goal' in caption:
            pixel = self._on_ground(np.array([caption['goal']]))[0]
            ink.disc(picture, (float(pixel[0]), float(pixel[1])), 6 * unit, ink.GOAL)
        ink.darken(picture, round(height - 64 * unit), height, 0.75)
        if 'bearing' in caption and math.isfinite(caption['bearing']):
            ink.dial(picture, (width / 2, height - 34 * unit), 24 * unit, caption['bearing'])
        if caption.get('contact'):
            cv2.rectangle(picture, (0, 0), (width - 1, height - 1), ink.CONTACT,
                          round(8 * unit))
        inset = caption.get('inset')
        if inset is not None:
            _paste(picture, inset, round(10 * unit))
        return ink.texts(picture, self._lines(scores, caption, unit))

    def _lines(
        self, scores: str, caption: Mapping[str, Any], unit: float
    ) -> list[tuple[str, tuple[float, float], int, ink.Rgb, bool]]:
        width, height = self._size
        big, small = round(20 * unit), round(12 * unit)
        low, high = height - 14 * unit, height - 36 * unit
        lines: list[tuple[str, tuple[float, float], int, ink.Rgb, bool]] = []
        if 'speed' in caption:
            lines.append((f'{caption["speed"]:.1f} m/s', (14 * unit, high), big, ink.INK, True))
        if 'time' in caption:
            lines.append((f't {caption["time"]:.1f} s', (14 * unit, low), small, ink.INK, False))
        if 'distance' in caption and math.isfinite(caption['distance']):
            lines.append((f'{caption["distance"]:.1f} m to goal', (width / 2 + 40 * unit, high),
                          big, ink.GOAL, True))
        if scores:
            lines.append((scores, (width / 2 + 40 * unit, low), small, ink.INK, False))
        for key, row in (('title', 20), ('status', 38)):
            if caption.get(key):
                colour = ink.CONTACT if key == 'status' and caption.get('contact') else ink.INK
                lines += _outlined(str(caption[key]), (14 * unit, row * unit), small, colour)
        return lines

    def _keep(self, picture: NDArray[np.uint8]) -> None:
        """Keep stills at a stride that doubles, so that any length leaves 8 to 16 of them."""
        if self._stills_folder is None or self._count % self._stride:
            return
        size = (_STILL_WIDTH, round(_STILL_WIDTH * self._size[1] / self._size[0]))
        self._stills.append(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)))
        if len(self._stills) > 2 * STILLS:
            self._stills = self._stills[::2]
            self._stride *= 2

    def _write_stills(self) -> None:
        if self._stills_folder is None or not self._stills:
            return
        self._stills_folder.mkdir(parents=True, exist_ok=True)
        picks = np.linspace(0, len(self._stills) - 1, min(STILLS, len(self._stills)))
        for number, pick in enumerate(np.round(picks).astype(int)):
            path = self._stills_folder / f'{self._path.stem}_{number}.jpg'
            bgr = cv2.cvtColor(self._stills[pick], cv2.COLOR_RGB2BGR)
            if not cv2.imwrite(str(path), bgr, [cv2.IMWRITE_JPEG_QUALITY, 82]):
                raise ReportError(f'{path}: cannot be written')


def _stands(points: NDArray[np.floating]) -> bool:
    """Whether a plan goes nowhere; the jitter of its points is no way."""
    return float(np.hypot(points[:, 0], points[:, 1]).max()) < _STANDS


def _scores(output: PolicyOutput | None, chosen: int | None) -> str:
    """Name the three best scores, and say when the chosen plan is to stand."""
    if output is None:
        return ''
    text = 'scores ' + '  '.join(f'{score:.2f}' for score in np.sort(output.scores)[::-1][:3])
    stands = chosen is not None and 0 <= chosen < len(output.modes)
    return f'{text}  stands' if stands and _stands(output.modes[chosen]) else text


def _dense(mode: NDArray[np.floating], factor: int = 4) -> NDArray[np.float64]:
    """Waypoints from the robot on, `factor` points per step; the first lies at the bumper."""
    points = np.concatenate([np.zeros((1, 2)), np.asarray(mode, np.float64)])
    index = np.arange(len(points))
    fine = np.linspace(0, len(points) - 1, factor * (len(points) - 1) + 1)
    return np.stack([np.interp(fine, index, points[:, axis]) for axis in (0, 1)], axis=1)


def _sides(
    points: NDArray[np.float64], half: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lines `half` metres to the left and right of a path; headings are held where it stands."""
    steps = np.gradient(points, axis=0)
    length = np.hypot(*steps.T)
    heading = np.where(length > 1e-3, np.arctan2(steps[:, 1], steps[:, 0]), np.nan)
    good = np.flatnonzero(np.isfinite(heading))
    if not len(good):
        heading = np.zeros(len(points))
    else:
        heading = np.interp(np.arange(len(points)), good, np.unwrap(heading[good]))
    normal = half * np.stack([-np.sin(heading), np.cos(heading)], axis=1)
    return points + normal, points - normal


def _paste(picture: NDArray[np.uint8], inset: NDArray[np.uint8], margin: int) -> None:
    """Put a map into the upper right corner, framed."""
    h, w = min(inset.shape[0], picture.shape[0]), min(inset.shape[1], picture.shape[1] - margin)
    x = picture.shape[1] - margin - w
    region = picture[margin:margin + h, x:x + w]
    shown = inset[:region.shape[0], :region.shape[1]]
    region[:] = cv2.addWeighted(np.ascontiguousarray(shown), 0.88, region, 0.12, 0.0)
    cv2.rectangle(picture, (x, margin), (x + w - 1, margin + h - 1), ink.INK, 1)


def _outlined(
    text: str, place: tuple[float, float], size: int, colour: ink.Rgb
) -> list[tuple[str, tuple[float, float], int, ink.Rgb, bool]]:
    """A text with a dark edge, to be read on any ground."""
    x, y = place
    shadow = [(text, (x + dx, y + dy), size, (12, 16, 24), True)
              for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    return [*shadow, (text, place, size, colour, True)]
