"""Arguments of one command that are no part of a run, as `early_exit.threshold=[0.9]`: read and checked. No torch."""

from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from snnlab.config.check import check_eval_section
from snnlab.config.origins import Origins
from snnlab.errors import ConfigError


def section_of(text: str) -> str:
    """`landscape` of `landscape.grid=21`, or of `+landscape.grid=21`."""
    return text.lstrip("+").partition("=")[0].partition(".")[0]


def read_section(name: str, texts: Sequence[str], example: str) -> Any:
    """The checked dataclass of a section.

    Args:
        name: of the section.
        texts: its arguments, `name.key=value` each; without any, all keys have their defaults.
        example: one that is right, for the hint.

    Raises:
        ConfigError: an argument cannot be read, or does not fit.
    """
    values = {}
    for text in texts:
        try:
            parsed = OverridesParser.create().parse_override(text.lstrip("+"))
        except HydraException:
            parsed = None
        key = text.partition("=")[0].partition(".")[2]
        if parsed is None or not key:
            raise ConfigError(f"cannot read the override '{text}'", f"for example {example}")
        if parsed.is_sweep_override():
            raise ConfigError(
                f"{name}.{key}: several values without brackets",
                f"write {name}.{key}=[{text.partition('=')[2]}]",
            )
        values[key] = parsed.value()
    return check_eval_section(name, values, Origins(by_hand=[f"{name}.{key}" for key in values]))
