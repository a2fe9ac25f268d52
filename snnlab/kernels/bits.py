"""Packs numbers of few levels into 1, 2, 4 or 8 bits each: how spikes, and means of spikes, wait for the backward pass.

A tensor of n numbers is cut into 8 / bits rows of equal length, and byte j holds the j-th number of each row. PyTorch
operations do that anywhere; generated C++ on the CPU and a Triton kernel on a GPU do the same in a single pass over
memory.
"""

import ctypes
import functools
from typing import Any

import torch
from torch import Tensor

from snnlab.kernels.cpu.compiler import BuildError, library
from snnlab.kernels.cpu.kernel_template import BF16
from snnlab.kernels.cpu.source import C_TYPES
from snnlab.kernels.levels import Levels, bits_of
from snnlab.triton_language import tl


def pack(x_N: Tensor, levels: Levels, wrong: Tensor | None = None) -> Tensor | None:
    """Packs the numbers x_N [N], contiguous, into bytes; returns None if one of them is not a level.

    On a GPU, where that check would synchronise, such a number sets `wrong` to 1 instead.

    Args:
        x_N: the numbers.
        levels: all values that they may have.
        wrong: an int32 number on a GPU, which is otherwise left as it is.
    """
    bits = bits_of(levels)
    assert bits is not None
    if x_N.device.type == "cpu":
        if (functions := _functions(x_N.dtype)) is None:
            packed, fits = pack_plainly(x_N, levels, bits)
            return packed if fits else None
        packed = torch.empty(_row(len(x_N), bits), dtype=torch.uint8)
        return None if functions.pack(*_arguments(x_N, packed, levels, bits)) else packed
    assert wrong is not None
    if (kernels := _on_gpu(x_N.dtype)) is not None:
        packed = x_N.new_empty(_row(len(x_N), bits), dtype=torch.uint8)
        kernels.pack(x_N, packed, wrong, levels, bits)
        return packed
    packed, fits = pack_plainly(x_N, levels, bits)
    wrong.logical_or_(~fits)
    return packed


def unpack(packed: Tensor, count: int, dtype: torch.dtype, levels: Levels) -> Tensor:
    """Unpacks the numbers [count]."""
    bits = bits_of(levels)
    assert bits is not None
    if packed.device.type == "cpu":
        if (functions := _functions(dtype)) is None:
            return unpack_plainly(packed, count, dtype, levels, bits)
        x_N = torch.empty(count, dtype=dtype)
        functions.unpack(*_arguments(x_N, packed, levels, bits))
        return x_N
    if (kernels := _on_gpu(dtype)) is None:
        return unpack_plainly(packed, count, dtype, levels, bits)
    x_N = packed.new_empty(count, dtype=dtype)
    kernels.unpack(packed, x_N, levels, bits)
    return x_N


def pack_plainly(x_N: Tensor, levels: Levels, bits: int) -> tuple[Tensor, Tensor]:
    """Packs by PyTorch operations; returns the bytes, and whether all numbers are levels []."""
    precise = torch.promote_types(x_N.dtype, torch.float32)
    codes_N = (x_N.to(precise) * levels.parts - levels.low).clamp(0, levels.high - levels.low)
    codes_N = codes_N.to(torch.uint8)
    fits = ((codes_N.to(precise) + levels.low) / levels.parts == x_N).all()
    rows = 8 // bits
    missing = rows * _row(len(x_N), bits) - len(x_N)
    packed, *others = torch.nn.functional.pad(codes_N, (0, missing)).view(rows, -1).unbind()
    packed = packed.clone()
    for k, codes in enumerate(others, start=1):
        packed |= codes << k * bits
    return packed, fits


def unpack_plainly(packed: Tensor, count: int, dtype: torch.dtype, levels: Levels, bits: int) -> Tensor:
    """Implements `unpack` in PyTorch operations."""
    rows = torch.stack([packed >> k * bits & (1 << bits) - 1 for k in range(8 // bits)])
    return rows.flatten()[:count].to(dtype).add_(levels.low).div_(levels.parts)


def _on_gpu(dtype: torch.dtype) -> Any:
    """Returns the module with the Triton kernels; None if they do not cover a dtype."""
    if tl is None or dtype == torch.float64:
        return None
    from snnlab.kernels.triton import packing  # where it is needed: it imports Triton

    return packing


def _row(count: int, bits: int) -> int:
    return -(-count * bits // 8)


def _arguments(x_N: Tensor, packed: Tensor, levels: Levels, bits: int) -> tuple[Any, ...]:
    low, high, parts = levels
    integers = (len(x_N), len(packed), low, high - low, parts, bits, torch.get_num_threads())
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

template <int BITS, bool WHOLE>
static I pack_bits(const X *x, uint8_t *out, I n, I row, S low, uint32_t range, S parts, I threads) {
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
                const S code = (WHOLE ? (S)from[i] : (S)from[i] * parts) - low;
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
static void unpack_bits(X *x, const uint8_t *in, I n, I row, S low, S part, I threads) {
    #pragma omp parallel for num_threads(threads) schedule(static)
    for (I j = 0; j < row; j += BLOCK) {
        const I l = least(BLOCK, row - j);
        for (I k = 0; k < 8 / BITS; k++) {
            X *__restrict to = x + k * row + j;
            const uint8_t *__restrict from = in + j;
            const I valid = least(l, n - k * row - j);
            for (I i = 0; i < valid; i++) to[i] = ((S)(from[i] >> k * BITS & ((1 << BITS) - 1)) + low) * part;
        }
    }
}

#define PACK(BITS) \
    (parts == 1 ? pack_bits<BITS, true>(x, out, n, row, low, range, 1, threads) \
                : pack_bits<BITS, false>(x, out, n, row, low, range, parts, threads))

/* 1 if some number is no level */
extern "C" I pack(const X *x, uint8_t *out, I n, I row, I low, I range, I parts, I bits, I threads) {
    switch (bits) {
        case 1: return PACK(1);
        case 2: return PACK(2);
        case 4: return PACK(4);
        default: return PACK(8);
    }
}

extern "C" void unpack(X *x, const uint8_t *in, I n, I row, I low, I range, I parts, I bits, I threads) {
    const S part = (S)1 / parts;
    switch (bits) {
        case 1: return unpack_bits<1>(x, in, n, row, low, part, threads);
        case 2: return unpack_bits<2>(x, in, n, row, low, part, threads);
        case 4: return unpack_bits<4>(x, in, n, row, low, part, threads);
        default: return unpack_bits<8>(x, in, n, row, low, part, threads);
    }
}
"""
