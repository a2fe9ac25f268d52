"""A batch of made-up samples through network and loss, before any data are prepared: what fails there would fail later.

The network is built on torch's meta device, where tensors have shapes and no numbers, so that a large one costs no
memory and next to no time. A component that needs numbers cannot be built or run there; then two samples run for real.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from ctypes import CDLL

import torch
from torch import Tensor, nn

from snnlab import build
from snnlab.augments.base import runs_in_loader
from snnlab.config.schema import RunConfig, TrainerConfig
from snnlab.data.dataset import LabelledData
from snnlab.data.inputs import InputPipeline
from snnlab.data.synthetic import Synthetic
from snnlab.errors import ConfigError, DataError, SnnlabError
from snnlab.graphs.capture import capture_for
from snnlab.kernels import backend
from snnlab.kernels.ahead import build_ahead
from snnlab.kernels.choose import Noted
from snnlab.layers.embedding import WordSpikes
from snnlab.layers.two_heads import take_heads_apart
from snnlab.losses.base_teacher import TeacherLoss
from snnlab.machine.device import DTYPES, pick_device
from snnlab.machine.processes import Processes
from snnlab.neurons.base import Neuron
from snnlab.own_code import as_own_mistake, source_of
from snnlab.runs import checkpoint
from snnlab.runs.data_check import identified
from snnlab.runs.files import RunFiles
from snnlab.runs.identity import as_stored, run_dir
from snnlab.runs.reuse import refuse_other_settings
from snnlab.runs.weights import is_run
from snnlab.surrogates.base import Surrogate
from snnlab.train.handed_back import refuse_other_types
from snnlab.train.initial import start_from
from snnlab.train.position import Extent
from snnlab.train.teacher import teacher_for

SAMPLES = 2
META, CPU = torch.device("meta"), torch.device("cpu")


def refuse_before_run(cfg: RunConfig, *, alone: bool = True) -> RunConfig:
    """Refuses what `snnlab train` would refuse, in its order and its words, without preparing data.

    Of the data, a few samples of each class are read; reading all of them is for `snnlab data verify`.

    Args:
        cfg: the configuration.
        alone: it is the run that a user wants. Otherwise only the network is tried, and not what a user has to bring,
            data and a teacher, nor the directory and the device.

    Returns:
        The configuration with the hash of its data, where it can be told before they are unpacked.

    Raises:
        SnnlabError: data are missing or cannot be read, the directory cannot be used, or the network cannot be built or
            run.
    """
    dataset = build.build_dataset(cfg)
    if alone:
        dataset.look()
    with suppress(DataError):  # still packed
        cfg = as_stored(identified(cfg, dataset))
    if alone:
        files = RunFiles(run_dir(cfg))
        refuse_other_settings(cfg, files.folder)
        if cfg.trainer.on_existing == "resume" and files.result() is not None:
            return cfg  # its result is what `train` returns
        refuse_place(cfg, files)
        capture_for(cfg.trainer, pick_device(cfg.trainer.device))
    rehearse(cfg, dataset, taught=alone)
    if alone:
        dataset.read_some()
    return cfg


def refuse_point(cfg: RunConfig, *, read: bool = True) -> None:
    """Refuses a point of a sweep, which starts later and perhaps elsewhere; its data have been looked for.

    Args:
        cfg: the configuration.
        read: a few samples are read, which no other point has read in this way.

    Raises:
        SnnlabError: its directory cannot be written, the network cannot be built or run, or a sample cannot be read.
    """
    RunFiles(run_dir(cfg)).refuse_unwritable()
    dataset = build.build_dataset(cfg)
    rehearse(cfg, dataset)
    if read:
        dataset.read_some()


def refuse_place(cfg: RunConfig, files: RunFiles) -> None:
    """Refuses a run directory that may not, or cannot, be used.

    Raises:
        SnnlabError: it exists and must not, files cannot be written there, or another process works in it.
    """
    if cfg.trainer.on_existing == "fail" and files.folder.exists():
        raise SnnlabError(
            f"{files.folder} exists", "trainer.on_existing=resume continues it, =restart forgets it"
        )
    files.refuse_unwritable()
    files.refuse_in_use()


def rehearse(cfg: RunConfig, dataset: LabelledData, *, taught: bool = True) -> list[Noted]:
    """Builds what a training step needs and runs a made-up batch through network and loss; draws no random number.

    Args:
        cfg: the configuration.
        dataset: its data, of which only shapes are asked.
        taught: the teacher is built, too, if the loss needs one and it is no download.

    Returns:
        The calls of the network's neurons, with `SAMPLES` samples in float32.

    Raises:
        SnnlabError: a part cannot be built, weights do not fit, or the batch cannot pass.
    """
    made_up = dataset if isinstance(dataset, Synthetic) else Synthetic(dataset)
    random = checkpoint.random_state()
    try:
        with warnings.catch_warnings():
            # The run itself will give them, and on meta weights are not copied.
            warnings.simplefilter("ignore")
            batch = _batch(cfg, made_up)
            try:
                return _pass(cfg, made_up, batch, META, taught)
            except SnnlabError:
                raise
            except Exception:  # a component that needs numbers: any error may come of that
                with _worded(cfg, batch):
                    return _pass(cfg, made_up, batch, CPU, taught)
    finally:
        checkpoint.set_random_state(random)


def build_kernels(
    noted: Sequence[Noted], trainer: TrainerConfig, device: torch.device, processes: Processes
) -> list[Future[CDLL]]:
    """Begins to build the kernels of the calls of a rehearsal, while data are prepared and read; on a CPU only."""
    if device.type != "cpu" or trainer.backend not in ("auto", "compiled") or trainer.compile:
        return []
    if not processes.leads:  # which builds them for all
        return []
    given = min(SAMPLES, trainer.batch_size) * processes.count
    times = math.inf if trainer.backend == "compiled" else trainer.batch_size / given
    return build_ahead(noted, fuse=trainer.fuse, times=times, dtype=DTYPES[trainer.precision])


def _batch(cfg: RunConfig, made_up: LabelledData) -> tuple[Tensor, Tensor]:
    """An augmented batch [T, B, C, H, W] and what is to be learned from it, [B] or [B, K]."""
    augments = [] if cfg.trainer.overfit_batches else build.build_augments(cfg)
    refuse_other_types(augments)
    samples = made_up.train_set([op for op in augments if runs_in_loader(op)])
    raw, target_B = samples.batch(range(min(SAMPLES, cfg.trainer.batch_size)))
    pipeline = InputPipeline(made_up, augments, cfg.num_steps, CPU, cfg.seed, cfg.input)
    return pipeline.mixed(pipeline.train(raw, 0, 0), target_B, 0, 0)


def _pass(
    cfg: RunConfig,
    made_up: LabelledData,
    batch: tuple[Tensor, Tensor],
    device: torch.device,
    taught: bool,
) -> list[Noted]:
    x_TBCHW, target = batch
    with device:
        model: nn.Module = build.build_model(cfg, made_up)
    model = model.to(device)  # what a component took from NumPy
    start_from(cfg, model, None)
    optimizer = build.build_optimizer(cfg, model)
    build.build_scheduler(cfg, optimizer, Extent.of(cfg.trainer, len(made_up.train_set())).steps_per_epoch)
    loss = build.build_loss(cfg)
    regularisers = build.build_regularisers(cfg, model)
    if taught and not _is_download(cfg):
        teacher_for(cfg, loss, made_up, None, CPU)
    if loss.heads_apart:
        take_heads_apart(model)
    refuse_other_types((model, loss, *regularisers.values()), model)
    noted: list[Noted] = []
    with backend("eager", noted=noted), ExitStack() as watching:
        for one in regularisers.values():
            watching.enter_context(one.watching(model))
        for layer in model.modules():
            if isinstance(layer, Neuron) and not isinstance(layer, WordSpikes):  # words are no currents
                watching.callback(layer.register_forward_hook(_refuse_other_shape).remove)
        shape = model.train()(x_TBCHW.to(device)).shape
    for part in model.modules():
        if isinstance(part, Surrogate):  # asked for in the backward pass only
            part.gradient(torch.zeros(SAMPLES, device=device))
    for one in regularisers.values():
        one.term(model)
    logits = torch.zeros(shape)
    if isinstance(loss, TeacherLoss):
        loss.terms(logits, target, torch.zeros(shape[1], shape[-1]))
    else:
        loss.terms(logits, target)
    return noted


def _refuse_other_shape(neuron: nn.Module, given: tuple[Tensor, ...], spikes_T: Tensor) -> None:
    """Raises ConfigError where a neuron does not give a spike for each current; what comes behind it would complain."""
    if spikes_T.shape[1:] != given[0].shape[1:]:
        shapes = [" x ".join(map(str, one.shape)) for one in (given[0], spikes_T)]
        raise ConfigError(
            f"{source_of(type(neuron))} makes spikes {shapes[1]} of currents {shapes[0]}",
            "forward_with_state returns spikes of the shape of its currents, [T, ...], and the state behind them",
        )


def _is_download(cfg: RunConfig) -> bool:
    """Whether the teacher is a published network, which only a run fetches."""
    name = cfg.distill.teacher
    return name is not None and cfg.distill.weights is None and not is_run(name)


@contextmanager
def _worded(cfg: RunConfig, batch: tuple[Tensor, Tensor]) -> Iterator[None]:
    """Names the network and its input in the errors of shapes that do not fit; those of a plugin name its line.

    Raises:
        ConfigError: in place of such an error.
    """
    try:
        yield
    except SnnlabError:
        raise
    except (ValueError, RuntimeError) as error:
        if as_own_mistake(error) is not None:
            raise
        shape = " x ".join(map(str, batch[0].shape))
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise ConfigError(
            f"model '{cfg.model.name}' cannot be trained on {cfg.dataset.name}, {shape} (T x B x C x H x W): {said[0]}",
            "change dataset.image_size or the keys of model; snnlab show prints them",
        ) from error
