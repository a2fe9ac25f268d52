"""How many processes read ahead by themselves."""

import numpy as np
import pytest
import torch

from snnlab.data.image_files import ImageFiles
from snnlab.data.sample_sets import AlteredSet, ArraySet
from snnlab.data.worker_count import workers

IN_MEMORY = ArraySet(np.zeros((4, 1, 2, 2), np.uint8), np.zeros(4, np.int64))
FILES = ImageFiles([("one.png", 0)], lambda picture: picture)
GPU, CPU = torch.device("cuda"), torch.device("cpu")


def test_for_a_gpu_whose_samples_are_read_or_changed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnlab.data.worker_count.cores", lambda: 6)
    for slow in (FILES, AlteredSet(IN_MEMORY, [lambda image: image])):
        assert workers("auto", slow, GPU) == 6
        assert workers("auto", slow, GPU, processes=4) == 1
        assert workers("auto", slow, CPU) == workers("auto", slow, None) == 0
    assert workers("auto", IN_MEMORY, GPU) == 0


def test_never_more_than_eight_and_as_many_as_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnlab.data.worker_count.cores", lambda: 64)
    assert workers("auto", FILES, GPU) == 8
    assert workers("auto", FILES, GPU, processes=100) == 1
    assert workers(12, IN_MEMORY, CPU) == 12
    assert workers(0, FILES, GPU) == 0
