"""Weights & Biases as a mirror of a run: what is logged is in the run directory anyway.

Failures of W&B never stop the run: the first one gives a warning, and nothing is sent afterwards. There is no
prompt on the terminal.
"""

import hashlib
import netrc
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

from snnlab.signals import Stopped
from snnlab.system import home
from snnlab.train.reachable import answers

if TYPE_CHECKING:
    from snnlab.config.schema import LoggerConfig

INIT_SECONDS = 10
# What W&B takes: letters of a tag, of names, of a project, and what no project's name has.
TAG_LETTERS, NAME_LETTERS = 64, 128
FINISH_SECONDS = 300
REASON_LETTERS = 300


class WandbLog:
    """One W&B run, or none.

    Rows carry their own `step`, which W&B is told to use as the horizontal axis. (Its own step counter drops
    the rows that a resumed run writes again.) The same id after an interruption continues the same W&B run.

    Args:
        cfg: mode (`off`, `auto`, `online`, `offline`), project, entity and tags. `auto` is off or offline if
            the environment variable WANDB_MODE says so; else it is online if a key is set (WANDB_API_KEY,
            WANDB_IDENTITY_TOKEN_FILE, netrc file or wandb's settings) and offline if not. `online` without a
            key, or where the server does not answer, becomes offline with a warning.
        run_dir: W&B's files go below it.
        run_id: identity of the run, unique in the project: config hash and seed.
        group: what the runs of one variant share, without the seed.
        name: name shown in the project.
        config: the resolved configuration, plain values.
        tags: further tags beside those of `cfg`.
        warn: receives the one warning.

    Attributes:
        mode: the resulting mode: "off", "online" or "offline".
        url: page of an online run, else None.
    """

    def __init__(
        self,
        cfg: "LoggerConfig",
        run_dir: Path,
        run_id: str,
        group: str,
        name: str,
        config: Mapping[str, Any],
        tags: Sequence[str] = (),
        warn: Callable[[str], None] = warnings.warn,
    ) -> None:
        self.mode: Literal["off", "online", "offline"] = "off"
        self.url: str | None = None
        self._run: Any = None
        self._run_dir = run_dir
        self._warn = warn
        wanted = _from_environment() if cfg.wandb == "auto" else cfg.wandb
        if wanted == "off":
            return
        arguments = {
            "dir": str(run_dir),
            "id": run_id,
            "resume": "allow",
            "group": _cut(group, NAME_LETTERS),
            "name": _cut(name, NAME_LETTERS),
            "config": dict(config),
            "tags": list(dict.fromkeys(_cut(tag, TAG_LETTERS) for tag in (*cfg.tags, *tags) if tag)),
            "project": cfg.project,
            "entity": cfg.entity,
        }
        try:
            self._start(wanted, arguments)
        except Exception as error:
            self._give_up("off for this run", error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish("done" if kind is None else "preempted" if kind is Stopped else "failed")

    def log(self, row: Mapping[str, Any]) -> None:
        """Sends one row of `metrics.jsonl`: flat metrics with `step` among them."""
        self._guarded(lambda run: run.log(dict(row)))

    def log_images(self, paths: Sequence[Path]) -> None:
        """Sends picture files; a picture's key is `plots/<file name without ending>`."""
        if self._run is None:
            return

        def send(run: Any) -> None:
            from wandb import Image

            run.log({f"plots/{path.stem}": Image(str(path)) for path in paths})

        self._guarded(send)

    def finish(self, status: str) -> None:
        """Ends the W&B run as "done", "failed" or "preempted"; calls after the first do nothing.

        An online run waits for its uploads, five minutes at most; `wandb sync` can send the rest later.
        """
        run, self._run = self._run, None
        if run is None:
            return
        try:
            if status == "preempted":
                run.mark_preempting()
            run.finish(exit_code={"done": 0, "preempted": 75}.get(status, 1))
        except Exception as error:
            self._give_up("not all is uploaded", error)

    def _start(self, wanted: str, arguments: dict[str, Any]) -> None:
        import wandb

        Path(arguments["dir"]).mkdir(parents=True, exist_ok=True)
        wandb.setup(wandb.Settings(silent=True))
        online = wanted != "offline" and has_key(wandb)
        if wanted == "online" and not online:
            self._warn("W&B: no key is set (`wandb login` sets one), so this run is logged offline")
        if online and not answers(address := wandb.setup().settings.base_url):
            self._warn(f"W&B: {address} does not answer; this run is logged offline, `wandb sync` sends it")
            online = False
        if online:
            try:
                self._run = self._init(wandb, "online", arguments)
            except Exception as error:
                self._warn(f"W&B: {_in_one_line(error)}; this run is logged offline")
                # The service of the failed attempt still holds the run's id.
                wandb.teardown()
        if self._run is None:
            self._run = self._init(wandb, "offline", arguments)

    def _init(self, wandb: Any, mode: Literal["online", "offline"], arguments: dict[str, Any]) -> Any:
        settings = wandb.Settings(
            init_timeout=INIT_SECONDS,
            finish_timeout=FINISH_SECONDS,
            finish_timeout_raises=True,
            silent=True,
            console="off",
        )
        run = wandb.init(mode=mode, settings=settings, **arguments)
        run.define_metric("step")
        run.define_metric("*", step_metric="step")
        self.mode = mode
        self.url = run.url if mode == "online" else None
        return run

    def _guarded(self, action: Callable[[Any], None]) -> None:
        if self._run is None:
            return
        try:
            action(self._run)
        except Exception as error:
            self._run = None
            self._give_up("off from here on", error)

    def _give_up(self, consequence: str, error: Exception) -> None:
        self.mode = "off"
        self._warn(f"W&B: {_in_one_line(error)}; {consequence}. The record is complete in {self._run_dir}")


def _from_environment() -> str:
    """The mode set by WANDB_MODE: "off", "online", "offline", or "auto" if it is not set."""
    named = os.environ.get("WANDB_MODE", "").lower()
    return {"disabled": "off", "offline": "offline", "dryrun": "offline"}.get(named, "auto")


def has_key(wandb: Any) -> bool:
    """True if wandb would find a key without prompting."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    settings = wandb.setup().settings
    if settings.api_key:
        return True
    host = urlsplit(settings.base_url).netloc
    named = os.environ.get("NETRC")
    candidates = [Path(named)] if named else [home() / ".netrc", home() / "_netrc"]
    for path in candidates:
        try:
            if netrc.netrc(path).authenticators(host):
                return True
        except (OSError, netrc.NetrcParseError):
            continue
    return False


def _cut(text: str, letters: int) -> str:
    """The text, cut to so many letters; a few of its hash keep two long names apart."""
    if len(text) <= letters:
        return text
    return f"{text[: letters - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _in_one_line(error: Exception) -> str:
    """Type and reason; a list of problems, as pydantic makes it, in one line."""
    text = " ".join(str(error).split())
    text = text if len(text) <= REASON_LETTERS else f"{text[:REASON_LETTERS]}..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
