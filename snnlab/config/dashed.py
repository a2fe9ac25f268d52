"""What somebody means who writes a setting as an option: `--batch-size 8` is trainer.batch_size=8."""

from collections.abc import Iterable

from snnlab.config.check import SECTIONS, section, top_level_keys
from snnlab.config.other_names import other_key
from snnlab.config.signature import read_component
from snnlab.registry import component_files

KINDS = ("optimizer", "scheduler", "neuron", "loss", "model", "dataset")
"""Of components, in the order in which their keys are looked through."""


def setting_of(option: str, own: Iterable[str] = ()) -> str | None:
    """The key that an option stands for; None where there is none such.

    Args:
        option: without its dashes.
        own: keys of the command itself.
    """
    name = option.replace("-", "_")
    if name in (*own, *top_level_keys()):
        return name
    if (known := other_key(name)) is not None:
        return known
    head, _, rest = name.partition(".")
    places = [head] if rest else [*SECTIONS, *KINDS]
    return next((f"{place}.{rest or name}" for place in places if (rest or name) in _keys(place)), None)


def _keys(place: str) -> set[str]:
    """The keys of a section, or of any component of a kind."""
    if place in SECTIONS:
        return set(section(place).keys)
    if place not in KINDS:
        return set()
    return {key for _, file in component_files(place, ()).values() for key in read_component(file).keys}
