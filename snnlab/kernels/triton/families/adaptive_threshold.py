"""The forward pass of a neuron whose thresholds depend on the potentials of the whole layer: DS-ATGO in training.

    h_t = decay v_{t-1} + x_t
    m_t, d_t = mean and standard deviation (n - 1; 0 for a single number) of all of h_t
    theta_t = f_c (m_t + d_t) or the fixed threshold,  k_t = 2 sigmoid(2 (z_t - threshold)) or 1,  z_t = d_t or theta_t
    s_t, v_t = FIRE(h_t) at theta_t

No element can fire until the whole layer is charged, so each time step takes two launches. `charge` fires step t - 1
(whose theta is known by then), charges step t and stores each program's mean and sum of squared differences. `decide`,
a single program, combines these in a fixed order and writes theta_t and k_t [2, T]. One more `charge` fires the last
step. Between launches h is in a float32 buffer of one step, which each neuron reads and writes once per step: 8 bytes
in addition to input and spike, which stay in the L2 cache if the step is small enough.

The backward pass is the kernel of `back_over_time.py`, called with all theta_t and k_t, which are constants for the
gradient. The reference is `snnlab/neurons/dsatgo.py`.
"""

import triton
import triton.language as tl

from snnlab.kernels.triton.over_time import load_state, offsets


@triton.jit(do_not_specialize=["t"])
def charge(
    x_ptr,
    v_ptr,
    decay_ptr,
    threshold_width_ptr,
    h_ptr,
    spikes_ptr,
    state_ptr,
    parts_ptr,
    t,
    N,
    n0,
    n1,
    n2,
    x_0,
    x_1,
    x_2,
    x_3,
    FIRE: tl.constexpr,
    OPTIONS: tl.constexpr,
    SAME: tl.constexpr,
    FIRST: tl.constexpr,
    LAST: tl.constexpr,
    KEEP_STATE: tl.constexpr,
    RANK: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Fires step t - 1, unless t is the FIRST; charges step t, unless step t - 1 is the LAST.

    x_ptr points to step t, spikes_ptr to step t - 1; parts [programs, 2] receives mean and squared differences.
    """
    program = tl.program_id(0)
    i = program * BLOCK + tl.arange(0, BLOCK)
    mask = i < N
    decay = tl.load(decay_ptr).to(tl.float32)
    if FIRST:
        v = load_state(v_ptr, i, mask, SAME)
    else:
        h = tl.load(h_ptr + i, mask=mask, other=0.0)
        s, v = FIRE(h, tl.load(threshold_width_ptr + t - 1), 0.0, 0.0, OPTIONS)
        tl.store(spikes_ptr + i, s.to(spikes_ptr.dtype.element_ty), mask=mask)
    if LAST:
        if KEEP_STATE:
            tl.store(state_ptr + i, v, mask=mask)
    else:
        x = tl.load(x_ptr + offsets(i, n0, n1, n2, x_0, x_1, x_2, x_3, RANK), mask=mask, other=0.0)
        h = v * decay + x.to(tl.float32)
        tl.store(h_ptr + i, h, mask=mask)
        count = tl.minimum(N - program * BLOCK, BLOCK).to(tl.float32)
        mean = tl.sum(tl.where(mask, h, 0.0), 0) / count
        difference = tl.where(mask, h - mean, 0.0)
        tl.store(parts_ptr + 2 * program, mean)
        tl.store(parts_ptr + 2 * program + 1, tl.sum(difference * difference, 0))


@triton.jit(do_not_specialize=["t", "T", "N", "programs"])
def decide(
    parts_ptr,
    threshold_width_ptr,
    t,
    T,
    N,
    programs,
    f_c,
    threshold,
    ADAPTIVE_THRESHOLD: tl.constexpr,
    ADAPTIVE_WIDTH: tl.constexpr,
    BY_DEVIATION: tl.constexpr,
    PART: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Computes threshold and width of step t from the parts, each of which covers PART elements except the last."""
    n = N.to(tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    for first in range(0, programs, BLOCK):
        part = first + tl.arange(0, BLOCK)
        count = tl.minimum(N - part * PART, PART).to(tl.float32)
        mean = tl.load(parts_ptr + 2 * part, mask=part < programs, other=0.0)
        total += tl.where(part < programs, count / n * mean, 0.0)
    mean = tl.sum(total, 0)
    squares = tl.zeros([BLOCK], tl.float32)
    for first in range(0, programs, BLOCK):
        part = first + tl.arange(0, BLOCK)
        count = tl.minimum(N - part * PART, PART).to(tl.float32)
        off = tl.load(parts_ptr + 2 * part, mask=part < programs, other=0.0) - mean
        within = tl.load(parts_ptr + 2 * part + 1, mask=part < programs, other=0.0)
        squares += tl.where(part < programs, within + count * off * off, 0.0)
    deviation = tl.sqrt(tl.sum(squares, 0) / tl.maximum(n - 1, 1.0))
    adaptive = f_c * (mean + deviation)
    fires_at = adaptive if ADAPTIVE_THRESHOLD else threshold
    driver = deviation if BY_DEVIATION else adaptive
    width = 2 * tl.sigmoid(2 * (driver - threshold)) if ADAPTIVE_WIDTH else 1.0
    tl.store(threshold_width_ptr + t, fires_at)
    tl.store(threshold_width_ptr + T + t, width)
