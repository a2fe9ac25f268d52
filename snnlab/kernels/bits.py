"""Packs integers of a small range into 1, 2, 4 or 8 bits each: how spikes are saved for the backward pass.

A tensor of n numbers is cut into 8 / bits rows of equal length, and byte j holds the j-th number of each row. PyTorch
operations do that anywhere; on the CPU generated C++ does the same in a single pass over memory.
"""

import ctypes
import functools
from typing import Any

import torch
from torch import Tensor

from snnlab.kernels.cpu.compiler import BuildError, library
from snnlab.kernels.cpu.kernel_template import BF16
from snnlab.kernels.cpu.source import C_TYPES


def bits_of(span: tuple[int, int]) -> int | None:
    """Returns the bits that an integer between the least and the greatest (inclusive) needs; None if more than 8."""
    count = span[1] - span[0] + 1
    return next((bits for bits in (1, 2, 4, 8) if count <= 1 << bits), None)


def pack(x_N: Tensor, span: tuple[int, int]) -> Tensor | None:
    """Packs the numbers x_N [N], contiguous, into bytes; returns None if one of them is not an integer in the range.

    On a GPU, where the check would synchronise, such a number raises a device-side error instead.
    """
    bits = bits_of(span)
    assert bits is not None
    if x_N.device.type == "cpu" and (functions := _functions(x_N.dtype)) is not None:
        packed = torch.empty(_row(len(x_N), bits), dtype=torch.uint8)
        if functions.pack(*_arguments(x_N, packed, span, bits)):
            return None
        return packed
    return pack_plainly(x_N, span, bits)


def unpack(packed: Tensor, count: int, dtype: torch.dtype, span: tuple[int, int]) -> Tensor:
    """Unpacks the numbers [count]."""
    bits = bits_of(span)
    assert bits is not None
    if packed.device.type == "cpu" and (functions := _functions(dtype)) is not None:
        x_N = torch.empty(count, dtype=dtype)
        functions.unpack(*_arguments(x_N, packed, span, bits))
        return x_N
    return unpack_plainly(packed, count, dtype, span, bits)


def pack_plainly(x_N: Tensor, span: tuple[int, int], bits: int) -> Tensor | None:
    """Implements `pack` in PyTorch operations."""
    precise = torch.promote_types(x_N.dtype, torch.float32)
    codes_N = (x_N.to(precise) - span[0]).clamp(0, span[1] - span[0]).to(torch.uint8)
    fits = (codes_N.to(precise) + span[0] == x_N).all()
    if x_N.device.type != "cpu":
        torch._assert_async(fits, f"spikes to be packed are not whole numbers from {span[0]} to {span[1]}")
    elif not fits:
        return None
    rows = 8 // bits
    missing = rows * _row(len(x_N), bits) - len(x_N)
    packed, *others = torch.nn.functional.pad(codes_N, (0, missing)).view(rows, -1).unbind()
    packed = packed.clone()
    for k, codes in enumerate(others, start=1):
        packed |= codes << k * bits
    return packed


def unpack_plainly(
    packed: Tensor, count: int, dtype: torch.dtype, span: tuple[int, int], bits: int
) -> Tensor:
    """Implements `unpack` in PyTorch operations."""
    rows = torch.stack([packed >> k * bits & (1 << bits) - 1 for k in range(8 // bits)])
    return rows.flatten()[:count].to(dtype).add_(span[0])


def _row(count: int, bits: int) -> int:
    return -(-count * bits // 8)


def _arguments(x_N: Tensor, packed: Tensor, span: tuple[int, int], bits: int) -> tuple[Any, ...]:
    integers = (len(x_N), len(packed), span[0], span[1] - span[0], bits, torch.get_num_threads())
    return (
        ctypes.c_void_p(x_N.data_ptr()),
        ctypes.c_void_p(packed.data_ptr()),
        *map(ctypes.c_int64, integers),
    )


@functools.cache
def _functions(dtype: torch.dtype) -> Any:
    """Returns the compiled library for a dtype; None if there is none."""
    if dtype not in C_TYPES:
        return None
    arithmetic = "double" if dtype == torch.float64 else "float"
    try:
        return library(
            _SOURCE.replace("$X$", C_TYPES[dtype]).replace("$S$", arithmetic).replace("$BF16$", BF16)
        )
    except BuildError:
        return None


_SOURCE = r"""#include <stdint.h>
#include <string.h>
$BF16$
typedef $X$ X;
typedef $S$ S;
typedef int64_t I;

#define BLOCK 2048

static inline I least(I a, I b) { return a < b ? a : b; }

template <int BITS>
static I pack_bits(const X *x, uint8_t *out, I n, I row, S low, uint32_t range, I threads) {
    I bad = 0;
    #pragma omp parallel for num_threads(threads) schedule(static) reduction(|:bad)
    for (I j = 0; j < row; j += BLOCK) {
        const I l = least(BLOCK, row - j);
        uint8_t bytes[BLOCK];
        memset(bytes, 0, l);
        int32_t wrong = 0;
        for (I k = 0; k < 8 / BITS; k++) {
            const X *__restrict from = x + k * row + j;
            const I valid = least(l, n - k * row - j);
            #pragma omp simd reduction(|:wrong)
            for (I i = 0; i < valid; i++) {
                const S code = (S)from[i] - low;
                const uint32_t whole = (uint32_t)(int32_t)code;
                wrong |= (S)(int32_t)whole != code || whole > range;
                bytes[i] |= (uint8_t)(whole << k * BITS);
            }
        }
        memcpy(out + j, bytes, l);
        bad |= wrong;
    }
    return bad;
}

template <int BITS>
static void unpack_bits(X *x, const uint8_t *in, I n, I row, S low, I threads) {
    #pragma omp parallel for num_threads(threads) schedule(static)
    for (I j = 0; j < row; j += BLOCK) {
        const I l = least(BLOCK, row - j);
        for (I k = 0; k < 8 / BITS; k++) {
            X *__restrict to = x + k * row + j;
            const uint8_t *__restrict from = in + j;
            const I valid = least(l, n - k * row - j);
            for (I i = 0; i < valid; i++) to[i] = (S)(from[i] >> k * BITS & ((1 << BITS) - 1)) + low;
        }
    }
}

/* 1 if some number is outside the range */
extern "C" I pack(const X *x, uint8_t *out, I n, I row, I low, I range, I bits, I threads) {
    switch (bits) {
        case 1: return pack_bits<1>(x, out, n, row, low, range, threads);
        case 2: return pack_bits<2>(x, out, n, row, low, range, threads);
        case 4: return pack_bits<4>(x, out, n, row, low, range, threads);
        default: return pack_bits<8>(x, out, n, row, low, range, threads);
    }
}

extern "C" void unpack(X *x, const uint8_t *in, I n, I row, I low, I range, I bits, I threads) {
    switch (bits) {
        case 1: return unpack_bits<1>(x, in, n, row, low, threads);
        case 2: return unpack_bits<2>(x, in, n, row, low, threads);
        case 4: return unpack_bits<4>(x, in, n, row, low, threads);
        default: return unpack_bits<8>(x, in, n, row, low, threads);
    }
}
"""
