"""Write a package of your own: a neuron, a loss, a data set, an experiment and a test that run as they are."""

import argparse
import importlib.util
import keyword
import shlex
from pathlib import Path

from snnlab.errors import ConfigError

EXAMPLES = (
    "snnlab new my_lab",
    "snnlab new work/my_lab",
    "snnlab train --config-dir my_lab/conf 'plugins=[my_lab]' +experiment=my_experiment",
)
_STARTER = Path(__file__).resolve().parents[1] / "starter"
_PLACES = {
    "my_neuron.py": "neurons",
    "my_loss.py": "losses",
    "my_data.py": "datasets",
    "my_experiment.yaml": "conf/experiment",
    "test_PACKAGE.py": "",
    "README.md": "",
}
"""The folder of each file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument("folder", nargs="?", help="the folder to write; its name is the package's")


def run(args: argparse.Namespace) -> int:
    """Writes the files and prints the commands that use them.

    Raises:
        ConfigError: the name is none of a package, another package has it, or a file is there already.
    """
    if not args.folder:  # an empty one would be the current directory
        raise ConfigError("new: no folder is given", "snnlab new my_lab")
    folder = Path(args.folder).expanduser().absolute()
    package = folder.name
    _check_name(package, folder)
    texts = {folder / "__init__.py": f'"""Components of {package} for snnlab."""\n'}
    for name, below in _PLACES.items():
        text = (_STARTER / f"{name}.txt").read_text(encoding="utf-8")
        texts[folder / below / name.replace("PACKAGE", package)] = text.replace("PACKAGE", package)
    there = [path for path in texts if path.exists()]
    if there:
        raise ConfigError(
            f"new: {there[0]} is there already, and nothing is overwritten", "give another folder"
        )
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise ConfigError(
            f"new: cannot write {error.filename or folder}: {error.strerror}", "give another folder"
        ) from error
    place = folder.parent
    for path in texts:
        print(f"wrote {path.relative_to(place)}")
    if place != Path.cwd():
        print(f"cd {shlex.quote(str(place))}")
    print(f"snnlab train --config-dir {package}/conf 'plugins=[{package}]' +experiment=my_experiment")
    print(f"pytest {package}")
    return 0


def _check_name(package: str, folder: Path) -> None:
    if not package.isidentifier() or not package.isascii() or keyword.iskeyword(package):
        raise ConfigError(
            f"new: '{package}' cannot name a package", "letters, digits and _, the first one no digit: my_lab"
        )
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        found = None
    places = list((found and found.submodule_search_locations) or ())
    if found is not None and str(folder) not in [str(Path(place).absolute()) for place in places]:
        raise ConfigError(
            f"new: Python has a package '{package}' already", "give another name, such as my_lab"
        )
