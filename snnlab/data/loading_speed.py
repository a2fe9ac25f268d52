"""How fast samples are loaded, and what the time goes to: `snnlab data bench`."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from snnlab.config.schema import RunConfig
from snnlab.data.dataset import LabelledData
from snnlab.data.image_files import ImageFiles
from snnlab.data.loader import loader
from snnlab.data.sample_sets import AlteredSet, SampleSet
from snnlab.data.worker_count import workers


@dataclass(frozen=True)
class Speed:
    """What a loop over batches took.

    Attributes:
        samples: per second.
        waiting: the share of the time in which the loop waited for a batch.
    """

    samples: float
    waiting: float


def bench(cfg: RunConfig, dataset: LabelledData, samples: SampleSet, seconds: float) -> None:
    """Prints how many training samples a second come from the loader, alone and with decoding on the device.

    Of files of pictures it also prints what loading one takes in one process, and the share of decoding.

    Args:
        cfg: the configuration: batch size, workers, device.
        dataset: decodes the batches.
        samples: its training samples, with the operations of the loader.
        seconds: for each line.
    """
    device = torch.device(
        ("cuda" if torch.cuda.is_available() else "cpu")
        if cfg.trainer.device == "auto"
        else cfg.trainer.device
    )
    count = workers(cfg.trainer.num_workers, samples, device)
    reading = f"worker processes: {count}, whose start is part of the time" if count else "this process reads"
    unit = "images/s" if _files(samples) is not None else "samples/s"
    title = f"{cfg.data_name}, batches of {cfg.trainer.batch_size}, {device}"
    table = Table("stage", unit, "waiting for samples", title=title)
    for stage, on in (("load", None), ("load and decode", device)):
        speed = _speed(cfg, samples, dataset, count, on, seconds)
        table.add_row(stage, f"{speed.samples:,.0f}", f"{100 * speed.waiting:.0f} %")
    console = Console()
    console.print(table)
    console.print(reading, highlight=False, soft_wrap=True)
    files = _files(samples)
    if files is not None:
        decoding, rest = _parts(samples, files, seconds)
        console.print(
            f"one image in one process: {1000 * (decoding + rest):.2f} ms, of which reading and decoding the file "
            f"{100 * decoding / (decoding + rest):.0f} %, cutting, resizing and the loader's operations the rest",
            highlight=False,
            soft_wrap=True,
        )


def _files(samples: SampleSet) -> ImageFiles | None:
    inner = samples.samples if isinstance(samples, AlteredSet) else samples
    return inner if isinstance(inner, ImageFiles) else None


def _speed(
    cfg: RunConfig,
    samples: SampleSet,
    dataset: LabelledData,
    count: int,
    device: torch.device | None,
    seconds: float,
) -> Speed:
    """Over some epochs, including the start of the workers; with a device, batches are decoded on it."""
    done, waiting, started = 0, 0.0, time.perf_counter()
    batches = _epochs(cfg, samples, count, device is not None and device.type == "cuda")
    while (asked := time.perf_counter()) - started < seconds:
        raw, labels = next(batches)
        waiting += time.perf_counter() - asked
        if device is not None:
            dataset.decode(raw.to(device, non_blocking=True))
        done += len(labels)
    if device is not None and device.type == "cuda":
        torch.cuda.synchronize(device)
    elapsed = time.perf_counter() - started
    return Speed(done / elapsed, waiting / elapsed)


def _epochs(
    cfg: RunConfig, samples: SampleSet, count: int, pin_memory: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    epoch = 0
    while True:
        yield from loader(
            samples,
            cfg.trainer.batch_size,
            shuffle=True,
            seed=cfg.seed,
            epoch=epoch,
            num_workers=count,
            pin_memory=pin_memory,
        )
        epoch += 1


def _parts(samples: SampleSet, files: ImageFiles, seconds: float) -> tuple[float, float]:
    """Seconds of an image for reading and decoding its file, and for what follows."""
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
    decoding, whole, done = 0.0, 0.0, 0
    started = time.perf_counter()
    while done == 0 or time.perf_counter() - started < seconds:
        index = order[done % len(order)]
        before = time.perf_counter()
        files.opened(index)
        between = time.perf_counter()
        samples[index]
        decoding += between - before
        whole += time.perf_counter() - between
        done += 1
    return decoding / done, max(whole - decoding, 0.0) / done
