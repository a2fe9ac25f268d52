"""Weights & Biases as a mirror of a run: what is logged is in the run directory anyway.

Failures of W&B never stop the run: the first one gives a warning, and nothing is sent afterwards. There is no
prompt on the terminal.
"""

import hashlib
import math
import netrc
import os
import shlex
import shutil
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from snnlab.dashboards.base import Cell, Dashboard, Status
from snnlab.dashboards.reachable import answers
from snnlab.dashboards.several import in_one_line
from snnlab.metric_names import OVER_TIME, READINGS
from snnlab.system import home

if TYPE_CHECKING:
    from snnlab.config.schema import LoggerConfig

INIT_SECONDS = 10
# What W&B takes: letters of a tag, of names, of a project, and what no project's name has.
TAG_LETTERS, NAME_LETTERS = 64, 128
FINISH_SECONDS = 300
ASK_SECONDS = 3.0
"""How long the end of a run waits before it asks whether the server is still there."""


class WandbLog(Dashboard):
    """One W&B run, or none. (A run talks to it in a process of its own, see `wandb_process.py`.)

    Rows carry their own `step`, which W&B is told to use as the horizontal axis. What belongs to one time step is in
    the history without a panel of its own; `series` draws it.

    Args:
        cfg: `wandb` is the mode (`off`, `auto`, `online`, `offline`). `auto` is off or offline if the environment
            variable WANDB_MODE says so; else it is online if a key is set (WANDB_API_KEY, WANDB_IDENTITY_TOKEN_FILE,
            netrc file or wandb's settings) and offline if not. `online` without a key, or where the server does not
            answer, becomes offline with a warning. What else `cfg` names is W&B's.
        run_dir: W&B's files go below it.
        run_id: identity of the run, unique in the project: config hash and seed.
        group: what the runs of one variant share, without the seed; `cfg.group` goes before it.
        name: name shown in the project; `cfg.name` goes before it.
        config: the resolved configuration, plain values.
        tags: further tags beside those of `cfg`.
        warn: receives the warnings.
        continues: whether this continues a run that was interrupted; else offline files of this id are removed, and
            the same id at W&B is begun anew.
        stats_pid: the process whose use of the machine W&B shows; None: this one.

    Attributes:
        mode: the resulting mode: "off", "online" or "offline".
        url: page of an online run, else None.
    """

    name = "W&B"

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
        *,
        continues: bool = True,
        stats_pid: int | None = None,
    ) -> None:
        self.mode: Literal["off", "online", "offline"] = "off"
        self.url: str | None = None
        self._run: Any = None
        self._run_dir, self._run_id = run_dir, run_id
        self._warn = warn
        self._address = ""
        self._stats_pid = stats_pid
        wanted = wanted_mode(cfg)
        if wanted == "off":
            return
        if not continues:
            for folder in (run_dir / "wandb").glob(f"offline-run-*-{run_id}"):
                shutil.rmtree(folder, ignore_errors=True)
        resume = ("allow" if continues else None) if cfg.resume == "auto" else cfg.resume
        arguments = {
            "dir": str(run_dir),
            "id": run_id,
            "resume": resume,
            "group": _cut(cfg.group or group, NAME_LETTERS),
            "name": _cut(cfg.name or name, NAME_LETTERS),
            "notes": cfg.notes,
            "job_type": cfg.job_type,
            "config": dict(config),
            "tags": list(dict.fromkeys(_cut(tag, TAG_LETTERS) for tag in (*cfg.tags, *tags) if tag)),
            "project": cfg.project,
            "entity": cfg.entity,
        }
        try:
            self._start(wanted, arguments)
        except Exception as error:
            self._give_up("off for this run", error)

    def row(self, row: Mapping[str, Any]) -> None:
        self._guarded(lambda run: run.log(dict(row)))

    def series(self, name: str, steps: Sequence[int], lines: Mapping[str, Sequence[float | None]]) -> None:
        def send(run: Any) -> None:
            from wandb import plot

            numbers = [[math.nan if one is None else one for one in line] for line in lines.values()]
            chart = plot.line_series(
                xs=list(steps), ys=numbers, keys=list(lines), title=name, xname="time step"
            )
            run.log({name: chart})

        self._guarded(send)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        def send(run: Any) -> None:
            from wandb import Table

            run.log({name: Table(columns=list(columns), data=[list(row) for row in rows])})

        self._guarded(send)

    def pictures(self, paths: Sequence[Path]) -> None:
        def send(run: Any) -> None:
            from wandb import Image

            run.log({f"plots/{Path(path).stem}": Image(str(path)) for path in paths})

        self._guarded(send)

    def summary(self, values: Mapping[str, Cell]) -> None:
        self._guarded(lambda run: run.summary.update(dict(values)))

    def file(self, path: Path, kind: str) -> None:
        """Keeps a file as an artefact, named after the run and the file."""

        def send(run: Any) -> None:
            from wandb import Artifact

            artefact = Artifact(f"{self._run_id}-{Path(path).stem}", type=kind)
            artefact.add_file(str(path))
            run.log_artifact(artefact)

        self._guarded(send)

    def finish(self, status: Status) -> None:
        """Ends the W&B run; calls after the first do nothing.

        An online run waits for its uploads, five minutes at most, and only while the server answers; `wandb sync`
        can send the rest later.
        """
        run, self._run = self._run, None
        if run is None:
            return
        failures: list[Exception] = []

        def end() -> None:
            try:
                if status == "preempted":
                    run.mark_preempting()
                run.finish(exit_code={"done": 0, "preempted": 75}.get(status, 1))
            except Exception as error:
                failures.append(error)

        thread = threading.Thread(target=end, daemon=True)
        thread.start()
        thread.join(ASK_SECONDS)
        while thread.is_alive():
            if self.mode == "online" and not answers(self._address):
                self._warn(
                    f"W&B: {self._address} does not answer any more; not all is uploaded, this sends the rest: "
                    f"{self.sync_command}"
                )
                return
            thread.join(ASK_SECONDS)
        for error in failures:
            self._give_up("not all is uploaded", error)

    @property
    def sync_command(self) -> str:
        """What sends the files of this run to W&B."""
        kind = "offline-run" if self.mode == "offline" else "run"
        return f"wandb sync {shlex.quote(str(self._run_dir / 'wandb'))}/{kind}-*-{self._run_id}"

    def _start(self, wanted: str, arguments: dict[str, Any]) -> None:
        import wandb

        Path(arguments["dir"]).mkdir(parents=True, exist_ok=True)
        wandb.setup(wandb.Settings(silent=True))
        online = wanted != "offline" and has_key(wandb)
        if wanted == "online" and not online:
            self._warn("W&B: no key is set (`wandb login` sets one), so this run is logged offline")
        self._address = wandb.setup().settings.base_url
        if online and not answers(self._address):
            self._warn(
                f"W&B: {self._address} does not answer; this run is logged offline, `wandb sync` sends it"
            )
            online = False
        if online:
            try:
                self._run = self._init(wandb, "online", arguments)
            except Exception as error:
                self._warn(f"W&B: {in_one_line(error)}; this run is logged offline")
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
            disable_job_creation=True,
            x_stats_pid=self._stats_pid or os.getpid(),
        )
        run = wandb.init(mode=mode, settings=settings, **arguments)
        run.define_metric("step")
        of_steps = [f"{metric.key}_{reading}" for metric in OVER_TIME for reading in READINGS]
        for name in (*of_steps, "firing_rate"):
            for split in ("test", "test_ema"):
                run.define_metric(f"{split}/{name}/*", step_metric="step", hidden=True)
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
        self._warn(f"W&B: {in_one_line(error)}; {consequence}. The record is complete in {self._run_dir}")


def wanted_mode(cfg: "LoggerConfig") -> str:
    """The mode that the configuration asks for; of `auto`, the one that the environment asks for."""
    return _from_environment() if cfg.wandb == "auto" else cfg.wandb


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
