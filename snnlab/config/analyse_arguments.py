"""What `snnlab analyse` is asked for: the run, the checkpoint, the analyses and their settings. No torch."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snnlab.config.analyses import analyses
from snnlab.config.check import ANALYSE_SECTIONS
from snnlab.config.eval_arguments import CHECKPOINTS
from snnlab.config.run_file import find_run
from snnlab.config.section_arguments import read_section, section_of
from snnlab.config.suggest import did_you_mean
from snnlab.errors import ConfigError

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
    run, what, checkpoint, overrides = "", "", "last", []
    sections: dict[str, list[str]] = {name: [] for name in ANALYSE_SECTIONS}
    for text in given:
        key, equals, value = text.partition("=")
        if equals and key == "run":
            run = value
        elif equals and key == "what":
            what = value
        elif equals and key == "checkpoint":
            checkpoint = value
        elif section_of(text) in sections:
            sections[section_of(text)].append(text)
        else:
            overrides.append(text)
    if not run:
        raise ConfigError("analyse: no run is given", "snnlab analyse run=<run directory> what=firing_rates")
    if checkpoint not in CHECKPOINTS:
        raise ConfigError(
            f"checkpoint: unknown choice '{checkpoint}'", f"choose one of: {', '.join(CHECKPOINTS)}"
        )
    settings = {name: read_section(name, texts, EXAMPLES[name]) for name, texts in sections.items()}
    names = _names(what)
    folder = find_run(Path(run).expanduser().resolve())
    return AnalyseArguments(folder, checkpoint, names, what == "all", settings, tuple(overrides))


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
            raise ConfigError(f"what: unknown analysis '{name}'" + (f".{guess}" if guess else ""), choices)
    return tuple(dict.fromkeys(names))
