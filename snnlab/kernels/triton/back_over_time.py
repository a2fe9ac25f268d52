"""The backward kernel of all neurons with one membrane potential; the equations are in `over_time.py`.

It recomputes h from the input and holds STEPS values in registers. A longer sequence is processed in segments of STEPS
time steps, last segment first; a first pass stores the potential at the start of each segment.
"""

import triton
import triton.language as tl

from snnlab.kernels.triton.over_time import charge, constants, current, load_state, offsets

MOST_STEPS = 16
"""Steps that the backward kernel holds in registers; more are done in segments of `SEGMENT`."""

SEGMENT = 8


@triton.jit(do_not_specialize=["T"])
def backward(
    x_ptr,
    v_ptr,
    decay_ptr,
    threshold_width_ptr,
    learned_ptr,
    norm_ptr,
    residual_ptr,
    grad_spikes_ptr,
    grad_state_ptr,
    grad_h_ptr,
    starts_ptr,
    grad_x_ptr,
    grad_v_ptr,
    decay_sums_ptr,
    learned_sums_ptr,
    norm_sums_ptr,
    T,
    N,
    n0,
    n1,
    n2,
    x_t,
    x_0,
    x_1,
    x_2,
    x_3,
    g_t,
    g_0,
    g_1,
    g_2,
    g_3,
    inner,
    channels,
    decay,
    gain,
    pull,
    rest,
    threshold,
    lower,
    FIRE: tl.constexpr,
    ADJOINT: tl.constexpr,
    OPTIONS: tl.constexpr,
    SLOPE: tl.constexpr,
    LEARN: tl.constexpr,
    UP: tl.constexpr,
    DOWN: tl.constexpr,
    LEARNED_DECAY: tl.constexpr,
    DECAY_INPUT: tl.constexpr,
    PULLS: tl.constexpr,
    ADAPTIVE: tl.constexpr,
    SAME: tl.constexpr,
    HAS_GRAD_STATE: tl.constexpr,
    HAS_GRAD_H: tl.constexpr,
    KEEP_GRAD_V: tl.constexpr,
    NORMED: tl.constexpr,
    ADDED: tl.constexpr,
    STEPS: tl.constexpr,
    SEGMENTED: tl.constexpr,
    EVEN: tl.constexpr,
    RANK: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Computes gradients of input and state, and partial sums for decay [programs] and surrogate [T, programs]."""
    program = tl.program_id(0)
    programs = tl.num_programs(0)
    i = program * BLOCK + tl.arange(0, BLOCK)
    mask = i < N
    at = offsets(i, n0, n1, n2, x_0, x_1, x_2, x_3, RANK)
    grad_at = offsets(i, n0, n1, n2, g_0, g_1, g_2, g_3, RANK)
    decay, gain, pull = constants(decay_ptr, decay, gain, pull, rest, LEARNED_DECAY, DECAY_INPUT)
    v = load_state(v_ptr, i, mask, SAME)
    mean = 0.0
    scale = 1.0
    bias = 0.0
    if NORMED:
        norm_ptr += i // inner % channels
        mean = tl.load(norm_ptr)
        scale = tl.load(norm_ptr + channels)
        bias = tl.load(norm_ptr + 2 * channels)
    segments = (T + STEPS - 1) // STEPS
    wide = tl.full([], 0, tl.int64)  # several steps may have more elements than 32 bits can index
    if SEGMENTED:
        for segment in range(segments - 1):
            tl.store(starts_ptr + i, v, mask=mask)
            starts_ptr += N
            for j in tl.static_range(STEPS):
                y = tl.load(x_ptr + at, mask=mask, other=0.0)
                residual = y
                if ADDED:
                    residual = tl.load(residual_ptr + i, mask=mask, other=0.0)
                    residual_ptr += N
                x = current(y, residual, mean, scale, bias, NORMED, ADDED)
                if ADAPTIVE:
                    threshold = tl.load(threshold_width_ptr + segment * STEPS + j)
                h = charge(x, v, decay, gain, pull, DECAY_INPUT, PULLS)
                _, v = FIRE(h, threshold, lower, rest, OPTIONS)
                x_ptr += x_t
                grad_spikes_ptr += g_t
                grad_x_ptr += N
                grad_h_ptr += N
        tl.debug_barrier()  # a value stored by one thread of the program may be loaded by another

    if HAS_GRAD_STATE:
        grad_v = tl.load(grad_state_ptr + i, mask=mask, other=0.0).to(tl.float32)
    else:
        grad_v = tl.zeros([BLOCK], tl.float32)
    decay_sum = tl.zeros([BLOCK], tl.float32)
    grad_sum = tl.zeros([BLOCK], tl.float32)
    product_sum = tl.zeros([BLOCK], tl.float32)
    for back in range(segments):
        first = (segments - 1 - back) * STEPS
        if SEGMENTED:
            if back > 0:
                starts_ptr -= N
                x_ptr -= 2 * STEPS * (x_t + wide)
                residual_ptr -= 2 * STEPS * (N + wide)
                v = tl.load(starts_ptr + i, mask=mask, other=0.0)
        before = v
        h_T = ()
        y_T = ()
        grad_T = ()
        for j in tl.static_range(STEPS):
            if EVEN:
                inside = mask
            else:
                inside = (mask & (first + j < T)) != 0
            y = tl.load(x_ptr + at, mask=inside, other=0.0)
            residual = y
            if ADDED:
                residual = tl.load(residual_ptr + i, mask=inside, other=0.0)
                residual_ptr += N
            x = current(y, residual, mean, scale, bias, NORMED, ADDED)
            y_T = y_T + (y,)
            grad_T = grad_T + (tl.load(grad_spikes_ptr + grad_at, mask=inside, other=0.0),)
            if ADAPTIVE:
                threshold = tl.load(threshold_width_ptr + first + j, mask=first + j < T, other=0.0)
            h = charge(x, v, decay, gain, pull, DECAY_INPUT, PULLS)
            _, v = FIRE(h, threshold, lower, rest, OPTIONS)
            h_T = h_T + (h,)
            x_ptr += x_t
            grad_spikes_ptr += g_t
            grad_x_ptr += N
            grad_h_ptr += N
        for k in tl.static_range(STEPS):
            t = first + STEPS - 1 - k
            h = h_T[STEPS - 1 - k]
            width = 1.0
            a = 0.0
            if ADAPTIVE:
                threshold = tl.load(threshold_width_ptr + t, mask=t < T, other=0.0)
                width = tl.load(threshold_width_ptr + T + t, mask=t < T, other=1.0)
            if LEARN is not None:
                a = tl.load(learned_ptr + t, mask=t < T, other=1.0).to(tl.float32)
            grad_s = grad_T[STEPS - 1 - k].to(tl.float32)
            grad_h, grad_a = ADJOINT(
                h, grad_s, grad_v, threshold, lower, rest, width, a, OPTIONS, SLOPE, LEARN, UP, DOWN
            )
            grad_x_ptr -= N
            grad_h_ptr -= N
            if EVEN:
                inside = mask
            else:
                inside = (mask & (t < T)) != 0
            if HAS_GRAD_H:
                grad_h += tl.load(grad_h_ptr + i, mask=inside, other=0.0)
            if EVEN:
                grad_v = grad_h * decay
            else:
                grad_h = tl.where(t < T, grad_h, 0.0)
                grad_v = tl.where(t < T, grad_h * decay, grad_v)
            grad_x = grad_h * gain
            tl.store(grad_x_ptr + i, grad_x.to(grad_x_ptr.dtype.element_ty), mask=inside)
            if NORMED:
                grad_sum += grad_x
                product_sum += grad_x * (y_T[STEPS - 1 - k].to(tl.float32) - mean)
            if LEARNED_DECAY:
                if k < STEPS - 1:
                    if ADAPTIVE:
                        threshold = tl.load(threshold_width_ptr + t - 1, mask=t <= T, other=0.0)
                    _, earlier = FIRE(h_T[STEPS - 2 - k], threshold, lower, rest, OPTIONS)
                else:
                    earlier = before
                decay_sum += grad_h * (earlier - (h if DECAY_INPUT else rest))
            if LEARN is not None:
                total = tl.sum(grad_a, 0)
                tl.store(learned_sums_ptr + t * programs + program, total, mask=t < T)
        if SEGMENTED:
            grad_spikes_ptr -= 2 * STEPS * (g_t + wide)
            grad_x_ptr -= STEPS * (N + wide)
            grad_h_ptr -= STEPS * (N + wide)
    if KEEP_GRAD_V:
        tl.store(grad_v_ptr + i, grad_v, mask=mask)
    if NORMED:
        tl.store(norm_sums_ptr + i, grad_sum, mask=mask)
        tl.store(norm_sums_ptr + N + i, product_sum, mask=mask)
    if LEARNED_DECAY:
        total = tl.sum(decay_sum, 0)
        tl.store(decay_sums_ptr + program, total / (1 - decay) if DECAY_INPUT else total)
