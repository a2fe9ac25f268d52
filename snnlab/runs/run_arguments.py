"""The arguments that commands on a stored run share: `run=DIR checkpoint=best`, and overrides. No torch."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from snnlab.config.arguments import Arguments, Bare, ReadBy
from snnlab.config.quoting import on_shell
from snnlab.config.trust import override_key
from snnlab.errors import ConfigError
from snnlab.runs.config_file import find_run
from snnlab.writable import refuse_unwritable

SECTIONS_OF_TRAINING = ("optimizer", "scheduler", "augment", "regulariser", "init", "distill", "logger")
KEYS_OF_TRAINING = tuple(
    f"trainer.{name}"
    for name in (
        "epochs",
        "eval_every",
        "accumulate",
        "clip_norm",
        "ema",
        "sync_bn",
        "checkpoint_every",
        "select",
        "max_steps",
        "limit_train_batches",
        "on_existing",
        "detect_anomaly",
        "profile",
        "pack_spikes",
        "autograd_threads",
    )
)


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

    def refuse_settings_of_training(self) -> None:
        """Refuses overrides that only a training depends on: nothing that is measured would change.

        Raises:
            ConfigError: there is one.
        """
        for text in self.overrides:
            key = override_key(text)
            if key.partition(".")[0] in SECTIONS_OF_TRAINING or key in KEYS_OF_TRAINING:
                raise ConfigError(
                    f"{text}: has no effect on a trained network",
                    f"leave it out; to train with it: snnlab train {text} {on_shell('init.run', self.run)} ...",
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
