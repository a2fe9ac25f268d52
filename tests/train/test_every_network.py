"""Every registered network trains two steps in float32, in bfloat16 and compiled, as soon as its file exists."""

import functools
import inspect
from typing import Any

import pytest
import torch
from torch import nn

from snnlab import registry
from snnlab.config.schema import TrainerConfig
from snnlab.losses import SDT
from snnlab.neurons import LIF
from snnlab.norms import BN
from snnlab.train.batch_work import BatchInput, BatchWork
from tests.models.nir_graphs import small_graph

NAMES = tuple(registry.component_files("model"))
STEPS, BATCH, CLASSES = 2, 4, 5
# As little of each as has all of its layers.
TINY: dict[str, dict[str, Any]] = {
    "meta_spikeformer": {
        "dims": (8, 8, 16, 16),
        "depths": (1, 0, 0, 1, 0),
        "heads": 2,
        "mlp_ratio": 1,
        "distillation_head": True,
    },
    "qkformer": {"dim": 16, "heads": 2, "depths": (1, 1), "mlp_ratio": 1},
    "spiking_bert": {"heads": 2, "depth": 1, "mlp_ratio": 1},
    "spikformer": {"dim": 16, "heads": 2, "depth": 1},
    "spikingformer": {"dim": 16, "heads": 2, "depth": 1},
    "vgg11_snn": {"channels": (4, 8, 8), "pools": (1, 3)},
    "vgg_snn": {"channels": (4, 8)},
}
# Where the last stage has one pixel, normalisation is over eight numbers, and a thousandth more in the input changes
# the loss by a third; bfloat16 changes it by more.
SIDES = {"preact_resnet34_snn": 64}
LARGE = {name for name in NAMES if "resnet" in name or name == "vgg16_snn"}
NETWORKS = [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in NAMES]


def side(name: str) -> int:
    return SIDES.get(name, 32)


def network(name: str, steps: int) -> nn.Module:
    torch.manual_seed(0)
    cls = registry.load("model", name)
    context = {
        "neuron": lambda **changed: LIF(**{"threshold": 0.3, **changed}),
        "residual_neuron": lambda **changed: LIF(**{"threshold": 0.3, **changed}),
        "norm": BN,
        "in_channels": 2,
        "num_classes": CLASSES,
        "image_size": side(name),
        "frame_shape": (side(name), side(name)),
        "num_steps": steps,
        "threshold": 1.0,
        "graph": small_graph(2, CLASSES, 32),
    }
    taken = {key: value for key, value in context.items() if key in inspect.signature(cls).parameters}
    model: nn.Module = cls(**taken, **TINY.get(name, {}))
    return model


def train(name: str, precision: str, compiled: bool, steps: int = STEPS) -> list[float]:
    """The losses of two steps and one more forward pass; each step changes weights, and all gradients are finite."""
    model = network(name, steps)
    forward = torch.compile(model) if compiled else model
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    work = BatchWork(model, forward, SDT(), {}, scaler, TrainerConfig(precision=precision))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    x = torch.rand(steps, BATCH, 2, side(name), side(name), generator=torch.Generator().manual_seed(1))
    target = torch.arange(BATCH) % CLASSES
    losses = []
    for _ in range(2):
        before = [parameter.detach().clone() for parameter in model.parameters()]
        sums = work(BatchInput(x, target, target, None, 1.0))
        losses.append(sum(float(term) for term in sums.terms.values()))
        grads = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        assert len(grads) > 4
        assert all(torch.isfinite(grad).all() for grad in grads)
        optimizer.step()
        optimizer.zero_grad()
        after = model.parameters()
        assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(map(torch.isfinite, map(torch.tensor, losses)))
    return losses


@functools.cache
def in_float32(name: str, steps: int = STEPS) -> list[float]:
    return train(name, "fp32", compiled=False, steps=steps)


@pytest.mark.parametrize("name", NETWORKS)
def test_two_steps_in_float32_and_in_bfloat16(name: str) -> None:
    first, second = in_float32(name)
    assert first != second
    # Rounding flips spikes, so only the size of the loss is the same.
    assert train(name, "bf16", compiled=False)[0] == pytest.approx(first, rel=0.3)


@pytest.mark.parametrize("name", NETWORKS)
def test_two_compiled_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Captured forwards and backwards as one graph each, of one time step; generated code takes a minute."""
    torch.compiler.reset()
    whole = functools.partial(torch.compile, backend="aot_eager", fullgraph=True)
    monkeypatch.setattr(torch, "compile", whole)
    assert train(name, "fp32", compiled=True, steps=1) == pytest.approx(in_float32(name, 1), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", NAMES)
def test_two_steps_of_generated_code(name: str, precision: str) -> None:
    torch.compiler.reset()
    assert train(name, precision, compiled=True) == pytest.approx(in_float32(name), rel=0.3)
