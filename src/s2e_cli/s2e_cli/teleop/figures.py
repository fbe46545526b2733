"""Figures as bytes."""

from __future__ import annotations

import io
from typing import Any

_DATES = {'svg': {'Date': None}, 'pdf': {'CreationDate': None}, 'png': {}}


def figure_bytes(figure: Any, form: str) -> bytes:
    """Return a figure as svg, pdf or png; equal figures give equal bytes."""
    import matplotlib as mpl

    data = io.BytesIO()
    # Letters in a PDF stay letters.
    with mpl.rc_context({'svg.hashsalt': 's2e', 'pdf.fonttype': 42}):
        figure.savefig(data, format=form, dpi=120, metadata=_DATES[form])
    return data.getvalue()
