"""Integrate-and-fire with one threshold (IF, LIF, PLIF), or with a threshold and a width for each time step (DS-ATGO).

    s = 1 if h >= threshold else 0
    v = h (1 - s) + rest s   (hard)   or   v = h - threshold s   (soft)

and in the backward pass, where g is the gradient of the quantity in its index and slope that of the surrogate:

    g_h = (g_s + g_v dv/ds) slope((h - threshold) / width) / width + g_v dv/dh
    g_a = (g_s + g_v dv/ds) dS/da

with dv/ds = rest - h (hard), -threshold (soft), 0 if the reset is detached, dv/dh = 1 - s (hard), 1 (soft), and
S the smooth step of a surrogate with a learned parameter a. OPTIONS: soft, detached, wide (the width is not 1).
The reference is `Dynamics` in `snnlab/kernels/contract.py`.
"""

import triton
import triton.language as tl


@triton.jit
def fire(h, threshold, lower, rest, OPTIONS: tl.constexpr):
    fired = h >= threshold
    s = fired.to(tl.float32)
    if OPTIONS[0]:
        return s, h - threshold * s
    return s, tl.where(fired, rest, h)


@triton.jit
def adjoint(
    h,
    grad_s,
    grad_v,
    threshold,
    lower,
    rest,
    width,
    a,
    OPTIONS: tl.constexpr,
    SLOPE: tl.constexpr,
    LEARN: tl.constexpr,
    UP: tl.constexpr,
    DOWN: tl.constexpr,
):
    u = h - threshold
    if OPTIONS[2]:
        narrow = 1 / width  # one division for all elements
        slope = SLOPE(u * narrow, a, UP) * narrow
        u = u * narrow
    else:
        slope = SLOPE(u, a, UP)
    if OPTIONS[0]:
        if not OPTIONS[1]:
            grad_s -= grad_v * threshold
    else:
        if not OPTIONS[1]:
            grad_s -= grad_v * (h - rest)
        grad_v = tl.where(h >= threshold, 0.0, grad_v)
    grad_a = grad_s * LEARN(u, a, UP) if LEARN is not None else grad_s
    return grad_s * slope + grad_v, grad_a
