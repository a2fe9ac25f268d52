"""What regularisers share: a penalty on the membrane potentials of each neuron layer, averaged over layers.

Shape suffixes: T time steps, `...` any further axes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from snnlab.neurons._membrane import MembraneNeuron, watch_potentials


class Penalties:
    """The penalties of the layers that have run inside `Regulariser.watch`."""

    def __init__(self, measured: dict[str, list[Tensor | None]]) -> None:
        self._measured = measured

    def by_layer(self) -> dict[str, Tensor]:
        """The penalty of each layer that has run, averaged over its calls, by its name in the model."""
        calls = {name: [one for one in ones if one is not None] for name, ones in self._measured.items()}
        return {name: torch.stack(ones).mean() for name, ones in calls.items() if ones}

    def mean(self) -> Tensor:
        """Their mean over layers, so that a weight means the same for networks of any depth.

        Raises:
            ValueError: no layer has run.
        """
        penalties = list(self.by_layer().values())
        if not penalties:
            raise ValueError("there is no penalty before the model has run inside the block")
        return torch.stack(penalties).mean()


class Regulariser(nn.Module):
    """Base class: a subclass writes `penalty`.

        with regulariser.watch(model) as penalties:
            logits_TBK = model(x_TBCHW)
        loss = loss + regulariser.weight * penalties.mean()

    Potentials are not kept for the backward pass, which recomputes them one layer at a time in any case.
    """

    weight: float

    def penalty(self, neuron: MembraneNeuron, h_T: Tensor) -> Tensor:
        """The scalar of one layer with charged potentials h_T [T, ...] in float32; differentiable, and pure."""
        raise NotImplementedError

    @contextmanager
    def watch(self, model: nn.Module) -> Iterator[Penalties]:
        """Computes the penalty of each neuron layer that runs inside the block.

        Raises:
            ValueError: the model has no neuron with a membrane potential, or is watched already.
        """
        with watch_potentials(model, self.penalty) as measured:
            yield Penalties(measured)
