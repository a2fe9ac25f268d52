"""What lines about the points of a sweep begin with: a number, and the values that tell the point from the others."""

from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from snnlab.config.trust import override_key


def names_of(points: Sequence[Sequence[str]], first: int, config: DictConfig) -> list[str]:
    """A name for each point, such as `[2/4] seed=1`.

    Args:
        points: their overrides.
        first: how many points a sweeper that makes them as it goes, such as Optuna, has handed in before.
        config: Hydra's config of the sweep.
    """
    trials: int | None = config.hydra.sweeper.get("n_trials")
    fixed = _fixed(config.hydra.overrides.task) if trials else frozenset()
    total = max(first + len(points), trials or 0)
    # Trials that are handed in together may agree by chance in what they choose.
    alike = len(points) > 1 and not trials
    common = set.intersection(*map(set, points)) if alike else set()
    names = []
    for index, overrides in enumerate(points):
        chosen = [one.lstrip("+") for one in overrides if one not in common]
        label = " ".join([one for one in chosen if override_key(one) not in fixed] or chosen)
        names.append(f"[{first + index + 1}/{total}] {label}")
    return names


def _fixed(overrides: Sequence[str]) -> frozenset[str]:
    """The keys to which the command line gives one value; a search hands them to each point, in its own spelling."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    return frozenset(one.key_or_group for one in parsed if not one.is_sweep_override())
