"""The arguments of `snnlab eval`: the run, the checkpoint, numbers of time steps, early exit, noise. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from snnlab.config.arguments import Several
from snnlab.config.measurements import EarlyExitConfig, NoiseConfig, RobustnessConfig
from snnlab.config.read_arguments import read_arguments
from snnlab.errors import ConfigError
from snnlab.ranges import PositiveInt
from snnlab.runs.run_arguments import OF_A_PASS, RunArguments


@dataclass(frozen=True, kw_only=True)
class EvalArguments(RunArguments):
    """The parts of a command line."""

    verb: ClassVar[str] = "eval"
    usage: ClassVar[str] = "snnlab eval run=<run directory>, as snnlab train printed it"
    also: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"noise": "noise.kind", "robustness": "robustness.kinds", "time_scale": "neuron.time_scale"}
    )

    takes: ClassVar[tuple[str, ...]] = (*OF_A_PASS, "loss", "plots.format")

    weights: Literal["model", "average"] = "model"
    """As they were trained, or their moving average (trainer.ema)."""
    num_steps: Annotated[tuple[PositiveInt, ...], Several()] = ()
    """Several numbers of time steps, [1,2,4] or 1..8: a row for each."""
    neuron: Annotated[Mapping[str, tuple[str, ...]], Several()] = field(default_factory=dict)
    """Several values [a,b] of keys of the neuron: a row for each combination."""
    speed: bool = False
    """Compare the time that a converted network takes with that at uniform time steps."""
    early_exit: EarlyExitConfig | None = None
    noise: NoiseConfig | None = None
    robustness: RobustnessConfig | None = None

    def __post_init__(self) -> None:
        if self.num_steps and self.early_exit:
            raise ConfigError(
                "num_steps: early exit takes one number of time steps, the most that a sample may take",
                f"for example num_steps={max(self.num_steps)}",
            )
        if self.noise and (self.num_steps or self.early_exit):
            raise ConfigError(
                "noise: takes one number of time steps, and no early exit",
                "measure them in a call of their own",
            )
        if self.neuron and (self.num_steps or self.early_exit or self.noise):
            raise ConfigError(
                f"neuron.{next(iter(self.neuron))}: several values do not go with "
                f"{'several num_steps' if self.num_steps else 'early_exit or noise'}",
                "ask for one after the other",
            )
        if self.speed and (self.num_steps or self.early_exit or self.noise or self.neuron):
            raise ConfigError(
                "speed: measured by itself, not with several values, early exit or noise",
                "leave speed=true out",
            )

        others = self.num_steps or self.early_exit or self.noise or self.neuron or self.speed
        if self.robustness and others:
            raise ConfigError(
                "robustness: measured by itself, not with several values, early exit, noise or speed",
                "ask for one after the other",
            )

    @property
    def variants(self) -> tuple[tuple[str, ...], ...]:
        """Overrides of each row of a comparison, such as `neuron.time_scale=2`; empty for none."""
        compared = [[f"neuron.{key}={one}" for one in values] for key, values in self.neuron.items()]
        return tuple(product(*compared)) if compared else ()


def read_eval_arguments(given: Sequence[str]) -> EvalArguments:
    """Parses `run=DIR checkpoint=best num_steps=1..8 time_scale=[1,2] early_exit.threshold=[0.9]`.

    Raises:
        ConfigError: the run is missing, or a value does not fit.
    """
    asked = read_arguments(EvalArguments, given)
    return replace(asked, num_steps=tuple(sorted(asked.num_steps)))
