"""Photos with poses to gaussians."""
