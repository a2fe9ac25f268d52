"""The size of evaluation batches: as given, or on a GPU as large as its memory allows."""

import torch
from torch import nn

from snnlab.config.schema import TrainerConfig
from snnlab.data.dataset import SampleSet
from snnlab.data.inputs import InputPipeline
from snnlab.machine.device import autocast
from snnlab.runs import checkpoint

SHARE = 0.25
MOST_BYTES = 2**32
"""Of one batch, so that no tensor in it has 2^31 elements of 2 bytes, beyond which kernels count wrongly."""


def given_batch_size(trainer: TrainerConfig) -> int:
    """Samples in an evaluation batch where no memory is asked: `auto` is then the batch of the training."""
    return trainer.eval_batch_size if isinstance(trainer.eval_batch_size, int) else trainer.batch_size


def eval_batch_size(
    trainer: TrainerConfig, model: nn.Module, pipeline: InputPipeline, samples: SampleSet
) -> int:
    """Samples in an evaluation batch; with `auto` on a GPU, one batch of the training is run to see what it takes."""
    size = given_batch_size(trainer)
    if trainer.eval_batch_size != "auto" or pipeline.device.type != "cuda":
        return size
    taken = _memory_of(range(min(size, len(samples))), trainer, model, pipeline, samples)
    total = torch.cuda.get_device_properties(pipeline.device).total_memory
    return that_fits(size, taken / min(size, len(samples)), total, len(samples))


def that_fits(size: int, bytes_each: float, total: int, samples: int) -> int:
    """The greatest multiple of `size` whose batch takes a quarter of the memory and 4 GiB at most; one at least.

    Args:
        size: samples in a batch of the training.
        bytes_each: what a sample takes in a forward pass.
        total: bytes of the GPU, not those that are free, so that the same card gives the same size.
        samples: number of samples; no batch need be larger than the multiple that holds them.
    """
    room = min(MOST_BYTES, SHARE * total)
    return size * max(1, min(int(room / max(bytes_each, 1) // size), -(-samples // size)))


@torch.inference_mode()
def _memory_of(
    indices: range, trainer: TrainerConfig, model: nn.Module, pipeline: InputPipeline, samples: SampleSet
) -> int:
    """Bytes that a forward pass takes at most, with its input; leaves network and random generators as they are."""
    random, was_training = checkpoint.random_state(), model.training
    before = torch.cuda.memory_allocated(pipeline.device)
    torch.cuda.reset_peak_memory_stats(pipeline.device)
    model.eval()
    try:
        with autocast(pipeline.device, trainer.precision):
            model(pipeline.test(samples.batch(indices)[0]))
    finally:
        model.train(was_training)
        checkpoint.set_random_state(random)
    return torch.cuda.max_memory_allocated(pipeline.device) - before
