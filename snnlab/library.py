"""What `import snnlab` offers: a stored run, any component by its name, and the names there are."""

import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import registry
from snnlab.config.schema import RunConfig
from snnlab.config.signature import Key, Signature, read_component
from snnlab.config.suggest import did_you_mean
from snnlab.config.types import MismatchError
from snnlab.data.dataset import LabelledData
from snnlab.errors import ConfigError
from snnlab.evaluate.stored_run import StoredRun
from snnlab.evaluate.stored_run import load_run as load_stored_run
from snnlab.runs.stored_config import load_stored

_FOR_THE_PARTS = ("surrogate", "num_steps", "threshold")
"""What a network or a neuron may be given without taking it itself: its parts that take it get it."""


@dataclass(frozen=True)
class TrainedRun:
    """What `load_run` returns."""

    _stored: StoredRun

    @property
    def model(self) -> nn.Module:
        """The network in evaluation mode: frames [T, B, C, H, W] -> logits [T, B, K]."""
        return self._stored.model

    @property
    def data(self) -> LabelledData:
        """The data set that it was trained on."""
        return self._stored.dataset

    @property
    def config(self) -> RunConfig:
        """The run's configuration."""
        return self._stored.cfg

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The held-out samples as the network sees them, and their classes: [T, B, C, H, W] and [B]."""
        pipeline = self._stored.pipeline
        for raw, target_B in self._stored.batches():
            yield pipeline.test(raw), target_B.to(pipeline.device)


def load_run(
    folder: str | Path,
    checkpoint: str = "last",
    *,
    device: str | torch.device = "cpu",
    weights: str = "model",
    overrides: Sequence[str] = (),
) -> TrainedRun:
    """A trained network with its data and its configuration. Sets the seed of the run.

    Args:
        folder: the run directory, which ends in `seed<k>`.
        checkpoint: `last` or `best`.
        device: where the network computes.
        weights: `model`, or `average` for the moving average of the weights.
        overrides: changes of the configuration as on the command line, such as `num_steps=2`.

    Raises:
        SnnlabError: there is no such run or checkpoint, or an override does not fit.
    """
    folder = Path(folder)
    config = load_stored(folder, overrides)
    return TrainedRun(load_stored_run(config, folder, checkpoint, torch.device(device), weights))


def list_components(kind: str, plugins: tuple[str, ...] = ()) -> list[str]:
    """The names of all components of a kind, such as `neuron`, in alphabetical order.

    Raises:
        ConfigError: there is no such kind.
    """
    _check_kind(kind)
    return list(registry.component_files(kind, plugins))


def create(kind: str, name: str, *, plugins: tuple[str, ...] = (), **arguments: Any) -> Any:
    """A component by its name: `create("neuron", "lif", tau=2.0, surrogate="atan")`.

    Args:
        kind: `model`, `neuron`, `norm`, `surrogate`, `loss`, `dataset`, ...
        name: one of `list_components(kind)`.
        plugins: packages with components of your own.
        arguments: what its class takes. Surrogates, and the neurons and norms of a network, may be names. A model
            that takes a norm has "bn" if none is given; it hands `surrogate`, `num_steps` and `threshold` to its parts.

    Raises:
        ConfigError: there is no such component, it takes no such argument or value, or one that it needs is missing.
    """
    _check_kind(kind)
    cls = registry.load(kind, name, plugins)
    signature = _signature(kind, name, plugins)
    takes = (*signature.injected, *signature.keys)
    if kind == "model" and "norm" in takes:
        arguments.setdefault("norm", "bn")
    if kind == "dataset" and "root" in takes:
        arguments["root"] = Path(arguments.get("root", os.environ.get("SNNLAB_DATA", "data")))
    shared = {}
    if kind in ("model", "neuron"):
        shared = {key: arguments[key] for key in _FOR_THE_PARTS if key in arguments}
    given = {}
    for key, value in arguments.items():
        if key in takes:
            whole = _whole(key, value, shared, plugins)
            given[key] = _checked(name, key, whole, signature.keys)
        elif key not in shared:
            raise ConfigError(
                f"{kind} '{name}' takes no '{key}'{did_you_mean(key, takes)}",
                f"it takes: {', '.join(takes) or 'nothing'}",
            )
    parameters = inspect.signature(cls).parameters.values()
    needed = [one.name for one in parameters if one.default is one.empty and one.name in takes]
    if missing := [f"'{key}'" for key in needed if key not in given]:
        raise ConfigError(f"{kind} '{name}' also needs {', '.join(missing)}", f"it takes: {', '.join(takes)}")
    return cls(**given)


def _whole(key: str, value: Any, shared: Mapping[str, Any], plugins: tuple[str, ...]) -> Any:
    """What a part's name stands for: a surrogate, or a maker of neurons or norms."""
    if not isinstance(value, str):
        return value
    if key == "surrogate":
        return create("surrogate", value, plugins=plugins, **_fitting("surrogate", value, shared, plugins))
    if key in ("neuron", "residual_neuron"):
        # A network asks some of its neurons for another threshold.
        return lambda **asked: create("neuron", value, plugins=plugins, **{**shared, **asked})
    if key == "norm":
        fitting = _fitting("norm", value, shared, plugins)
        return lambda num_features: create(
            "norm", value, plugins=plugins, num_features=num_features, **fitting
        )
    return value


def _fitting(kind: str, name: str, shared: Mapping[str, Any], plugins: tuple[str, ...]) -> dict[str, Any]:
    signature = _signature(kind, name, plugins)
    return {key: value for key, value in shared.items() if key in (*signature.injected, *signature.keys)}


def _signature(kind: str, name: str, plugins: tuple[str, ...]) -> Signature:
    registry.load(kind, name, plugins)
    return read_component(registry.component_files(kind, plugins)[name][1])


def _checked(name: str, key: str, value: Any, keys: Mapping[str, Key]) -> Any:
    try:
        return keys[key].type.convert(value) if key in keys else value
    except MismatchError as error:
        raise ConfigError(f"{name}: {key}: {error.message}", error.hint) from None


def _check_kind(kind: str) -> None:
    if kind not in registry.KINDS:
        raise ConfigError(
            f"no kind of component is called '{kind}'{did_you_mean(kind, registry.KINDS)}",
            f"choose one of: {', '.join(registry.KINDS)}",
        )
