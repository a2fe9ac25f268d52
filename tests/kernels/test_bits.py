"""Numbers of a small range in bits: the C++ form against the plain one, the way back, and what does not fit."""

import pytest
import torch

from snnlab.kernels import bits
from snnlab.kernels.cpu.compiler import BuildError

SPANS = [(0, 1), (-1, 1), (0, 3), (-2, 2), (0, 15), (-100, 100)]
DTYPES = [torch.float32, torch.bfloat16, torch.float64, torch.float16]


def numbers(count: int, span: tuple[int, int], dtype: torch.dtype = torch.float32) -> torch.Tensor:
    random = torch.Generator().manual_seed(count)
    return torch.randint(span[0], span[1] + 1, (count,), generator=random).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("span", SPANS, ids=str)
@pytest.mark.parametrize("count", [1, 7, 8, 63, 1001, 40_000])
def test_numbers_come_back(count: int, span: tuple[int, int], dtype: torch.dtype) -> None:
    x = numbers(count, span, dtype)
    width = bits.bits_of(span)
    packed = bits.pack(x, span)
    assert packed.dtype == torch.uint8
    assert len(packed) == -(-count * width // 8)
    assert torch.equal(packed, bits.pack_plainly(x, span, width))
    for back in (
        bits.unpack(packed, count, dtype, span),
        bits.unpack_plainly(packed, count, dtype, span, width),
    ):
        assert back.dtype == dtype
        assert torch.equal(back, x)


def test_as_few_bits_as_will_do() -> None:
    assert [bits.bits_of((-below, above)) for below, above in [(0, 1), (1, 1), (0, 3), (2, 2), (0, 15)]] == [
        1,
        2,
        2,
        4,
        4,
    ]
    assert bits.bits_of((-100, 155)) == 8
    assert bits.bits_of((-100, 156)) is None


@pytest.mark.parametrize("wrong", [0.5, 2.0, -1.0, 1e30, -1e30, float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64], ids=str)
def test_what_is_no_level_is_found_wherever_it_stands(dtype: torch.dtype, wrong: float) -> None:
    for place in (0, 500, 9999, 10_000):
        x = numbers(10_001, (0, 1), dtype)
        x[place] = wrong
        assert bits.pack(x, (0, 1)) is None
        assert bits.pack_plainly(x, (0, 1), 1) is None


def test_without_a_compiler_the_plain_form_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: str) -> None:
        raise BuildError("there is no C++ compiler")

    x = numbers(1001, (-2, 2))
    expected = bits.pack(x, (-2, 2))
    monkeypatch.setattr(bits, "library", fail)
    bits._functions.cache_clear()
    try:
        assert torch.equal(bits.pack(x, (-2, 2)), expected)
        assert torch.equal(bits.unpack(expected, 1001, torch.float32, (-2, 2)), x)
    finally:
        bits._functions.cache_clear()
