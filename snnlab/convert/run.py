"""`snnlab convert`: from the run of a quantised ANN to one of a spiking network, with the accuracy of both."""

from dataclasses import asdict, replace
from math import log2
from statistics import fmean
from typing import Any

import torch
from torch import nn

from snnlab import build
from snnlab.config.schema import RunConfig
from snnlab.convert.arguments import ConvertArguments
from snnlab.convert.energy import energy
from snnlab.convert.network import convert
from snnlab.errors import SnnlabError
from snnlab.evaluate.one_pass import Evaluation
from snnlab.evaluate.passes import Passes
from snnlab.evaluate.stored_run import StoredRun, load_run
from snnlab.machine.device import set_up
from snnlab.machine.environment import code_version, environment
from snnlab.metric_names import ACC
from snnlab.metrics.time_steps import time_steps
from snnlab.plots.figure import files_of
from snnlab.plots.time_steps import plot_time_steps
from snnlab.runs import checkpoint
from snnlab.runs.data_check import with_data
from snnlab.runs.files import RunFiles
from snnlab.runs.identity import run_dir, run_facts, run_hash, variant
from snnlab.runs.log import RunLog
from snnlab.runs.result_table import result_table
from snnlab.runs.results import RunResult
from snnlab.train.position import Position

ENERGY_SAMPLES = 20


def run(ann_cfg: RunConfig, cfg: RunConfig, asked: ConvertArguments) -> int:
    """Writes the converted run and measures it and the ANN on the test split.

    Args:
        ann_cfg: the configuration of the ANN's run.
        cfg: that of the converted one.
        asked: which run and checkpoint, and whether normalisation is folded.

    Returns:
        The exit code, 0.

    Raises:
        SnnlabError: there is no such checkpoint, or the network cannot be converted.
    """
    device = set_up(cfg.trainer)
    passes = Passes(cfg.trainer, device)
    cfg = with_data(cfg, prepare=True)
    files = RunFiles(run_dir(cfg))
    files.refuse_unwritable()
    ann = load_run(replace(ann_cfg, trainer=cfg.trainer), asked.run, asked.checkpoint, device)
    network = build.build_model(cfg, ann.dataset).to(device).eval()
    try:
        convert(ann.model, network, asked.fold)
    except ValueError as error:
        raise SnnlabError(
            f"{asked.run} cannot be converted: {error}",
            _hint(str(error)),
        ) from error
    snn = replace(ann, cfg=cfg, model=network)
    before, after = passes.evaluate(ann), passes.evaluate(snn)
    agreement = _agreement(ann, snn)
    raw, _ = ann.dataset.test_set().batch(range(min(ENERGY_SAMPLES, after.samples)))
    spent = energy(ann.model, _plain(cfg, snn), ann.pipeline.test(raw))
    with files, RunLog(files.folder / "log.txt") as log:
        files.clear()
        files.write_config(cfg.raw, cfg.overrides)
        files.write_environment(environment(device, cfg.plugins))
        _save(files, cfg, snn, after)
        conversion = {
            "ann": str(asked.run),
            "checkpoint": asked.checkpoint,
            "ann_acc": before.metrics["acc"],
            "ann_loss": before.metrics["loss"],
            "acc": after.metrics["acc"],
            **agreement,
            "time_steps": time_steps(network),
            "energy": spent,
            "mean_time_steps": after.metrics["time_steps"],
            "mean_bits": fmean(log2(one) for one in time_steps(network).values()),
        }
        files.write_result(_result(cfg, snn, after, conversion))
        files.write_status("done")
        log.write(f"run      {files.folder}")
        log.write(result_table(after.prefixed("test"), title=f"{cfg.experiment}: {variant(cfg)}, converted"))
        log.write(_summary(conversion))
        passes.say(log)
        if cfg.trainer.plots:
            title = f"{cfg.experiment}, seed {cfg.seed}"
            drawn = plot_time_steps(time_steps(network), files.plots / "time_steps.png", title=title)
            log.write(f"plots    {files_of(drawn)}")
    return 0


def _hint(error: str) -> str:
    if "folded" in error:
        return "fold=false keeps normalisation as it is"
    if "not linear" in error:
        return (
            "convolutions, linear layers, residual additions, average and max pools convert: model=vgg16_snn"
        )
    return "snnlab list model"


def _plain(cfg: RunConfig, snn: StoredRun) -> nn.Module:
    """The network with `averaged=currents`, whose spikes are all visible, so that its operations can be counted."""
    neuron = replace(cfg.neuron, params={**cfg.neuron.params, "averaged": "currents"})
    network = build.build_model(replace(cfg, neuron=neuron), snn.dataset).to(snn.pipeline.device).eval()
    network.load_state_dict(snn.model.state_dict())
    return network


@torch.inference_mode()
def _agreement(ann: StoredRun, snn: StoredRun) -> dict[str, float]:
    """Difference of the logits averaged over frames, and share of equal predictions."""
    same, count, furthest = 0, 0, 0.0
    for raw, _ in ann.batches():
        x_TBCHW = ann.pipeline.test(raw)
        one_BK, other_BK = ann.model(x_TBCHW).float().mean(0), snn.model(x_TBCHW).float().mean(0)
        same += int((one_BK.argmax(1) == other_BK.argmax(1)).sum())
        count += len(raw)
        furthest = max(furthest, float((one_BK - other_BK).abs().max()))
    return {"same_answer": same / count, "furthest_logit": furthest}


def _save(files: RunFiles, cfg: RunConfig, snn: StoredRun, after: Evaluation) -> None:
    weights = {"model": snn.model.state_dict(), "average": None}
    digest = run_hash(cfg)
    position = asdict(Position(epoch=snn.epoch))
    both = {"config_hash": digest, "seed": cfg.seed, "data": snn.data.as_mapping()}
    last = {"learner": weights, "position": position, **both}
    checkpoint.save(files.checkpoints / "last.pt", last)
    checkpoint.save(files.checkpoints / "best.pt", {**weights, "epoch": snn.epoch, **both})
    files.append_metrics({"step": 0, "epoch": snn.epoch, "split": "test", **after.prefixed("test")})


def _result(cfg: RunConfig, snn: StoredRun, after: Evaluation, conversion: dict[str, Any]) -> RunResult:
    how = f"converted from the weights after epoch {snn.epoch}"
    return RunResult(
        **run_facts(cfg),
        code=code_version(),
        epochs=snn.epoch,
        split=snn.dataset.split_name,
        data=snn.data.as_mapping(),
        num_train=len(snn.dataset.train_set()),
        num_test=after.samples,
        selection={"last": how, "best": how},
        last=after.prefixed("test"),
        best=after.prefixed("test"),
        best_epoch=snn.epoch,
        num_params=sum(parameter.numel() for parameter in snn.model.parameters()),
        train_seconds=0.0,
        samples_per_second=None,
        conversion=conversion,
    )


def _summary(found: dict[str, Any]) -> str:
    steps = " ".join(str(one) for one in found["time_steps"].values())
    return (
        f"ANN {ACC.text(found['ann_acc'])}, SNN {ACC.text(found['acc'])}, "
        f"the same answer for {100 * found['same_answer']:.2f} %, "
        f"logits apart by at most {found['furthest_logit']:.2g}\n"
        f"mean T {found['mean_time_steps']:.2f}, layer by layer: {steps}\n"
        f"energy   ANN {found['energy']['ann_mJ']:.3g} mJ, SNN {found['energy']['snn_mJ']:.3g} mJ a sample, "
        f"ratio {found['energy']['ratio']:.2f}"
    )
