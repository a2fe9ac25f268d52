"""What `snnlab eval` is asked for: the run, the checkpoint, numbers of time steps, early exit, noise. No torch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snnlab.config.run_file import find_run
from snnlab.config.schema import EarlyExitConfig, NoiseConfig
from snnlab.config.section_arguments import read_section, section_of
from snnlab.errors import ConfigError

CHECKPOINTS = ("last", "best")
WEIGHTS = ("model", "average")


@dataclass(frozen=True)
class EvalArguments:
    """The parts of a command line.

    Args:
        run: the run directory; a folder that holds one run only stands for it.
        checkpoint: `last` or `best`.
        weights: `model`, as they were trained, or `average`, their moving average (`trainer.ema`).
        num_steps: several numbers of time steps, ascending; empty if there is one or none.
        early_exit, noise: None if nothing was said about it.
        overrides: everything else, for the run's configuration.
    """

    run: Path
    checkpoint: str
    weights: str
    num_steps: tuple[int, ...]
    early_exit: EarlyExitConfig | None
    noise: NoiseConfig | None
    overrides: tuple[str, ...]


def read_eval_arguments(given: Sequence[str]) -> EvalArguments:
    """Takes apart `run=DIR checkpoint=best num_steps=1..8 early_exit.threshold=[0.9] trainer.device=cpu`.

    Raises:
        ConfigError: the run is missing, or a value does not fit.
    """
    run, checkpoint, weights, overrides = "", "last", "model", []
    steps: tuple[int, ...] = ()
    early_exit: list[str] = []
    noise: list[str] = []
    for text in given:
        key, equals, value = text.partition("=")
        if equals and key == "run":
            run = value
        elif equals and key == "checkpoint":
            checkpoint = value
        elif equals and key == "weights":
            weights = value
        elif section_of(text) == "early_exit":
            early_exit.append(text)
        elif section_of(text) == "noise":
            noise.append(f"noise.kind={value}" if key.lstrip("+") == "noise" else text)
        elif key == "num_steps" and (value.startswith("[") or ".." in value):
            steps = _several(value)
        else:
            overrides.append(text)
    if not run:
        raise ConfigError(
            "eval: no run is given", "snnlab eval run=<run directory>, as snnlab train printed it"
        )
    for key, value, choices in (("checkpoint", checkpoint, CHECKPOINTS), ("weights", weights, WEIGHTS)):
        if value not in choices:
            raise ConfigError(f"{key}: unknown choice '{value}'", f"choose one of: {', '.join(choices)}")
    if steps and early_exit:
        raise ConfigError(
            "num_steps: early exit takes one number of time steps, the most that a sample may take",
            f"for example num_steps={max(steps)}",
        )
    if noise and (steps or early_exit):
        raise ConfigError(
            "noise: takes one number of time steps, and no early exit", "measure them in a call of their own"
        )
    exits = read_section("early_exit", early_exit, "early_exit.threshold=[0.7,0.9]") if early_exit else None
    noisy = read_section("noise", noise, "noise=gaussian noise.level=[0,0.1]") if noise else None
    folder = find_run(Path(run).expanduser().resolve())
    return EvalArguments(folder, checkpoint, weights, steps, exits, noisy, tuple(overrides))


def _several(value: str) -> tuple[int, ...]:
    """The numbers of `1..8` or `[1,2,4]`, ascending and once each."""
    numbers: list[int] = []
    if match := re.fullmatch(r"\s*(\d+)\s*\.\.\s*(\d+)\s*", value):
        numbers = list(range(int(match[1]), int(match[2]) + 1))
    elif re.fullmatch(r"\[\s*\d+(\s*,\s*\d+)*\s*\]", value):
        numbers = [int(number) for number in re.findall(r"\d+", value)]
    if not numbers or min(numbers) < 1:
        raise ConfigError(
            f"num_steps: expected integers > 0, got '{value}'", "write num_steps=1..8 or num_steps=[1,2,4]"
        )
    return tuple(sorted(set(numbers)))
