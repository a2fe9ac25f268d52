"""Circulate firing: several spikes of either sign in a time step, at thresholds spaced by `threshold` and `lower`.

    p = sum over k = 1..K_P of [h >= k threshold],  n = sum over k = 1..K_N of [h <= -k lower]
    s = p - n
    v = h - threshold p + lower n   (subtract emitted)   or   h - threshold [p > 0] + lower [n > 0]   (subtract one)

and in the backward pass, where each bracket is a step function with the surrogate's slope around its threshold,

    g_h = g_v + sum over k of (g_s - threshold g_v) slope(h - k threshold)
              + sum over k of (g_s - lower g_v) slope(-h - k lower)

where g_v is omitted in both sums if the reset is detached, and for k > 1 if it subtracts one. The gradient of the
surrogate's parameter a has these sums with dS/da in place of the slope and the second sum negative. OPTIONS: K_P,
K_N, subtract one, detached. The reference is `_Circulation` in `snnlab/neurons/cf.py`.
"""

import triton
import triton.language as tl


@triton.jit
def fire(h, threshold, lower, rest, OPTIONS: tl.constexpr):
    p = (h >= threshold).to(tl.float32)
    n = tl.zeros_like(p)
    for k in tl.static_range(2, OPTIONS[0] + 1):
        p += (h >= k * threshold).to(tl.float32)
    for k in tl.static_range(1, OPTIONS[1] + 1):
        n += (h <= -k * lower).to(tl.float32)
    s = p - n
    if OPTIONS[2]:
        p = tl.minimum(p, 1.0)
        n = tl.minimum(n, 1.0)
    return s, h - p * threshold + n * lower


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
    grad_h = grad_v
    grad_a = tl.zeros_like(h)
    for k in tl.static_range(1, OPTIONS[0] + 1):
        grad = grad_s
        if not OPTIONS[3] and (k == 1 or not OPTIONS[2]):
            grad = grad_s - grad_v * threshold
        u = h - k * threshold
        grad_h += grad * SLOPE(u, a, UP)
        if LEARN is not None:
            grad_a += grad * LEARN(u, a, UP)
    for k in tl.static_range(1, OPTIONS[1] + 1):
        grad = grad_s
        if not OPTIONS[3] and (k == 1 or not OPTIONS[2]):
            grad = grad_s - grad_v * lower
        u = -h - k * lower
        grad_h += grad * SLOPE(u, a, DOWN)
        if LEARN is not None:
            grad_a -= grad * LEARN(u, a, DOWN)
    return grad_h, grad_a
