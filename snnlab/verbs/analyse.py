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
SETTINGS = """\
  analyse.samples          held-out samples to measure, 512; null = all
  gradient_support.least   part of the surrogate's peak that counts as a gradient, 0.01
  membrane.bins .layers    bins of a histogram, 120; layers in the picture, 6
  landscape.grid .span     points along each direction, 21; how far, 1 = the norm of each filter
  landscape.samples .split .seed   256 samples of train | test; seed of the directions, 0
  tsne.samples .perplexity .panels .seed   500, 30, 4 numbers of steps, 0
  energy.convention        counted | cf | dsatgo | mtsnn | spikformer"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    add_overrides(parser)
    lines = "\n".join(f"  {name:18}{text}" for name, text in analyses().items())
    parser.description = f"{__doc__}\nanalyses:\n{lines}\n\nsettings:\n{SETTINGS}"


def run(args: argparse.Namespace) -> int:
    """Loads the run's config, applies the overrides, measures and draws."""
    from snnlab.analyse.arguments import read_analyse_arguments
    from snnlab.runs.stored_config import load_stored

    asked = read_analyse_arguments(args.overrides)
    cfg = load_stored(asked.run, asked.overrides, args.config_dir)
    from snnlab.analyse import command

    return command.run(cfg, asked, load_stored(asked.run, (), args.config_dir))
