"""What a command line without any choice of its own means: the quickstart, not 100 epochs of a large network.

The defaults of the keys stay what they are: the names of stored runs are made of what differs from them.
"""

from collections.abc import Sequence

EXPERIMENT = "+experiment=quickstart"
CHOICES = ("experiment", "dataset", "model")
NOTE = f"no experiment, data set or model is chosen, so this is {EXPERIMENT}"


def is_quickstart(overrides: Sequence[str]) -> bool:
    """Whether a command line chooses neither an experiment nor a data set or a model."""
    chosen = {one.lstrip("+~").partition("=")[0].strip() for one in overrides}
    return chosen.isdisjoint(CHOICES)
