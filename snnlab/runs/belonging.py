"""Whether the records of a run directory belong to its configuration, whatever the directory is called."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snnlab.runs.deciding import deciding
from snnlab.runs.identity import settings_hashes
from snnlab.runs.results import Result


class Settings:
    """The settings of a stored configuration, to be compared with the hash that a record holds.

    Args:
        config: the stored configuration as plain values.

    Raises:
        ValueError: its values are of other types than a run writes.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        try:
            self._hashes = settings_hashes(config)
            # A key of another version, or of a package that is not installed here, may have been at its default.
            self._known = all(one.key is not None for one in deciding(config))
        except (TypeError, AttributeError) as error:
            raise ValueError("values are missing, or of another type") from error

    def __str__(self) -> str:
        return self._hashes[0]

    def may_have(self, digest: object) -> bool:
        """Whether a hash, with the digits of its data or without, is of these settings, or cannot be compared."""
        return not self._known or str(digest).partition("-")[0] in self._hashes


def other_name(folder: Path, result: Result) -> str | None:
    """The name under which a run was made, if its directory has another one: a copy, or renamed or moved."""
    own = f"{result['variant']}-{result['config_hash']}"
    names = (folder.parent.name, folder.name)
    return None if names == (own, f"seed{result['seed']}") else f"{own}/seed{result['seed']}"
