"""Adds the identity of the data to a configuration, and compares it with that of a stored run."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snnlab.config.schema import RunConfig
from snnlab.config.signature import class_value
from snnlab.data.identity import DataIdentity, differing
from snnlab.errors import ConfigError, DataError
from snnlab.registry import component_files

if TYPE_CHECKING:
    from snnlab.data.dataset import LabelledData

SAME_SET = ("name", "split", "folder")
"""The keys of `dataset` that name the samples; others only change what a network sees of them."""


def reads_files(cfg: RunConfig) -> bool:
    """Whether the data are files; read from the source of the data set's class, without importing it."""
    _, file = component_files("dataset", cfg.plugins)[cfg.dataset.name]
    return not cfg.trainer.synthetic and class_value(file, "reads_files") is not False


def identified(cfg: RunConfig, dataset: "LabelledData") -> RunConfig:
    """The configuration with the hash of a data set's files; one that does not name its files gives a note.

    Raises:
        DataError: they are missing, or still packed.
    """
    files = dataset.known_files()
    if files is None and dataset.reads_files and not cfg.trainer.synthetic:
        _note(
            f"the data set {cfg.dataset.name} does not say which files it reads, so other files with the same labels "
            "are taken for the same data; data_files() of its class names them, or reads_files = False says that "
            "there are none"
        )
    return replace(cfg, data=None if files is None else files.hash)


def may_be_other_data(cfg: RunConfig) -> bool:
    """Whether a run directory may hold a run on other data, because the data set does not name its files.

    Args:
        cfg: the configuration, from `identified` or `with_data`.
    """
    return cfg.data is None and reads_files(cfg)


def other_data(cfg: RunConfig, stored: Mapping[str, Any] | None) -> str:
    """What differs between the data of a stored run and those that are there, if the directory's name does not say.

    Args:
        cfg: the configuration, from `with_data`.
        stored: the identity in the result; None in those of version 0.1.0, which are not compared.

    Returns:
        The difference in words; empty if there is none, and where the data are missing.
    """
    if stored is None or not may_be_other_data(cfg):
        return ""
    key = (_key(cfg), cfg.num_steps)
    if key not in _IDENTITIES:
        from snnlab import build

        dataset = build.build_dataset(cfg)
        try:
            dataset.prepare()
        except DataError:
            return ""
        _IDENTITIES[key] = dataset.identity()
    return differing(stored, _IDENTITIES[key].as_mapping())


def with_data(cfg: RunConfig, *, prepare: bool = False) -> RunConfig:
    """The configuration with the hash of the data's files as they were when this process first looked.

    Args:
        cfg: the configuration.
        prepare: prepares data that are not found, as archives are, and fails if they are missing. Otherwise the hash
            stays None.

    Raises:
        DataError: they are missing, with `prepare`.
    """
    if cfg.data is not None or not reads_files(cfg):
        return cfg
    key = _key(cfg)
    if key not in _KNOWN and (found := _hash_of_files(cfg, prepare)) is not None:
        _KNOWN[key] = found
    return replace(cfg, data=_KNOWN.get(key))


def refuse_other_data(stored: Mapping[str, Any] | None, now: DataIdentity, folder: Path) -> None:
    """Refuses to continue a run on other data than those it was trained on.

    Args:
        stored: the identity in its checkpoint; None in those of version 0.1.0, which are not compared.
        now: of the data that are there.
        folder: the run directory.

    Raises:
        ConfigError: any field differs.
    """
    refuse_difference("" if stored is None else differing(stored, now.as_mapping()), folder)


def refuse_difference(found: str, folder: Path) -> None:
    """Refuses a stored run on other data.

    Args:
        found: what differs, in words; empty if nothing does.
        folder: the run directory.

    Raises:
        ConfigError: something differs.
    """
    if found:
        raise ConfigError(
            f"{folder} was trained on other data: {found}",
            "trainer.on_existing=restart forgets that run; or restore the data, or name them with paths.data=DIR",
        )


def refuse_other_samples(
    what: str,
    stored: Mapping[str, Any] | None,
    made_with: Mapping[str, Any],
    cfg: RunConfig,
    now: DataIdentity,
) -> None:
    """Refuses to measure a network, or to learn from it, with other samples of the data set it was trained on.

    Other samples of the same data set may be split in another way, and what is held out here may have been trained on
    there. Another data set, split or folder in the configuration is meant so, and is not compared.

    Args:
        what: the network, at the start of the message.
        stored: the identity in its checkpoint; None in those of version 0.1.0, which gives a note.
        made_with: its configuration as plain values.
        cfg: the configuration of the data that are there.
        now: their identity.

    Raises:
        ConfigError: the files differ or the samples of the split do, and `paths.other_data` is refuse.
    """
    there, here = made_with["dataset"], cfg.raw["dataset"]
    if (
        any(there.get(key) != here.get(key) for key in SAME_SET)
        or made_with["trainer"]["synthetic"]
        or cfg.trainer.synthetic
    ):
        return
    if stored is None:
        if now.files:
            _note(f"{what} does not say on which data it was trained; they are not compared")
        return
    found = differing(stored, now.as_mapping(), ("files", "bytes", "hash", "train", "test", "split_hash"))
    if found and cfg.paths.other_data == "allow":
        _note(f"{what} was trained on other data: {found}")
    elif found:
        raise ConfigError(
            f"{what} was trained on other data: {found}",
            "samples held out here may have been trained on there; paths.data=DIR names the data, and "
            "paths.other_data=allow takes these",
        )


def samples_of(cfg: RunConfig) -> str:
    """A text that is the same for configurations whose samples are read in the same way."""
    return repr((_key(cfg), cfg.num_steps, cfg.trainer.synthetic))


_KNOWN: dict[str, str] = {}
_IDENTITIES: dict[tuple[str, int], DataIdentity] = {}


@cache
def _note(text: str) -> None:
    """Says something once."""
    sys.stderr.write(f"note: {text}\n")


def _key(cfg: RunConfig) -> str:
    """What names the files; the number of time steps does not change them."""
    return repr((cfg.dataset.name, sorted(cfg.dataset.params.items()), cfg.paths.data, cfg.plugins))


def _hash_of_files(cfg: RunConfig, prepare: bool) -> str | None:
    from snnlab import build

    dataset = build.build_dataset(cfg)
    try:
        return identified(cfg, dataset).data
    except DataError:
        if not prepare:
            return None
    dataset.prepare()
    return identified(cfg, dataset).data
