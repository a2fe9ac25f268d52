"""One policy for recordings without events, and sentences without words: an error that names them, or left out."""

import logging
from collections.abc import Sequence
from typing import Literal

from snnlab.errors import DataError

Empty = Literal["error", "skip"]
_NAMED = 3
_log = logging.getLogger(__name__)


def settle_empty(dataset: str, what: str, names: Sequence[str], policy: Empty) -> None:
    """Refuses the empty recordings of a data set, or says that they are left out.

    Args:
        dataset: its name.
        what: what is wrong with a recording, such as `without events`.
        names: the empty recordings.
        policy: `error`, or `skip`: the caller leaves them out, and the log counts them.

    Raises:
        DataError: there are some, and the policy is `error`.
    """
    if not names:
        return
    listed = f"{', '.join(names[:_NAMED])}{' and others' if len(names) > _NAMED else ''}"
    if policy == "error":
        raise DataError(
            f"dataset {dataset}: {listed}: {what} ({len(names)} in all)",
            "get the data again, remove them, or leave them out with dataset.empty=skip",
        )
    _log.warning("dataset %s: %d left out, %s: %s", dataset, len(names), what, listed)
