"""List what can be chosen: the groups, or one group's choices with a line of description each."""

import argparse
import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from snnlab.config.suggest import did_you_mean
from snnlab.errors import ConfigError
from snnlab.registry import KINDS, component_files

if TYPE_CHECKING:
    from snnlab.config.search import SearchPath

EXAMPLES = (
    "snnlab list",
    "snnlab list neuron",
    "snnlab list experiment 'tmc_*'",
    "snnlab list loss --json",
    "snnlab list neuron --plugin my_package --config-dir my_conf",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument("group", nargs="?", help="such as neuron, loss, dataset, experiment")
    parser.add_argument("pattern", nargs="?", default="*", help="only names like this, such as 'tmc_*'")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="a package with components of your own",
    )
    parser.add_argument(
        "--config-dir",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder with YAML files of your own",
    )


def run(args: argparse.Namespace) -> int:
    """Prints the list; raises ConfigError for a group that does not exist."""
    from snnlab.config.search import SearchPath

    search = SearchPath.of(args.config_dir)
    groups = search.groups()
    if args.group is None:
        for name in groups if not args.json else ():
            options = search.options(name)
            print(f"{name:12}{len(options):3}  {', '.join(options)}")
        if args.json:
            print(json.dumps({name: search.options(name) for name in groups}, indent=2))
        return 0
    plurals = {folder: kind for kind, folder in KINDS.items()} | {f"{name}s": name for name in groups}
    group = plurals.get(args.group, args.group)
    if group not in groups:
        guess = did_you_mean(args.group, groups)
        raise ConfigError(
            f"list: no group is called '{args.group}'" + (f".{guess}" if guess else ""),
            f"groups: {', '.join(groups)}",
        )
    found = _choices(group, args.pattern, tuple(args.plugin), search)
    if args.json:
        print(
            json.dumps(
                [{"group": group, "name": one, "description": text} for one, text in found.items()], indent=2
            )
        )
        return 0
    width = max((len(name) for name in found), default=0)
    for name, text in found.items():
        print(f"{name:{width}}  {text}".rstrip())
    if not found:
        raise ConfigError(
            f"list: no {group} is like '{args.pattern}'", f"there are: {', '.join(search.options(group))}"
        )
    return 0


def _choices(group: str, pattern: str, plugins: tuple[str, ...], search: "SearchPath") -> dict[str, str]:
    from snnlab.config.signature import read_component

    files = component_files(group, plugins) if group in KINDS else {}
    found = {}
    for name in search.options(group):
        if fnmatchcase(name, pattern):
            text = search.description(f"{group}/{name}")
            found[name] = text or (read_component(files[name][1]).summary if name in files else "")
    return found
