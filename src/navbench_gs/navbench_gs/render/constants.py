"""The numbers that define a picture; every back end takes them from here."""

from __future__ import annotations

DILATION = 0.3
"""Added to both diagonal entries of the projected covariance, pixels^2 (classic 3DGS filter)."""
MIN_ALPHA = 1.0 / 255.0
"""A gaussian is not drawn where it covers less than this: half a step of 8-bit colour at most."""
MAX_ALPHA = 0.999
"""Coverage is capped here, so light is never cut off by one gaussian alone."""
MIN_TRANSMITTANCE = 1.0e-4
"""A pixel is finished before the gaussian that would let through less than this."""
CLAMP_MARGIN = 0.3
"""The projection is linearised at most this fraction of half the view beyond the image's edge."""
MEDIAN_TRANSMITTANCE = 0.5
"""Depth is that of the gaussian at which the light let through falls to this or below."""
DEFAULT_BACKGROUND = (0.62, 0.71, 0.82)
"""Colour behind everything, RGB in [0, 1]: a hazy sky."""
