"""`snnlab export`: the trained network of a run, written for other tools."""

import json
from pathlib import Path

import torch

from snnlab.atomic import replacing
from snnlab.config.schema import RunConfig
from snnlab.errors import SnnlabError
from snnlab.evaluate.stored_run import StoredRun, load_run
from snnlab.export.arguments import ExportArguments
from snnlab.export.readers import advice, step_of
from snnlab.packages import need
from snnlab.runs.log import RunLog


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
    write = {"nir": _nir, "safetensors": _safetensors}[asked.format]
    try:
        asked.file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(asked.file) as temporary:
            notes = write(stored, asked, temporary)
    except OSError as error:
        raise SnnlabError(f"cannot write {asked.file}: {error}", "choose another file: out=FILE") from error
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


def _other_way(asked: ExportArguments) -> str:
    if asked.reader == "snntorch" and asked.dt is not None:
        return "leave dt out"
    return "format=safetensors writes the weights of any network, format=onnx runs it in any ONNX runtime"


def _safetensors(stored: StoredRun, asked: ExportArguments, path: Path) -> str:
    need("safetensors", "format=safetensors")
    from safetensors.torch import save_model

    about = {**stored.description(), "config": dict(stored.cfg.raw)}
    save_model(stored.model, str(path), {"snnlab": json.dumps(about)})
    return "The run's configuration is in the file's metadata, under 'snnlab'."
