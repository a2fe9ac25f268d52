"""The state of a run in memory: its objects and position; it is saved, resumed, measured and recorded here."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import build
from snnlab.config.schema import RunConfig, TrainerConfig
from snnlab.data.dataset import LabelledData
from snnlab.data.inputs import Batch, InputPipeline
from snnlab.data.loader import derived_seed
from snnlab.errors import ConfigError, SnnlabError
from snnlab.evaluate.one_pass import Evaluation, evaluate
from snnlab.graphs.capture import capture_for
from snnlab.machine.device import seed_generators
from snnlab.machine.processes import ALONE, Processes
from snnlab.metric_names import metric_of
from snnlab.runs import checkpoint
from snnlab.runs.data_check import refuse_other_data
from snnlab.runs.files import RunFiles
from snnlab.runs.identity import run_hash
from snnlab.signals import Stopped
from snnlab.train.guard import NanGuard, growth
from snnlab.train.initial import start_from
from snnlab.train.late_number import LateNumber
from snnlab.train.learner import Learner
from snnlab.train.meter import Meter
from snnlab.train.position import Position
from snnlab.train.samples import Samples
from snnlab.train.step_rows import StepRows
from snnlab.train.teacher import CachedTeacher, Teacher, logits_of_batches, teacher_for


class Session:
    """The objects of a run and their state.

    Args:
        cfg: the checked configuration.
        files: the run directory.
        dataset: prepared data.
        device: device of the training.
        processes: the processes that train together.

    Raises:
        ConfigError: a batch has fewer samples than there are processes, SyncBN is set on CPUs, or CUDA graphs are
            required where there are none.
    """

    def __init__(
        self,
        cfg: RunConfig,
        files: RunFiles,
        dataset: LabelledData,
        device: torch.device,
        processes: Processes = ALONE,
    ) -> None:
        trainer = cfg.trainer
        _check(trainer, device, processes)
        self.processes = processes
        augments = [] if trainer.overfit_batches else build.build_augments(cfg)
        self.cfg, self.files, self.dataset = cfg, files, dataset
        self.samples = Samples(cfg, dataset, augments, device, processes)
        self.extent, self.data = self.samples.extent, self.samples.identity
        self.pipeline = InputPipeline(
            dataset, augments, cfg.num_steps, device, cfg.seed, cfg.input, processes.rank
        )
        # Only now: preparing the data may have drawn random numbers, which a later run with prepared data would not.
        seed_generators(cfg.seed)
        model = build.build_model(cfg, dataset)
        start_from(cfg, model, self.data)
        model = model.to(device)
        if trainer.sync_bn and processes.count > 1:
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]  # untyped in torch
        optimizer = build.build_optimizer(cfg, model)
        scheduler = build.build_scheduler(cfg, optimizer, self.extent.steps_per_epoch)
        loss = build.build_loss(cfg).to(device)
        regularisers = {name: one.to(device) for name, one in build.build_regularisers(cfg, model).items()}
        self.teacher = self._teacher(teacher_for(cfg, loss, dataset, self.data, device))
        self.learner = Learner(
            model,
            loss,
            optimizer,
            scheduler,
            self.pipeline,
            trainer,
            self.teacher,
            regularisers,
            processes,
            capture_for(trainer, device),
        )
        if not processes.leads:
            # Dropout differs between the processes, initial weights do not.
            seed_generators(derived_seed(cfg.seed, processes.rank))
        self.samples.fit_memory(model, self.pipeline)
        average, graphs = self.learner.average, self.learner.graphs
        networks = [model] if average is None else [model, average.module]
        self._forwards = {} if graphs is None else {one: graphs.forward_of(one, trainer) for one in networks}
        late = LateNumber(device, waits=processes.count > 1) if device.type == "cuda" else None
        self.guard = NanGuard(device, self.learner.state_dict(), late)
        self.meter, self.position = Meter(device), Position()
        self.step_rows = StepRows(None if cfg.logger.is_off else cfg.logger.every)
        self.evaluation: Evaluation | None = None
        self.evaluation_seconds = 0.0
        self.rows_were_lost = False

    def _teacher(self, teacher: Teacher | None) -> Teacher | CachedTeacher | None:
        if teacher is None or not self.cfg.distill.cache:
            return teacher
        batches = self.samples.own_block(self.samples.train_set)
        logits = [one.cpu() for one in logits_of_batches(teacher, batches, self.pipeline)]
        logits_NK = torch.cat([one for part in self.processes.gather(logits) for one in part])
        return CachedTeacher(logits_NK.to(self.pipeline.device), self.samples.order)

    def resume(self) -> bool:
        """Continues from the last checkpoint; False if there is none."""
        path = self.files.checkpoints / "last.pt"
        if not path.exists():
            self.files.restore_metrics("")
            return False
        state = checkpoint.load(path)
        checkpoint.refuse_other_run(state, path, run_hash(self.cfg), self.cfg.seed)
        with checkpoint.restoring(path):
            refuse_other_data(state.get("data"), self.data, self.files.folder)
            self.position = Position(**state["position"])
            if self.position.epoch < self.extent.epochs and state["learner"]["optimizer"] is None:
                raise SnnlabError(
                    f"{path} has the weights of a finished run only, and this one is not finished",
                    checkpoint.ANEW,
                )
            self.learner.load_state_dict(state["learner"])
            self.meter.load_state_dict(state["meter"])
            if (kept := state.get("step_rows")) is not None:  # not in checkpoints of earlier versions
                self.step_rows.load_state_dict(kept)
            random = [state["random"], *state.get("random_of_others", [])]
            if self.processes.rank < len(random):
                checkpoint.set_random_state(random[self.processes.rank])
            rows = state.get("metrics")
            rows = self.files.first_rows(self.position.rows) if rows is None else rows
            held = self.files.restore_metrics(rows)
            self.rows_were_lost = not held or rows.count("\n") < self.position.rows
        return True

    def is_spoilt(self, loss: Tensor, *, before_saving: bool) -> bool:
        """Records the loss of a step; True if it or an earlier one, or before saving a value of the state, is bad."""
        if self.position.first_loss is None:
            self.position.first_loss = float(loss)
        bad = self.guard.is_bad(loss, self.learner.state_dict() if before_saving else None)
        # Processes have the same loss and weights, but statistics of their own.
        return self.processes.any(bad) if before_saving else bad

    def warning(self, metrics: Mapping[str, float]) -> str | None:
        """What there is to warn of after an epoch, once in a run; it becomes part of the result."""
        first, position = self.position.first_loss, self.position
        text = None if first is None or position.warnings else growth(first, metrics, position.epoch)
        if text is not None:
            position.warnings.append(text)
        return text

    def save(self) -> None:
        """Writes `last.pt`, unless the state is bad; after the last epoch without what only training needs."""
        learner = self.learner.state_dict()
        if self.processes.any(self.guard.seen(learner)):
            return
        if self.position.epoch == self.extent.epochs and self.cfg.trainer.keep == "weights":
            learner = checkpoint.without_optimizer(learner)
        random = self.processes.gather(checkpoint.random_state())
        state = {
            "learner": learner,
            "meter": self.meter.state_dict(),
            "step_rows": self.step_rows.state_dict(),
            "position": asdict(self.position),
            "random": random[0],
            "random_of_others": random[1:],
            "config_hash": run_hash(self.cfg),
            "seed": self.cfg.seed,
            "data": self.data.as_mapping(),
            "metrics": self.files.metrics_text,
        }
        self.files.save_checkpoint("last", state)

    def measure(self, stop: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """Evaluates on the test split and remembers the metrics; arguments and errors as in `evaluate`."""
        metrics = self.evaluate(stop=stop)
        self.remember(metrics)
        return metrics

    def evaluate(
        self, say: Callable[[str], None] = lambda text: None, stop: Callable[[], bool] = lambda: False
    ) -> dict[str, float]:
        """The metrics on the test split; of the averaged weights too, if there are any.

        Args:
            say: callback that gets the progress as text.
            stop: asked before each batch, by all processes together.

        Raises:
            Stopped: `stop` said so; the state of the run is what it was before.
        """
        random = checkpoint.random_state()
        try:
            return self._metrics(say, stop)
        except Stopped:
            checkpoint.set_random_state(random)
            raise

    def _metrics(self, say: Callable[[str], None], stop: Callable[[], bool]) -> dict[str, float]:
        self.processes.share_buffers(self.learner.model)
        start = time.perf_counter()
        self.evaluation = self._evaluate(self.learner.model, say, stop)
        self.evaluation_seconds = time.perf_counter() - start
        metrics = self.evaluation.prefixed("test")
        if self.learner.average is not None:
            self.processes.share_buffers(self.learner.average)
            metrics |= self._evaluate(self.learner.average.module, say, stop).prefixed("test_ema")
        return metrics

    def _evaluate(
        self, network: nn.Module, say: Callable[[str], None], stop: Callable[[], bool]
    ) -> Evaluation:
        test_set = self.samples.test_set
        count = self.samples.eval_batches(test_set)
        first, last = self.processes.block(count)

        def announced() -> Iterator[Batch]:
            for number, batch in enumerate(self.samples.own_block(test_set), start=1):
                say(f"evaluating {number}/{last - first}")
                self.files.beat()
                # Some processes have a batch more than others, at which they would ask alone.
                if number <= count // self.processes.count and stop():
                    raise Stopped("a signal")
                yield batch

        return evaluate(
            network,
            self.learner.loss,
            announced(),
            self.pipeline,
            self.dataset.num_classes,
            self.cfg.trainer.precision,
            self.processes,
            self._forwards.get(network),
        )

    def remember(self, metrics: dict[str, float]) -> None:
        """Keeps metrics as the last ones; saves `best.pt` if they are the best so far: of equals, the first."""
        select = self.cfg.trainer.select
        metric, value = metric_of(select), metrics[select]
        assert metric is not None
        found = {"epoch": self.position.epoch, "value": value, "metrics": metrics}
        self.position.last = found
        best = self.position.best
        if best is None or math.isnan(best["value"]) or metric.is_better(value, best["value"]):
            self.position.best = found
            self.files.save_checkpoint(
                "best",
                {
                    **self.learner.weights(),
                    "epoch": self.position.epoch,
                    "config_hash": run_hash(self.cfg),
                    "seed": self.cfg.seed,
                    "data": self.data.as_mapping(),
                },
            )

    @property
    def as_good(self) -> int:
        """The number of evaluations that are as good as the best one, itself among them."""
        assert self.position.best is not None
        select, value = self.cfg.trainer.select, self.position.best["value"]
        rows = (row for row in self.files.read_metrics() if row["split"] == "test")
        return max(1, sum(1 for row in rows if row.get(select) == value))

    def record(self, split: str, metrics: dict[str, float]) -> dict[str, Any]:
        """Appends a row to `metrics.jsonl`."""
        row = {"step": self.position.total_steps, "epoch": self.position.epoch, "split": split, **metrics}
        self.files.append_metrics(row)
        self.position.rows += 1
        return row


def _check(trainer: TrainerConfig, device: torch.device, processes: Processes) -> None:
    if trainer.batch_size < processes.count:
        raise ConfigError(
            f"trainer.batch_size: {trainer.batch_size} samples cannot be shared out to {processes.count} processes",
            "it is the size of the whole batch; each process takes its part",
        )
    if trainer.sync_bn and processes.count > 1 and device.type == "cpu":
        raise ConfigError(
            "trainer.sync_bn: PyTorch synchronises normalisation between GPUs only",
            "trainer.sync_bn=false normalises by the samples of each process",
        )
