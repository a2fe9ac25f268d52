"""The forward pass of a neuron whose thresholds depend on the potentials of the whole layer: DS-ATGO in training.

    h_t = decay v_{t-1} + x_t
    m_t, d_t = mean and standard deviation (n - 1; 0 for a single number) of all of h_t
    theta_t = f_c (m_t + d_t) or the fixed threshold,  k_t = 2 sigmoid(2 (z_t - threshold)) or 1,  z_t = d_t or theta_t
    s_t, v_t = FIRE(h_t) at theta_t

No element can fire until the whole layer is charged, so there are T + 1 launches: launch t fires step t - 1 and charges
step t. Each program does several blocks and stores count, mean and sum of squared differences of its potentials. In the
next launch every program combines the parts of all programs in the same fixed order, at most PARTS of them, so all
arrive at the same theta and no program waits for another; the first one writes theta_t and k_t [2, T].

Between launches h is in a float32 buffer of one step, except for the first step, which is charged again from its input
instead. Odd steps go through the blocks in the opposite order, so that the end of the buffer, which is still in the L2
cache, is read first.

The backward pass is the kernel of `back_over_time.py`, called with all theta_t and k_t, which are constants for the
gradient. The reference is `snnlab/neurons/dsatgo.py`.
"""

import triton
import triton.language as tl

from snnlab.kernels.triton.over_time import load_state, offsets


@triton.jit
def decide(
    parts_ptr,
    N,
    programs,
    f_c,
    threshold,
    ADAPTIVE_THRESHOLD: tl.constexpr,
    ADAPTIVE_WIDTH: tl.constexpr,
    BY_DEVIATION: tl.constexpr,
    PARTS: tl.constexpr,
):
    """Returns threshold and width of a step from its parts [3, programs]: count, mean and squared differences."""
    part = tl.arange(0, PARTS)
    count = tl.load(parts_ptr + part, mask=part < programs, other=0.0)
    of_part = tl.load(parts_ptr + programs + part, mask=part < programs, other=0.0)
    within = tl.load(parts_ptr + 2 * programs + part, mask=part < programs, other=0.0)
    n = N.to(tl.float32)
    mean = tl.sum(count / n * of_part, 0)
    off = of_part - mean
    deviation = tl.sqrt(tl.sum(within + count * off * off, 0) / tl.maximum(n - 1, 1.0))
    adaptive = f_c * (mean + deviation)
    fires_at = adaptive if ADAPTIVE_THRESHOLD else threshold + 0 * adaptive
    driver = deviation if BY_DEVIATION else adaptive
    width = 2 * tl.sigmoid(2 * (driver - threshold)) if ADAPTIVE_WIDTH else 1 + 0 * adaptive
    return fires_at, width


@triton.jit(do_not_specialize=["t", "T", "N", "programs", "turns"])
def charge(
    x_ptr,
    earlier_ptr,
    v_ptr,
    decay_ptr,
    threshold_width_ptr,
    h_ptr,
    spikes_ptr,
    state_ptr,
    parts_ptr,
    t,
    T,
    N,
    programs,
    turns,
    n0,
    n1,
    n2,
    x_0,
    x_1,
    x_2,
    x_3,
    f_c,
    threshold,
    ADAPTIVE_THRESHOLD: tl.constexpr,
    ADAPTIVE_WIDTH: tl.constexpr,
    BY_DEVIATION: tl.constexpr,
    FIRE: tl.constexpr,
    OPTIONS: tl.constexpr,
    SAME: tl.constexpr,
    FIRST: tl.constexpr,
    SECOND: tl.constexpr,
    LAST: tl.constexpr,
    KEEP_STATE: tl.constexpr,
    RANK: tl.constexpr,
    PARTS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Fires step t - 1, unless t is the FIRST; charges step t, unless step t - 1 is the LAST.

    x_ptr points to step t, earlier_ptr and spikes_ptr to step t - 1, which is charged again if t is the SECOND.
    parts [2, 3, programs] has room for this step and the one before.
    """
    program = tl.program_id(0)
    decay = tl.load(decay_ptr).to(tl.float32)
    fires_at = 0.0
    if not FIRST:
        fires_at, width = decide(
            parts_ptr + (t + 1) % 2 * 3 * programs,
            N,
            programs,
            f_c,
            threshold,
            ADAPTIVE_THRESHOLD,
            ADAPTIVE_WIDTH,
            BY_DEVIATION,
            PARTS,
        )
        tl.store(threshold_width_ptr + t - 1, fires_at, mask=program == 0)
        tl.store(threshold_width_ptr + T + t - 1, width, mask=program == 0)
    count = tl.zeros([BLOCK], tl.float32)
    mean = tl.zeros([BLOCK], tl.float32)
    squares = tl.zeros([BLOCK], tl.float32)
    for turn in range(turns):
        turn = turn + t % 2 * (turns - 1 - 2 * turn)
        i = (program + turn * programs) * BLOCK + tl.arange(0, BLOCK)
        mask = i < N
        if FIRST or SECOND or not LAST:
            at = offsets(i, n0, n1, n2, x_0, x_1, x_2, x_3, RANK)
        if FIRST:
            v = load_state(v_ptr, i, mask, SAME)
        else:
            if SECOND:
                x = tl.load(earlier_ptr + at, mask=mask, other=0.0)
                h = load_state(v_ptr, i, mask, SAME) * decay + x.to(tl.float32)
            else:
                h = tl.load(h_ptr + i, mask=mask, other=0.0, eviction_policy="evict_last")
            s, v = FIRE(h, fires_at, 0.0, 0.0, OPTIONS)
            tl.store(
                spikes_ptr + i, s.to(spikes_ptr.dtype.element_ty), mask=mask, eviction_policy="evict_first"
            )
        if LAST:
            if KEEP_STATE:
                tl.store(state_ptr + i, v, mask=mask)
        else:
            x = tl.load(x_ptr + at, mask=mask, other=0.0, eviction_policy="evict_first")
            h = v * decay + x.to(tl.float32)
            if not FIRST:
                tl.store(h_ptr + i, h, mask=mask, eviction_policy="evict_last")
            count += tl.where(mask, 1.0, 0.0)
            e = tl.where(mask, h - mean, 0.0)
            mean += e * (1 / tl.maximum(count, 1.0))
            squares += e * (h - mean)
    if not LAST:
        total = tl.sum(count, 0)
        centre = tl.sum(count * mean, 0) / total
        off = mean - centre
        parts_ptr += t % 2 * 3 * programs + program
        tl.store(parts_ptr, total)
        tl.store(parts_ptr + programs, centre)
        tl.store(parts_ptr + 2 * programs, tl.sum(squares + count * off * off, 0))
