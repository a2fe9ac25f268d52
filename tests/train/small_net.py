"""A small network of any neuron and any norm, with dropout, for tests of the training step."""

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import registry
from snnlab.layers.dropout import SharedDropout
from snnlab.layers.fused import norm_and_neuron
from snnlab.layers.time import EachStep

STEPS, CLASSES = 3, 4


def made(kind: str, name: str, **context: Any) -> Any:
    """The component with those of the arguments that its constructor takes."""
    cls = registry.load(kind, name)
    known = inspect.signature(cls).parameters
    return cls(**{key: value for key, value in context.items() if key in known})


class SmallNet(nn.Module):
    """Convolution - norm - neuron - dropout - linear; one parameter is not used and gets no gradient."""

    def __init__(
        self,
        neuron: str = "lif",
        norm: str = "bn",
        surrogate: str = "triangle",
        settings: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self.conv = EachStep(nn.Conv2d(2, 4, 3, padding=1, bias=False))
        self.norm = made("norm", norm, num_features=4, num_steps=STEPS, threshold=1.0)
        slope = made("surrogate", surrogate, num_steps=STEPS)
        self.neuron = made("neuron", neuron, surrogate=slope, num_steps=STEPS, **settings)
        self.dropout, self.head = SharedDropout(0.2), nn.Linear(4 * 4 * 4, CLASSES)
        self.unused = nn.Parameter(torch.ones(3))

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        spikes_TBCHW = norm_and_neuron(self.norm, self.neuron, self.conv(x_TBCHW))
        logits_TBK: Tensor = self.head(self.dropout(spikes_TBCHW.flatten(2)))
        return logits_TBK
