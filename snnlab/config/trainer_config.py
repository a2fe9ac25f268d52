"""The settings of `trainer`: how a run is trained, evaluated and saved. See `snnlab.config.schema`. No torch here."""

import re
from dataclasses import dataclass
from typing import Literal

from snnlab.errors import ConfigError
from snnlab.metric_names import METRIC_PATTERN
from snnlab.ranges import OpenFraction, Positive, PositiveInt, Threads, Unhashed, Workers


@dataclass(frozen=True, kw_only=True)
class TrainerConfig:
    """How a run is trained, evaluated and saved."""

    epochs: PositiveInt = 100
    """Passes over the training set."""
    batch_size: PositiveInt = 64
    """Samples in one forward pass, over all processes of torchrun; the optimiser sees batch_size * accumulate."""
    eval_batch_size: Unhashed[PositiveInt | Literal["auto"] | None] = "auto"
    """Samples in one evaluation batch; auto = by a GPU's memory, null = batch_size. Metrics do not depend on it."""
    eval_every: PositiveInt = 1
    """Evaluate on the test split after every so many epochs, and after the last."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Precision of the matrix products; membranes stay in fp32."""
    accumulate: PositiveInt = 1
    """Batches whose gradients are summed before one optimiser step."""
    clip_norm: Positive | None = None
    """Upper bound of the gradient's norm over all parameters; null = no clipping."""
    ema: OpenFraction | None = None
    """Decay of an exponential moving average of the weights, which is then evaluated; null = none."""
    backend: Unhashed[Literal["auto", "eager", "compiled", "triton"]] = "auto"
    """What runs the neurons: plain PyTorch (eager), generated C++ (compiled, CPU), Triton (CUDA), or the fastest."""
    cuda_graph: Unhashed[Literal["auto", "off", "required"]] = "auto"
    """Launch a batch, and the update, as CUDA graphs on a GPU: where that can be (auto), never, or else an error."""
    autograd_threads: Unhashed[bool] = False
    """Let autograd run a GPU's backward pass in a thread of its own; equal numbers, a hand-over for each node."""
    fuse: Unhashed[bool] = True
    """Run a normalisation and the neuron behind it as one operation, where the back end has it."""
    pack_spikes: Unhashed[bool] = False
    """Keep spikes as bits from the forward to the backward pass: less memory, equal gradients."""
    sync_bn: bool = False
    """Normalise by the statistics of all processes of torchrun (GPUs only); a single one does so anyway."""
    compile: bool = False
    """Compile the model with torch.compile."""
    channels_last: bool | Literal["auto"] = "auto"
    """Memory layout of images; auto = channels last in networks of 2-D convolutions, but not in fp32 on CUDA."""
    num_workers: Unhashed[Workers | Literal["auto"]] = "auto"
    """Processes that read ahead; 0 = none; auto = for a GPU whose samples are read or changed one by one."""
    data_on_device: Unhashed[bool | Literal["auto"]] = "auto"
    """Keep the stored samples in the device's memory, so that no loader runs; auto = on CUDA where they fit."""
    device: Unhashed[str] = "auto"
    """auto (CUDA if there is one), cpu, cuda, or cuda:<index>."""
    deterministic: bool = False
    """Only deterministic kernels: slower, the same bits every time on the same machine."""
    checkpoint_every: Unhashed[PositiveInt | None] = None
    """Also save the `last` checkpoint after every so many optimiser steps; null = at epoch ends."""
    select: str = "test/acc"
    """Metric whose best epoch is kept as `best`; losses and calibration errors are minimised."""
    max_steps: PositiveInt | None = None
    """At most so many optimiser steps in the whole run, whose schedule stays that of the epochs; null = all epochs."""
    limit_train_batches: PositiveInt | None = None
    """At most so many batches in an epoch of training; null = all."""
    limit_test_batches: PositiveInt | None = None
    """Evaluate on so many times batch_size samples at most, whatever eval_batch_size; null = all."""
    overfit_batches: PositiveInt | None = None
    """Train and evaluate on so many batches of training samples only, unaugmented; null = off."""
    limit_draw: Literal["stratified", "first"] = "stratified"
    """Samples that limit_test_batches and overfit_batches keep: a fixed draw with all classes, or the first ones."""
    synthetic: bool = False
    """Generated data in the data set's shape instead of the data set."""
    keep: Unhashed[Literal["weights", "all"]] = "weights"
    """What `last` holds of a finished run: weights, or all that training had, the optimiser's state included."""
    progress: Unhashed[Literal["auto", "bar", "plain", "none"]] = "auto"
    """How progress is shown: auto = bar on a terminal, plain lines elsewhere."""
    plots: Unhashed[bool] = True
    """Write PNG plots at the end of the run."""
    on_existing: Unhashed[Literal["resume", "restart", "fail"]] = "resume"
    """If the run directory exists: resume (a finished run returns its result), start again, or fail."""
    threads: Unhashed[Threads | None] = None
    """CPU threads for torch; null = torch's default."""
    allocator: Unhashed[Literal["keep", "system"]] = "keep"
    """keep: glibc keeps freed memory for the next step (much faster on the CPU); system: leave it as it is."""
    detect_anomaly: Unhashed[bool] = False
    """Let autograd name the operation whose gradient is not finite (slow)."""
    profile: Unhashed[bool] = False
    """Trace a few training steps with torch.profiler into the run directory."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device):
            raise ConfigError(
                f"trainer.device: unknown device '{self.device}'",
                "choose one of: auto, cpu, cuda, cuda:<index>",
            )
        if self.precision == "fp16" and self.device == "cpu":
            raise ConfigError(
                "trainer.precision: fp16 needs loss scaling, which runs on CUDA only",
                "use trainer.precision=bf16 or fp32 on the cpu",
            )
        if self.pack_spikes and self.compile:
            raise ConfigError(
                "trainer.pack_spikes: torch.compile decides by itself what it keeps",
                "leave out trainer.pack_spikes or trainer.compile",
            )
        check_select(self.select)


def check_select(select: str) -> None:
    """Refuses a value of `trainer.select` that is no metric.

    Raises:
        ConfigError: it is none.
    """
    if not METRIC_PATTERN.fullmatch(select):
        raise ConfigError(
            f"trainer.select: unknown metric '{select}'",
            "for example test/acc, test/nll, test/ece, test/acc_step/t4 or test/ece_cum/t4",
        )
