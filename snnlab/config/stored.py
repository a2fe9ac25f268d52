"""Takes the config of a run directory as the base instead of conf/train.yaml, with overrides on top."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from snnlab.config.check import check
from snnlab.config.compose import compose, config_errors
from snnlab.config.origins import Origin, Origins, flatten
from snnlab.config.overrides import read_overrides
from snnlab.config.schema import RunConfig
from snnlab.config.search import SearchPath
from snnlab.errors import ConfigError


def read_config(run: Path) -> dict[str, Any]:
    """The config.yaml of a run directory.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    file = run / "config.yaml"
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        inside = sorted(path.parent for path in run.glob("*/config.yaml"))
        hint = f"did you mean {inside[0]}?" if inside else "a run directory ends in seed<k>"
        raise ConfigError(f"{run} is not a run directory: it has no config.yaml", hint) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: not valid YAML", " ".join(str(error).split())) from None
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: expected a mapping", "restore it from the run's log, or train again")
    return content


def load_stored(
    run: Path, overrides: Sequence[str] = (), config_dirs: Sequence[str | Path] = ()
) -> RunConfig:
    """The config of a run with overrides; its folders are today's (`paths`), not those of the day of the run.

    Raises:
        ConfigError: no such run, or an override that does not fit.
    """
    search = SearchPath.of(config_dirs)
    base = OmegaConf.create(read_config(run))
    read = read_overrides(overrides, search)
    for one in read:
        if one.is_sweep or one.key.startswith("hydra") or one.hydra.startswith("~"):
            raise ConfigError(f"{one.text}: not possible on a stored run", "give group=choice or key=value")
        if one.is_group and one.key not in search.default_groups:
            raise ConfigError(
                f"{one.text}: a stored run has its {one.key} already",
                f"train it anew: snnlab train {one.text}",
            )
    from_files = [one.text for one in read if one.is_group or one.key.startswith("paths.")]
    fresh = compose(from_files, config_dirs)
    replaced = {"paths", *(one.key for one in read if one.is_group)}
    for key in replaced:
        OmegaConf.update(base, key, fresh.mapping[key], merge=False)
    with config_errors(search):
        for one in read:
            if not one.is_group:
                value = OverridesParser.create().parse_override(one.hydra).value()
                OmegaConf.update(base, one.key, value, force_add=True)
        mapping = OmegaConf.to_container(base, resolve=True)
    assert isinstance(mapping, dict)
    values = {str(key): value for key, value in mapping.items()}

    def find() -> dict[str, Origin]:
        stored = {path: Origin(str(run / "config.yaml"), "config") for path, _ in flatten(values)}
        new = {path: one for path, one in fresh.origins.items() if path.partition(".")[0] in replaced}
        return stored | new

    by_hand = [one.key for one in read if not one.is_group]
    return check(values, Origins(find, by_hand), overrides=[one.text for one in read])
