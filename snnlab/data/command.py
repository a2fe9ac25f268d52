"""The actions of `snnlab data`: list, prepare, verify, bench."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from snnlab import registry
from snnlab.config.schema import PathsConfig, RunConfig
from snnlab.data import loading_speed
from snnlab.data.cache import cached_steps
from snnlab.data.dataset import LabelledData, Status
from snnlab.data.files import ELSEWHERE
from snnlab.data.foreign import reason
from snnlab.data.sample_sets import LoaderOp
from snnlab.errors import DataError, SnnlabError

_DONE, _FAILED = 0, 1
_NAMED = 20


def list_(paths: PathsConfig, plugins: tuple[str, ...] = ()) -> int:
    """Prints all data sets with their default settings: which are present, where, and how to get the others."""
    table = Table("data set", "samples", "frames", "where")
    notes = []
    for name in registry.component_files("dataset", plugins):
        status = _status(name, paths, plugins)
        frames = "" if status.cache is None else _frames(cached_steps(status.cache.parent))
        where = str(status.where) if status.present and status.where is not None else ""
        table.add_row(name, _count(status), frames if status.present else "", where)
        if status.note:
            notes.append(f"{name}: {status.note.removesuffix(f'; {ELSEWHERE}')}")
    console = Console()
    console.print(table)
    for note in [*notes, ELSEWHERE]:
        console.print(note, highlight=False, soft_wrap=True)
    return _DONE


def prepare(cfg: RunConfig, dataset: LabelledData) -> int:
    """Prepares the configured data set: unpacks, downloads if the configuration says so, integrates events.

    Raises:
        DataError: files are missing.
    """
    started = time.perf_counter()
    dataset.prepare()
    seconds = time.perf_counter() - started
    train, test = len(dataset.train_set()), len(dataset.test_set())
    console = Console()
    console.print(
        f"{cfg.data_name}: ready in {seconds:.1f} s; split '{dataset.split_name}', "
        f"{train} training and {test} held-out samples of shape {list(dataset.raw_shape)}",
        highlight=False,
        soft_wrap=True,
    )
    if dataset.skipped:
        console.print(f"left out, because they are empty: {len(dataset.skipped)}", highlight=False)
    cache = dataset.status().cache
    if cache is not None:
        console.print(f"frames: {cache}", highlight=False, soft_wrap=True)
    return _DONE


def verify(cfg: RunConfig, dataset: LabelledData) -> int:
    """Says whether a data set is whole and labelled and what its frames were made of; exit code 1 if it is not.

    Recordings and pictures are read, where no frames say that they were; frames are compared with their manifest.

    Raises:
        DataError: the data set is not present.
    """
    status = dataset.status()
    if not status.present and not status.damaged:
        dataset.look()  # says what is missing
        raise DataError(f"dataset {cfg.data_name}: not there", status.note)
    contents: list[str] = []
    try:
        problems = dataset.verify()
        if not problems:
            contents = dataset.contents()
    except SnnlabError as error:
        problems = [f"{error.message}; {error.hint}"]
    console = Console()
    if status.cache is not None and not status.cached and not problems:
        console.print(
            f"{cfg.data_name}: no frames yet with these settings; snnlab data prepare makes them",
            soft_wrap=True,
        )
    more = [f"and {len(problems) - _NAMED:,} more"] if len(problems) > _NAMED else []
    for line in [*contents, *problems[:_NAMED], *more]:
        console.print(f"{cfg.data_name}: {line}", highlight=False, soft_wrap=True, markup=False)
    if not problems:
        counts = f"{status.samples} samples" if status.samples is not None else "all class folders"
        console.print(
            f"{cfg.data_name}: {counts} in order. {status.note}".strip(), highlight=False, soft_wrap=True
        )
    return _FAILED if problems else _DONE


def bench(cfg: RunConfig, dataset: LabelledData, seconds: float = 3.0, ops: Sequence[LoaderOp] = ()) -> int:
    """Measures how many samples per second the loader delivers, and what the time goes to.

    Args:
        cfg: the configuration.
        dataset: the data set.
        seconds: for each number.
        ops: the augmentations that run in the loader.
    """
    dataset.prepare()
    loading_speed.bench(cfg, dataset, dataset.train_set(ops), seconds)
    return _DONE


def _status(name: str, paths: PathsConfig, plugins: tuple[str, ...]) -> Status:
    """The status of a data set with its default settings; one that cannot tell does not keep others from it."""
    try:
        found: Status = registry.load("dataset", name, plugins)(root=paths.data, num_steps=10).status()
    except Exception as error:
        text = error.message if isinstance(error, SnnlabError) else f"{type(error).__name__}: {reason(error)}"
        return Status(False, None, note=f"cannot be listed: {text}")
    return found


def _frames(steps: list[int]) -> str:
    return "T = " + ", ".join(map(str, steps)) if steps else "not yet"


def _count(status: Status) -> str:
    if not status.present:
        return "missing"
    if status.samples is None:
        return "there"
    part = status.expected is not None and status.samples < status.expected
    return f"{status.samples:,}" + (f" of {status.expected:,}" if part else "")
