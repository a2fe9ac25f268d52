"""`snnlab eval`: the weights of a finished or running run, measured again, perhaps with other settings."""

from pathlib import Path
from typing import Any

from torch import nn

from snnlab import build
from snnlab.config.rundir import config_hash
from snnlab.config.schema import RunConfig
from snnlab.data.loader import loader
from snnlab.errors import SnnlabError
from snnlab.train import checkpoint
from snnlab.train.device import seed_generators, set_up
from snnlab.train.evaluate import evaluate
from snnlab.train.inputs import InputPipeline
from snnlab.train.log import RunLog
from snnlab.train.result_table import result_table
from snnlab.train.run_files import write_json


def run(cfg: RunConfig, folder: Path, which: str = "last") -> int:
    """Evaluates a run's checkpoint on the test split under a configuration that may differ from the run's.

    Args:
        cfg: the run's configuration with overrides, such as another `num_steps`.
        folder: the run directory.
        which: `last` or `best`.

    Returns:
        The exit code, 0.

    Raises:
        SnnlabError: no such checkpoint, or its weights do not fit the configuration.
    """
    device = set_up(cfg.trainer)
    seed_generators(cfg.seed)
    content = checkpoint.load(folder / "checkpoints" / f"{which}.pt")
    dataset = build.build_dataset(cfg)
    dataset.prepare()
    model = build.build_model(cfg, dataset).to(device)
    _load(model, content["learner"]["model"] if which == "last" else content["model"], folder)
    pipeline = InputPipeline(dataset, [], cfg.num_steps, device, cfg.seed)
    batches = loader(
        dataset.test_set(),
        cfg.trainer.eval_batch_size or cfg.trainer.batch_size,
        shuffle=False,
        seed=cfg.seed,
        epoch=0,
        num_workers=cfg.trainer.num_workers,
        pin_memory=device.type == "cuda",
    )
    loss = build.build_loss(cfg).to(device)
    evaluation = evaluate(model, loss, batches, pipeline, dataset.num_classes, cfg.trainer.precision)
    metrics = evaluation.prefixed("test")
    log = RunLog(None)
    log.write(result_table(metrics))
    path = folder / f"eval-{which}-t{cfg.num_steps}-{config_hash(cfg.raw)}.json"
    write_json(
        path,
        {
            "checkpoint": which,
            "epoch": content["position"]["epoch"] if which == "last" else content["epoch"],
            "num_steps": cfg.num_steps,
            "split": dataset.split_name,
            "overrides": list(cfg.overrides),
            "metrics": metrics,
        },
    )
    log.write(f"Written to {path}")
    return 0


def _load(model: nn.Module, weights: dict[str, Any], folder: Path) -> None:
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reasons = [line.strip() for line in str(error).splitlines()[1:]]
        raise SnnlabError(
            f"the weights of {folder} do not fit this configuration: {reasons[0] if reasons else error}",
            "a network with parameters per time step runs with its trained num_steps only; "
            "leave model, norm, neuron and num_steps as they were trained",
        ) from error
