"""The arguments that commands on a stored run share: `run=DIR checkpoint=best`, and overrides. No torch."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from snnlab.config.arguments import Arguments, Bare, ReadBy
from snnlab.config.check import SECTIONS, section, top_level_keys
from snnlab.config.quoting import on_shell
from snnlab.config.trust import override_key
from snnlab.errors import ConfigError
from snnlab.runs.config_file import find_run
from snnlab.writable import refuse_unwritable

OF_THE_NETWORK = (
    "num_steps",
    "input",
    "voters",
    "plugins",
    "model",
    "norm",
    "neuron",
    "residual_neuron",
    "dataset",
    "paths.data",
    "paths.other_data",
    "trainer.synthetic",
    "trainer.channels_last",
)
"""What a stored network, or its input, is built of."""
OF_THE_MACHINE = tuple(
    f"trainer.{name}" for name in ("device", "backend", "fuse", "threads", "allocator", "deterministic")
)
OF_EVERY_SCRIPT = ("paths.runs", "trainer.plots", "trainer.progress")
"""Places and output, which scripts set for every command alike; they promise nothing about a result."""
OF_A_PASS = tuple(
    f"trainer.{name}"
    for name in (
        "batch_size",
        "eval_batch_size",
        "precision",
        "cuda_graph",
        "num_workers",
        "limit_test_batches",
        "limit_draw",
    )
)
"""How the held-out samples go through a network."""


def stored_run(text: str) -> Path:
    """The run directory that an argument names.

    Raises:
        ConfigError: the folder holds several runs, or its name leads nowhere.
    """
    try:
        return find_run(Path(text).expanduser().resolve())
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # too long; links in a circle; a byte that no name has
        if isinstance(error, ConfigError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"run: {text}: {reason}", "a run directory ends in seed<k>") from None


@dataclass(frozen=True, kw_only=True)
class RunArguments(Arguments):
    """Base of the arguments of commands on a stored run."""

    run: Annotated[Path, Bare("run directory"), ReadBy(stored_run)]
    """The run directory; a folder that holds one run only stands for it."""
    checkpoint: Literal["last", "best"] = "last"
    """Which weights: after the last epoch, or after the best."""
    overrides: tuple[str, ...] = ()
    """All others, for the run's configuration."""
    takes: ClassVar[tuple[str, ...]] = ()
    """What the result depends on besides the network and the machine: keys, and sections with all their keys."""

    @classmethod
    def all_taken(cls) -> tuple[str, ...]:
        """The keys of a run's configuration on which the command depends, and sections with all their keys."""
        return (*OF_THE_NETWORK, *OF_THE_MACHINE, *OF_EVERY_SCRIPT, *cls.takes)

    @classmethod
    def takes_key(cls, key: str) -> bool:
        """Whether a key, or one of those in a section that `model.` begins, is among them."""
        return any(
            key == one or key.startswith(f"{one}.") or (key.endswith(".") and one.startswith(key))
            for one in cls.all_taken()
        )

    def refuse_without_effect(self) -> None:
        """Refuses overrides that the command does not depend on: its result would be the same.

        Keys that no configuration has are left to the reader of the configuration, which knows what was meant.

        Raises:
            ConfigError: there is one.
        """
        for text in self.overrides:
            key = override_key(text)
            if not _is_key(key) or self.takes_key(key):
                continue
            start = "" if key.startswith("init") else f" {on_shell('init.run', self.run)}"
            raise ConfigError(
                f"{text}: has no effect on a trained network",
                f"leave it out; of the run's configuration, {self.verb} takes {', '.join(self.all_taken())}; "
                f"to train with it: snnlab train {text}{start} ...",
            )

    def refuse_read_only(self, name: str = "") -> None:
        """Stops before a measurement whose file could not be written into the run directory.

        Args:
            name: the folder in it.

        Raises:
            SnnlabError: no file can be created there.
        """
        run = shlex.quote(str(self.run))
        refuse_unwritable(
            self.run / name,
            f"copy the run, and name the copy: cp -r {run} COPY && chmod -R u+w COPY; run=COPY",
        )


def _is_key(key: str) -> bool:
    """Whether a configuration has this key; an experiment is no key by which a stored run could be changed."""
    name, _, rest = key.partition(".")
    if name not in top_level_keys() or name == "experiment":
        return False
    return not rest or name not in SECTIONS or rest in section(name).keys
