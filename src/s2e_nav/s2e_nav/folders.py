"""Folders that launch arguments name: told before anything starts if they cannot be written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from s2e_nav.errors import StartError


def check_folder(values: Mapping[str, str], argument: str) -> None:
    """Refuse a folder that this user could neither make nor write into; nothing is made here.

    Args:
        values: Launch arguments by name; an empty one names no folder.
        argument: The one to look at.

    Raises:
        StartError: With the part of the path that is in the way.
    """
    if not values[argument]:
        return
    path = Path(values[argument]).expanduser().absolute()
    try:
        nearest = next(place for place in (path, *path.parents) if place.exists())
    except OSError as error:
        raise StartError(f'{argument}:= {path}: {error.strerror}') from error
    if not nearest.is_dir():
        raise StartError(f'{argument}:= {path}: {nearest} is no folder')
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise StartError(f'{argument}:= {path}: {nearest} cannot be written into')
