"""Records statistics of every neuron layer of a running network, accumulated by forward hooks.

A new measurement is a small `Statistic`. Nothing is hooked outside the `with` block.
Shape letters: T time steps, B samples, `...` any further axes.
"""

from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from snnlab.neurons.base import Neuron
from snnlab.neurons.base_output import watch_output


class Statistic(Protocol):
    """A statistic of one layer: `update` runs on every call of the layer, `compute` at the end.

    `update` receives the layer's output [T, B, ...], and must neither store it nor synchronise with the device;
    `compute` returns one number per time step.
    """

    def update(self, output_TB: Tensor) -> None: ...

    def compute(self) -> list[float]: ...


class FiringRate:
    """The share of a layer's outputs that are not zero, at each time step."""

    def __init__(self) -> None:
        self._fired_T: Tensor | None = None
        self._outputs_per_step = 0

    def update(self, output_TB: Tensor) -> None:
        """Counts one batch.

        Raises:
            ValueError: the number of time steps changed.
        """
        # Sums per sample in float32, then over samples in float64: exact, and several times faster than counting.
        output_TBN = output_TB.unsqueeze(-1)
        ones_TBN = torch.ne(output_TBN, 0, out=torch.empty_like(output_TBN, dtype=torch.float32))
        of_sample_TB = ones_TBN.sum(tuple(range(2, ones_TBN.dim())))
        self._add(of_sample_TB.sum(1, dtype=torch.float64), output_TB[0].numel())

    @classmethod
    def of(cls, fired_T: Tensor, outputs_per_step: int) -> Self:
        """The statistic of outputs that were counted elsewhere.

        Args:
            fired_T: number of outputs that are not zero at each step [T], in float64.
            outputs_per_step: number of outputs at each step.
        """
        made = cls()
        made._add(fired_T, outputs_per_step)
        return made

    def sums(self) -> tuple[Tensor, int] | None:
        """Returns the arguments of `of`; None if the layer was never called."""
        return None if self._fired_T is None else (self._fired_T, self._outputs_per_step)

    def merge(self, other: "FiringRate") -> None:
        """Adds the counts of another statistic: of this layer in another process, or of another layer.

        Raises:
            ValueError: it has another number of time steps.
        """
        if other._fired_T is not None:
            self._add(other._fired_T, other._outputs_per_step)

    def to(self, device: torch.device | str) -> Self:
        """Moves the counts to a device."""
        self._fired_T = None if self._fired_T is None else self._fired_T.to(device)
        return self

    def compute(self) -> list[float]:
        """Returns the rate at each step; empty if the layer was never called."""
        return [] if self._fired_T is None else (self._fired_T.double() / self._outputs_per_step).tolist()

    def _add(self, fired_T: Tensor, outputs_per_step: int) -> None:
        if self._fired_T is not None and len(fired_T) != len(self._fired_T):
            raise ValueError(f"{len(self._fired_T)} time steps so far, now {len(fired_T)}: use two recorders")
        self._fired_T = fired_T if self._fired_T is None else self._fired_T + fired_T.to(self._fired_T.device)
        self._outputs_per_step += outputs_per_step


class LevelShares:
    """The share of each integer among a layer's outputs, at each time step.

    Args:
        levels: the least and the greatest integer; other outputs are not counted.
    """

    def __init__(self, levels: tuple[int, int]) -> None:
        self.levels = range(levels[0], levels[1] + 1)
        self._counts_LT: Tensor | None = None
        self._outputs_per_step = 0

    def update(self, output_TB: Tensor) -> None:
        """Counts one batch."""
        output_TN = output_TB.flatten(1)
        counts_LT = torch.stack([(output_TN == level).sum(1) for level in self.levels])
        self._counts_LT = counts_LT if self._counts_LT is None else self._counts_LT + counts_LT
        self._outputs_per_step += output_TN.shape[1]

    def shares(self) -> dict[int, list[float]]:
        """Returns for each level its share at each step; empty if the layer was never called."""
        if self._counts_LT is None:
            return {}
        shares_LT = self._counts_LT.double() / self._outputs_per_step
        return dict(zip(self.levels, shares_LT.tolist(), strict=True))

    def compute(self) -> list[float]:
        """Returns the mean magnitude at each step."""
        return [
            sum(abs(level) * share for level, share in zip(self.shares(), step, strict=True))
            for step in zip(*self.shares().values(), strict=True)
        ]


class Recorder:
    """Records statistics of a network's neuron layers while it is the context of a `with` block.

        with Recorder(model) as recorder:
            for x_TBCHW in batches:
                model(x_TBCHW)
        recorder.rates()

    Layers are named as in `model.named_modules()`; one that is used at several places counts as one layer.
    Only sums are stored, on the device of the layer. Hooks on a network that `torch.compile` has wrapped may
    not run: record the plain module, which shares the weights.

    Args:
        model: The network.
        statistics: What to record: for each name a function that makes the statistic of a layer; default firing rate.
        layers: Names of the layers to record; all neurons by default.

    Raises:
        ValueError: a named layer is no neuron of the model.
    """

    def __init__(
        self,
        model: nn.Module,
        statistics: Mapping[str, Callable[[], Statistic]] | None = None,
        layers: Collection[str] | None = None,
    ) -> None:
        self._neurons = {
            name: module
            for name, module in model.named_modules()
            if isinstance(module, Neuron) and module.fires
        }
        if layers is not None:
            self._check(layers)
            self._neurons = {name: module for name, module in self._neurons.items() if name in layers}
        makers = {"rate": FiringRate} if statistics is None else statistics
        self._statistics = {
            statistic: {layer: make() for layer in self._neurons} for statistic, make in makers.items()
        }
        self._handles: list[RemovableHandle] = []
        self._wanted: set[str] = set()
        self._sample = 0
        self.spikes: dict[str, Tensor] = {}

    @property
    def layers(self) -> list[str]:
        """The names of the recorded layers, in the order of the model."""
        return list(self._neurons)

    def rates(self) -> dict[str, list[float]]:
        """Returns the firing rate of each layer at each time step."""
        return self.compute("rate")

    def compute(self, statistic: str) -> dict[str, list[float]]:
        """Returns a statistic of each layer at each time step.

        Raises:
            ValueError: it was not recorded.
        """
        return {layer: recorded.compute() for layer, recorded in self.recorded(statistic).items()}

    def recorded(self, statistic: str) -> dict[str, Any]:
        """Returns the statistic object of each layer, to be merged with others.

        Raises:
            ValueError: it was not recorded.
        """
        if statistic not in self._statistics:
            raise ValueError(f"'{statistic}' was not recorded; recorded: {', '.join(self._statistics)}")
        return dict(self._statistics[statistic])

    def request_spikes(self, layers: Collection[str] | None = None, sample: int = 0) -> None:
        """Requests that `spikes` receives one sample's outputs [T, ...] of the next batch, of all or of some layers.

        Args:
            layers: Names of layers; all by default.
            sample: The sample's place in the batch.

        Raises:
            ValueError: a named layer is not recorded.
        """
        if layers is not None:
            self._check(layers)
        self.spikes = {}
        self._wanted = set(self._neurons if layers is None else layers)
        self._sample = sample

    def __enter__(self) -> Self:
        for name, module in self._neurons.items():
            self._handles.append(watch_output(module, self._look(name)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _look(self, layer: str) -> Callable[[Tensor], None]:
        statistics = [recorded[layer] for recorded in self._statistics.values()]

        @torch.no_grad()
        def record(output_TB: Tensor) -> None:
            for statistic in statistics:
                statistic.update(output_TB.detach())
            if layer in self._wanted:
                self._wanted.remove(layer)
                self.spikes[layer] = output_TB[:, self._sample].detach().clone()

        return record

    def _check(self, layers: Collection[str]) -> None:
        unknown = [layer for layer in layers if layer not in self._neurons]
        if unknown:
            raise ValueError(f"no neuron layer {', '.join(unknown)}; there are {', '.join(self._neurons)}")
