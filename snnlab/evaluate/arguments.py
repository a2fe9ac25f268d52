"""What `snnlab eval` is asked for: the run, the checkpoint, numbers of time steps, early exit, noise. No torch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from snnlab.config.schema import EarlyExitConfig, NoiseConfig
from snnlab.config.suggest import check_choice
from snnlab.errors import ConfigError
from snnlab.runs.run_arguments import CHECKPOINTS, SWITCH, run_folder, take_keys
from snnlab.runs.section_arguments import read_section, section_of

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
        variants: overrides of each row of a comparison, such as `neuron.time_scale=2`; empty for none.
        speed: compare the time that a converted network takes with that at uniform time steps.
        overrides: everything else, for the run's configuration.
    """

    run: Path
    checkpoint: str
    weights: str
    num_steps: tuple[int, ...]
    early_exit: EarlyExitConfig | None
    noise: NoiseConfig | None
    variants: tuple[tuple[str, ...], ...]
    speed: bool
    overrides: tuple[str, ...]


def read_eval_arguments(given: Sequence[str]) -> EvalArguments:
    """Takes apart `run=DIR checkpoint=best num_steps=1..8 time_scale=[1,2] early_exit.threshold=[0.9]`.

    Raises:
        ConfigError: the run is missing, or a value does not fit.
    """
    plain = {"run": "", "checkpoint": "last", "weights": "model", "speed": "false"}
    values, others = take_keys(given, plain)
    folder = run_folder("eval", values["run"], "snnlab eval run=<run directory>, as snnlab train printed it")
    for key, choices in (("checkpoint", CHECKPOINTS), ("weights", WEIGHTS), ("speed", SWITCH)):
        check_choice(key, values[key], choices)
    overrides = []
    steps: tuple[int, ...] = ()
    early_exit: list[str] = []
    noise: list[str] = []
    compared: list[list[str]] = []
    for text in others:
        key, _, value = text.partition("=")
        if section_of(text) == "early_exit":
            early_exit.append(text)
        elif section_of(text) == "noise":
            noise.append(f"noise.kind={value}" if key.lstrip("+") == "noise" else text)
        elif key == "num_steps" and (value.startswith("[") or ".." in value):
            steps = _several(value)
        elif key == "time_scale":
            compared.append([f"neuron.time_scale={one}" for one in _listed(value)])
        elif key.startswith("neuron.") and value.startswith("["):
            compared.append([f"{key}={one}" for one in _listed(value)])
        else:
            overrides.append(text)
    if steps and early_exit:
        raise ConfigError(
            "num_steps: early exit takes one number of time steps, the most that a sample may take",
            f"for example num_steps={max(steps)}",
        )
    if noise and (steps or early_exit):
        raise ConfigError(
            "noise: takes one number of time steps, and no early exit", "measure them in a call of their own"
        )
    if compared and (steps or early_exit or noise):
        raise ConfigError(
            f"{compared[0][0].partition('=')[0]}: several values do not go with "
            f"{'several num_steps' if steps else 'early_exit or noise'}",
            "ask for one after the other",
        )
    if values["speed"] == "true" and (steps or early_exit or noise or compared):
        raise ConfigError(
            "speed: measured by itself, not with several values, early exit or noise", "leave speed=true out"
        )
    exits = read_section("early_exit", early_exit, "early_exit.threshold=[0.7,0.9]") if early_exit else None
    noisy = read_section("noise", noise, "noise=gaussian noise.level=[0,0.1]") if noise else None
    return EvalArguments(
        folder,
        values["checkpoint"],
        values["weights"],
        steps,
        exits,
        noisy,
        tuple(product(*compared)) if compared else (),
        values["speed"] == "true",
        tuple(overrides),
    )


def _listed(value: str) -> list[str]:
    """The values of `[a,b]`, or the one that stands without brackets."""
    found = [one.strip() for one in value.strip("[]").split(",")]
    if not all(found):
        raise ConfigError(f"cannot read the values '{value}'", "write key=[a,b]")
    return found


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
