"""The kernel that backpropagates a gradient through a batch normalisation with batch statistics."""

import triton
import triton.language as tl

from snnlab.kernels.triton.over_time import offsets


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
    """Computes scale (g - a - b (y - mean)) with terms a and b [2, C], the gradient of y under batch statistics."""
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
