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

# Item record (float32): u, v, A, B, C, opacity, r, g, b, z, x0, x1, y0, y1 (inclusive pixels), the
# exponent at which it ceases to be drawn; alpha = opacity exp(A dx^2 + B dx dy + C dy^2)^8.
ITEM_SIZE = 16
# Item head (int32), for the binning passes: bit pattern of z, x0 + 2^16 x1, y0 + 2^16 y1, index in
# the prepared cloud.
HEAD_SIZE = 4

_BLUR = np.float32(DILATION)
_HALF = np.float32(0.5)
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
# Half the squared reach over 8, and 1 % further so that rounding never cuts a drawn pixel.
_CUT = np.float32(-1.01 / 16.0)
SCRATCH_ROWS = 8
SPAN_ROWS = 4


@kernel
def visible_blocks(cam: Any, bounds: Any, out: Any, depth: Any) -> int:
    """Write the indices of blocks that may touch the image to `out`; return how many.

    `depth` receives the least z of the centres of each of them.

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
        nearest = np.float32(0.0)
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
            nearest = np.float32(0.0)
            for axis in range(3):
                normal = nx * cam[axis] + ny * cam[3 + axis] + nz * cam[6 + axis]
                low = normal * (bounds[block, axis] - cam[9 + axis])
                high = normal * (bounds[block, 3 + axis] - cam[9 + axis])
                far += max(low, high)
                nearest += min(low, high)
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
            # The loop ends with the viewing direction as normal.
            depth[found] = nearest
            found += 1
    return found


@kernel
def sort_few(blocks: Any, nearest: Any) -> None:
    """Sort blocks by their nearest point, both [N] in place; equals keep their order."""
    for k in range(1, len(blocks)):
        block, key = blocks[k], nearest[k]
        at = k
        while at > 0 and nearest[at - 1] > key:
            blocks[at], nearest[at] = blocks[at - 1], nearest[at - 1]
            at -= 1
        blocks[at], nearest[at] = block, key


@kernel
def cam_stretch(cam: Any) -> float:
    """Bound on |row of the projection's Jacobian| z / f, from the clamped tangents."""
    tx = max(-cam[19], cam[20])
    ty = max(-cam[21], cam[22])
    return math.sqrt(np.float32(1.0) + max(tx * tx, ty * ty))


@kernel
def project_block(
    cam: Any, means: Any, covariances: Any, reach: Any, first: int, scratch: Any
) -> None:
    """Fill `scratch` [8, BLOCK]: z, u, v, covariance xx, xy, yy, half width, half height.

    Branch-free, and with the camera in local variables (stores might alias it), so that it
    compiles to vector code. Source of the equations: Zwicker et al., "EWA volume splatting"
    (2001), eq. 23 ff., with tangents clamped as in 3DGS.
    """
    r00, r01, r02, r10, r11, r12 = cam[0], cam[1], cam[2], cam[3], cam[4], cam[5]
    r20, r21, r22, eye_x, eye_y, eye_z = cam[6], cam[7], cam[8], cam[9], cam[10], cam[11]
    focal_x, focal_y, centre_x, centre_y = cam[12], cam[13], cam[14], cam[15]
    left, right, top, bottom = cam[19], cam[20], cam[21], cam[22]
    start = np.uint64(first)
    for lane in range(np.uint64(BLOCK)):
        i = start + lane
        dx = means[0, i] - eye_x
        dy = means[1, i] - eye_y
        dz = means[2, i] - eye_z
        z = r20 * dx + r21 * dy + r22 * dz
        inverse = _ONE / z
        tx = (r00 * dx + r01 * dy + r02 * dz) * inverse
        ty = (r10 * dx + r11 * dy + r12 * dz) * inverse
        cx = min(max(tx, left), right)
        cy = min(max(ty, top), bottom)
        fx = focal_x * inverse
        fy = focal_y * inverse
        # Rows of J R: gradients of the pixel coordinates in the cloud frame.
        ax = fx * (r00 - cx * r20)
        ay = fx * (r01 - cx * r21)
        az = fx * (r02 - cx * r22)
        bx = fy * (r10 - cy * r20)
        by = fy * (r11 - cy * r21)
        bz = fy * (r12 - cy * r22)
        sxx, sxy, sxz = covariances[0, i], covariances[1, i], covariances[2, i]
        syy, syz, szz = covariances[3, i], covariances[4, i], covariances[5, i]
        px = sxx * ax + sxy * ay + sxz * az
        py = sxy * ax + syy * ay + syz * az
        pz = sxz * ax + syz * ay + szz * az
        qx = sxx * bx + sxy * by + sxz * bz
        qy = sxy * bx + syy * by + syz * bz
        qz = sxz * bx + syz * by + szz * bz
        xx = ax * px + ay * py + az * pz + _BLUR
        yy = bx * qx + by * qy + bz * qz + _BLUR
        # Padding has a reach below zero and comes out with no extent.
        extent = max(reach[i], _ZERO)
        scratch[0, lane] = z
        scratch[1, lane] = focal_x * tx + centre_x
        scratch[2, lane] = focal_y * ty + centre_y
        scratch[3, lane] = xx
        scratch[4, lane] = bx * px + by * py + bz * pz
        scratch[5, lane] = yy
        scratch[6, lane] = np.sqrt(extent * xx)
        scratch[7, lane] = np.sqrt(extent * yy)


@kernel
def measure_block(
    reach: Any, first: int, last_x: float, last_y: float, near: float, scratch: Any, spans: Any
) -> None:
    """Fill `spans` int32 [4, BLOCK]: x0, x1, y0, y1 (inclusive) of the pixels that are touched.

    Where there are none x1 is -1. `scratch` is what `project_block` filled; the covariances in it
    give way to A, B and C of the item record. `last_x`, `last_y` are the image's last pixels.
    Branch-free like `project_block`.
    """
    start = np.uint64(first)
    for lane in range(np.uint64(BLOCK)):
        # Float64: the determinant of a long thin footprint loses all digits in float32.
        xx, yy = np.float64(scratch[3, lane]), np.float64(scratch[5, lane])
        xy = np.float64(scratch[4, lane])
        scale = -0.0625 / max(xx * yy - xy * xy, 1e-12)
        scratch[3, lane] = yy * scale
        scratch[4, lane] = -2.0 * xy * scale
        scratch[5, lane] = xx * scale
    for lane in range(np.uint64(BLOCK)):
        u = scratch[1, lane] - _HALF
        v = scratch[2, lane] - _HALF
        low_x = max(u - scratch[6, lane], _ZERO)
        high_x = min(u + scratch[6, lane], last_x)
        low_y = max(v - scratch[7, lane], _ZERO)
        high_y = min(v + scratch[7, lane], last_y)
        inside = (scratch[0, lane] >= near) & (low_x <= high_x) & (low_y <= high_y)
        inside &= reach[start + lane] >= _ZERO
        # What lies beside the image may not fit an integer.
        low_x, low_y = low_x if inside else _ZERO, low_y if inside else _ZERO
        high_x, high_y = high_x if inside else _ZERO, high_y if inside else _ZERO
        # Truncation is the floor of what is not negative; the ceiling adds one if needed.
        x0, y0 = np.int32(low_x), np.int32(low_y)
        x0 += np.int32(np.float32(x0) < low_x)
        y0 += np.int32(np.float32(y0) < low_y)
        x1, y1 = np.int32(high_x), np.int32(high_y)
        spans[0, lane] = x0
        spans[1, lane] = x1 if inside & (x0 <= x1) & (y0 <= y1) else np.int32(-1)
        spans[2, lane] = y0
        spans[3, lane] = y1


@kernel
def write_item(
    cam: Any, means: Any, reach: Any, looks: Any, sh: Any, degree: int, scratch: Any, spans: Any,
    i: int, lane: int, item: Any,
) -> None:
    """Write the record of gaussian `i`, which lies in `lane` of what `measure_block` filled."""
    item[0] = scratch[1, lane]
    item[1] = scratch[2, lane]
    item[2] = scratch[3, lane]
    item[3] = scratch[4, lane]
    item[4] = scratch[5, lane]
    item[5] = looks[i, 0]
    if degree == 0:
        item[6] = looks[i, 1]
        item[7] = looks[i, 2]
        item[8] = looks[i, 3]
    else:
        dx, dy, dz = means[0, i] - cam[9], means[1, i] - cam[10], means[2, i] - cam[11]
        shade(dx, dy, dz, sh[i], degree, item)
    item[9] = scratch[0, lane]
    item[10] = spans[0, lane]
    item[11] = spans[1, lane]
    item[12] = spans[2, lane]
    item[13] = spans[3, lane]
    item[14] = reach[i] * _CUT


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
    spans: Any,
    items: Any,
    depths: Any,
    heads: Any,
    first_item: int,
) -> int:
    """Project the named blocks; append one record per gaussian that touches a pixel centre.

    `scratch` is float32 [SCRATCH_ROWS, BLOCK], `spans` int32 [SPAN_ROWS, BLOCK], `items` float32
    [capacity, ITEM_SIZE]; `depths` and `heads` are one array [capacity, HEAD_SIZE], seen as
    float32 and as int32. Returns the index after the last item written, counting from
    `first_item`.
    """
    count = first_item
    last_x, last_y, near = cam[16] - _ONE, cam[17] - _ONE, cam[18]
    for which in range(len(blocks)):
        first = blocks[which] * BLOCK
        project_block(cam, means, covariances, reach, first, scratch)
        measure_block(reach, first, last_x, last_y, near, scratch, spans)
        for lane in range(BLOCK):
            if spans[1, lane] < 0:
                continue
            i = first + lane
            write_item(
                cam, means, reach, looks, sh, degree, scratch, spans, i, lane, items[count]
            )
            depths[count, 0] = scratch[0, lane]
            heads[count, 1] = spans[0, lane] | (spans[1, lane] << np.int32(16))
            heads[count, 2] = spans[2, lane] | (spans[3, lane] << np.int32(16))
            heads[count, 3] = i
            count += 1
    return count
