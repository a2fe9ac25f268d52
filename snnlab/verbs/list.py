"""List what can be chosen: the groups, one group's choices with a line each, or the keys of one choice."""

import argparse
import json
import shutil
import sys
import textwrap
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
    "snnlab list neuron plif",
    "snnlab list experiment 'tmc_*'",
    "snnlab list loss --json",
    "snnlab list neuron --plugin my_package --config-dir my_conf",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument("group", nargs="?", help="such as neuron, loss, dataset, experiment")
    parser.add_argument(
        "pattern",
        nargs="?",
        default="*",
        help="only names like this, such as 'tmc_*'; a whole name: its keys and what they mean",
    )
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

    search = SearchPath.of(args.config_dir, args.plugin)
    if search.absent is not None:
        raise search.absent
    groups = search.groups()
    if args.group is None:
        for name in groups if not args.json else ():
            options = search.options(name)
            print(_fitted(f"{name:12}{len(options):3}  {', '.join(options)}"))
        if args.json:
            print(json.dumps({name: search.options(name) for name in groups}, indent=2))
        return 0
    plurals = {folder: kind for kind, folder in KINDS.items()} | {f"{name}s": name for name in groups}
    group = plurals.get(args.group, args.group)
    if group not in groups:
        guess = did_you_mean(args.group, groups)
        raise ConfigError(
            f"list: no group is called '{args.group}'{guess}",
            f"groups: {', '.join(groups)}",
        )
    if "=" in args.pattern:
        key, _, value = args.pattern.lstrip("+").partition("=")
        plugin = f" --plugin {value.strip('[]') or 'PACKAGE'}"
        raise ConfigError(
            f"list: '{args.pattern}' is an override, and a list takes a pattern of names",
            f"snnlab list {group}{plugin if key in ('plugins', 'plugin') else ''}; snnlab list --help shows examples",
        )
    found = _choices(group, args.pattern, tuple(args.plugin), search)
    if args.json:
        print(
            json.dumps(
                [{"group": group, "name": one, "description": text} for one, text in found.items()], indent=2
            )
        )
        return 0
    if list(found) in ([args.pattern], ["default"]):
        ((name, text),) = found.items()
        file = search.file(f"{group}/{name}")
        if file is None:
            from snnlab.config.component_yaml import component_yaml

            source = search.bare[f"{group}/{name}"]
            print(f"# {search.label(source)}\n{component_yaml(group, source)}", end="")
            return 0
        content = file.read_text(encoding="utf-8")
        print(f"# {search.label(file)}" + ("" if text in content else f": {text}"))
        print(content, end="")
        return 0
    width = max((len(name) for name in found), default=0)
    for name, text in found.items():
        print(f"{name:{width}}  {text}".rstrip())
    if not found:
        raise ConfigError(
            f"list: no {group} is like '{args.pattern}'", f"there are: {', '.join(search.options(group))}"
        )
    return 0


def _fitted(line: str) -> str:
    """A line broken to the terminal's width; whole where it goes into a file or a pipe, for grep."""
    if not sys.stdout.isatty():
        return line
    width = max(shutil.get_terminal_size().columns, 40)
    return textwrap.fill(line, width, subsequent_indent=" " * 17, break_long_words=False)


def _choices(group: str, pattern: str, plugins: tuple[str, ...], search: "SearchPath") -> dict[str, str]:
    from snnlab.config.signature import read_component

    files = component_files(group, plugins) if group in KINDS else {}
    found = {}
    for name in search.options(group):
        if fnmatchcase(name, pattern):
            text = search.description(f"{group}/{name}")
            found[name] = text or (read_component(files[name][1]).summary if name in files else "")
    return found
