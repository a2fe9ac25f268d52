"""Components of the command line's packages that have no YAML file: their keys come from their signature."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snnlab.config.problems import plain
from snnlab.config.signature import read_component
from snnlab.errors import ConfigError
from snnlab.registry import KINDS, SEVERAL, component_files


def bare_components(plugins: Collection[str], roots: Sequence[Path]) -> dict[str, Path]:
    """The source files of such components, by the name that their YAML file would have, such as `neuron/ramp`.

    Args:
        plugins: packages that the command line names; others are not looked into.
        roots: the folders of YAML files.

    Raises:
        ConfigError: there is no such package, or it redefines a name.
    """
    named = tuple(sorted(plugins))
    return {
        f"{kind}/{name}": file
        for kind in KINDS
        for name, (module, file) in component_files(kind, named).items()
        if not module.startswith("snnlab.")
        and not any((root / kind / f"{name}.yaml").is_file() for root in roots)
    }


@contextmanager
def stored(bare: Mapping[str, Path]) -> Iterator[None]:
    """Hands their keys and defaults to Hydra while it composes; it looks into this store beside its folders.

    May be nested. What stayed would be taken for the schema of a file of the same name.
    """
    from hydra.core.config_store import ConfigStore  # listing components needs no Hydra

    repo: dict[str, Any] = ConfigStore.instance().repo
    added = []
    for name, file in bare.items():
        kind, _, component = name.partition("/")
        if f"{component}.yaml" in repo.get(kind, {}):
            continue
        values = _values(file)
        node = {component: values} if kind in SEVERAL else {"name": component, **values}
        ConfigStore.instance().store(group=kind, name=component, node=node)
        added.append((kind, f"{component}.yaml"))
    try:
        yield
    finally:
        for kind, stored_name in added:
            del repo[kind][stored_name]
            if not repo[kind]:
                del repo[kind]


def _values(file: Path) -> dict[str, Any]:
    """Keys and defaults; none where the source is wrong, which is an error as soon as the component is checked."""
    try:
        keys = read_component(file).keys
    except ConfigError:
        return {}
    return {name: plain(key.default) for name, key in keys.items()}
