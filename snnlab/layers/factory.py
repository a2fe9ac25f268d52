"""The types of the factories from which models and layers build their neurons and norms."""

from collections.abc import Callable

from torch import nn

NeuronFactory = Callable[..., nn.Module]
"""`neuron(**overrides)` makes a fresh neuron with a fresh surrogate, as in `neuron(threshold=0.5)`."""

NormFactory = Callable[[int], nn.Module]
"""`norm(num_features)` makes a fresh normalisation for x_TBC...."""
