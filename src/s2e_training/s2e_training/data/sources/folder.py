"""Numbered pictures in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from s2e_core.errors import ContractError
from s2e_core.pixels import rgb_from_encoded
from s2e_training.errors import TrainingError

SUFFIXES = {'.jpg', '.jpeg', '.png', '.bmp', '.webp', '.ppm', '.pgm'}
MAX_FILE_BYTES = 200_000_000


def image_files(folder: Path) -> list[Path]:
    """List the pictures of a folder by the numbers in their names, then by name.

    Raises:
        TrainingError: There is none.
    """
    if not folder.is_dir():
        raise TrainingError(f'{folder}: no such folder of images')
    found = [
        path for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith('.')
    ]
    if not found:
        raise TrainingError(f'{folder}: holds no picture ({", ".join(sorted(SUFFIXES))})')
    return sorted(found, key=_natural)


def has_images(folder: Path) -> bool:
    """Whether a folder holds a picture."""
    return folder.is_dir() and any(path.suffix.lower() in SUFFIXES for path in folder.iterdir())


def read_image(path: Path) -> np.ndarray:
    """Read a picture. [H, W, 3] uint8, RGB

    Raises:
        TrainingError: Missing, too large or no picture.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise TrainingError(f'{path}: a picture may have {MAX_FILE_BYTES} bytes, got {size}')
        return rgb_from_encoded(path.read_bytes(), path.name)
    except OSError as error:
        raise TrainingError(f'{path}: cannot be read: {error.strerror}') from error
    except ContractError as error:
        raise TrainingError(f'{path}: {error}') from error


class FileImages:
    """A `Loader` over files."""

    def __init__(self, files: Sequence[Path]) -> None:
        """Take the files in order."""
        self.files = list(files)

    def __call__(self, wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Decode; a file that is no picture is left out."""
        for index in wanted:
            try:
                yield index, read_image(self.files[index])
            except TrainingError:
                continue

    def size(self) -> tuple[int, int]:
        """Return width and height of the first picture.

        Raises:
            TrainingError: It cannot be read.
        """
        height, width = read_image(self.files[0]).shape[:2]
        return width, height


def _natural(path: Path) -> tuple[list[int], str]:
    return [int(digits) for digits in re.findall(r'\d+', path.stem)], path.name
