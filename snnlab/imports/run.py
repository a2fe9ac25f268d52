"""`snnlab import`: a NIR graph becomes a run directory, which all commands on stored runs take."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from snnlab import build
from snnlab.config.schema import GRAPH, RunConfig
from snnlab.data.dataset import LabelledData
from snnlab.data.identity import DataIdentity
from snnlab.evaluate.stored_run import StoredRun, load_run
from snnlab.imports.arguments import ImportArguments
from snnlab.layers.nir_neurons import Stepping
from snnlab.machine.device import set_up
from snnlab.machine.environment import code_version, environment
from snnlab.models.nir import NIR
from snnlab.runs.data_check import with_data
from snnlab.runs.files import RunFiles
from snnlab.runs.identity import run_dir, run_facts, run_hash, variant
from snnlab.runs.log import RunLog
from snnlab.runs.result_table import result_table
from snnlab.runs.results import RunResult
from snnlab.runs.weights import content_hash
from snnlab.train.position import Position


def run(cfg: RunConfig, asked: ImportArguments) -> int:
    """Writes the run of a graph, and measures it on the test split unless that was not asked for.

    An earlier run of the same graph with the same settings is replaced.

    Args:
        cfg: the configuration, whose network is the graph.
        asked: the file, and whether to measure.

    Returns:
        The exit code, 0.

    Raises:
        SnnlabError: the file cannot be read, has nodes that do not run here, or does not fit the data.
    """
    device = set_up(cfg.trainer)
    cfg = with_data(cfg, prepare=True)
    files = RunFiles(run_dir(cfg))
    files.refuse_unwritable()
    dataset = build.build_dataset(cfg)
    model = build.build_model(cfg, dataset)
    stepping = _graph_of(model).stepping
    dataset.prepare()
    with files, RunLog(files.folder / "log.txt") as log:
        files.clear()
        files.write_config(cfg.raw, cfg.overrides)
        files.write_environment(environment(device, cfg.plugins))
        assert cfg.init.file is not None
        files.keep_graph(cfg.init.file)
        files.restore_metrics("")
        _save(files, cfg, model, dataset.identity())
        log.write(f"run      {files.folder}")
        log.write(f"from     {cfg.init.file}, {_in_words(stepping)}")
        if asked.eval:
            stored = load_run(cfg, files.folder, "last", device)
            files.write_result(_measured(files, stored, _about(cfg, asked, files, stepping), log))
        files.write_status("imported", reason=f"from {cfg.init.file}", epoch=0)
    return 0


def _graph_of(model: nn.Module) -> NIR:
    """The network itself, which may stand behind an embedding."""
    return next(module for module in model.modules() if isinstance(module, NIR))


def _in_words(stepping: Stepping) -> str:
    return f"steps of {stepping.dt:g} s, {stepping.method}, neurons fire {stepping.fires} the threshold"


def _save(files: RunFiles, cfg: RunConfig, model: nn.Module, data: DataIdentity) -> None:
    """Both checkpoints are the weights of the file; the data are none that the network was trained on."""
    weights = {"model": model.state_dict(), "average": None}
    both = {"config_hash": run_hash(cfg), "seed": cfg.seed, "data": data.as_mapping()}
    files.save_checkpoint("last", {"learner": weights, "position": asdict(Position()), **both})
    files.save_checkpoint("best", {**weights, "epoch": 0, **both})


def _measured(files: RunFiles, stored: StoredRun, about: dict[str, Any], log: RunLog) -> RunResult:
    cfg, found = stored.cfg, stored.evaluate()
    metrics = found.prefixed("test")
    files.append_metrics({"step": 0, "epoch": 0, "split": "test", **metrics})
    files.write_evaluation(
        {
            "classes": list(stored.dataset.class_names),
            "reliability": found.reliability,
            "confusion": found.confusion,
        }
    )
    log.write(
        result_table(
            metrics,
            title=f"imported: {variant(cfg)}, on {found.samples} samples of {stored.dataset.split_name}",
            run_dir=files.folder,
            plots=[],
        )
    )
    how = f"imported from {Path(about['file']).name}"
    return RunResult(
        **run_facts(cfg),
        code=code_version(),
        epochs=0,
        split=stored.dataset.split_name,
        data=stored.data.as_mapping(),
        num_train=_train_samples(stored.dataset),
        num_test=found.samples,
        selection={"last": how, "best": how},
        last=metrics,
        best=metrics,
        best_epoch=0,
        num_params=sum(parameter.numel() for parameter in stored.model.parameters()),
        train_seconds=None,
        samples_per_second=None,
        threads=torch.get_num_threads(),
        imported=about,
    )


def _train_samples(dataset: LabelledData) -> int:
    return len(dataset.train_set())


def _about(cfg: RunConfig, asked: ImportArguments, files: RunFiles, stepping: Stepping) -> dict[str, Any]:
    return {
        "file": str(cfg.init.file),
        "hash": content_hash(files.folder / GRAPH),
        "settings": list(asked.settings),
        **asdict(stepping),
    }
