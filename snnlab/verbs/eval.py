"""Measure the checkpoint of a run again: other time steps, early exit, another device or other settings.

The config is the run's own; overrides apply on top of it. Several numbers of time steps give a table with a
row for each, and so do several values of keys of the neuron, in all combinations. early_exit lets samples stop
early; noise is put on the samples, before normalisation; robustness measures under many kinds of noise and corruption.
"""

import argparse

from snnlab.verbs._arguments import add_overrides

EXAMPLES = (
    "snnlab eval run=runs/quickstart/digits_dvs-vgg_snn-lif-tmc-t6-1a2b3c4d/seed0",
    "snnlab eval run=DIR num_steps=8",
    "snnlab eval run=DIR num_steps=1..8",
    "snnlab eval run=DIR num_steps=[1,2,4]",
    "snnlab eval run=DIR early_exit.threshold=[0.7,0.9,0.99] early_exit.streaming=true",
    "snnlab eval run=DIR noise=gaussian noise.level=[0,0.1,0.2]",
    "snnlab eval run=DIR robustness=[all] trainer.limit_test_batches=20",
    "snnlab eval run=DIR robustness=[clean,fog] robustness.severities=[1,2,3,4,5]",
    "snnlab eval run=DIR time_scale=[1,2,4,8]",
    "snnlab eval run=DIR neuron.rising=[average,upsample] neuron.falling=[average,downsample]",
    "snnlab eval run=DIR speed=true",
    "snnlab eval run=DIR checkpoint=best trainer.device=cpu",
    "snnlab eval run=DIR weights=average",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    from snnlab.config.arguments import help_of
    from snnlab.evaluate.arguments import EvalArguments

    add_overrides(parser)
    parser.description = f"{__doc__}\nkeys:\n{help_of(EvalArguments)}"


def run(args: argparse.Namespace) -> int:
    """Loads the run's config, applies the overrides, evaluates."""
    from snnlab.evaluate.arguments import read_eval_arguments
    from snnlab.plots.figure import also_as
    from snnlab.runs.stored_config import load_stored

    asked = read_eval_arguments(args.overrides)
    asked.refuse_without_effect()
    cfg = load_stored(asked.run, asked.overrides, args.config_dir)
    asked.refuse_read_only()
    also_as(cfg.plots.formats)
    if asked.early_exit is not None:
        from snnlab.evaluate import early_exit

        return early_exit.run(cfg, asked.run, asked.early_exit, asked.checkpoint, asked.weights)
    if asked.noise is not None:
        from snnlab.evaluate import noise_levels

        return noise_levels.run(cfg, asked.run, asked.noise, asked.checkpoint, asked.weights)
    if asked.robustness is not None:
        from snnlab.evaluate import robustness

        return robustness.run(cfg, asked.run, asked.robustness, asked.checkpoint, asked.weights)
    if asked.variants:
        from snnlab.evaluate import variants

        rows = [
            load_stored(asked.run, [*asked.overrides, *variant], args.config_dir)
            for variant in asked.variants
        ]
        return variants.run(rows, asked.run, asked.checkpoint, asked.weights, asked.variants)
    if asked.speed:
        from snnlab.evaluate import speed

        return speed.run(cfg, asked.run, asked.checkpoint, asked.weights)
    if asked.num_steps:
        from snnlab.evaluate import step_range

        return step_range.run(cfg, asked.run, asked.num_steps, asked.checkpoint, asked.weights)
    from snnlab.evaluate import one_run

    return one_run.run(cfg, asked.run, asked.checkpoint, asked.weights)
