"""Kernels: which blocks are in view, and where their gaussians fall on the screen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from navbench_gs.render.constants import DILATION
from navbench_gs.render.cpu.jit import kernel
from navbench_gs.render.cpu.prepare import BLOCK
from navbench_gs.render.cpu.shade import shade

# Camera vector `cam` (float32): R[0:9] optical <- cloud row by row, eye[9:12] in the cloud frame,
# fx, fy, cx, cy [12:16], width, height [16:18], near [18],
# tangent limits left, right, up, down [19:23], guard pixels [23].
CAMERA_SIZE = 24

# Item record (float32): u, v, A, B, C, opacity, r, g, b, z, x0, x1, y0, y1 (inclusive pixels).
# q = A dx^2 + B dx dy + C dy^2 is the exponent divided by -8: exp(q)^8 exp(0).
ITEM_SIZE = 16

_BLUR = np.float32(DILATION)
_HALF = np.float32(0.5)


@kernel
def visible_blocks(cam: Any, bounds: Any, out: Any) -> int:
    """Write the indices of blocks that may touch the image to `out`; return how many.

    A block is out when its box, grown by its largest gaussian, lies wholly beyond one plane of
    the frustum. The side planes are moved out by the guard pixels of the screen filter.
    """
    found = 0
    guard = cam[23]
    left = (-cam[14] - guard) / cam[12]
    right = (cam[16] - cam[14] + guard) / cam[12]
    top = (-cam[15] - guard) / cam[13]
    bottom = (cam[17] - cam[15] + guard) / cam[13]
    for block in range(bounds.shape[0]):
        radius = bounds[block, 6]
        inside = True
        for plane in range(5):
            # Plane normals in the optical frame: inside where n . x >= 0 (near: z >= near).
            nx, ny, nz = np.float32(0.0), np.float32(0.0), np.float32(1.0)
            if plane == 0:
                nx, nz = np.float32(1.0), -left
            elif plane == 1:
                nx, nz = np.float32(-1.0), right
            elif plane == 2:
                ny, nz = np.float32(1.0), -top
            elif plane == 3:
                ny, nz = np.float32(-1.0), bottom
            far = np.float32(0.0)
            for axis in range(3):
                normal = nx * cam[axis] + ny * cam[3 + axis] + nz * cam[6 + axis]
                corner = bounds[block, 3 + axis] if normal > 0.0 else bounds[block, axis]
                far += normal * (corner - cam[9 + axis])
            # Gaussians are culled by their centre at the near plane, by their reach elsewhere;
            # the linearised footprint is at most sqrt(1 + tan^2) wider than the sphere, and the
            # clamped tangents bound that factor.
            if plane == 4:
                inside = inside and far >= cam[18]
            else:
                length = math.sqrt(nx * nx + ny * ny + nz * nz)
                inside = inside and far >= -radius * length * cam_stretch(cam)
        if inside:
            out[found] = block
            found += 1
    return found


@kernel
def cam_stretch(cam: Any) -> float:
    """Bound on |row of the projection's Jacobian| z / f, from the clamped tangents."""
    tx = max(-cam[19], cam[20])
    ty = max(-cam[21], cam[22])
    return math.sqrt(np.float32(1.0) + max(tx * tx, ty * ty))


@kernel
def _project_block(
    cam: Any, means: Any, covariances: Any, first: int, scratch: Any
) -> None:
    """Fill `scratch` [6, BLOCK] with z, u, v and the covariance xx, xy, yy of one block.

    Branch-free so that it compiles to vector code. Source of the equations: Zwicker et al.,
    "EWA volume splatting" (2001), eq. 23 ff., with tangents clamped as in 3DGS.
    """
    start = np.uint64(first)
    for lane in range(np.uint64(BLOCK)):
        i = start + lane
        dx = means[0, i] - cam[9]
        dy = means[1, i] - cam[10]
        dz = means[2, i] - cam[11]
        x = cam[0] * dx + cam[1] * dy + cam[2] * dz
        y = cam[3] * dx + cam[4] * dy + cam[5] * dz
        z = cam[6] * dx + cam[7] * dy + cam[8] * dz
        inverse = np.float32(1.0) / z
        tx = x * inverse
        ty = y * inverse
        cx = min(max(tx, cam[19]), cam[20])
        cy = min(max(ty, cam[21]), cam[22])
        fx = cam[12] * inverse
        fy = cam[13] * inverse
        # Rows of J R: gradients of the pixel coordinates in the cloud frame.
        ax = fx * (cam[0] - cx * cam[6])
        ay = fx * (cam[1] - cx * cam[7])
        az = fx * (cam[2] - cx * cam[8])
        bx = fy * (cam[3] - cy * cam[6])
        by = fy * (cam[4] - cy * cam[7])
        bz = fy * (cam[5] - cy * cam[8])
        sxx, sxy, sxz = covariances[0, i], covariances[1, i], covariances[2, i]
        syy, syz, szz = covariances[3, i], covariances[4, i], covariances[5, i]
        px = sxx * ax + sxy * ay + sxz * az
        py = sxy * ax + syy * ay + syz * az
        pz = sxz * ax + syz * ay + szz * az
        scratch[0, lane] = z
        scratch[1, lane] = cam[12] * tx + cam[14]
        scratch[2, lane] = cam[13] * ty + cam[15]
        scratch[3, lane] = ax * px + ay * py + az * pz
        scratch[4, lane] = bx * px + by * py + bz * pz
        scratch[5, lane] = (
            bx * (sxx * bx + sxy * by + sxz * bz)
            + by * (sxy * bx + syy * by + syz * bz)
            + bz * (sxz * bx + syz * by + szz * bz)
        )


@kernel
def project(
    cam: Any,
    means: Any,
    covariances: Any,
    reach: Any,
    looks: Any,
    sh: Any,
    degree: int,
    blocks: Any,
    scratch: Any,
    items: Any,
    first_item: int,
) -> int:
    """Project the named blocks; append one record per gaussian that touches a pixel centre.

    Returns the index after the last item written (starting at `first_item`).
    """
    count = first_item
    last_x = cam[16] - np.float32(1.0)
    last_y = cam[17] - np.float32(1.0)
    near = cam[18]
    for which in range(len(blocks)):
        first = blocks[which] * BLOCK
        _project_block(cam, means, covariances, first, scratch)
        for lane in range(BLOCK):
            i = first + lane
            z = scratch[0, lane]
            if not (z >= near) or reach[i] < 0.0:
                continue
            u = scratch[1, lane]
            v = scratch[2, lane]
            xx = scratch[3, lane] + _BLUR
            yy = scratch[5, lane] + _BLUR
            half_width = math.sqrt(reach[i] * xx)
            half_height = math.sqrt(reach[i] * yy)
            x0 = max(math.ceil(u - half_width - _HALF), np.float32(0.0))
            x1 = min(math.floor(u + half_width - _HALF), last_x)
            y0 = max(math.ceil(v - half_height - _HALF), np.float32(0.0))
            y1 = min(math.floor(v + half_height - _HALF), last_y)
            if not (x0 <= x1 and y0 <= y1):
                continue
            # Float64: the determinant of a long thin footprint loses all digits in float32.
            xy = np.float64(scratch[4, lane])
            scale = -0.0625 / max(np.float64(xx) * np.float64(yy) - xy * xy, 1e-12)
            item = items[count]
            item[0] = u
            item[1] = v
            item[2] = yy * scale
            item[3] = -2.0 * xy * scale
            item[4] = xx * scale
            item[5] = looks[i, 0]
            if degree == 0:
                item[6] = looks[i, 1]
                item[7] = looks[i, 2]
                item[8] = looks[i, 3]
            else:
                shade(
                    means[0, i] - cam[9],
                    means[1, i] - cam[10],
                    means[2, i] - cam[11],
                    sh[i],
                    degree,
                    item,
                )
            item[9] = z
            item[10] = x0
            item[11] = x1
            item[12] = y0
            item[13] = y1
            count += 1
    return count
