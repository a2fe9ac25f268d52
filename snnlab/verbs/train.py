"""Train a network and measure it at every time step; -m sweeps over comma-separated values.

The same command again continues a run that was interrupted, and returns the result of one that is done.
"""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from snnlab.errors import ConfigError
from snnlab.verbs._arguments import add_overrides, overrides_of_run, say_quickstart

if TYPE_CHECKING:
    from snnlab.config.schema import RunConfig

EXAMPLES = (
    "snnlab train",
    "snnlab train +experiment=quickstart",
    "snnlab train +experiment=tmc_cifar10 neuron=plif trainer.epochs=100 seed=1",
    "snnlab train -m +experiment=quickstart loss=sdt,tet,tmc seed=0,1,2",
    "snnlab train -m +experiment=quickstart 'seed=range(0,4)' hydra.launcher.gpus=[0,1]",
    "snnlab train +experiment=quickstart debug=smoke",
    "torchrun --nproc-per-node=2 -m snnlab train +experiment=quickstart",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    add_overrides(parser)
    parser.add_argument(
        "-m",
        "--multirun",
        action="store_true",
        help="run every combination of values, each in its own process",
    )


def run(args: argparse.Namespace) -> int:
    """Checks the config, then trains."""
    if args.multirun:
        if "TORCHELASTIC_RUN_ID" in os.environ:
            raise ConfigError(
                "train -m: a sweep starts processes of its own, torchrun's are for one run",
                "torchrun -m snnlab train without -m, or snnlab train -m",
            )
        from snnlab.sweep.run import run_sweep

        return run_sweep(overrides_of_run(args), args.config_dir, args.main, lambda: say_quickstart(args))
    from snnlab.runs.load import load

    cfg = load(overrides_of_run(args), args.config_dir)
    say_quickstart(args)
    for note in cfg.notes:
        print(f"note: {note}", file=sys.stderr)
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        _refuse_in_use(cfg)
    from snnlab.plots.figure import also_as
    from snnlab.train import recipe

    also_as(cfg.plots.formats)
    return recipe.run(cfg)


def _refuse_in_use(cfg: "RunConfig") -> None:
    """Says that another process works in the run's directory before torch is imported, where the name is known then.

    The name holds the hash of the data's files, if there are any. The run itself asks again.
    """
    from snnlab.runs.data_check import reads_files
    from snnlab.runs.holder import refuse_in_use
    from snnlab.runs.identity import as_stored, run_dir
    from snnlab.runs.results import read_result

    if cfg.trainer.on_existing == "fail" or reads_files(cfg):
        return
    folder = run_dir(as_stored(cfg))
    if cfg.trainer.on_existing == "restart" or read_result(folder) is None:
        refuse_in_use(folder)
