"""Mends the include folders that the ROS wheels' CMake files bring from where they were built."""

from __future__ import annotations

import re
from pathlib import Path

# Seen in 16 files of the pinned wheels. Matching by content keeps this right for other pins.
PYTHON_INCLUDE = re.compile(r'/opt/python/cp3\d+-cp3\d+t?/include/python3\.\d+t?')
NUMPY_INCLUDE = re.compile(r'/[^\s;"]*/site-packages/numpy/(?:_core|core)/include')


def patch_cmake_files(share: Path, python_include: str, numpy_include: str) -> int:
    """Replace the builder's include folders by this machine's; safe to do again.

    Args:
        share: `share` folder of the environment.
        python_include: Folder of Python.h.
        numpy_include: Folder of numpy/arrayobject.h's parent.

    Returns:
        How many files changed.
    """
    changed = 0
    for path in share.rglob('*.cmake'):
        text = path.read_text(encoding='utf-8')
        new = PYTHON_INCLUDE.sub(lambda _: python_include, text)
        new = NUMPY_INCLUDE.sub(lambda _: numpy_include, new)
        if new != text:
            path.write_text(new, encoding='utf-8')
            changed += 1
    return changed
