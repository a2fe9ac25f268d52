"""Loads the initial weights of a network from another run, whose neurons may differ."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from snnlab.config.schema import RunConfig
from snnlab.data.identity import DataIdentity
from snnlab.errors import ConfigError
from snnlab.layers.released import load_released
from snnlab.neurons.base import Neuron
from snnlab.runs import checkpoint
from snnlab.runs.config_file import read_config
from snnlab.runs.data_check import refuse_other_samples
from snnlab.train.released_file import exported_by_us, read_released


def start_from(cfg: RunConfig, model: nn.Module, data: DataIdentity | None) -> None:
    """Loads the weights of `init.run` or `init.file`; does nothing if neither is set.

    Parameters of neurons may be missing there, as when an ANN with `relu` becomes one with `quant_relu`; they keep
    their configured initial values, and so may the layers of `init.fresh`. All other parameters must be present with
    equal shapes, and none may be left over.

    Args:
        cfg: the configuration.
        model: the network.
        data: identity of the run's data; None: the data are not compared with those of the weights.

    Raises:
        ConfigError: the weights do not fit this network, or they were trained on other samples of its data set.
        SnnlabError: there is no such checkpoint, or it is damaged.
    """
    init = cfg.init
    if init.run is not None or init.file is not None:
        _check_fresh(init.fresh, model)
    if init.file is not None:
        _start_from_file(init.file, cfg, model, data)
        return
    if init.run is None:
        return
    folder = Path(init.run)
    otherwise = checkpoint.other(init.checkpoint, "init.checkpoint", "init.run")
    content = checkpoint.load_of_run(folder, init.checkpoint, otherwise)
    if data is not None:
        refuse_other_samples(f"init.run: {folder}", content.get("data"), read_config(folder), cfg, data)
    _load(model, checkpoint.weights_of(content), f"init.run: the weights of {init.run}", init.fresh)


def _start_from_file(file: Path, cfg: RunConfig, model: nn.Module, data: DataIdentity | None) -> None:
    if file.suffix == ".nir":
        if cfg.model.name != "nir":
            raise ConfigError(
                f"init.file: {file} is a NIR graph, and model={cfg.model.name} has layers of its own",
                "model=nir has those of the graph; snnlab import FILE.nir dataset=NAME measures it",
            )
        return  # the network was built with its weights
    about = exported_by_us(file)
    if about is not None:
        if data is not None:
            refuse_other_samples(f"init.file: {file}", about.get("data"), about["config"], cfg, data)
        _load(model, read_released(file), f"init.file: the weights of {file}", cfg.init.fresh)
        return
    try:
        load_released(model, read_released(file), cfg.init.fresh)
    except ValueError as error:
        raise ConfigError(
            f"init.file: {file} does not fit: {error}",
            "take the settings of the released network; docs/howto.md lists the networks with a map of names",
        ) from error


def _check_fresh(fresh: Sequence[str], model: nn.Module) -> None:
    for name in fresh:
        if not any(key.startswith(f"{name}.") for key in model.state_dict()):
            layers = ", ".join(
                one for one, part in model.named_children() if any(True for _ in part.parameters())
            )
            raise ConfigError(f"init.fresh: the network has no layer '{name}'", f"it has {layers}")


def _load(model: nn.Module, weights: Mapping[str, Tensor], what: str, fresh: Sequence[str]) -> None:
    """Copies weights by their names here; layers of `fresh` may be missing.

    Raises:
        ConfigError: another one that is no neuron's is missing, has another shape, or is left over.
    """
    own = model.state_dict()
    # A tensor with two names is once in a safetensors file.
    there = {own[key].data_ptr() for key in weights if key in own}
    optional = [name for name, module in model.named_modules() if isinstance(module, Neuron)]
    optional += fresh
    may_miss = tuple(f"{name}." for name in optional)
    missing = [
        key
        for key in own
        if key not in weights and not key.startswith(may_miss) and own[key].data_ptr() not in there
    ]
    unknown = [key for key in weights if key not in own]
    shapes = [
        f"{key} is {_shape(weights[key])} there and {_shape(own[key])} here"
        for key in own
        if key in weights and weights[key].shape != own[key].shape
    ]
    problems = [f"{key} is not there" for key in missing] + [f"{key} is not here" for key in unknown] + shapes
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ConfigError(
            f"{what} do not fit: {problems[0]}{more}",
            "take the run's model, norm, dataset and input; only its neuron may differ",
        )
    model.load_state_dict(dict(weights), strict=False)


def _shape(x: "object") -> str:
    return " x ".join(map(str, getattr(x, "shape", ()))) or "a number"
