"""What `snnlab eval` is asked for: the run, the checkpoint, numbers of time steps, early exit. No torch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from snnlab.config.check import check_eval_section
from snnlab.config.origins import Origins
from snnlab.config.run_file import find_run
from snnlab.config.schema import EarlyExitConfig
from snnlab.errors import ConfigError

CHECKPOINTS = ("last", "best")


@dataclass(frozen=True)
class EvalArguments:
    """The parts of a command line.

    Args:
        run: the run directory; a folder that holds one run only stands for it.
        checkpoint: `last` or `best`.
        num_steps: several numbers of time steps, ascending; empty if there is one or none.
        early_exit: None if nothing was said about it.
        overrides: everything else, for the run's configuration.
    """

    run: Path
    checkpoint: str
    num_steps: tuple[int, ...]
    early_exit: EarlyExitConfig | None
    overrides: tuple[str, ...]


def read_eval_arguments(given: Sequence[str]) -> EvalArguments:
    """Takes apart `run=DIR checkpoint=best num_steps=1..8 early_exit.threshold=[0.9] trainer.device=cpu`.

    Raises:
        ConfigError: the run is missing, or a value does not fit.
    """
    run, checkpoint, overrides = "", "last", []
    steps: tuple[int, ...] = ()
    early_exit: list[str] = []
    for text in given:
        key, equals, value = text.partition("=")
        if equals and key == "run":
            run = value
        elif equals and key == "checkpoint":
            checkpoint = value
        elif key.lstrip("+").partition(".")[0] == "early_exit":
            early_exit.append(text.lstrip("+"))
        elif key == "num_steps" and (value.startswith("[") or ".." in value):
            steps = _several(value)
        else:
            overrides.append(text)
    if not run:
        raise ConfigError(
            "eval: no run is given", "snnlab eval run=<run directory>, as snnlab train printed it"
        )
    if checkpoint not in CHECKPOINTS:
        raise ConfigError(
            f"checkpoint: unknown choice '{checkpoint}'", f"choose one of: {', '.join(CHECKPOINTS)}"
        )
    if steps and early_exit:
        raise ConfigError(
            "num_steps: early exit takes one number of time steps, the most that a sample may take",
            f"for example num_steps={max(steps)}",
        )
    folder = find_run(Path(run).expanduser().resolve())
    return EvalArguments(folder, checkpoint, steps, _early_exit(early_exit), tuple(overrides))


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


def _early_exit(texts: Sequence[str]) -> EarlyExitConfig | None:
    if not texts:
        return None
    values = {}
    for text in texts:
        try:
            parsed = OverridesParser.create().parse_override(text)
        except HydraException:
            parsed = None
        key = text.partition("=")[0].partition(".")[2]
        if parsed is None or not key:
            raise ConfigError(
                f"cannot read the override '{text}'", "for example early_exit.threshold=[0.7,0.9]"
            )
        if parsed.is_sweep_override():
            raise ConfigError(
                f"early_exit.{key}: several values without brackets",
                f"write early_exit.{key}=[{text.partition('=')[2]}]",
            )
        values[key] = parsed.value()
    by_hand = [f"early_exit.{key}" for key in values]
    checked = check_eval_section("early_exit", values, Origins(by_hand=by_hand))
    assert isinstance(checked, EarlyExitConfig)
    return checked
