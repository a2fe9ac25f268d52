"""Look inside a trained network: a picture and its numbers as CSV, in the run's folder.

what=NAME, what=[NAME,NAME] or what=all. Everything else overrides the run's configuration, as in snnlab eval.
"""

import argparse

from snnlab.analyse.names import analyses
from snnlab.verbs._arguments import add_overrides

EXAMPLES = (
    "snnlab analyse run=runs/quickstart what=firing_rates",
    "snnlab analyse run=DIR what=[membrane,gradient_support] analyse.samples=null",
    "snnlab analyse run=DIR what=energy energy.convention=dsatgo",
    "snnlab analyse run=DIR what=landscape landscape.grid=41 landscape.span=0.5 landscape.split=test",
    "snnlab analyse run=DIR what=tsne tsne.samples=1000 checkpoint=best",
    "snnlab analyse run=DIR what=all",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    from snnlab.analyse.arguments import AnalyseArguments
    from snnlab.config.arguments import help_of

    add_overrides(parser)
    lines = "\n".join(f"  {name:18}{text}" for name, text in analyses().items())
    parser.description = f"{__doc__}\nanalyses:\n{lines}\n\nkeys:\n{help_of(AnalyseArguments)}"


def run(args: argparse.Namespace) -> int:
    """Loads the run's config, applies the overrides, measures and draws."""
    from snnlab.analyse.arguments import read_analyse_arguments
    from snnlab.runs.stored_config import load_stored

    asked = read_analyse_arguments(args.overrides)
    asked.refuse_without_effect()
    cfg = load_stored(asked.run, asked.overrides, args.config_dir)
    asked.refuse_read_only("analysis")
    from snnlab.analyse import command
    from snnlab.plots.figure import also_as

    also_as(cfg.plots.formats)
    return command.run(cfg, asked, load_stored(asked.run, (), args.config_dir, named=cfg.plugins))
