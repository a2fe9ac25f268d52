"""The backward kernel of all neurons with one membrane potential; the equations are in `over_time.py`.

It recomputes h from the input and holds STEPS values in registers. A longer sequence is processed in segments of STEPS
time steps, last segment first; a first pass stores the potential at the start of each segment.

With SUMS (of a learned decay, a learned surrogate, a normalisation), a program does `turns` blocks of BLOCK elements
one after the other. Each lane adds up its own elements in registers, in the order of the blocks; lanes are combined
after the last block, and each program stores its partial sums. The blocks of a program are programs * BLOCK elements
apart. With a normalisation that is a multiple of C * inner (see `channel_moments.py`), so a lane stays in its channel.

With a normalisation, WRITES says which gradient is stored:

    NOTHING           none, only the sums
    GRAD_OF_CURRENT   g, that of the normalised current
    GRAD_OF_INPUT     scale (g - a - b (y - mean)) with the terms a and b [2, C]; with SUMS, whose terms are not known
                      yet, scale g, which is right for running statistics
"""

import triton
import triton.language as tl

from snnlab.kernels.triton.over_time import charge, constants, current, load_state, offsets

MOST_STEPS = 16
"""Steps that the backward kernel holds in registers; more are done in segments of `SEGMENT`."""

SEGMENT = 8

NOTHING = tl.constexpr(0)
GRAD_OF_CURRENT = tl.constexpr(1)
GRAD_OF_INPUT = tl.constexpr(2)


@triton.jit(do_not_specialize=["T", "turns"])
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
    terms_ptr,
    turns,
    size,
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
    SUMS: tl.constexpr,
    WRITES: tl.constexpr,
    ADDED: tl.constexpr,
    STEPS: tl.constexpr,
    SEGMENTED: tl.constexpr,
    EVEN: tl.constexpr,
    RANK: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Computes gradients of input and state, and partial sums if SUMS.

    Sums of the decay are [programs]; of the surrogate [T, programs], if SEGMENTED [T, blocks]; of each channel's
    g and g (y - mean) [2, size], one for each lane of all programs, where size is at most N.
    """
    program = tl.program_id(0)
    programs = tl.num_programs(0)
    decay, gain, pull = constants(decay_ptr, decay, gain, pull, rest, LEARNED_DECAY, DECAY_INPUT)
    segments = (T + STEPS - 1) // STEPS if SEGMENTED else 1
    wide = tl.full([], 0, tl.int64)  # several steps may have more elements than 32 bits can index
    decay_sum = tl.zeros([BLOCK], tl.float32)
    grad_sum = tl.zeros([BLOCK], tl.float32)
    product_sum = tl.zeros([BLOCK], tl.float32)
    learned_T = ()  # last step first; a number for each thread, which adds up its four elements
    for _step in tl.static_range(STEPS if LEARN is not None and not SEGMENTED else 0):
        learned_T = learned_T + (tl.zeros([BLOCK // 4], tl.float32),)
    for turn in range(turns if SUMS else 1):
        block = program + turn * programs
        i = block * BLOCK + tl.arange(0, BLOCK)
        mask = i < N
        at = offsets(i, n0, n1, n2, x_0, x_1, x_2, x_3, RANK)
        grad_at = offsets(i, n0, n1, n2, g_0, g_1, g_2, g_3, RANK)
        v = load_state(v_ptr, i, mask, SAME)
        mean = 0.0
        scale = 1.0
        bias = 0.0
        a_of_norm = 0.0
        b_of_norm = 0.0
        if NORMED:
            channel = i // inner % channels
            mean = tl.load(norm_ptr + channel)
            scale = tl.load(norm_ptr + channels + channel)
            bias = tl.load(norm_ptr + 2 * channels + channel)
            if WRITES == GRAD_OF_INPUT and not SUMS:
                a_of_norm = tl.load(terms_ptr + channel)
                b_of_norm = tl.load(terms_ptr + channels + channel)
        x_at = x_ptr
        residual_at = residual_ptr
        grad_spikes_at = grad_spikes_ptr
        grad_h_at = grad_h_ptr
        grad_x_at = grad_x_ptr
        starts_at = starts_ptr
        if SEGMENTED:
            for segment in range(segments - 1):
                tl.store(starts_at + i, v, mask=mask)
                starts_at += N
                for j in tl.static_range(STEPS):
                    y = tl.load(x_at + at, mask=mask, other=0.0)
                    residual = y
                    if ADDED:
                        residual = tl.load(residual_at + i, mask=mask, other=0.0)
                        residual_at += N
                    x = current(y, residual, mean, scale, bias, NORMED, ADDED)
                    if ADAPTIVE:
                        threshold = tl.load(threshold_width_ptr + segment * STEPS + j)
                    h = charge(x, v, decay, gain, pull, DECAY_INPUT, PULLS)
                    _, v = FIRE(h, threshold, lower, rest, OPTIONS)
                    x_at += x_t
                    grad_spikes_at += g_t
                    grad_x_at += N
                    grad_h_at += N
            tl.debug_barrier()  # a value stored by one thread of the program may be loaded by another

        if HAS_GRAD_STATE:
            grad_v = tl.load(grad_state_ptr + i, mask=mask, other=0.0).to(tl.float32)
        else:
            grad_v = tl.zeros([BLOCK], tl.float32)
        for back in range(segments):
            first = (segments - 1 - back) * STEPS
            if SEGMENTED:
                if back > 0:
                    starts_at -= N
                    x_at -= 2 * STEPS * (x_t + wide)
                    residual_at -= 2 * STEPS * (N + wide)
                    v = tl.load(starts_at + i, mask=mask, other=0.0)
            before = v
            h_T = ()
            y_T = ()
            grad_T = ()
            for j in tl.static_range(STEPS):
                if EVEN:
                    inside = mask
                else:
                    inside = (mask & (first + j < T)) != 0
                y = tl.load(x_at + at, mask=inside, other=0.0)
                residual = y
                if ADDED:
                    residual = tl.load(residual_at + i, mask=inside, other=0.0)
                    residual_at += N
                x = current(y, residual, mean, scale, bias, NORMED, ADDED)
                y_T = y_T + (y,)
                grad_T = grad_T + (tl.load(grad_spikes_at + grad_at, mask=inside, other=0.0),)
                if ADAPTIVE:
                    threshold = tl.load(threshold_width_ptr + first + j, mask=first + j < T, other=0.0)
                h = charge(x, v, decay, gain, pull, DECAY_INPUT, PULLS)
                _, v = FIRE(h, threshold, lower, rest, OPTIONS)
                h_T = h_T + (h,)
                x_at += x_t
                grad_spikes_at += g_t
                grad_x_at += N
                grad_h_at += N
            sums_T = ()
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
                grad_x_at -= N
                grad_h_at -= N
                if EVEN:
                    inside = mask
                else:
                    inside = (mask & (t < T)) != 0
                if HAS_GRAD_H:
                    grad_h += tl.load(grad_h_at + i, mask=inside, other=0.0)
                if EVEN:
                    grad_v = grad_h * decay
                else:
                    grad_h = tl.where(t < T, grad_h, 0.0)
                    grad_v = tl.where(t < T, grad_h * decay, grad_v)
                grad_x = grad_h * gain
                if NORMED:
                    off = y_T[STEPS - 1 - k].to(tl.float32) - mean
                    if SUMS:
                        grad_sum += grad_x
                        product_sum += grad_x * off
                    if WRITES == GRAD_OF_INPUT:
                        grad_x = scale * (grad_x - a_of_norm - b_of_norm * off)
                if WRITES != NOTHING:
                    tl.store(grad_x_at + i, grad_x.to(grad_x_ptr.dtype.element_ty), mask=inside)
                if LEARNED_DECAY and SUMS:
                    if k < STEPS - 1:
                        if ADAPTIVE:
                            threshold = tl.load(threshold_width_ptr + t - 1, mask=t <= T, other=0.0)
                        _, earlier = FIRE(h_T[STEPS - 2 - k], threshold, lower, rest, OPTIONS)
                    else:
                        earlier = before
                    decay_sum += grad_h * (earlier - (h if DECAY_INPUT else rest))
                if LEARN is not None and SUMS:
                    if SEGMENTED:
                        total = tl.sum(grad_a, 0)
                        tl.store(learned_sums_ptr + t * programs * turns + block, total, mask=t < T)
                    else:
                        of_thread = tl.sum(tl.reshape(grad_a, [BLOCK // 4, 4]), 1)
                        sums_T = sums_T + (learned_T[k] + of_thread,)
            if LEARN is not None and SUMS and not SEGMENTED:
                learned_T = sums_T
            if SEGMENTED:
                grad_spikes_at -= 2 * STEPS * (g_t + wide)
                grad_x_at -= STEPS * (N + wide)
                grad_h_at -= STEPS * (N + wide)
        if KEEP_GRAD_V:
            tl.store(grad_v_ptr + i, grad_v, mask=mask)
    if NORMED and SUMS:
        lane = program * BLOCK + tl.arange(0, BLOCK)
        tl.store(norm_sums_ptr + lane, grad_sum, mask=lane < size)
        tl.store(norm_sums_ptr + size + lane, product_sum, mask=lane < size)
    if LEARNED_DECAY and SUMS:
        total = tl.sum(decay_sum, 0)
        tl.store(decay_sums_ptr + program, total / (1 - decay) if DECAY_INPUT else total)
    if LEARN is not None and SUMS and not SEGMENTED:
        for step in tl.static_range(STEPS):
            tl.store(learned_sums_ptr + step * programs + program, tl.sum(learned_T[STEPS - 1 - step], 0))
