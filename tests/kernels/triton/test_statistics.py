"""Mean and variance of each channel from the Triton kernels against float64, and the table made of them."""

import pytest
import torch

pytest.importorskip("triton")
from snnlab.kernels.triton import statistics
from snnlab.kernels.triton.statistics import Statistics
from snnlab.triton_language import INTERPRETED

EPS = 1e-5


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)], autouse=True)
def device(request):
    if request.param == "cpu" and not INTERPRETED:
        pytest.skip("kernels run on the CPU in Triton's interpreter only")
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    torch.use_deterministic_algorithms(True)  # fills empty tensors with NaN
    yield request.param
    torch.use_deterministic_algorithms(False)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def table_of(y_T):
    channels = y_T.shape[2]
    weight = (1 + 0.3 * normal(channels, seed=1)).to(y_T.device)
    bias = normal(channels, seed=2).to(y_T.device)
    return Statistics(y_T, EPS)(y_T, weight, bias), weight, bias


def compare(y_T):
    table, weight, bias = table_of(y_T)
    axes = [0, 1, *range(3, y_T.ndim)]
    var, mean = torch.var_mean(y_T.double(), axes, correction=0)
    rate = 1 / (var + EPS).sqrt()
    # Rounding to float32, and an error that is small beside the spread.
    assert ((table[0] - mean).abs() <= 1e-7 * mean.abs() + 1e-6 * var.sqrt()).all()
    torch.testing.assert_close(table[4].double(), var, rtol=1e-5, atol=1e-12)
    torch.testing.assert_close(table[3].double(), rate, rtol=1e-5, atol=0)
    torch.testing.assert_close(table[1].double(), weight.double() * rate, rtol=1e-5, atol=1e-7)
    assert torch.equal(table[2], bias)
    return table


def channels_last(y_T):
    return y_T.flatten(0, 1).to(memory_format=torch.channels_last).view(y_T.shape)


LAYOUTS = {
    "contiguous": lambda: normal(3, 4, 6, 5, 7),
    "wide maps": lambda: normal(2, 3, 2, 16, 16),
    "channels last": lambda: channels_last(normal(3, 4, 6, 5, 7)),
    "many channels last": lambda: channels_last(normal(2, 2, 140, 2, 2)),
    "features": lambda: normal(2, 9, 6),
    "tokens": lambda: normal(2, 3, 5, 6).transpose(2, 3),
    "time inside": lambda: normal(4, 6, 5, 3).permute(3, 0, 1, 2),
    "slice": lambda: normal(3, 4, 6, 5, 8)[:, 1:, :, ::2, 1:],
    "every other step": lambda: normal(6, 4, 6, 5)[::2],
    "static": lambda: normal(1, 4, 6, 5).expand(3, 4, 6, 5),
    "one sample": lambda: normal(1, 1, 6, 3, 3),
    "one number a channel and step": lambda: normal(2, 1, 6),
}


@pytest.mark.parametrize("small", [False, True], ids=["as it is", "many programs"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout, small, device, monkeypatch):
    if small:  # several tiles for each program, and several programs for each column
        monkeypatch.setattr(statistics, "_TILE", 32)
        monkeypatch.setattr(statistics, "_MOST_COLS", 16)
        monkeypatch.setattr(statistics, "_LEAST_TILES", 2)
    compare(2 * LAYOUTS[layout]().to(device) + 0.7)


HARD = {
    "large mean": lambda y_T: y_T + 1e4,
    "large mean and small variance": lambda y_T: 1e-2 * y_T + 1e3,
    "tiny": lambda y_T: 1e-6 * y_T,
    "huge": lambda y_T: 1e12 * y_T,
    "an outlier first": lambda y_T: y_T.index_fill(0, torch.tensor([0], device=y_T.device), 1e5),
    "constant": lambda y_T: torch.full_like(y_T, 3.1),
    "mostly zero": lambda y_T: y_T * (y_T > 2),
}


@pytest.mark.parametrize("layout", ["contiguous", "channels last", "wide maps"])
@pytest.mark.parametrize("hard", HARD)
def test_numbers_that_cost_digits(hard, layout, device, monkeypatch):
    monkeypatch.setattr(statistics, "_TILE", 128)
    y_T = LAYOUTS[layout]().repeat(4, 1, 1, 1, 1)
    y_T = channels_last(y_T) if layout == "channels last" else y_T
    table = compare(HARD[hard](y_T.to(device)))
    if hard == "constant":
        assert (table[4] == 0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sixteen_bits(dtype, device):
    compare((normal(3, 4, 6, 5, 7) + 30).to(device, dtype))
    compare(channels_last(normal(3, 4, 6, 5, 7) + 30).to(device, dtype))


def test_what_is_not_finite_stays_in_its_channel(device):
    y_T = normal(2, 3, 4, 5, 5).to(device)
    y_T[1, 0, 2, 3, 3] = float("nan")
    y_T[0, 1, 1, 3, 3] = float("inf")
    table, _, _ = table_of(y_T)
    assert table[4].isfinite().tolist() == [True, False, False, True]
    assert table[0].isfinite().tolist() == [True, False, False, True]


def test_equal_numbers_give_equal_bits(device):
    y_T = channels_last(normal(4, 3, 24, 5, 5).to(device))
    first, _, _ = table_of(y_T)
    gaps = y_T.new_empty(8, *y_T.shape[1:]).to(memory_format=torch.preserve_format)
    gaps = channels_last(gaps)[::2].copy_(y_T)
    for again in (y_T, gaps):
        assert torch.equal(table_of(again)[0], first)
