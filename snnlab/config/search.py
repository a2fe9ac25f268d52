"""Finds the YAML files: the shipped `conf/` first, then the folders given with --config-dir."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import yaml

from snnlab.config.bare_components import bare_components
from snnlab.errors import ConfigError
from snnlab.registry import KINDS

MAIN = "train"


def shipped() -> Path:
    """The `conf/` of this installation: inside the package (wheel) or beside it (clone, editable)."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def _shipped_groups() -> set[str]:
    return {folder.name for folder in shipped().iterdir() if folder.is_dir()}


@dataclass(frozen=True)
class SearchPath:
    """The folders in which configs are looked up.

    Args:
        extra: the user's folders, structured like `conf/`.
        bare: the source files of components without a YAML file, see `bare_components`.
        absent: what is wrong with the packages that were named, which is why choices of theirs are unknown.

    Raises:
        ConfigError: a folder does not exist, or two folders have a file of the same name.
    """

    extra: tuple[Path, ...] = ()
    bare: Mapping[str, Path] = field(default_factory=dict)
    absent: ConfigError | None = None

    def __post_init__(self) -> None:
        seen: dict[Path, Path] = {}
        for root in self.roots if self.extra else ():
            if not root.is_dir():
                raise ConfigError(f"--config-dir: no such folder: {root}", "give a folder shaped like conf/")
            if root.name in _shipped_groups() and any(root.glob("*.yaml")):
                raise ConfigError(
                    f"--config-dir: {root} holds the choices of one group",
                    f"give the folder above it, {root.parent}",
                )
            for file in root.rglob("*.yaml"):
                if (known := seen.setdefault(name := file.relative_to(root), root)) != root:
                    raise ConfigError(
                        f"{file}: there is a {name} in {known} already",
                        "give the file another name, and use that",
                    )

    @classmethod
    def of(cls, extra: Sequence[str | Path], plugins: Collection[str] = ()) -> "SearchPath":
        """The shipped configs and these folders, in this order, and the components of the command line's packages."""
        found = cls(tuple(Path(folder).expanduser().resolve() for folder in extra))
        try:
            return replace(found, bare=bare_components(plugins, found.roots)) if plugins else found
        except ConfigError as error:  # a problem of the configuration, one of several
            return replace(found, absent=error)

    @property
    def roots(self) -> tuple[Path, ...]:
        return (shipped(), *self.extra)

    def file(self, config: str) -> Path | None:
        """The file of a config such as `neuron/lif`."""
        found = (root / f"{config}.yaml" for root in self.roots)
        return next((file for file in found if file.is_file()), None)

    def label(self, file: Path) -> str:
        """A file's name as messages show it: conf/neuron/lif.yaml, or relative to the current folder."""
        if file.is_relative_to(shipped()):
            return f"conf/{file.relative_to(shipped())}"
        return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)

    def is_group(self, name: str) -> bool:
        """True for a folder of choices, such as `neuron`."""
        return any((root / name).is_dir() for root in self.roots)

    def groups(self) -> list[str]:
        """All groups but Hydra's own, in alphabetical order."""
        folders = {folder.name for root in self.roots for folder in root.iterdir() if folder.is_dir()}
        return sorted(folders - {"hydra", "__pycache__"})

    def options(self, group: str) -> list[str]:
        """The choices of a group, in alphabetical order."""
        bare = {name.partition("/")[2] for name in self.bare if name.startswith(f"{group}/")}
        return sorted(bare | {file.stem for root in self.roots for file in (root / group).glob("*.yaml")})

    def own(self, group: str) -> str:
        """The ending of a hint: what brings choices of one's own, as far as the command has not made use of it."""
        files = "" if self.extra else "--config-dir DIR brings YAML files of your own"
        package = "plugins=[PACKAGE] components" if group in KINDS and not self.bare else ""
        if package and not files:
            package = "plugins=[PACKAGE] brings components of your own"
        return "".join(
            f"{sign}{text}" for sign, text in (("; ", files), (", " if files else "; ", package)) if text
        )

    @cached_property
    def default_groups(self) -> frozenset[str]:
        """The groups in the defaults list of train.yaml; any other group has to be appended by the user."""
        main = yaml.safe_load((shipped() / f"{MAIN}.yaml").read_text(encoding="utf-8"))
        return frozenset(key for entry in main["defaults"] if isinstance(entry, dict) for key in entry)

    def description(self, config: str) -> str:
        """The first comment of a YAML file other than Hydra's `@package` line."""
        file = self.file(config)
        lines = file.read_text(encoding="utf-8").splitlines() if file else []
        comments = (line.lstrip("# ").strip() for line in lines if line.startswith("#"))
        return next((text for text in comments if text and not text.startswith("@package")), "")
