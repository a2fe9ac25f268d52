"""The two kernels of all neurons with one membrane potential: a sweep over time, and the sweep back.

    h_t = decay v_{t-1} + gain x_t + pull            charge
    s_t, v_t = FIRE(h_t)                             fire and reset, by the family of the neuron
    g_{h,t}, g_{a,t} = ADJOINT(h_t, g_{s,t}, g_{v,t})
    g_{x,t} = gain g_{h,t},  g_{v,t-1} = decay g_{h,t}
    g_decay = sum over t of g_{h,t} (v_{t-1} - rest)                  without decay_input
            = sum over t of g_{h,t} (v_{t-1} - h_t) / (1 - decay)     with it

with g the gradient of what its index names, a_t what the surrogate learns for the step, gain = 1 - decay with
decay_input and else 1, pull = (1 - decay) rest. A program owns BLOCK elements of a step and runs through all T
steps with the potential in registers, in float32 whatever is read and written. Nothing is reduced across
programs: sums over a program's elements go to a row of partial sums, to be added in a fixed order afterwards.

The backward kernel recomputes h from the input. It holds STEPS of them in registers; a longer sequence is done
in segments of STEPS, the last one first, from potentials that a sweep at the beginning leaves at their starts.

The input current x is what is read, or made of it on the way: x_t = (y_t - mean) scale + bias (+ residual_t), with
three numbers for each channel. Going back, each element's sums over time of g_{x,t} and g_{x,t} (y_t - mean) are left.

Who looks at all h_t gets them written; the gradient of what came of that is added to g_{h,t}.

T is an ordinary argument: no T but those up to MOST_STEPS compiles anew, and those for the backward kernel only.
Offsets within a step have 32 bits; pointers move on by steps.
"""

import triton
import triton.language as tl

MOST_STEPS = 16
"""Steps that the backward kernel holds in registers; more are done in segments of `SEGMENT`."""

SEGMENT = 8


@triton.jit
def offsets(i, n0, n1, n2, s0, s1, s2, s3, RANK: tl.constexpr):
    """Where element i of a step lies in a tensor with RANK axes, fastest first."""
    if RANK == 1:
        return i * s0
    at = i % n0 * s0
    i = i // n0
    if RANK == 2:
        return at + i * s1
    at += i % n1 * s1
    i = i // n1
    if RANK == 3:
        return at + i * s2
    return at + i % n2 * s2 + i // n2 * s3


@triton.jit
def constants(decay_ptr, decay, gain, pull, rest, LEARNED_DECAY: tl.constexpr, DECAY_INPUT: tl.constexpr):
    """decay, gain and pull, from the learned decay if there is one."""
    if LEARNED_DECAY:
        decay = tl.load(decay_ptr).to(tl.float32)
        pull = (1 - decay) * rest
        if DECAY_INPUT:
            gain = 1 - decay
    return decay, gain, pull


@triton.jit
def current(y, residual, mean, scale, bias, NORMED: tl.constexpr, ADDED: tl.constexpr):
    """The input current x of the neuron, from what was read."""
    x = y.to(tl.float32)
    if NORMED:
        x = (x - mean) * scale + bias
    if ADDED:
        x += residual.to(tl.float32)
    return x


@triton.jit
def charge(x, v, decay, gain, pull, DECAY_INPUT: tl.constexpr, PULLS: tl.constexpr):
    h = v * decay + (x * gain if DECAY_INPUT else x)
    return h + pull if PULLS else h


@triton.jit
def load_state(v_ptr, i, mask, SAME: tl.constexpr):
    """The potential before the first step; SAME: one number for all, which costs no traffic."""
    if SAME:
        return (i * 0).to(tl.float32) + tl.load(v_ptr).to(tl.float32)
    return tl.load(v_ptr + i, mask=mask, other=0.0).to(tl.float32)


@triton.jit(do_not_specialize=["T"])
def forward(
    x_ptr,
    v_ptr,
    decay_ptr,
    levels_ptr,
    norm_ptr,
    residual_ptr,
    spikes_ptr,
    state_ptr,
    h_ptr,
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
    inner,
    channels,
    decay,
    gain,
    pull,
    rest,
    level,
    lower,
    FIRE: tl.constexpr,
    OPTIONS: tl.constexpr,
    LEARNED_DECAY: tl.constexpr,
    DECAY_INPUT: tl.constexpr,
    PULLS: tl.constexpr,
    ADAPTIVE: tl.constexpr,
    SAME: tl.constexpr,
    KEEP_STATE: tl.constexpr,
    KEEP_H: tl.constexpr,
    NORMED: tl.constexpr,
    ADDED: tl.constexpr,
    RANK: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Spikes; if asked for, the last potential and all h_t. The input of the next step is on its way during a step."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < N
    at = offsets(i, n0, n1, n2, x_0, x_1, x_2, x_3, RANK)
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
    y = tl.load(x_ptr + at, mask=mask, other=0.0)
    residual = y
    if ADDED:
        residual = tl.load(residual_ptr + i, mask=mask, other=0.0)
    for t in range(T):
        x = current(y, residual, mean, scale, bias, NORMED, ADDED)
        x_ptr += tl.where(t + 1 < T, x_t, 0)  # the last step is read twice, rather than one beyond
        y = tl.load(x_ptr + at, mask=mask, other=0.0)
        if ADDED:
            residual_ptr += tl.where(t + 1 < T, N, 0)
            residual = tl.load(residual_ptr + i, mask=mask, other=0.0)
        if ADAPTIVE:
            level = tl.load(levels_ptr + t)
        h = charge(x, v, decay, gain, pull, DECAY_INPUT, PULLS)
        if KEEP_H:
            tl.store(h_ptr + i, h, mask=mask)
            h_ptr += N
        s, v = FIRE(h, level, lower, rest, OPTIONS)
        tl.store(spikes_ptr + i, s.to(spikes_ptr.dtype.element_ty), mask=mask)
        spikes_ptr += N
    if KEEP_STATE:
        tl.store(state_ptr + i, v, mask=mask)


@triton.jit(do_not_specialize=["T"])
def backward(
    x_ptr,
    v_ptr,
    decay_ptr,
    levels_ptr,
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
    level,
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
    """Gradients of input and state; partial sums [programs] of the decay's and [T, programs] of the surrogate's."""
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
    wide = tl.full([], 0, tl.int64)  # several steps at once may be more elements than 32 bits can count
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
                    level = tl.load(levels_ptr + segment * STEPS + j)
                h = charge(x, v, decay, gain, pull, DECAY_INPUT, PULLS)
                _, v = FIRE(h, level, lower, rest, OPTIONS)
                x_ptr += x_t
                grad_spikes_ptr += g_t
                grad_x_ptr += N
                grad_h_ptr += N
        tl.debug_barrier()  # what one thread of the program stored, another may load

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
                level = tl.load(levels_ptr + first + j, mask=first + j < T, other=0.0)
            h = charge(x, v, decay, gain, pull, DECAY_INPUT, PULLS)
            _, v = FIRE(h, level, lower, rest, OPTIONS)
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
                level = tl.load(levels_ptr + t, mask=t < T, other=0.0)
                width = tl.load(levels_ptr + T + t, mask=t < T, other=1.0)
            if LEARN is not None:
                a = tl.load(learned_ptr + t, mask=t < T, other=1.0).to(tl.float32)
            grad_s = grad_T[STEPS - 1 - k].to(tl.float32)
            grad_h, grad_a = ADJOINT(
                h, grad_s, grad_v, level, lower, rest, width, a, OPTIONS, SLOPE, LEARN, UP, DOWN
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
                        level = tl.load(levels_ptr + t - 1, mask=t <= T, other=0.0)
                    _, earlier = FIRE(h_T[STEPS - 2 - k], level, lower, rest, OPTIONS)
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


@triton.jit
def back_through_norm(
    grad_ptr,
    y_ptr,
    norm_ptr,
    terms_ptr,
    out_ptr,
    N,
    n0,
    n1,
    n2,
    y_t,
    y_0,
    y_1,
    y_2,
    y_3,
    inner,
    channels,
    RANK: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """scale (g - a - b (y - mean)) with terms a and b [2, C]: through a normalisation by this batch's own numbers."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < N
    t = tl.program_id(1).to(tl.int64)
    at = offsets(i, n0, n1, n2, y_0, y_1, y_2, y_3, RANK)
    channel = i // inner % channels
    mean = tl.load(norm_ptr + channel)
    scale = tl.load(norm_ptr + channels + channel)
    terms_ptr += channel
    grad = tl.load(grad_ptr + t * N + i, mask=mask, other=0.0).to(tl.float32)
    y = tl.load(y_ptr + t * y_t + at, mask=mask, other=0.0).to(tl.float32)
    grad = scale * (grad - tl.load(terms_ptr) - tl.load(terms_ptr + channels) * (y - mean))
    tl.store(out_ptr + t * N + i, grad.to(out_ptr.dtype.element_ty), mask=mask)
