"""Small networks of every registered model, for tests that try all of them."""

import inspect

import pytest
import torch

from snnlab import registry
from snnlab.neurons import LIF
from snnlab.norms import BN
from tests.models.nir_graphs import small_graph

NAMES = tuple(registry.component_files("model"))
# The same blocks as in resnet18_snn, twice as many; much like vgg_snn, but larger.
LARGE = ("resnet34_snn", "vgg16_snn", "sew_resnet34_snn")
NETWORKS = [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in NAMES]
# The neurons of a NIR graph are its own.
OF_ANY_NEURON = [one for one in NETWORKS if one.values != ("nir",)]
# oneDNN's bfloat16 convolution reads memory it never wrote for inputs of 1 x 1 pixels (torch 2.15, CPU, stride 2): no
# network may get that small here.
SIZES = dict.fromkeys(
    (
        "vgg11_snn",
        "vgg16_snn",
        "preact_resnet34_snn",
        "meta_spikeformer",
        "sew_resnet18_snn",
        "sew_resnet34_snn",
        "dsatgo_resnet18_snn",
    ),
    32,
)
# Narrower networks of the same layers; test_published_sizes.py counts the published ones.
NARROW = {
    "meta_spikeformer": {"dims": (16, 32, 64, 80), "depths": (1, 1, 1, 1, 1), "distillation_head": True},
    "qkformer": {"dim": 96, "heads": 2},
    "spikingformer": {"dim": 96, "heads": 4},
    "spiking_bert": {"depth": 1, "heads": 4, "mlp_ratio": 2},
}


def build(name, neuron=LIF, norm=BN, in_channels=2, num_classes=7, image_size=None):
    cls = registry.load("model", name)
    given = {
        "neuron": neuron,
        "norm": norm,
        "in_channels": in_channels,
        "num_classes": num_classes,
        "image_size": image_size or SIZES.get(name, 16),
        "frame_shape": (image_size or SIZES.get(name, 16),) * 2,
        "num_steps": 4,
        "graph": small_graph(in_channels, num_classes, image_size or SIZES.get(name, 16)),
    }
    taken = {k: v for k, v in given.items() if k in inspect.signature(cls).parameters}
    return cls(**taken, **NARROW.get(name, {}))


def eager(**overrides):
    """A neuron that fires easily: in the head of ResNet-19, without a norm, fresh weights never reach 1."""
    return LIF(**{"threshold": 0.1, **overrides})


def alive(name, neuron=eager):
    """In evaluation mode, with running statistics of real activity, so that spikes reach the last layer."""
    torch.manual_seed(0)
    model = build(name, neuron, norm=lambda c: BN(c, momentum=1.0))
    with torch.no_grad():
        model(frames(4, batch=8, name=name))
    return model.eval()


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def frames(steps, batch=2, name=None):
    size = SIZES.get(name, 16)
    return torch.rand(steps, batch, 2, size, size, generator=torch.Generator().manual_seed(steps))
