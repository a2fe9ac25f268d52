"""Write a run's trained network for other tools: as a NIR graph, or the weights alone as safetensors.

NIR files are read by simulators and neuromorphic chips (spikingjelly, snntorch, norse, sinabs, ...).
"""

import argparse

from snnlab.verbs._arguments import add_overrides
from snnlab.writable import refuse_unwritable_file

EXAMPLES = (
    "snnlab export run=DIR",
    "snnlab export run=DIR format=safetensors",
    "snnlab export run=DIR checkpoint=best out=network.nir dt=0.001",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    from snnlab.config.arguments import help_of
    from snnlab.export.arguments import ExportArguments

    add_overrides(parser)
    parser.description = f"{__doc__}\nkeys:\n{help_of(ExportArguments)}"


def run(args: argparse.Namespace) -> int:
    """Loads the run's network and writes it."""
    from snnlab.export.arguments import read_export_arguments
    from snnlab.runs.stored_config import load_stored

    asked = read_export_arguments(args.overrides)
    asked.refuse_without_effect()
    cfg = load_stored(asked.run, asked.overrides, args.config_dir)
    if asked.out is None:
        asked.refuse_read_only()
    else:
        refuse_unwritable_file(asked.out, "choose another file: out=FILE")
    from snnlab.export import run as export

    return export.run(cfg, asked)
