"""Every `snnlab` command of the documentation runs, on small runs in place of those that it names."""

import re
import shlex
import shutil
import webbrowser
from glob import glob
from pathlib import Path

import pytest

from snnlab.cli import main
from snnlab.config.search import SearchPath
from snnlab.tables.table_loader import load_table
from tests.commands_in_docs import Command, commands
from tests.tiny_runs import TINY

# Sections whose commands have tests of their own, which also look at what comes out.
OWN_TESTS = {
    "CONTRIBUTING.md": "tests/test_contributing.py",
    "docs/own_data.md": "tests/test_own_data_docs.py",
    "README.md: Your own data": "tests/test_own_data_docs.py",
    "README.md: Publish a new neuron in five commands": "tests/test_readme.py",
    "docs/howto.md: Sweep": "tests/cli/test_howto_commands.py",
    "docs/howto.md: Look before a run": "tests/cli/test_howto_commands.py",
    "docs/howto.md: Bring your own components": "tests/cli/test_howto_commands.py",
    "docs/howto.md: Find and watch runs": "tests/test_howto_runs.py",
    "docs/howto.md: Watch runs on a dashboard": "tests/test_howto.py",
    "docs/howto.md: Bring a network from another simulator": "tests/test_howto_import.py",
}
NOT_HERE = {
    "snnlab table": "tests/cli/test_table.py runs, stops and exports tables; the names are tried below",
    "snnlab board": "tests/board plans and measures boards",
    "snnlab bench": "measures for minutes; tests/bench does it on small shapes",
    "torchrun": "tests/machine/test_processes.py starts several",
    "snnlab import net.nir": "tests/test_howto_import.py makes the file",
    "dataset.download=true": "no test has a network",
    "snnlab data prepare": "wants data as published; tests/data/test_command.py makes some",
    "snnlab data bench": "wants data as published; tests/data/test_command.py makes some",
    "snnlab data verify": "wants data as published; tests/data/test_command.py makes some",
}
SLOW = ("what=all", "robustness=[all]", "landscape.grid=21", "format=onnx", "num_steps=1..8")
SHORT = [one for one in TINY[1:] if not one.startswith(("model.", "num_steps="))]
SHORT += ["logger=none", "trainer.threads=1", "trainer.limit_train_batches=2"]
SMALL = ["model.channels=[4,8]", "num_steps=2"]
ANN = ["model.width=4", "model.blocks=[1,1]"]
ELSEWHERE = re.compile(r" (init\.run|init\.file|distill\.teacher)=(<[^>]*>|sew\.pth)")


def in_own_tests(command: Command) -> bool:
    file = OWN_TESTS.get(command.page) or OWN_TESTS.get(f"{command.page}: {command.section}")
    return file is not None and not (file == "tests/test_howto_runs.py" and " train " in command.text)


HERE = [
    command
    for command in commands()
    if not in_own_tests(command) and not any(part in command.text for part in NOT_HERE)
]


def small(experiment: str) -> list[str]:
    return [*SHORT, *(ANN if experiment == "mtsnn_digits" else SMALL)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with a small run of each experiment that the pages go on from."""
    root = tmp_path_factory.mktemp("docs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.delenv("SNNLAB_DATA", raising=False)
        for name, *given in (
            ("quickstart", "seed=0"),
            ("quickstart", "seed=1"),
            ("dsatgo_digits_dvs",),
            ("mtsnn_digits",),
            ("ann_digits_dvs",),
            ("twd_digits_dvs", "distill.teacher=runs/ann_digits_dvs"),
        ):
            assert main(["train", f"+experiment={name}", *small(name), *given]) == 0
        assert main(["convert", "run=runs/mtsnn_digits", "trainer.plots=false"]) == 0
        (network,) = Path("runs/quickstart").glob("*/seed0")
        assert main(["export", str(network), "format=safetensors", "out=network.safetensors"]) == 0
    return root


def place(command: Command) -> str:
    """A command with the directories of the small runs in place of what stands for them on the page."""
    (network,) = Path("runs/quickstart").iterdir()
    (converted,) = Path("runs/mtsnn_digits").glob("*-mixed_if-*/seed0")
    (ann,) = Path("runs/mtsnn_digits").glob("*-quant_relu-*/seed0")
    (adaptive,) = Path("runs/dsatgo_digits_dvs").glob("*/seed0")
    of_page = {"docs/papers/mtsnn.md": converted, "docs/papers/dsatgo.md": adaptive}
    text = ELSEWHERE.sub("", command.text)
    for name, directory in {
        "runs/a/...": network / "seed0",
        "runs/b/...": network / "seed1",
        "runs/quickstart/...": network / "seed0",
        "runs/quickstart/<variant>": network,
        "run=runs/quickstart ": f"run={network}/seed0 ",
        "log quickstart/... ": f"log quickstart/{network.name}/seed0 ",
        "runs/mtsnn_digits/...": ann,
        "runs/mtsnn_digits/<variant>/seed0": ann,
        "runs/mtsnn_digits/<converted variant>/seed0": converted,
        "<converted run>": converted,
        "run=RUN": f"run={network}/seed0",
        "run=DIR": f"run={of_page.get(command.page, network / 'seed0')}",
        "what=NAME": "what=encoding",
    }.items():
        text = text.replace(name, str(directory))
    return text


def words_of(command: Command) -> list[str]:
    """The arguments to run: networks for digits are trained, others are checked, as is the first point of a sweep."""
    _, verb, *words = shlex.split(place(command))
    if verb != "train":
        return [verb, *(found for word in words for found in (sorted(glob(word)) if "*" in word else [word]))]
    experiment = re.search(r"\+experiment=(quickstart|\w+_digits\w*)", command.text)
    if experiment is not None and "-m" not in words:
        return [verb, *words, *small(experiment[1])]
    first = [word if "[" in word else word.partition(",")[0] for word in words if word != "-m"]
    return ["check", "--no-build", *first]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            one, id=str(one), marks=[pytest.mark.slow] if any(part in one.text for part in SLOW) else []
        )
        for one in HERE
    ],
)
def test_command(
    command: Command,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(trained, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("SNNLAB_DATA", raising=False)
    monkeypatch.setattr(webbrowser, "open", lambda url: True)
    said_so = command.comment.startswith("error:")
    assert main(words_of(command)) == (2 if said_so else 0)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert ("error:" in captured.err) == said_so
    assert captured.out or said_so


@pytest.mark.parametrize("command", [one for one in commands() if " table " in one.text], ids=str)
def test_tables_and_their_scales_exist(command: Command) -> None:
    _, _, name, *words = shlex.split(command.text)
    if name in ("list", "table"):
        return
    table = load_table(name, SearchPath())
    scales = [word.removeprefix("scale=") for word in words if word.startswith("scale=")]
    assert set(scales) <= {"full", *table.scales}


def test_there_are_commands_and_tests_of_the_others() -> None:
    root = Path(__file__).parents[1]
    assert len(HERE) > 75
    assert [file for file in OWN_TESTS.values() if not (root / file).exists()] == []
    titles = {one.page for one in commands()} | {f"{one.page}: {one.section}" for one in commands()}
    assert OWN_TESTS.keys() <= titles
