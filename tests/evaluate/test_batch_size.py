"""The size of evaluation batches: as given, or by a GPU's memory."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from snnlab.config.schema import TrainerConfig
from snnlab.evaluate import batch_size
from snnlab.evaluate.batch_size import eval_batch_size, that_fits


@pytest.mark.parametrize(
    ("size", "bytes_each", "total", "samples", "fits"),
    [
        (128, 2**20, 2**37, 10_000, 4096),  # 4 GiB, for the sake of the kernels
        (100, 2**20, 2**33, 10_000, 2000),  # a quarter of 8 GiB: 2048
        (128, 2**20, 2**37, 300, 384),  # no more than there are
        (128, 2**33, 2**34, 10_000, 128),  # what the training takes is taken
        (64, 0.0, 2**34, 64, 64),
    ],
)
def test_multiples_of_the_batch_that_fit(
    size: int, bytes_each: float, total: int, samples: int, fits: int
) -> None:
    assert that_fits(size, bytes_each, total, samples) == fits


@pytest.mark.parametrize(("given", "size"), [("auto", 32), (None, 32), (7, 7)])
def test_a_cpu_takes_the_batch_of_the_training(given: object, size: int) -> None:
    trainer = TrainerConfig(batch_size=32, eval_batch_size=given)  # type: ignore[arg-type]
    assert eval_batch_size(trainer, nn.Identity(), SimpleNamespace(device=torch.device("cpu")), []) == size  # type: ignore[arg-type]


def test_a_gpu_is_asked_once_for_auto_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(batch_size, "_memory_of", lambda indices, *_: asked.append(indices) or 32 * 2**20)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=2**34)
    )
    gpu = SimpleNamespace(device=torch.device("cuda"))
    found = [
        eval_batch_size(TrainerConfig(batch_size=32, eval_batch_size=given), nn.Identity(), gpu, range(9000))  # type: ignore[arg-type]
        for given in ("auto", None, 7)
    ]
    assert found == [4096, 32, 7]
    assert asked == [range(32)]
