"""Loads the weights of released checkpoints, whose entries have other names, into the networks here.

A network that has published weights says which layer there is which one here: `released_names` lists the names that its
layers with weights have there, in the order in which it has them here. Neurons have none there and are left out.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from snnlab.neurons.base import Neuron


@runtime_checkable
class Released(Protocol):
    """A network with published weights."""

    released_unused: str
    """Regular expression of entries that released files have and the released networks never use, or have twice."""

    def released_names(self) -> list[str]:
        """The released names of the layers with weights, in the order of `layers_with_weights`."""


@runtime_checkable
class Renamed(Protocol):
    """A network whose weights were published under several names."""

    def other_released_names(self) -> list[list[str]]:
        """Further lists like `released_names`."""


def layers_with_weights(model: nn.Module) -> list[str]:
    """Returns the names of the layers with parameters of their own, without neurons, in the order of definition."""
    neurons = [name for name, module in model.named_modules() if isinstance(module, Neuron)]
    return [
        name
        for name, module in model.named_modules()
        if any(True for _ in module.parameters(recurse=False))
        and not any(name == one or name.startswith(f"{one}.") for one in neurons)
    ]


def key_map(model: Released, names: Collection[str] = ()) -> dict[str, str]:
    """Returns the released name of each layer with weights, and its name here.

    Args:
        model: the network.
        names: entries of a file; of several maps, the one that knows most of them is taken.
    """
    assert isinstance(model, nn.Module)
    here = layers_with_weights(model)
    maps = [model.released_names(), *(model.other_released_names() if isinstance(model, Renamed) else [])]
    layers = {name.rpartition(".")[0] for name in names}
    there = max(maps, key=lambda one: len(layers.intersection(one)))
    assert len(here) == len(there) == len(set(there)), (len(here), len(there))
    return dict(zip(there, here, strict=True))


@torch.no_grad()
def load_released(model: nn.Module, state: Mapping[str, Tensor], fresh: Sequence[str] = ()) -> None:
    """Copies the tensors of a released state into a network; parameters of neurons keep their initial values.

    Each entry must be found with as many numbers, and none may be left over but those that are never used. A 1x1
    convolution may stand there for a linear layer. `module.` in front of all names, from several GPUs, is left out.

    Args:
        model: the network.
        state: tensors by released name.
        fresh: layers of the network, by their names here, that may be missing there and then stay as they are.

    Raises:
        ValueError: there is no map for this network, or the entries do not fit it.
    """
    if not isinstance(model, Released):
        raise ValueError(
            f"{type(model).__name__} has no map from released names, since no released network is the same"
        )
    if state and all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): value for name, value in state.items()}
    state = without_second_copies(state)
    own = model.state_dict()
    wanted = {
        f"{there}.{key.removeprefix(f'{here}.')}": key
        for there, here in key_map(model, state).items()
        for key in own
        if key.rpartition(".")[0] == here
    }
    unused = re.compile(model.released_unused) if model.released_unused else None
    left = [name for name in state if name not in wanted and not (unused and unused.fullmatch(name))]
    new = tuple(f"{name}." for name in fresh)
    wanted = {name: key for name, key in wanted.items() if name in state or not key.startswith(new)}
    missing = [name for name in wanted if name not in state]
    shapes = [
        f"{name} is {_shape(state[name])} there and {_shape(own[key])} here"
        for name, key in wanted.items()
        if name in state and _without_ones(state[name]) != _without_ones(own[key])
    ]
    problems = (
        [f"{name} is not there" for name in missing] + [f"{name} is not here" for name in left] + shapes
    )
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ValueError(f"{problems[0]}{more}")
    for name, key in wanted.items():
        own[key].copy_(state[name].view_as(own[key]))


def without_second_copies(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The state of a network of TMC's code under the names that the same network has in TET's; others as they are.

    TMC wraps each layer in two copies with the same numbers, `op`, which learns, and `op_`, which computes.
    """
    if not any(".op_." in name for name in state):
        return state
    return {name.replace(".op.", "."): value for name, value in state.items() if ".op_." not in name}


def _without_ones(x: Tensor) -> tuple[int, ...]:
    """The shape of a tensor without the kernel of a 1x1 convolution."""
    shape = tuple(x.shape)
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _shape(x: Tensor) -> str:
    return " x ".join(map(str, x.shape)) or "a number"
