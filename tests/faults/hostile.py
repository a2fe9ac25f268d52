"""Runs, folders of configurations and tables as somebody else might make them: each tries to run or to read something.

Each attack is written into an empty folder, which is then the current one, and gives the command line that a person
would type there. Whatever would run creates the file `executed`; whatever would read the environment finds SECRET.
"""

import io
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

GOLDEN = Path(__file__).parents[1] / "golden/finished"
SECRET = "a-token-of-the-user"
CODE = "import pathlib\npathlib.Path({place!r}).write_text('executed')\n"
Attack = Callable[[Path], list[str]]


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder / "executed")

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, (CODE.format(place=self.place),)


def package(folder: Path, name: str = "evil_pkg") -> None:
    """A package whose every module runs code."""
    code = CODE.format(place=str(folder / "executed"))
    neuron = 'class Evil:\n    """Evil."""\n    def __init__(self, surrogate=None, *, a: int = 1): ...\n'
    for file in ("__init__.py", "neurons/__init__.py", "neurons/evil.py", "sub/__init__.py"):
        path = folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code + neuron)


def stored(verb: str, changes: dict[str, Any] | None = None, *more: str, text: str = "") -> Attack:
    """A command on a run whose configuration was changed."""

    def attack(folder: Path) -> list[str]:
        package(folder)
        shutil.copytree(GOLDEN, folder / "run")
        file = folder / "run/config.yaml"
        content = yaml.safe_load(file.read_text())
        for key, value in (changes or {}).items():
            part = content
            *path, last = key.split(".")
            for name in path:
                part = part[name]
            part[last] = value
        file.write_text(yaml.safe_dump(content) + text.format(folder=folder))
        run = [] if verb == "check" else ["run=run"]
        return [verb, *run, *more]

    return attack


def weights(verb: str, content: Callable[[Path], bytes], *more: str) -> Attack:
    """A command on a run whose checkpoint holds something else."""

    def attack(folder: Path) -> list[str]:
        shutil.copytree(GOLDEN, folder / "run")
        file = folder / "run/checkpoints/last.pt"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content(folder))
        return [verb, *(["run=run"] if verb != "train" else []), *more]

    return attack


def torch_zip(folder: Path) -> bytes:
    stream = io.BytesIO()
    torch.save({"format": 1, "model": Payload(folder)}, stream)
    return stream.getvalue()


def torch_legacy(folder: Path) -> bytes:
    stream = io.BytesIO()
    torch.save({"model": Payload(folder)}, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def torch_script(folder: Path) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("last/constants.pkl", pickle.dumps(Payload(folder)))
        archive.writestr("last/data.pkl", pickle.dumps(Payload(folder)))
        archive.writestr("last/version", "3")
    return stream.getvalue()


def plain_pickle(folder: Path) -> bytes:
    return pickle.dumps(Payload(folder))


def experiment(text: str, *command: str, file: str = "experiment/evil.yaml") -> Attack:
    """A command with an experiment of a --config-dir."""

    def attack(folder: Path) -> list[str]:
        package(folder)
        path = folder / "conf" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# @package _global_\n" + text.replace("FOLDER", str(folder)) + "\n")
        start = command or ("check", "+experiment=evil")
        return [*start, "--config-dir", "conf"]

    return attack


def hydra(text: str, *command: str) -> Attack:
    """An experiment that says something to Hydra."""
    return experiment(f"hydra:\n{text}", *(command or ("train", "-m", "+experiment=evil", "seed=0,1")))


def launcher(text: str, name: str = "evil") -> Attack:
    """A launcher of a --config-dir."""

    def attack(folder: Path) -> list[str]:
        command = experiment("seed: 1")(folder)
        path = folder / f"conf/hydra/launcher/{name}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text.replace("FOLDER", str(folder)) + "\n")
        return ["train", "-m", "seed=0,1", f"hydra/launcher={name}", *command[-2:]]

    return attack


def table(text: str, *command: str, row: str = "") -> Attack:
    """A table of a --config-dir."""

    def attack(folder: Path) -> list[str]:
        package(folder)
        path = folder / "conf/table/evil.yaml"
        path.parent.mkdir(parents=True)
        rows = f"{{labels: [a], published: [1.0], run: {{experiment: quickstart{row}}}}}"
        text_of = text.replace("FOLDER", str(folder))
        path.write_text(f"title: a\nsource: b\ncolumns: [{{name: c}}]\nrows: [{rows}]\n{text_of}\n")
        return ["table", "evil", *(command or ("--run",)), "--config-dir", "conf"]

    return attack


CALL = "{_target_: builtins.exec, _args_: [\"open('FOLDER/executed', 'w')\"]}"
ENV = "${oc.env:SECRET}"
ATTACKS: dict[str, tuple[Attack, str]] = {
    # What a stored run names.
    "eval of plugins": (stored("eval", {"plugins": ["evil_pkg"]}), "run/config.yaml names the package"),
    "export of plugins": (stored("export", {"plugins": ["evil_pkg"]}), "run/config.yaml names the package"),
    "analyse with plugins": (
        stored("analyse", {"plugins": ["evil_pkg"]}, "what=energy"),
        "names the package",
    ),
    "convert with plugins": (
        stored("convert", {"plugins": ["evil_pkg"], "neuron": {"name": "quant_relu"}}),
        "names the package",
    ),
    "a package in a package": (stored("eval", {"plugins": ["evil_pkg.sub"]}), "names the package"),
    "several packages": (stored("eval", {"plugins": ["a", "evil_pkg"]}), "add plugins=[a,evil_pkg]"),
    "another package is named": (
        stored("eval", {"plugins": ["evil_pkg"]}, "plugins=[my_other_pkg]"),
        "no package named 'my_other_pkg'",
    ),
    "plugins as text": (stored("eval", {"plugins": "evil_pkg", "nothing": 1}), "nothing: unknown key"),
    "a component's path": (stored("eval", {"neuron.name": "../../evil_pkg/neurons/evil"}), "no neuron"),
    "a module as a component": (stored("eval", {"neuron.name": "evil_pkg.neurons.evil"}), "no neuron"),
    "_target_": (stored("eval", {"model._target_": "os.system"}), "model._target_: unknown key"),
    "the environment": (stored("eval", {"logger.project": ENV}), "the environment variable SECRET"),
    "the environment, hidden": (
        stored("eval", {"logger.project": "${oc.decode:'${x}{oc.env:SECRET}'}"}),
        "is not resolved",
    ),
    "the environment, put together": (
        stored("eval", {"logger.project": "${oc.${logger.mode}:SECRET}", "logger.mode": "env"}),
        "is not resolved",
    ),
    "a YAML object": (
        stored("eval", text="evil: !!python/object/apply:os.system ['touch {folder}/executed']\n"),
        "it is no YAML",
    ),
    "aliases of aliases": (
        stored(
            "eval",
            text="".join(f"a{k}: &a{k} [{','.join([f'*a{k - 1}'] * 9 if k else '0')}]\n" for k in range(12)),
        ),
        "more than 100,000 values",
    ),
    "a list in itself": (stored("eval", text="a: &a [*a]\n"), "more than 100,000 values"),
    "a folder elsewhere": (stored("eval", {"experiment": "../../../elsewhere"}), "cannot name a folder"),
    # What a checkpoint holds.
    "a checkpoint": (weights("eval", torch_zip), "could run code"),
    "a checkpoint of old form": (weights("eval", torch_legacy), "could run code"),
    "a plain pickle": (weights("export", plain_pickle), "could run code"),
    "TorchScript": (weights("eval", torch_script), "could run code"),
    # What a folder of configurations says.
    "plugins of an experiment": (experiment("plugins: [evil_pkg]"), "conf/experiment/evil.yaml:2 names"),
    "plugins of a sweep": (
        experiment("plugins: [evil_pkg]", "train", "-m", "+experiment=evil", "seed=0,1"),
        "names the package",
    ),
    "plugins by reference": (experiment("plugins: ['${input}']\ninput: evil_pkg"), "names the package"),
    "env in an experiment": (experiment(f"logger: {{project: '{ENV}'}}"), "conf/experiment/evil.yaml:2"),
    "env in tags": (experiment(f"logger: {{tags: [a, '{ENV}']}}"), "the environment variable SECRET"),
    "env as a choice": (
        experiment(f"defaults: [{{override /model: '{ENV}'}}]"),
        "the environment variable SECRET",
    ),
    "env as a choice, hidden": (
        experiment("defaults: [{override /model: \"${oc.decode:'${oc.env:SECRET}'}\"}]"),
        "the environment variable SECRET",
    ),
    "swept plugins": (hydra("  sweeper: {params: {+plugins: '[evil_pkg],[]'}}"), "may not be set by a file"),
    "a launcher's target": (launcher("_target_: os.system"), "hydra.launcher._target_ may not be set"),
    "a launcher's option": (launcher(f"defaults: [process]\na: {CALL}"), "hydra.launcher.a._target_"),
    "an experiment's launcher": (hydra(f"  launcher: {{workers: {CALL}}}"), "hydra.launcher.workers"),
    "an experiment's sweeper": (hydra("  sweeper: {_target_: os.system}"), "hydra.sweeper._target_"),
    "commands of a launcher": (
        launcher("defaults: [process]\nsetup: [touch executed]"),
        "hydra.launcher.setup",
    ),
    "hidden by an alias": (
        experiment(
            "seed: 1\n<<: {hydra: {launcher: {_target_: os.system}}}",
            "train",
            "-m",
            "+experiment=evil",
            "seed=0,1",
        ),
        "hydra.launcher._target_",
    ),
    "a target typed in haste": (
        lambda folder: ["train", "-m", "seed=0,1", "++hydra.launcher._target_=os.system"],
        "is not a launcher that is installed",
    ),
    "callbacks": (hydra(f"  callbacks: {{a: {CALL}}}"), "callbacks are not supported"),
    "logging": (hydra("  job_logging: {handlers: {a: {(): os.system}}}"), "not one of Hydra's own"),
    "a search path": (hydra("  searchpath: [pkg://evil_pkg]"), "searchpath"),
    "variables of jobs": (hydra("  job: {env_set: {PYTHONPATH: FOLDER}}"), "hydra.job.env_set.PYTHONPATH"),
    "a place of jobs": (hydra("  sweep: {dir: FOLDER/elsewhere}"), "hydra.sweep.dir"),
    # What a table asks for.
    "plugins of a row": (table("", row=", overrides: ['plugins=[evil_pkg]']"), "evil.yaml names the package"),
    "plugins of a table": (table("overrides: ['++plugins=[evil_pkg]']"), "evil.yaml names the package"),
    "plugins of a scale": (
        table("scales: {smoke: {overrides: ['plugins=[evil_pkg]']}}", "scale=smoke", "--plan"),
        "names the package",
    ),
    "plugins of a measurement": (
        table("", row=", measure: 'eval plugins=[evil_pkg]', measured: a.json"),
        "names the package",
    ),
    "another command": (table("", row=", measure: 'train debug=smoke', measured: a"), "ask for 'train'"),
    "python of a figure": (table("draw: [\"python -c 'open(1)'\"]"), "ask for 'python'"),
    "a module of a figure": (table("draw: ['python -m evil_pkg']"), "ask for 'evil_pkg'"),
    "another folder of configurations": (table("draw: ['table a --config-dir evil']"), "--config-dir"),
    "a file elsewhere": (table("draw: ['report {runs} --output FOLDER/elsewhere']"), "/elsewhere'"),
    "a file above": (table("draw: ['report {runs} --output {name}/../../elsewhere']"), "elsewhere'"),
    "runs elsewhere": (table("overrides: [paths.runs=FOLDER/elsewhere]"), "paths.runs="),
    "a launcher of a table": (table("overrides: [hydra/launcher=basic]"), "hydra/launcher=basic"),
    "runs that are forgotten": (table("overrides: [trainer.on_existing=restart]"), "on_existing=restart"),
    "env of a table": (table("overrides: ['logger.project=\"${oc.env:SECRET}\"']"), "SECRET"),
}
