"""Make a run of a network from another simulator: a NIR graph, measured here like any other run.

NIR files are written by snntorch, norse, sinabs, spikingjelly and others, and by `snnlab export`. Nothing in a file
runs: it is numbers and names.
"""

import argparse

from snnlab.verbs._arguments import add_overrides

EXAMPLES = (
    "snnlab import net.nir dataset=digits_dvs num_steps=6",
    "snnlab import net.nir dataset=digits dt=0.001 fires=at",
    "snnlab import net.nir dataset=nmnist num_steps=10 neuron.reset=soft --no-eval",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    from snnlab.config.arguments import help_of
    from snnlab.imports.arguments import ImportArguments

    add_overrides(parser)
    parser.add_argument("--no-eval", action="store_true", help="do not measure the network")
    parser.description = f"{__doc__}\nkeys:\n{help_of(ImportArguments)}"


def run(args: argparse.Namespace) -> int:
    """Reads the graph, writes the run, and measures it."""
    from snnlab.imports.arguments import EXPERIMENT, read_import_arguments
    from snnlab.runs.load import load_named

    asked = read_import_arguments([*args.overrides, *(["eval=false"] if args.no_eval else [])])
    cfg = load_named(EXPERIMENT, asked.composed, args.config_dir)
    from snnlab.imports import run as import_run

    return import_run.run(cfg, asked)
