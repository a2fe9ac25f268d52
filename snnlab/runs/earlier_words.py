"""Keys of `trainer` that once meant something else, so that stored runs keep their meaning and their hash.

Before there was `trainer.limit_draw`, `max_steps` limited each epoch and each evaluation, and what it and
`overfit_batches` kept of a set were its first samples. So a configuration without `limit_draw` is in the earlier words.
"""

from collections.abc import Mapping
from typing import Any

MARK = "limit_draw"


def in_todays_words(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A stored configuration in the words of today, with the same meaning."""
    trainer = raw.get("trainer")
    if not isinstance(trainer, Mapping) or MARK in trainer:
        return dict(raw)
    steps, batch_size = trainer.get("max_steps"), trainer.get("batch_size")
    limits: dict[str, Any] = {"limit_train_batches": None, "limit_test_batches": None, MARK: "stratified"}
    if steps is not None and batch_size:
        size = trainer.get("eval_batch_size")
        tested = steps * (size if isinstance(size, int) else batch_size)
        limits["limit_train_batches"] = steps * trainer.get("accumulate", 1)
        limits["limit_test_batches"] = -(-tested // batch_size)
    if steps is not None or trainer.get("overfit_batches") is not None:
        limits[MARK] = "first"
    return {**raw, "trainer": {**trainer, "max_steps": None, **limits}}


def in_hashed_words(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """A configuration in the words that its hash is made of: the earlier ones where they can say it.

    Where they cannot, the changed keys have other names, so that no earlier hash stands for another meaning.
    """
    trainer = raw.get("trainer")
    if not isinstance(trainer, Mapping) or MARK not in trainer:
        return raw
    found = dict(trainer)
    steps, overfit = found.get("max_steps"), found.get("overfit_batches")
    per_epoch, tested = found.get("limit_train_batches"), found.get("limit_test_batches")
    first = found[MARK] == "first"
    same_steps = tested is not None and per_epoch == tested * found.get("accumulate", 1)
    if (
        first
        and steps is None
        and (same_steps or (per_epoch is None and tested is None and overfit is not None))
    ):
        for key in ("limit_train_batches", "limit_test_batches", MARK):
            found.pop(key, None)
        found["max_steps"] = tested
        return {**raw, "trainer": found}
    if steps is not None:
        found |= {"max_steps": None, "max_steps_in_all": steps}
    if overfit is not None:
        found["overfit_draw"] = found[MARK]
    return {**raw, "trainer": found}
