"""Convert a trained ANN with quantised activations into a spiking network of mixed time steps.

The ANN is a run with neuron=quant_relu. The result is a run directory of its own, which eval and the other commands
take; neuron.rising, .falling, .equal, .averaged, .closed_form and .time_scale can be set here and in eval.
"""

import argparse

from snnlab.verbs._arguments import add_overrides

EXAMPLES = (
    "snnlab convert run=DIR",
    "snnlab convert run=DIR checkpoint=best fold=false",
    "snnlab convert run=DIR neuron.equal=average",
    "snnlab convert run=DIR neuron.rising=upsample neuron.falling=downsample",
)


IMPORTED = "; an imported network spikes already: eval, analyse, report and export take it as it is"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    from snnlab.config.arguments import help_of
    from snnlab.convert.arguments import ConvertArguments

    add_overrides(parser)
    parser.description = f"{__doc__}\nkeys:\n{help_of(ConvertArguments)}"


def run(args: argparse.Namespace) -> int:
    """Loads the ANN, converts it, measures both."""
    from snnlab.config.quoting import on_shell
    from snnlab.convert.arguments import read_convert_arguments
    from snnlab.errors import ConfigError
    from snnlab.runs.config_file import read_config
    from snnlab.runs.stored_config import load_stored

    asked = read_convert_arguments(args.overrides)
    stored = read_config(asked.run)
    neuron = stored.get("neuron", {}).get("name")
    imported = stored.get("model", {}).get("name") == "nir"
    if neuron != "quant_relu":
        raise ConfigError(
            f"{asked.run} has neuron={neuron}: there is nothing that says its time steps",
            f"train a quantised ANN from it: snnlab train neuron=quant_relu {on_shell('init.run', asked.run)} ..."
            if neuron == "relu"
            else "convert takes a network of ReLUs that was trained here with neuron=quant_relu"
            f"{IMPORTED if imported else ''}",
        )
    asked.refuse_without_effect()
    paths = [one for one in asked.overrides if one.startswith("paths.")]
    snn = load_stored(asked.run, asked.settings, args.config_dir)
    ann = load_stored(asked.run, paths, args.config_dir, named=snn.plugins)
    from snnlab.convert import run as convert_run
    from snnlab.plots.figure import also_as

    also_as(snn.plots.formats)
    return convert_run.run(ann, snn, asked)
