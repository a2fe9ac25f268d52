"""The forward kernel of all neurons with one membrane potential, and the functions it shares with the backward kernel.

    h_t = decay v_{t-1} + gain x_t + pull            charge
    s_t, v_t = FIRE(h_t)                             fire and reset, defined by the family of the neuron
    g_{h,t}, g_{a,t} = ADJOINT(h_t, g_{s,t}, g_{v,t})
    g_{x,t} = gain g_{h,t},  g_{v,t-1} = decay g_{h,t}
    g_decay = sum over t of g_{h,t} (v_{t-1} - rest)                  without decay_input
            = sum over t of g_{h,t} (v_{t-1} - h_t) / (1 - decay)     with it

where g is the gradient of the quantity in its index, a_t the learned parameter of the surrogate for the step, gain =
1 - decay with decay_input and 1 without, pull = (1 - decay) rest. A program processes BLOCK elements of a step over
all T steps with the potential in registers, in float32 whatever the dtypes in memory. Nothing is reduced across
programs: each program stores partial sums over its elements, which are added in a fixed order afterwards.

The input current x is the input itself, or the input y after a normalisation, x_t = (y_t - mean) scale + bias
(+ residual_t), with three numbers for each channel. The backward kernel then also stores each element's sums over
time of g_{x,t} and g_{x,t} (y_t - mean).

If the potentials are observed, every h_t is stored; the gradient of the measurement is added to g_{h,t}.

T is a runtime argument: only the backward kernel is recompiled for another T, and only up to MOST_STEPS.
The backward kernel is in `back_over_time.py`.
Offsets within a step have 32 bits; pointers advance step by step.
"""

import triton
import triton.language as tl


@triton.jit
def offsets(i, n0, n1, n2, s0, s1, s2, s3, RANK: tl.constexpr):
    """Returns the offset of element i of a step in a tensor with RANK axes, fastest first."""
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
    """Returns decay, gain and pull, from the learned decay if there is one."""
    if LEARNED_DECAY:
        decay = tl.load(decay_ptr).to(tl.float32)
        pull = (1 - decay) * rest
        if DECAY_INPUT:
            gain = 1 - decay
    return decay, gain, pull


@triton.jit
def current(y, residual, mean, scale, bias, NORMED: tl.constexpr, ADDED: tl.constexpr):
    """Returns the input current x of the neuron from the loaded input."""
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
    """Loads the potential before the first step; SAME: one number for all elements, which is not read from memory."""
    if SAME:
        return (i * 0).to(tl.float32) + tl.load(v_ptr).to(tl.float32)
    return tl.load(v_ptr + i, mask=mask, other=0.0).to(tl.float32)


@triton.jit(do_not_specialize=["T"])
def forward(
    x_ptr,
    v_ptr,
    decay_ptr,
    threshold_width_ptr,
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
    threshold,
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
    """Computes the spikes and, if requested, the last potential and all h_t; prefetches the input of the next step."""
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
        x_ptr += tl.where(
            t + 1 < T, x_t, 0
        )  # the last step is loaded twice, so that no load is out of bounds
        y = tl.load(x_ptr + at, mask=mask, other=0.0)
        if ADDED:
            residual_ptr += tl.where(t + 1 < T, N, 0)
            residual = tl.load(residual_ptr + i, mask=mask, other=0.0)
        if ADAPTIVE:
            threshold = tl.load(threshold_width_ptr + t)
        h = charge(x, v, decay, gain, pull, DECAY_INPUT, PULLS)
        if KEEP_H:
            tl.store(h_ptr + i, h, mask=mask)
            h_ptr += N
        s, v = FIRE(h, threshold, lower, rest, OPTIONS)
        tl.store(spikes_ptr + i, s.to(spikes_ptr.dtype.element_ty), mask=mask)
        spikes_ptr += N
    if KEEP_STATE:
        tl.store(state_ptr + i, v, mask=mask)
