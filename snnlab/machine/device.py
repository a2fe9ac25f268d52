"""The device and numerics of a run: device, threads, seeds, determinism, precision."""

import contextlib
import os
import random
import resource
import sys

import torch

from snnlab.config.schema import TrainerConfig
from snnlab.errors import ConfigError
from snnlab.kernels import use_backend
from snnlab.machine.allocator import keep_freed_memory
from snnlab.machine.processes import ALONE, Processes

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def seed_generators(seed: int) -> None:
    """Seeds every random generator of this process that initial weights and training steps draw from."""
    random.seed(seed)
    torch.manual_seed(seed)


def set_up(trainer: TrainerConfig, processes: Processes = ALONE) -> torch.device:
    """Fixes the allocator, the neurons' back end, threads and determinism, and returns the device.

    Each of several processes has a GPU of its own.

    Raises:
        ConfigError: the device that was asked for is not there.
    """
    if trainer.allocator == "keep":
        keep_freed_memory()
    use_backend(trainer.backend, lambda message: sys.stderr.write(f"warning: {message}\n"), trainer.fuse)
    if trainer.threads is not None:
        torch.set_num_threads(trainer.threads)
    if trainer.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
    else:
        torch.backends.cudnn.benchmark = True
    device = pick_device(trainer.device)
    if processes.count > 1 and device.type == "cuda":
        device = _own_gpu(trainer.device, processes)
        torch.cuda.set_device(device)
    return device


def peak_memory(device: torch.device) -> int:
    """The most bytes so far that tensors took on a GPU; without one, that the whole process took."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # Linux counts in kilobytes, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _own_gpu(name: str, processes: Processes) -> torch.device:
    if name.startswith("cuda:"):
        raise ConfigError(
            f"trainer.device: {processes.count} processes cannot share '{name}'",
            "trainer.device=cuda gives each process a GPU of its own",
        )
    if processes.local_rank >= torch.cuda.device_count():
        raise ConfigError(
            f"trainer.device: more processes than the {torch.cuda.device_count()} GPUs of this machine",
            "torchrun --nproc-per-node=gpu starts one for each GPU",
        )
    return torch.device("cuda", processes.local_rank)


def pick_device(name: str) -> torch.device:
    """The device of a name; `auto` is the first GPU where there is one.

    Raises:
        ConfigError: there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"trainer.device: '{name}' cannot be used here: {str(error).splitlines()[0]}",
            "trainer.device=auto takes a GPU where there is one, else the CPU; snnlab doctor shows what is there",
        ) from error
    return device


def autocast(
    device: torch.device, precision: str, cache: bool = True
) -> contextlib.AbstractContextManager[object]:
    """Mixed precision for matrix products and convolutions; neurons and losses stay in fp32 by themselves.

    With `cache`, a weight that is used several times inside the context is converted once.
    """
    if precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=DTYPES[precision], cache_enabled=cache)
