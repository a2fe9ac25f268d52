"""`snnlab export`: the trained network of a run, written for other tools."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from snnlab.atomic import replacing
from snnlab.config.schema import RunConfig
from snnlab.errors import SnnlabError
from snnlab.evaluate.stored_run import StoredRun, load_run
from snnlab.export.arguments import ExportArguments
from snnlab.export.readers import advice, step_of
from snnlab.packages import need
from snnlab.runs.log import RunLog

CHECKED = 8
"""Samples on which a written program is compared with the network."""


def run(cfg: RunConfig, asked: ExportArguments) -> int:
    """Writes a run's network.

    Args:
        cfg: the run's configuration with overrides.
        asked: which checkpoint, format and file.

    Returns:
        The exit code, 0.

    Raises:
        SnnlabError: no such checkpoint, the network has no form in this format, or the file cannot be written.
    """
    stored = load_run(cfg, asked.run, asked.checkpoint, torch.device("cpu"))
    writers = {"nir": _nir, "safetensors": _safetensors, "onnx": _onnx, "torch.export": _torch_export}
    write = writers[asked.format]
    try:
        asked.file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(asked.file) as temporary:
            temporary.touch()  # with the rights that any file gets; safetensors gives its files fewer
            rights = temporary.stat().st_mode
            notes = write(stored, asked, temporary)
            temporary.chmod(rights)
    except OSError as error:
        raise SnnlabError(
            f"cannot write {asked.file}: {error.strerror or error}", "choose another file: out=FILE"
        ) from error
    log = RunLog(None)
    log.write(f"Written to {asked.file} ({asked.file.stat().st_size / 1e6:.1f} MB)")
    log.write(notes)
    return 0


def _nir(stored: StoredRun, asked: ExportArguments, path: Path) -> str:
    need("nir", "format=nir")
    from snnlab.export.nir import write

    raw, _ = stored.dataset.test_set().batch([0])
    try:
        dt = step_of(asked.reader, asked.dt)
        write(stored.model, stored.pipeline.test(raw), path, dt, asked.reader)
    except ValueError as error:
        raise SnnlabError(f"no NIR graph of this network: {error}", _other_way(asked)) from error
    return (
        f"A time step is {dt:g} s in it. {advice(asked.reader, dt)} "
        f"Not in it: the mean of the logits over {stored.cfg.num_steps} steps, "
        "and how the input is made (resize, normalisation)."
    )


def _onnx(stored: StoredRun, asked: ExportArguments, path: Path) -> str:
    need("onnxscript", "format=onnx")
    from snnlab.export.onnx import furthest_logit, write

    x_TBCHW = _some_input(stored)
    _written(write, stored, x_TBCHW, path)
    if find_spec("onnxruntime") is None:
        checked = "onnxruntime is not installed, so the file was not run."
    else:
        checked = _checked("onnxruntime", x_TBCHW, furthest_logit(stored.model, x_TBCHW, path))
    return f"Input 'frames', output 'logits'. {checked} {_steps_inside(stored)}"


def _torch_export(stored: StoredRun, asked: ExportArguments, path: Path) -> str:
    from snnlab.export.program import furthest_logit, write

    x_TBCHW = _some_input(stored)
    _written(write, stored, x_TBCHW, path)
    checked = _checked("torch.export.load", x_TBCHW, furthest_logit(stored.model, x_TBCHW, path))
    return f"torch.export.load(file).module() maps frames to logits. {checked} {_steps_inside(stored)}"


def _some_input(stored: StoredRun) -> Tensor:
    test_set = stored.dataset.test_set()
    raw, _ = test_set.batch(range(min(CHECKED, len(test_set))))
    return stored.pipeline.test(raw)


def _written(
    write: Callable[[nn.Module, Tensor, Path], None], stored: StoredRun, x_TBCHW: Tensor, path: Path
) -> None:
    try:
        write(stored.model, x_TBCHW, path)
    except ValueError as error:
        raise SnnlabError(str(error), "format=safetensors writes the weights of any network") from error


def _checked(reader: str, x_TBCHW: Tensor, furthest: float) -> str:
    return (
        f"Logits of {x_TBCHW.shape[1]} test samples by {reader} differ from ours by at most {furthest:.1e}."
    )


def _steps_inside(stored: StoredRun) -> str:
    return (
        f"All {stored.cfg.num_steps} time steps are in it, for batches of any size. Not in it: the mean of the logits "
        "over the steps, and how the input is made (resize, normalisation)."
    )


def _other_way(asked: ExportArguments) -> str:
    if asked.reader == "snntorch" and asked.dt is not None:
        return "leave dt out"
    return "format=safetensors writes the weights of any network, format=onnx runs it in any ONNX runtime"


def _safetensors(stored: StoredRun, asked: ExportArguments, path: Path) -> str:
    need("safetensors", "format=safetensors")
    from safetensors import SafetensorError
    from safetensors.torch import save_model

    about = {**stored.description(), "config": dict(stored.cfg.raw)}
    try:
        save_model(stored.model, str(path), {"snnlab": json.dumps(about)})
    except SafetensorError as error:  # of the disk, too
        raise OSError(str(error)) from error
    return "The run's configuration is in the file's metadata, under 'snnlab'."
