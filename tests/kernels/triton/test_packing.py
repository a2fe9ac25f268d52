"""Packing on a GPU against that on the CPU: equal bytes, the way back, and what is no level is seen."""

import pytest
import torch

from snnlab.kernels import bits
from snnlab.kernels.levels import Levels, bits_of

pytest.importorskip("triton")
from snnlab.kernels.triton import packing
from snnlab.triton_language import INTERPRETED


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)], autouse=True)
def device(request):
    if request.param == "cpu" and not INTERPRETED:
        pytest.skip("kernels run on the CPU in Triton's interpreter only")
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    return request.param


def packed_there(x, levels, device):
    width = bits_of(levels)
    packed = torch.empty(-(-len(x) * width // 8), dtype=torch.uint8, device=device)
    wrong = torch.zeros(1, dtype=torch.int32, device=device)
    packing.pack(x.to(device), packed, wrong, levels, width)
    return packed, wrong


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize(
    "levels", [Levels(0, 1), Levels(-1, 1), Levels(-2, 2), Levels(0, 4, 4), Levels(-100, 100)], ids=str
)
@pytest.mark.parametrize("count", [1, 63, 9001])
def test_bytes_are_those_of_the_cpu(count, levels, dtype, device):
    random = torch.Generator().manual_seed(count)
    x = torch.randint(levels.low, levels.high + 1, (count,), generator=random).to(dtype) / levels.parts
    packed, wrong = packed_there(x, levels, device)
    assert wrong.item() == 0
    assert torch.equal(packed.cpu(), bits.pack(x, levels))
    back = torch.empty(count, dtype=dtype, device=device)
    packing.unpack(packed, back, levels, bits_of(levels))
    assert torch.equal(back.cpu(), x)


@pytest.mark.parametrize("wrong", [0.125, 1.25, -0.25, 1e30, float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", [0, 5000, 9000])
def test_what_is_no_level_is_seen(wrong, place, device):
    x = torch.ones(9001)
    x[place] = wrong
    assert packed_there(x, Levels(0, 4, 4), device)[1].item() == 1
