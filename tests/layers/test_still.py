"""A static input runs through the layers before the first neuron once; all else is as with its T copies."""

import copy

import pytest
import torch
from torch import Tensor, nn

from snnlab import kernels
from snnlab.layers.fused import Layers
from snnlab.layers.time import EachStep
from snnlab.models import ResNet19SNN
from snnlab.neurons import LIF
from snnlab.norms import BN, TEBN

T = 3


def outcome(model: nn.Module, x_TBCHW: Tensor, image: Tensor, training: bool) -> list[Tensor]:
    model.train(training)
    out = model(x_TBCHW)
    out.backward(torch.randn(out.shape, generator=torch.Generator().manual_seed(1)))
    assert image.grad is not None
    return [out.detach(), image.grad, *(p.grad for p in model.parameters()), *model.buffers()]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("backend", ["eager", "compiled"])
@pytest.mark.parametrize("norm", [BN, lambda c: TEBN(c, T)])
def test_equal_to_copies(norm, backend: str, training: bool) -> None:
    torch.manual_seed(0)
    model = Layers(EachStep(nn.Conv2d(2, 6, 3, bias=False), nn.AvgPool2d(2)), norm(6), LIF())
    found = []
    for copied in (False, True):
        image = torch.randn(4, 2, 10, 10, generator=torch.Generator().manual_seed(2)).requires_grad_()
        x = image.expand(T, -1, -1, -1, -1)
        with kernels.backend(backend):
            found.append(outcome(copy.deepcopy(model), x.clone() if copied else x, image, training))
    for a, b in zip(*found, strict=True):
        assert a.shape == b.shape
        assert (a - b).double().norm() <= 1e-5 * b.double().norm() + 1e-6


def test_the_first_convolution_sees_one_step_unless_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ResNet19SNN(LIF, BN, 3, 10).eval()
    first = model.stem[0][0]
    sizes = []
    plain = first._conv_forward
    monkeypatch.setattr(first, "_conv_forward", lambda x, *rest: sizes.append(len(x)) or plain(x, *rest))
    x = torch.randn(2, 3, 8, 8).expand(T, -1, -1, -1, -1)
    model(x)
    model(x.clone())
    first.register_forward_hook(lambda *_: None)
    model(x)
    assert sizes == [2, 2 * T, 2 * T]


def test_layers_with_chance_run_at_each_step() -> None:
    layers = EachStep(nn.Dropout(0.5)).train()
    out = layers(torch.ones(2, 100).expand(T, -1, -1))
    assert not torch.equal(out[0], out[1])
