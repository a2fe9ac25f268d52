"""What `auto` stands for in a run: in its log, and as `chosen` in result.json."""

from typing import Any

from snnlab.data.device_set import DeviceSet
from snnlab.train.session import Session


def chosen(session: Session) -> dict[str, Any]:
    """The values of the keys of `trainer` that are `auto`, by key; that of the layout is part of the run's hash."""
    trainer, train_set = session.cfg.trainer, session.samples.train_set
    settled: dict[str, Any] = {
        "num_workers": session.samples.workers(train_set),
        "data_on_device": isinstance(train_set, DeviceSet),
        "eval_batch_size": session.samples.eval_batch_size,
    }
    asked = {name: value for name, value in settled.items() if getattr(trainer, name) == "auto"}
    return {**session.cfg.chosen, **{f"trainer.{name}": value for name, value in asked.items()}}


def chosen_line(session: Session) -> str | None:
    """The same as a line of the log, None if nothing is `auto`."""
    values = chosen(session)
    shown = (f"{key.removeprefix('trainer.')}={str(value).lower()}" for key, value in values.items())
    return f"auto     {', '.join(shown)}" if values else None
