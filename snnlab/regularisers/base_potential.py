"""A penalty on the membrane potentials of each neuron layer, averaged over layers.

Shape suffixes: T time steps, `...` any further axes.
"""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from snnlab.neurons.base_membrane import MembraneNeuron, watch_potentials
from snnlab.regularisers.base import Regulariser


class PotentialPenalty(Regulariser):
    """Base class of such penalties: a subclass implements `penalty`; the term is `weight` times its mean over layers.

    Potentials are not saved for the backward pass, which recomputes them one layer at a time in any case.
    """

    def __init__(self) -> None:
        super().__init__()
        self._measured: dict[str, list[Tensor | None]] = {}

    @abstractmethod
    def penalty(self, neuron: MembraneNeuron, h_T: Tensor) -> Tensor:
        """Returns the scalar of one layer with potentials before reset h_T [T, ...] in float32, differentiable."""

    @contextmanager
    def watching(self, model: nn.Module) -> Iterator[None]:
        """Computes the penalty of each neuron layer that runs inside the block.

        Raises:
            ValueError: the model has no neuron with a membrane potential, or its potentials are already watched.
        """
        with watch_potentials(model, self.penalty) as self._measured:
            yield

    def by_layer(self) -> dict[str, Tensor]:
        """Returns the penalty of each layer that has run, averaged over its calls, by its name in the model."""
        calls = {name: [one for one in ones if one is not None] for name, ones in self._measured.items()}
        return {name: torch.stack(ones).mean() for name, ones in calls.items() if ones}

    def term(self, model: nn.Module) -> Tensor:
        """Returns the weighted mean over layers.

        Raises:
            ValueError: no layer has run inside `watching`.
        """
        penalties = list(self.by_layer().values())
        if not penalties:
            raise ValueError("there is no penalty before the model has run inside `watching`")
        return self.weight * torch.stack(penalties).mean()
