"""Names of layers as a person would say them, from their places in the network: `conv 3`, `block 2.1 neuron 1`."""

from collections import Counter
from collections.abc import Iterable

WORDLESS = frozenset({"network", "body", "neuron", "neurons", "features", "stages", "blocks"})
"""Parts of a place that say no more than that there is a layer."""


def layer_names(places: Iterable[str], what: str = "neuron") -> dict[str, str]:
    """A name for each layer, by its place such as `stages.1.0.body.2`, counted from 1 in the order of the network.

    Args:
        places: names of layers of one kind as in `named_modules()`, in the order of the network.
        what: the kind, for those in a block: `neuron` or `conv`.

    Returns:
        The names by place, each once; a place that says nothing is its own name.
    """
    stems = {place: _stem(place, what) for place in places}
    counts = Counter(stems.values())
    numbers: Counter[str] = Counter()
    found = {}
    for place, stem in stems.items():
        numbers[stem] += 1
        numbered = counts[stem] > 1 or stem == "conv" or _ends_with_the_bare(what, stem)
        found[place] = f"{stem} {numbers[stem]}" if numbered else stem
    return found


def _stem(place: str, what: str) -> str:
    """The name without its number among those that share it."""
    parts = [part for part in place.split(".") if part != "network"]
    numbers: list[str] = []
    if parts[0] in ("stages", "blocks"):
        kind, *parts = parts
        while parts and (parts[0].isdigit() or parts[0] == "blocks") and len(numbers) < 2:
            if (part := parts.pop(0)).isdigit():
                numbers.append(str(int(part) + 1))
        home = f"{'block' if kind == 'blocks' or len(numbers) > 1 else 'stage'} {'.'.join(numbers)} "
        return home + (_words(parts) or what)
    if parts[0] == "features":
        return "conv"
    return _words(parts) or (what if len(parts) > 1 else place)


def _words(parts: Iterable[str]) -> str:
    """What the parts of a place say of a layer; may be empty."""
    said = (part for part in parts if not part.isdigit() and part not in WORDLESS)
    return " ".join("conv" if part == "convs" else part.replace("_", " ") for part in said)


def _ends_with_the_bare(what: str, stem: str) -> bool:
    """True of `block 2.1 neuron`, not of `hidden neuron`, which says itself which one it is."""
    before = stem.removesuffix(what)
    return before != stem and (not before or before.rstrip()[-1:].isdigit())
