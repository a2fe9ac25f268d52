"""Which layers a setting such as `membrane.only` means."""

import re
from collections.abc import Iterable, Mapping

from snnlab.errors import SnnlabError


def chosen_layers(places: Iterable[str], names: Mapping[str, str], wanted: str, key: str) -> list[str]:
    """The layers that have this in their name, or in their place in the network.

    Args:
        places: layers to choose among, as in `named_modules()`.
        names: what a person calls each of them.
        wanted: a part of either; `conv 1` is in `conv 1`, not in `conv 12`. Empty: all.
        key: of the setting, for the error.

    Returns:
        The places, in the order given.

    Raises:
        SnnlabError: there is none.
    """
    known = list(places)
    pattern = re.compile(re.escape(wanted) + (r"(?!\d)" if wanted[-1:].isdigit() else ""))
    found = [place for place in known if pattern.search(place) or pattern.search(names[place])]
    if not found:
        raise SnnlabError(
            f"{key}: no neuron layer has '{wanted}' in its name",
            f"choose among: {', '.join(names[place] for place in known)}",
        )
    return found
