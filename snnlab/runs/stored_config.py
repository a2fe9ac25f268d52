"""Composes a configuration from the config of a run directory, in place of conf/train.yaml, and overrides."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from snnlab.config.check import check
from snnlab.config.compose import compose, config_errors
from snnlab.config.origins import Origin, Origins, flatten
from snnlab.config.overrides import read_overrides
from snnlab.config.schema import GRAPH, RunConfig
from snnlab.config.search import SearchPath
from snnlab.config.trust import plugins_named, refuse_resolvers
from snnlab.errors import ConfigError
from snnlab.runs.config_file import read_config
from snnlab.runs.earlier_words import in_todays_words
from snnlab.runs.load import IDENTIFIED


def load_stored(
    run: Path,
    overrides: Sequence[str] = (),
    config_dirs: Sequence[str | Path] = (),
    *,
    named: Collection[str] = (),
) -> RunConfig:
    """The config of a run with overrides; its folders (`paths`) are the current ones, not the stored ones.

    Args:
        run: the run directory.
        overrides: in Hydra's syntax.
        config_dirs: further folders shaped like conf/.
        named: packages that the command line names for another run. A stored configuration imports none by itself.

    Raises:
        ConfigError: no such run, an override that does not fit, or a package that only the stored configuration names.
    """
    search = SearchPath.of(config_dirs, plugins_named(overrides))
    base = OmegaConf.create(in_todays_words(read_config(run)))
    read = read_overrides(overrides, search)
    for one in read:
        if one.is_sweep or one.is_hydras or one.hydra.startswith("~"):
            raise ConfigError(f"{one.text}: not possible on a stored run", "give group=choice or key=value")
        if one.is_group and one.key not in search.default_groups:
            raise ConfigError(
                f"{one.text}: a stored run has its {one.key} already",
                f"train it anew: snnlab train {one.text}",
            )
    from_files = [
        one.text for one in read if one.is_group or one.key.startswith("paths.") or one.key == "plugins"
    ]
    fresh = compose(from_files, config_dirs)
    replaced = {"paths", *(one.key for one in read if one.is_group)}
    for key in replaced:
        OmegaConf.update(base, key, fresh.mapping[key], merge=False)
    with config_errors(search):
        for one in read:
            if not one.is_group:
                value = OverridesParser.create().parse_override(one.hydra).value()
                OmegaConf.update(base, one.key, value, force_add=True)
        unresolved = OmegaConf.to_container(base)
        assert isinstance(unresolved, dict)
        refuse_resolvers(unresolved, Origins(lambda: _stored_in(run, unresolved)))
        mapping = OmegaConf.to_container(base, resolve=True)
    assert isinstance(mapping, dict)
    values = {str(key): value for key, value in mapping.items()}
    if (values.get("model") or {}).get("name") == "nir":
        # Wherever the graph came from, the run holds it.
        values["init"] = {**(values.get("init") or {}), "file": str(run / GRAPH), "run": None}

    def find() -> dict[str, Origin]:
        stored = _stored_in(run, values)
        new = {path: one for path, one in fresh.origins.items() if path.partition(".")[0] in replaced}
        return stored | new

    by_hand = [one.key for one in read if not one.is_group]
    return check(
        values,
        Origins(find, by_hand),
        overrides=[one.text for one in read],
        makers=IDENTIFIED,
        named=named,
    )


def _stored_in(run: Path, values: Mapping[Any, Any]) -> dict[str, Origin]:
    return {path: Origin(str(run / "config.yaml"), "config") for path, _ in flatten(values)}
