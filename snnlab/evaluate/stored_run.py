"""Loads a run's network with the weights of a checkpoint, and its held-out data, for further measurements."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from snnlab import build
from snnlab.config.schema import RunConfig
from snnlab.data.dataset import LabelledData, SampleSet
from snnlab.data.identity import DataIdentity
from snnlab.data.inputs import Batch, InputPipeline
from snnlab.data.limited import limited
from snnlab.data.loader import loader
from snnlab.data.worker_count import workers
from snnlab.errors import SnnlabError
from snnlab.evaluate.batch_size import eval_batch_size
from snnlab.evaluate.forward import Forward
from snnlab.evaluate.one_pass import Evaluation, evaluate
from snnlab.machine.device import seed_generators
from snnlab.runs import checkpoint
from snnlab.runs.config_file import read_config
from snnlab.runs.data_check import refuse_other_samples


@dataclass(frozen=True)
class StoredRun:
    """A loaded run, as returned by `load_run`.

    Attributes:
        cfg: the run's configuration with overrides.
        model: the network, in evaluation mode on its device.
        dataset: prepared data.
        pipeline: makes the network's input of a stored batch.
        epoch: after which the weights were saved.
        checkpoint: `last` or `best`.
        weights: `model` or `average`.
        trained_steps: time steps that the network was trained with.
        data: identity of the data.
    """

    cfg: RunConfig
    model: nn.Module
    dataset: LabelledData
    pipeline: InputPipeline
    epoch: int
    trained_steps: int
    checkpoint: str
    weights: str
    data: DataIdentity
    _batch_sizes: dict[tuple[nn.Module, int], int] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """Which weights these are, for a file's name: `last`, `best-average`."""
        return self.checkpoint if self.weights == "model" else f"{self.checkpoint}-{self.weights}"

    @property
    def title(self) -> str:
        """The weights in words, for a title."""
        averaged = ", average of the weights" if self.weights == "average" else ""
        return f"{self.checkpoint} checkpoint{averaged}, after epoch {self.epoch}"

    def batches(self) -> Iterator[Batch]:
        """The held-out samples, as they are stored; those of the run's own evaluations."""
        trainer = self.cfg.trainer
        samples = limited(
            self.dataset.test_set(), trainer.limit_test_batches, trainer.batch_size, trainer.limit_draw
        )
        return loader(
            samples,
            self._batch_size(samples),
            shuffle=False,
            seed=self.cfg.seed,
            epoch=0,
            num_workers=workers(trainer.num_workers, samples, self.pipeline.device),
            pin_memory=self.pipeline.device.type == "cuda",
        )

    def _batch_size(self, samples: SampleSet) -> int:
        """Asks once how much memory a network takes, so that all its passes have batches of one size."""
        key = self.model, len(samples)
        if key not in self._batch_sizes:
            found = eval_batch_size(self.cfg.trainer, self.model, self.pipeline, samples)
            self._batch_sizes[key] = found
        return self._batch_sizes[key]

    def evaluate(self, forward: Forward | None = None) -> Evaluation:
        """Accuracy, calibration and firing rates at every step; `forward` runs the network, None: it is called."""
        loss = build.build_loss(self.cfg).to(self.pipeline.device)
        return evaluate(
            self.model,
            loss,
            self.batches(),
            self.pipeline,
            self.dataset.num_classes,
            self.cfg.trainer.precision,
            forward=forward,
        )

    def description(self) -> dict[str, Any]:
        """The first entries of a file with measurements: checkpoint, weights, epoch, split, overrides."""
        return {
            "checkpoint": self.checkpoint,
            "weights": self.weights,
            "epoch": self.epoch,
            "trained_num_steps": self.trained_steps,
            "split": self.dataset.split_name,
            "data": self.data.as_mapping(),
            "overrides": list(self.cfg.overrides),
        }


def load_run(
    cfg: RunConfig, folder: Path, which: str, device: torch.device, weights: str = "model"
) -> StoredRun:
    """Builds a run's network as it was trained and loads a checkpoint into it.

    Args:
        cfg: the run's configuration with overrides, such as another `num_steps`.
        folder: the run directory.
        which: `last` or `best`.
        device: where to measure.
        weights: `model`, or `average` for their moving average.

    Raises:
        SnnlabError: there is no such checkpoint or no average in it, its weights do not fit the
            configuration, the network was trained on other samples of the data set, or it cannot run this number of
            time steps.
    """
    seed_generators(cfg.seed)
    otherwise = checkpoint.other(which, "checkpoint", "run")
    content = checkpoint.load_of_run(folder, which, otherwise)
    dataset = build.build_dataset(cfg)
    dataset.prepare()
    data = dataset.identity()
    made_with = read_config(folder)
    refuse_other_samples(str(folder), content.get("data"), made_with, cfg, data)
    trained_steps = int(made_with["num_steps"])
    # Parameters per time step are those of the training; what runs more or fewer steps is up to the network.
    model = build.build_model(replace(cfg, num_steps=trained_steps), dataset).to(device)
    checkpoint.load_weights(model, checkpoint.weights_of(content, weights), folder)
    model.eval()
    pipeline = InputPipeline(dataset, [], cfg.num_steps, device, cfg.seed, cfg.input)
    with checkpoint.restoring(folder / "checkpoints" / f"{which}.pt", otherwise):
        epoch = int(content["position"]["epoch"] if which == "last" else content["epoch"])
    stored = StoredRun(cfg, model, dataset, pipeline, epoch, trained_steps, which, weights, data)
    if cfg.num_steps != trained_steps:
        _try(stored)
    return stored


@torch.inference_mode()
def _try(stored: StoredRun) -> None:
    """Runs one sample, since a component with parameters for each time step may refuse the number of steps."""
    raw, _ = stored.dataset.test_set().batch([0])
    x_TBCHW = stored.pipeline.test(raw)
    try:
        stored.model(x_TBCHW)
    except ValueError as error:
        raise SnnlabError(
            f"num_steps: trained with {stored.trained_steps}, this network cannot run {len(x_TBCHW)}: {error}",
            f"take at most num_steps={stored.trained_steps}",
        ) from error
