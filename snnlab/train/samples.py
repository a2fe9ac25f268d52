"""What a run learns from and is measured on, batch by batch; of several processes, each has its part."""

import itertools
import math
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from snnlab.augments.base import runs_in_loader
from snnlab.config.schema import RunConfig
from snnlab.data.dataset import LabelledData, SampleSet
from snnlab.data.device_set import on_device
from snnlab.data.inputs import Batch, InputPipeline
from snnlab.data.limited import limited
from snnlab.data.loader import epoch_batches, loader
from snnlab.data.worker_count import workers
from snnlab.evaluate.batch_size import eval_batch_size, given_batch_size
from snnlab.machine.processes import ALONE, Processes
from snnlab.train.position import Extent, Position


class Samples:
    """The samples of a run.

    Args:
        cfg: the checked configuration.
        dataset: prepared data.
        augments: of the training samples; only those that run in the loader are done here.
        device: of the training.
        processes: the processes that train together.

    Attributes:
        train_set, test_set: the samples, on the device if they are kept there.
        split_name: of the test set.
        identity: of the data.
        extent: how long a training on them is.
        eval_batch_size: number of samples in a batch of a pass in evaluation mode.

    Raises:
        ConfigError: the training samples have to be on the device, and are read or changed one by one.
    """

    def __init__(
        self,
        cfg: RunConfig,
        dataset: LabelledData,
        augments: Sequence[nn.Module],
        device: torch.device,
        processes: Processes = ALONE,
    ) -> None:
        self._trainer, self._seed, self._device, self._processes = cfg.trainer, cfg.seed, device, processes
        train_set = dataset.train_set([op for op in augments if runs_in_loader(op)])
        whole, self.split_name = dataset.test_set(), dataset.split_name
        self.identity = dataset.identity(train_set, whole)
        if cfg.trainer.overfit_batches is not None:
            train_set = self._limited(train_set, cfg.trainer.overfit_batches)
            whole, self.split_name = train_set, "the training samples themselves"
        test_set = self._limited(whole, cfg.trainer.limit_test_batches)
        if test_set is not whole:
            self.split_name += f" ({len(test_set)} of {len(whole)}, {cfg.trainer.limit_draw})"
        self.train_set, self.test_set = on_device([train_set, test_set], device, cfg.trainer.data_on_device)
        self.extent = Extent.of(cfg.trainer, len(self.train_set))
        self.eval_batch_size = given_batch_size(cfg.trainer)

    def _limited(self, samples: SampleSet, batches: int | None) -> SampleSet:
        return limited(samples, batches, self._trainer.batch_size, self._trainer.limit_draw)

    def fit_memory(self, model: nn.Module, pipeline: InputPipeline) -> None:
        """Chooses the size of evaluation batches, where it is `auto`, by what the network takes; equal everywhere."""
        size = eval_batch_size(self._trainer, model, pipeline, self.test_set)
        self.eval_batch_size = min(self._processes.gather(size))

    def workers(self, samples: SampleSet) -> int:
        """How many processes read these samples ahead."""
        return workers(self._trainer.num_workers, samples, self._device, self._processes.count)

    def groups(self, position: Position) -> Iterator[tuple[list[Batch], int]]:
        """The rest of the current epoch: for each optimiser step its batches, in an order fixed by seed and epoch.

        Each comes with the number of its samples in all processes.
        """
        trainer = self._trainer
        batches = self._loader(
            self.train_set,
            shuffle=True,
            epoch=position.epoch,
            start_batch=position.step * trainer.accumulate,
        )
        sizes = [
            max(min(trainer.batch_size, len(self.train_set) - start), self._processes.count)
            for start in range(0, len(self.train_set), trainer.batch_size)
        ]
        for step in range(position.step, self.extent.steps_of(position.epoch)):
            first = step * trainer.accumulate
            last = min(first + trainer.accumulate, self.extent.batches)
            yield list(itertools.islice(batches, last - first)), sum(sizes[first:last])

    def order(self, epoch: int) -> list[list[int]]:
        """The numbers of this process's training samples in an epoch, batch by batch."""
        return epoch_batches(
            len(self.train_set),
            self._trainer.batch_size,
            shuffle=True,
            seed=self._seed,
            epoch=epoch,
            part=self._part,
        )

    def eval_batches(self, samples: SampleSet) -> int:
        """How many batches a pass in evaluation mode has, in all processes."""
        return math.ceil(len(samples) / self.eval_batch_size)

    def own_block(self, samples: SampleSet) -> Iterator[Batch]:
        """This process's part of a pass in evaluation mode, batches one after the other."""
        first, last = self._processes.block(self.eval_batches(samples))
        return itertools.islice(self._loader(samples, start_batch=first), last - first)

    @property
    def _part(self) -> tuple[int, int]:
        return self._processes.rank, self._processes.count

    def _loader(
        self, samples: SampleSet, *, shuffle: bool = False, epoch: int = 0, start_batch: int = 0
    ) -> Iterator[Batch]:
        """Batches for training if shuffled, else for a pass in evaluation mode."""
        return loader(
            samples,
            self._trainer.batch_size if shuffle else self.eval_batch_size,
            shuffle=shuffle,
            seed=self._seed,
            epoch=epoch,
            start_batch=start_batch,
            num_workers=self.workers(samples),
            pin_memory=self._device.type == "cuda",
            part=self._part if shuffle else (0, 1),
        )
