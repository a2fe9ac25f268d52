"""Numbers of a small range in bits: the C++ form against the plain one, the way back, and what does not fit."""

import pytest
import torch

from snnlab.kernels import bits
from snnlab.kernels.cpu.compiler import BuildError
from snnlab.kernels.levels import Levels, bits_of

SPANS = [
    Levels(0, 1),
    Levels(-1, 1),
    Levels(0, 3),
    Levels(-2, 2),
    Levels(0, 15),
    Levels(-100, 100),
    Levels(0, 4, 4),  # the mean of four spikes
    Levels(-8, 8, 4),
    Levels(0, 16, 16),
]
DTYPES = [torch.float32, torch.bfloat16, torch.float64, torch.float16]


def numbers(count: int, levels: Levels, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    random = torch.Generator().manual_seed(count)
    return torch.randint(levels.low, levels.high + 1, (count,), generator=random).to(dtype) / levels.parts


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("span", SPANS, ids=str)
@pytest.mark.parametrize("count", [1, 7, 8, 63, 1001, 40_000])
def test_numbers_come_back(count: int, span: Levels, dtype: torch.dtype) -> None:
    x = numbers(count, span, dtype)
    width = bits_of(span)
    packed = bits.pack(x, span)
    assert packed.dtype == torch.uint8
    assert len(packed) == -(-count * width // 8)
    plainly, fits = bits.pack_plainly(x, span, width)
    assert fits
    assert torch.equal(packed, plainly)
    for back in (
        bits.unpack(packed, count, dtype, span),
        bits.unpack_plainly(packed, count, dtype, span, width),
    ):
        assert back.dtype == dtype
        assert torch.equal(back, x)


def test_as_few_bits_as_will_do() -> None:
    assert [bits_of(Levels(-below, above)) for below, above in [(0, 1), (1, 1), (0, 3), (2, 2), (0, 15)]] == [
        1,
        2,
        2,
        4,
        4,
    ]
    assert bits_of(Levels(-100, 155)) == 8
    assert bits_of(Levels(-100, 156)) is None


@pytest.mark.parametrize("wrong", [0.5, 2.0, -1.0, 1e30, -1e30, float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64], ids=str)
def test_what_is_no_level_is_found_wherever_it_stands(dtype: torch.dtype, wrong: float) -> None:
    for place in (0, 500, 9999, 10_000):
        x = numbers(10_001, Levels(0, 1), dtype)
        x[place] = wrong
        assert bits.pack(x, Levels(0, 1)) is None
        assert not bits.pack_plainly(x, Levels(0, 1), 1)[1]


@pytest.mark.parametrize("wrong", [0.1, 0.125, 1.25, -0.25])
def test_what_is_no_quarter_is_found(wrong: float) -> None:
    levels = Levels(0, 4, 4)
    x = numbers(1001, levels)
    x[77] = wrong
    assert bits.pack(x, levels) is None
    assert not bits.pack_plainly(x, levels, 4)[1]


def test_without_a_compiler_the_plain_form_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: str) -> None:
        raise BuildError("there is no C++ compiler")

    x = numbers(1001, Levels(-2, 2))
    expected = bits.pack(x, Levels(-2, 2))
    monkeypatch.setattr(bits, "library", fail)
    bits._functions.cache_clear()
    try:
        assert torch.equal(bits.pack(x, Levels(-2, 2)), expected)
        assert torch.equal(bits.unpack(expected, 1001, torch.float32, Levels(-2, 2)), x)
    finally:
        bits._functions.cache_clear()
