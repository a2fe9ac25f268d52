"""The kernels that pack numbers of few levels into bits and unpack them, in the format of `snnlab/kernels/bits.py`."""

import triton
import triton.language as tl


@triton.jit
def pack_bits(x_ptr, out_ptr, wrong_ptr, n, row, low, span, per_one, BITS: tl.constexpr, BLOCK: tl.constexpr):
    """Stores bytes [row] of n numbers; sets `wrong` to 1 if one of them is not (low + k) / per_one, k = 0..span."""
    j = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    byte = tl.zeros([BLOCK], tl.int32)
    outside = tl.zeros([BLOCK], tl.int32)
    for k in tl.static_range(8 // BITS):
        mask = (j < row) & (k * row + j < n)
        x = tl.load(x_ptr + k * row + j, mask=mask, other=0.0).to(tl.float32)
        code = tl.where(mask, x * per_one - low, 0.0)
        fits = (code >= 0) & (code <= span)  # false for NaN
        whole = tl.where(fits, code, 0.0).to(tl.int32)
        outside |= (~fits | (whole.to(tl.float32) != code)).to(tl.int32)
        byte |= whole << (k * BITS)
    tl.store(out_ptr + j, byte.to(tl.uint8), mask=j < row)
    found = tl.max(outside, 0)
    tl.store(wrong_ptr, found, mask=found > 0)  # whichever program stores it, it is 1


@triton.jit
def unpack_bits(packed_ptr, x_ptr, n, row, low, part, BITS: tl.constexpr, BLOCK: tl.constexpr):
    """Stores the n numbers of bytes [row]."""
    j = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    byte = tl.load(packed_ptr + j, mask=j < row, other=0).to(tl.int32)
    for k in tl.static_range(8 // BITS):
        x = ((byte >> (k * BITS) & ((1 << BITS) - 1)).to(tl.float32) + low) * part
        tl.store(x_ptr + k * row + j, x.to(x_ptr.dtype.element_ty), mask=(j < row) & (k * row + j < n))
