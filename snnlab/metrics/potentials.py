"""Statistics of membrane potentials before reset, accumulated over batches through `watch_potentials`.

Shape suffixes: T time steps, `...` any further axes.
"""

import torch
from torch import Tensor

from snnlab.neurons.base_membrane import MembraneNeuron


class Potentials:
    """Histogram, mean and standard deviation of a layer's potentials before reset at each time step.

    The range of the histogram is fixed by the first batch: it covers the thresholds with a margin, and four standard
    deviations around the mean, over all steps. Potentials outside are counted in `below` and `above`.

    Args:
        bins: number of bins of equal width.
    """

    def __init__(self, bins: int) -> None:
        self.bins = bins
        self.low = self.high = 0.0
        self._counts_TN: Tensor | None = None
        self._sums_3T: Tensor

    def update(self, neuron: MembraneNeuron, h_T: Tensor) -> None:
        """Counts the potentials [T, ...] of one call, without storing them."""
        h_TN = h_T.detach().flatten(1).float()
        if self._counts_TN is None:
            std, mean = (float(value) for value in torch.std_mean(h_TN))
            levels = [level for t in range(len(h_TN)) for level in neuron.firing_thresholds(t)]
            margin = 0.15 * max(abs(level) for level in levels)
            self.low = min(mean - 4 * std, min(levels) - margin)
            self.high = max(mean + 4 * std, max(levels) + margin)
            self._counts_TN = h_TN.new_zeros((len(h_TN), self.bins + 2), dtype=torch.float64)
            self._sums_3T = h_TN.new_zeros((3, len(h_TN)), dtype=torch.float64)
        place = ((h_TN - self.low) * (self.bins / (self.high - self.low))).floor().clamp(-1, self.bins) + 1
        for t, bin_N in enumerate(place.long()):
            self._counts_TN[t] += torch.bincount(bin_N, minlength=self.bins + 2)
        wide_TN = h_TN.double()
        ones_T = torch.full_like(self._sums_3T[0], h_TN.shape[1])
        self._sums_3T += torch.stack([ones_T, wide_TN.sum(1), wide_TN.square().sum(1)])

    @property
    def edges(self) -> list[float]:
        """Returns the edges of the bins, one more than there are bins."""
        return torch.linspace(self.low, self.high, self.bins + 1, dtype=torch.float64).tolist()

    def shares(self) -> list[list[float]]:
        """Returns for each step the share of the potentials below the range, in each bin, and above the range."""
        assert self._counts_TN is not None, "nothing was watched"
        return (self._counts_TN / self._sums_3T[0][:, None]).tolist()

    def mean_std(self) -> list[tuple[float, float]]:
        """Returns mean and standard deviation of each step."""
        count_T, sum_T, square_T = self._sums_3T
        mean_T = sum_T / count_T
        std_T = (square_T / count_T - mean_T**2).clamp(min=0).sqrt()
        return list(zip(mean_T.tolist(), std_T.tolist(), strict=True))


class GradientSupport:
    """The share of a layer's neurons that receive a gradient through their spike, at each time step.

    A neuron receives one if the gradient of its surrogate is at least `least` times its peak in that step, with the
    threshold and the width of that call. For a rectangle this is the support whatever `least` is; surrogates with
    infinite tails have no finite support.

    Args:
        least: fraction of the peak, above 0.
    """

    def __init__(self, least: float) -> None:
        self.least = least
        self._inside_T: Tensor | None = None
        self._bounds_2T: Tensor | None = None
        self._neurons = 0
        self._calls = 0

    def update(self, neuron: MembraneNeuron, h_T: Tensor) -> None:
        """Counts the potentials [T, ...] of one call."""
        dynamics = neuron.dynamics_of_call()
        scale = max(abs(level) for level in neuron.firing_thresholds(0))
        grid = torch.linspace(-10 * scale, 10 * scale, 4001, device=h_T.device, dtype=h_T.dtype)
        inside, bounds = [], []
        for t, h in enumerate(h_T.detach()):
            slope = dynamics.slope(h, t, neuron.surrogate)
            everywhere = dynamics.slope(grid, t, neuron.surrogate)
            enough = self.least * everywhere.max()
            inside.append((slope >= enough).sum())
            bounds.append(torch.stack(torch.aminmax(grid[everywhere >= enough])))
        inside_T, bounds_2T = torch.stack(inside), torch.stack(bounds, 1).double()
        self._inside_T = inside_T if self._inside_T is None else self._inside_T + inside_T
        self._bounds_2T = bounds_2T if self._bounds_2T is None else self._bounds_2T + bounds_2T
        self._calls += 1
        self._neurons += h_T[0].numel()

    def bounds(self) -> list[tuple[float, float]]:
        """Returns the lowest and highest potential with a gradient at each step, on a grid of 1/200 threshold."""
        assert self._bounds_2T is not None, "nothing was watched"
        low_T, high_T = (self._bounds_2T / self._calls).tolist()
        return list(zip(low_T, high_T, strict=True))

    def merge(self, other: "GradientSupport") -> None:
        """Adds the counts of another layer."""
        if other._inside_T is not None:
            self._inside_T = other._inside_T if self._inside_T is None else self._inside_T + other._inside_T
            self._neurons += other._neurons

    def compute(self) -> list[float]:
        """Returns the share at each step."""
        assert self._inside_T is not None, "nothing was watched"
        return (self._inside_T.double() / self._neurons).tolist()
