"""A run in memory: its objects, how far it is, and how it is saved, continued, measured and recorded."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from snnlab import build
from snnlab.config.rundir import config_hash
from snnlab.config.schema import RunConfig
from snnlab.data.dataset import SampleSet, VisionData
from snnlab.data.head import HeadSet
from snnlab.data.loader import epoch_batches, loader
from snnlab.train import checkpoint
from snnlab.train.device import seed_generators
from snnlab.train.evaluate import Evaluation, evaluate
from snnlab.train.guard import NanGuard
from snnlab.train.initial import start_from
from snnlab.train.inputs import InputPipeline
from snnlab.train.learner import Batch, Learner
from snnlab.train.meter import Meter
from snnlab.train.run_files import RunFiles
from snnlab.train.teacher import CachedTeacher, Teacher, logits_of_all, teacher_for


@dataclass
class Position:
    """How far a run is; part of every checkpoint.

    Attributes:
        epoch: finished epochs.
        step: finished optimiser steps of the epoch in hand.
        total_steps: finished optimiser steps in all.
        rows: lines of `metrics.jsonl` that belong to this state.
        seconds: time spent in training steps.
        samples: samples seen in that time.
        best: `epoch`, `value` and `metrics` of the best evaluation so far.
        last: the same of the last one.
    """

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    rows: int = 0
    seconds: float = 0.0
    samples: int = 0
    best: dict[str, Any] | None = None
    last: dict[str, Any] | None = None


class Session:
    """Everything that a run builds, and its state.

    Args:
        cfg: the checked configuration.
        files: the run directory.
        dataset: prepared data.
        device: where to train.
    """

    def __init__(self, cfg: RunConfig, files: RunFiles, dataset: VisionData, device: torch.device) -> None:
        trainer = cfg.trainer
        augments = [] if trainer.overfit_batches else build.build_augments(cfg)
        self.cfg, self.files, self.dataset = cfg, files, dataset
        self.train_set = dataset.train_set([op for op in augments if getattr(op, "in_loader", False)])
        self.test_set, self.split_name = dataset.test_set(), dataset.split_name
        if trainer.overfit_batches is not None:
            self.train_set = HeadSet(self.train_set, trainer.overfit_batches * trainer.batch_size)
            self.test_set, self.split_name = self.train_set, "the training samples themselves"
        self.steps_per_epoch = math.ceil(
            math.ceil(len(self.train_set) / trainer.batch_size) / trainer.accumulate
        )
        if trainer.max_steps is not None:
            self.steps_per_epoch = min(self.steps_per_epoch, trainer.max_steps)
        self.pipeline = InputPipeline(dataset, augments, cfg.num_steps, device, cfg.seed, cfg.input == "mean")
        # Not before: preparing the data may have drawn numbers, and next time there is nothing to prepare.
        seed_generators(cfg.seed)
        model = build.build_model(cfg, dataset)
        start_from(cfg.init, model)
        model = model.to(device)
        if trainer.channels_last:
            model = model.to(memory_format=torch.channels_last)
        optimizer = build.build_optimizer(cfg, model)
        scheduler = build.build_scheduler(cfg, optimizer, self.steps_per_epoch)
        loss = build.build_loss(cfg).to(device)
        regularisers = {name: one.to(device) for name, one in build.build_regularisers(cfg, model).items()}
        self.teacher = self._teacher(teacher_for(cfg, loss, dataset, device))
        self.learner = Learner(
            model, loss, optimizer, scheduler, self.pipeline, trainer, self.teacher, regularisers
        )
        self.guard, self.meter, self.position = NanGuard(device), Meter(device), Position()
        self.evaluation: Evaluation | None = None

    def _teacher(self, teacher: Teacher | None) -> Teacher | CachedTeacher | None:
        if teacher is None or not self.cfg.distill.cache:
            return teacher
        trainer, count = self.cfg.trainer, len(self.train_set)
        logits_NK = logits_of_all(teacher, self._loader(self.train_set), self.pipeline)

        def order(epoch: int) -> list[list[int]]:
            return epoch_batches(count, trainer.batch_size, shuffle=True, seed=self.cfg.seed, epoch=epoch)

        return CachedTeacher(logits_NK, order)

    def _loader(
        self, samples: SampleSet, *, shuffle: bool = False, epoch: int = 0, start_batch: int = 0
    ) -> Iterator[Batch]:
        """Batches for training if shuffled, else for a pass in evaluation mode."""
        trainer = self.cfg.trainer
        return loader(
            samples,
            trainer.batch_size if shuffle else trainer.eval_batch_size or trainer.batch_size,
            shuffle=shuffle,
            seed=self.cfg.seed,
            epoch=epoch,
            start_batch=start_batch,
            num_workers=trainer.num_workers,
            pin_memory=self.pipeline.device.type == "cuda",
        )

    def resume(self) -> bool:
        """Continues from the last checkpoint; False if there is none."""
        path = self.files.checkpoints / "last.pt"
        if not path.exists():
            self.files.cut_metrics(0)
            return False
        state = checkpoint.load(path)
        self.learner.load_state_dict(state["learner"])
        self.meter.load_state_dict(state["meter"])
        self.position = Position(**state["position"])
        checkpoint.set_random_state(state["random"])
        self.files.cut_metrics(self.position.rows)
        return True

    def save(self) -> None:
        """Writes `last.pt`, unless the state is bad."""
        if self.guard.seen():
            return
        state = {
            "learner": self.learner.state_dict(),
            "meter": self.meter.state_dict(),
            "position": asdict(self.position),
            "random": checkpoint.random_state(),
            "config_hash": config_hash(self.cfg.raw),
        }
        checkpoint.save(self.files.checkpoints / "last.pt", state)

    def groups(self) -> Iterator[list[Batch]]:
        """The rest of the epoch in hand: for each optimiser step its batches, in an order fixed by seed and epoch."""
        trainer = self.cfg.trainer
        batches = self._loader(
            self.train_set,
            shuffle=True,
            epoch=self.position.epoch,
            start_batch=self.position.step * trainer.accumulate,
        )
        for _ in range(self.position.step, self.steps_per_epoch):
            yield list(itertools.islice(batches, trainer.accumulate))

    def measure(self, say: Callable[[str], None] = lambda text: None) -> dict[str, float]:
        """Evaluates on the test split; the averaged weights too, where they are kept.

        Args:
            say: told how far it is.
        """
        self.evaluation = self._evaluate(self.learner.model, say)
        metrics = self.evaluation.prefixed("test")
        if self.learner.average is not None:
            metrics |= self._evaluate(self.learner.average.module, say).prefixed("test_ema")
        self._remember(metrics)
        return metrics

    def _evaluate(self, network: nn.Module, say: Callable[[str], None]) -> Evaluation:
        trainer = self.cfg.trainer
        batch_size = trainer.eval_batch_size or trainer.batch_size
        count = math.ceil(len(self.test_set) / batch_size)
        count = count if trainer.max_steps is None else min(count, trainer.max_steps)
        batches = self._loader(self.test_set)

        def announced() -> Iterator[Batch]:
            for number, batch in enumerate(itertools.islice(batches, count), start=1):
                say(f"evaluating {number}/{count}")
                yield batch

        return evaluate(
            network,
            self.learner.loss,
            announced(),
            self.pipeline,
            self.dataset.num_classes,
            trainer.precision,
        )

    def _remember(self, metrics: dict[str, float]) -> None:
        select = self.cfg.trainer.select
        value = metrics[select]
        found = {"epoch": self.position.epoch, "value": value, "metrics": metrics}
        self.position.last = found
        best = self.position.best
        if best is None or math.isnan(best["value"]) or _is_better(select, value, best["value"]):
            self.position.best = found
            checkpoint.save(
                self.files.checkpoints / "best.pt",
                {
                    **self.learner.weights(),
                    "epoch": self.position.epoch,
                    "config_hash": config_hash(self.cfg.raw),
                },
            )

    def record(self, split: str, metrics: dict[str, float]) -> dict[str, Any]:
        """Appends a row to `metrics.jsonl`."""
        row = {"step": self.position.total_steps, "epoch": self.position.epoch, "split": split, **metrics}
        self.files.append_metrics(row)
        self.position.rows += 1
        return row


def _is_better(metric: str, value: float, best: float) -> bool:
    """Accuracy should be high, everything else (losses, calibration errors) low; NaN is never better."""
    higher = metric.partition("/")[2].startswith("acc")
    return value > best if higher else value < best
