"""Builds objects from a checked configuration, by plain constructor calls.

A component's keyword-only parameters come from the configuration; its positional ones are passed by name
from the context of the run (`num_steps`, `num_classes`, `neuron`, ...).
"""

import inspect
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from snnlab import registry
from snnlab.augments.base import Mixes, mirrors_images, runs_in_loader
from snnlab.config.schema import Component, RunConfig
from snnlab.data.dataset import LabelledData
from snnlab.errors import ConfigError, SnnlabError
from snnlab.layers.embedding import Embedded, WordSpikes
from snnlab.layers.image_size import ImageSizeError
from snnlab.layers.max_pool_over_time import pool_over_time
from snnlab.layers.own_time import frames_in_batch, has_own_time
from snnlab.layers.voting import Voting
from snnlab.layers.word_currents import WordCurrents
from snnlab.losses.base import Loss
from snnlab.regularisers.base import Regulariser

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def construct(
    kind: str,
    component: Component,
    context: Mapping[str, object],
    plugins: tuple[str, ...] = (),
    overrides: Mapping[str, object] | None = None,
) -> Any:
    """Calls a component's constructor with its configured parameters and the arguments it takes from the context.

    Raises:
        ConfigError: the component rejects the combination of its parameters.
    """
    cls = registry.load(kind, component.name, plugins)
    injected = {
        name: context[name]
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.kind in _POSITIONAL and name in context
    }
    try:
        return cls(**{**injected, **component.params, **(overrides or {})})
    except SnnlabError:
        raise
    except ImageSizeError as error:
        sizes = " or ".join(f"dataset.image_size={size}" for size in error.fitting)
        raise ConfigError(f"{kind} '{component.name}': {error}", f"write {sizes}") from error
    except ValueError as error:
        raise ConfigError(
            f"{kind} '{component.name}': {error}",
            f"snnlab list {kind} names the others; snnlab show prints its keys",
        ) from error


def build_dataset(cfg: RunConfig) -> LabelledData:
    """Builds the data set; with `trainer.synthetic`, generated data of its shape.

    Raises:
        ConfigError: the augmentations do not apply to it, or the loss cannot learn from them.
    """
    _check_mixing(cfg)
    dataset: LabelledData = construct(
        "dataset", cfg.dataset, {"root": cfg.paths.data, "num_steps": cfg.num_steps}, cfg.plugins
    )
    _check_augments(cfg, dataset)
    if cfg.trainer.synthetic:
        from snnlab.data.synthetic import Synthetic

        return Synthetic(dataset)
    return dataset


def check_augments(cfg: RunConfig) -> None:
    """Checks what `build_dataset` and `build_augments` refuse about the augmentations, without reading data.

    Raises:
        ConfigError: the augmentations do not fit the data set or each other, or the loss cannot learn from them.
    """
    if cfg.augment:
        _check_mixing(cfg)
        _check_augments(cfg, registry.load("dataset", cfg.dataset.name, cfg.plugins))


def _check_augments(cfg: RunConfig, dataset: type[LabelledData] | LabelledData) -> None:
    """Refuses augmentations that do not apply to a data set, of which only facts of its class are asked."""
    if dataset.reads_words and cfg.augment:
        raise ConfigError(
            f"augment: '{cfg.augment[0].name}' changes pictures, and {cfg.dataset.name} is text",
            "augment=none",
        )
    for op in cfg.augment:
        if not dataset.static and runs_in_loader(registry.load("augment", op.name, cfg.plugins)):
            raise ConfigError(
                f"augment: '{op.name}' changes still images, and {cfg.dataset.name} is recordings",
                f"augment=none, or augment.{op.name}=null leaves it out",
            )
    if dataset.mirror_changes_class:
        for op in cfg.augment:
            if op.params.get("other_class"):
                continue
            if mirrors_images(registry.load("augment", op.name, cfg.plugins)):
                raise ConfigError(
                    f"augment.{op.name}: mirrors left and right, and in {cfg.dataset.name} the mirror image of a "
                    "sample is of another class",
                    f"augment.{op.name}=null leaves it out; augment.flip.other_class=true is for recipes that have it",
                )


def _check_mixing(cfg: RunConfig) -> None:
    """Refuses to mix samples twice, or for a loss that needs one class for each, before any data is read."""
    mixing = _mixing(cfg)
    if len(mixing) > 1:
        raise ConfigError(
            f"augment: {' and '.join(mixing)} mix samples, and what is mixed has no one class to mix again",
            f"augment.{mixing[1]}=null leaves it out",
        )
    if mixing and not build_loss(cfg).soft_targets and cfg.trainer.overfit_batches is None:
        raise ConfigError(
            f"augment.{mixing[0]}: mixes samples and their classes, and loss '{cfg.loss.name}' with these keys needs "
            "one class for each",
            f"augment.{mixing[0]}=null leaves it out; losses with soft targets: sdt, tet, skd, hard_distillation, "
            "twd (ensemble=mean)",
        )


def build_augments(cfg: RunConfig) -> list[nn.Module]:
    """Builds the augmentations in the order of the configuration.

    Raises:
        ConfigError: more than one of them mixes samples, or the loss cannot learn from mixed ones.
    """
    _check_mixing(cfg)
    return [construct("augment", op, {}, cfg.plugins) for op in cfg.augment]


def _mixing(cfg: RunConfig) -> list[str]:
    """The names of the augmentations that mix samples and their classes."""
    return [
        op.name for op in cfg.augment if isinstance(registry.load("augment", op.name, cfg.plugins), Mixes)
    ]


def build_model(cfg: RunConfig, dataset: LabelledData) -> nn.Module:
    """Builds the network for a data set; every neuron layer is a new object with its own surrogate.

    A network for words is preceded by an embedding.

    Raises:
        ConfigError: the network does not accept this data.
    """
    height, width = dataset.frame_shape
    frames = 1 if dataset.static or cfg.input != "channels" else cfg.num_steps
    context: dict[str, object] = {
        "num_steps": cfg.network_steps,
        "num_classes": dataset.num_classes,
        "in_channels": dataset.in_channels * frames,
        "frame_shape": (height, width),
        "threshold": cfg.neuron.params.get("threshold", 1.0),
        "graph": cfg.init.graph,
    }
    _refuse_fixed_keys(cfg)

    def maker(component: Component) -> Callable[..., nn.Module]:
        def neuron(**overrides: object) -> nn.Module:
            surrogate = construct("surrogate", cfg.surrogate, context, cfg.plugins)
            module: nn.Module = construct(
                "neuron", component, {**context, "surrogate": surrogate}, cfg.plugins, overrides
            )
            return module

        return neuron

    def norm(num_features: int) -> nn.Module:
        module: nn.Module = construct(
            "norm", cfg.norm, {**context, "num_features": num_features}, cfg.plugins
        )
        return module

    factories: dict[str, Callable[..., nn.Module]] = {"neuron": maker(cfg.neuron), "norm": norm}
    if cfg.residual_neuron is not None:
        factories["residual_neuron"] = maker(cfg.residual_neuron)
    if cfg.voters is not None:
        context["num_classes"] = dataset.num_classes * cfg.voters
    if height == width:
        context["image_size"] = height
    elif "image_size" in inspect.signature(registry.load("model", cfg.model.name, cfg.plugins)).parameters:
        raise ConfigError(
            f"model '{cfg.model.name}' sees square images, but {cfg.dataset.name} is {height} x {width}",
            "model=text_cnn_snn reads text",
        )
    model: nn.Module = construct("model", cfg.model, {**context, **factories}, cfg.plugins)
    reads_currents = getattr(model, "word_coding", "spikes") == "currents"
    if any(has_own_time(module) for module in model.modules()):
        frames_in_batch(model)
        pool_over_time(model)
    if cfg.voters is not None:
        model = Voting(model, factories["neuron"], cfg.voters)
    if cfg.trainer.channels_last:
        model = model.to(memory_format=torch.channels_last)
    words = dataset.words
    if words is None:
        return model
    embedding: nn.Module = (
        WordCurrents(words.count, words.dim, height, words.vectors, words.separator)
        if reads_currents
        else WordSpikes(words.count, words.dim, words.vectors)
    )
    return Embedded(embedding, model)


def _refuse_fixed_keys(cfg: RunConfig) -> None:
    """Refuses settings of the neuron that a network takes from elsewhere, as one of a NIR graph does."""
    fixed = getattr(registry.load("model", cfg.model.name, cfg.plugins), "fixed_neuron_keys", ())
    known = inspect.signature(registry.load("neuron", cfg.neuron.name, cfg.plugins)).parameters
    for key in fixed:
        if key in known and cfg.neuron.params.get(key, known[key].default) != known[key].default:
            raise ConfigError(
                f"neuron.{key}: the neurons of model={cfg.model.name} have their own",
                f"leave it out; not in use there: {', '.join(f'neuron.{one}' for one in fixed)}",
            )


def build_loss(cfg: RunConfig) -> Loss:
    """Builds the training objective."""
    loss: Loss = construct("loss", cfg.loss, {"num_steps": cfg.network_steps}, cfg.plugins)
    return loss


def build_regularisers(cfg: RunConfig, model: nn.Module) -> dict[str, Regulariser]:
    """Builds the penalties that are added to the objective, by name.

    Raises:
        ConfigError: the model has nothing that a penalty applies to.
    """
    context = {"num_steps": cfg.network_steps}
    found: dict[str, Regulariser] = {}
    with ExitStack() as watching:
        for one in cfg.regulariser:
            found[one.name] = construct("regulariser", one, context, cfg.plugins)
            try:
                watching.enter_context(found[one.name].watching(model))
            except ValueError as error:
                raise ConfigError(
                    f"regulariser '{one.name}': {error}",
                    f"regulariser.{one.name}=null leaves it out; snnlab list neuron names other neurons",
                ) from error
    return found


def build_optimizer(cfg: RunConfig, model: nn.Module) -> torch.optim.Optimizer:
    """Builds the optimiser over a model's parameters."""
    optimizer: torch.optim.Optimizer = construct("optimizer", cfg.optimizer, {"model": model}, cfg.plugins)
    return optimizer


def build_scheduler(cfg: RunConfig, optimizer: torch.optim.Optimizer, steps_per_epoch: int) -> Any:
    """Builds the learning-rate schedule, stepped after every optimiser step."""
    context = {"optimizer": optimizer, "total_epochs": cfg.trainer.epochs, "steps_per_epoch": steps_per_epoch}
    return construct("scheduler", cfg.scheduler, context, cfg.plugins)
