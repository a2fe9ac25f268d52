"""Says by their hash which weights a run starts from, so that its directory depends on them. No torch."""

from dataclasses import replace
from typing import Any

from snnlab.config.schema import InitConfig
from snnlab.config.teacher import identity_of_run, run_of


def identified(**values: Any) -> InitConfig:
    """The settings with the run's absolute path and the identity of its weights.

    An identity that is there already is kept: it is that of a stored run, whose origin may be gone.

    Raises:
        ConfigError: the run is not there.
    """
    init = InitConfig(**values)
    if init.run is None or init.identity:
        return init
    folder = run_of(init.run, "init.run")
    return replace(init, run=str(folder), identity=identity_of_run(folder, init.checkpoint, "init.run"))
