"""What `snnlab analyse` is asked for: the run, the checkpoint, the analyses and their settings. No torch."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snnlab.analyse.names import analyses
from snnlab.config.check import ANALYSE_SECTIONS
from snnlab.config.suggest import check_choice, did_you_mean
from snnlab.errors import ConfigError
from snnlab.runs.run_arguments import CHECKPOINTS, run_folder, take_keys
from snnlab.runs.section_arguments import read_section, section_of

EXAMPLES = {
    "analyse": "analyse.samples=512",
    "membrane": "membrane.bins=100",
    "gradient_support": "gradient_support.least=0.01",
    "landscape": "landscape.grid=21",
    "tsne": "tsne.samples=500",
    "energy": "energy.convention=dsatgo",
}


@dataclass(frozen=True)
class AnalyseArguments:
    """The parts of a command line.

    Args:
        run: the run directory; a folder that holds one run only stands for it.
        checkpoint: `last` or `best`.
        what: names of analyses, in the order given.
        all: everything was asked for, so what does not fit the run is left out.
        settings: the dataclass of each section: `analyse`, `landscape`, ...
        overrides: everything else, for the run's configuration.
    """

    run: Path
    checkpoint: str
    what: tuple[str, ...]
    all: bool
    settings: Mapping[str, Any]
    overrides: tuple[str, ...]


def read_analyse_arguments(given: Sequence[str]) -> AnalyseArguments:
    """Takes apart `run=DIR what=[firing_rates,energy] landscape.grid=21 checkpoint=best trainer.device=cpu`.

    Raises:
        ConfigError: the run or what to analyse is missing, or a value does not fit.
    """
    values, others = take_keys(given, {"run": "", "what": "", "checkpoint": "last"})
    folder = run_folder("analyse", values["run"], "snnlab analyse run=<run directory> what=firing_rates")
    check_choice("checkpoint", values["checkpoint"], CHECKPOINTS)
    sections: dict[str, list[str]] = {name: [] for name in ANALYSE_SECTIONS}
    overrides: list[str] = []
    for text in others:
        sections.get(section_of(text), overrides).append(text)
    settings = {name: read_section(name, texts, EXAMPLES[name]) for name, texts in sections.items()}
    return AnalyseArguments(
        folder,
        values["checkpoint"],
        _names(values["what"]),
        values["what"] == "all",
        settings,
        tuple(overrides),
    )


def _names(what: str) -> tuple[str, ...]:
    known = analyses()
    choices = f"choose among: {', '.join([*known, 'all'])}"
    if not what:
        raise ConfigError("analyse: nothing is asked for", f"what=<name> or what=[...]; {choices}")
    if what == "all":
        return tuple(known)
    names = [name for name in re.split(r"[\s,]+", what.strip().removeprefix("[").removesuffix("]")) if name]
    for name in names:
        if name not in known:
            guess = did_you_mean(name, known)
            raise ConfigError(f"what: unknown analysis '{name}'{guess}", choices)
    return tuple(dict.fromkeys(names))
