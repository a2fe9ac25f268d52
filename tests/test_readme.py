"""What the README says can be done as it stands there."""

import re
import shlex
from pathlib import Path

import pytest
import torch

from snnlab.cli import main
from snnlab.verbs import verbs
from tests.test_contributing import SECTIONS, commands_of, copy, files_of, run

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text()
PARTS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
COMMANDS = [line.split("  #")[0].strip() for line in re.findall(r"^    ((?:snnlab|make) \S.*)$", TEXT, re.M)]
COMPOSED = [line for line in COMMANDS if re.match(r"snnlab (train|show|check) ", line)]
FIVE = "Publish a new neuron in five commands"
# Runs the commands that it is given in one process; the benchmark measures the new neuron alone, and small.
ALL_IN_ONE = """
import glob, shlex, sys
from snnlab.bench import plan
from snnlab.cli import main
cases, small = plan.cases, {"shape": (2, 1, 4, 4, 4), "repeats": 2}
plan.cases = lambda *given, **more: [one | small for one in cases(*given, **more) if one["neuron"] == "ramp"]
for command in sys.argv[1:]:
    words = [file for word in shlex.split(command)[1:] for file in (glob.glob(word) if "*" in word else [word])]
    assert main(words) == 0, command
"""

__all__ = ["copy"]  # a fixture


def test_verbs_and_targets_exist() -> None:
    assert len(COMMANDS) > 25
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    known = {"snnlab": set(verbs()), "make": targets}
    assert [line for line in COMMANDS if line.split()[1] not in known[line.split()[0]]] == []


@pytest.mark.parametrize("line", [line for line in COMPOSED if "ramp" not in line])
def test_configurations_are_accepted(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a sweep, its first point; the one that shows an error shows the one that its comment has."""
    words = [word for word in shlex.split(line)[2:] if word != "-m"]
    code = main(["check", "--no-build", *(re.sub(r"=([^,\[]+),.*", r"=\1", word) for word in words)])
    comment = TEXT.partition(line)[2].partition("\n")[0]
    assert code == (2 if "error:" in comment else 0)
    said = comment.partition("... ")[2]
    assert said in capsys.readouterr().err


def test_a_new_neuron_takes_five_commands() -> None:
    commands = re.findall(r"^    (\S.*?)  +#", PARTS[FIVE], re.M)
    assert [line.split()[:2] for line in commands] == [
        ["make", "conf"],
        ["pytest", "tests/neurons"],  # tried by test_contributing.py
        ["snnlab", "train"],
        ["snnlab", "bench"],
        ["snnlab", "report"],
    ]
    (file,) = files_of(SECTIONS["neuron"])
    assert file in PARTS[FIVE]


@pytest.mark.slow
def test_the_five_commands_run(copy: Path) -> None:
    for name, content in files_of(SECTIONS["neuron"]).items():
        (copy / name).write_text(content)
    for command in commands_of("    make conf\n"):
        assert run(copy, *command).returncode == 0
    train, bench, report = re.findall(r"^    (snnlab \S.*?)  +#", PARTS[FIVE], re.M)
    train += " debug=smoke hydra/launcher=basic trainer.progress=none num_steps=2 model.channels=[4,4]"
    done = run(copy, "-c", ALL_IN_ONE, train, bench, report)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\| ramp ", done.stdout, re.M), done.stdout
    page = (copy / "ramp.html").read_text()
    assert "ramp" in page
    assert "lif" in page


def test_the_library_lines_run() -> None:
    names = {
        "x_TBCHW": torch.ones(3, 2, 1, 4, 4),
        "logits_TBK": torch.zeros(3, 2, 5),
        "target_B": torch.tensor([0, 1]),
        "probs_NK": torch.full((2, 5), 0.2),
        "target_N": torch.tensor([0, 1]),
    }
    lines = re.findall(r"^    (.*)$", PARTS["As a library"].partition("    import snnlab\n")[0], re.M)
    exec("\n".join(lines), names)
    assert names["spikes_TBCHW"].shape == (3, 2, 1, 4, 4)
    assert torch.isfinite(names["loss"])


def test_numbers_of_the_gpu_are_those_of_the_page_on_speed() -> None:
    page = (ROOT / "docs/benchmarks.md").read_text().partition("## On a GPU")[2].partition("\n## ")[0]
    table = re.findall(r"^\| ((?:ResNet|VGG|Spikformer).*) \|$", PARTS["Speed and memory"], re.M)
    table = [row for row in table if "T = " in row]
    assert len(table) == 3
    for row in table:
        name, *cells = row.split(" | ")
        rows = [
            line for line in page.splitlines() if line.startswith(f"| {name.split(',')[0].split(' ')[0]}")
        ]
        numbers = {number for line in rows for number in re.findall(r"\d[\d,.]*\d", line)}
        shown = re.findall(r"\d[\d,.]*\d", " ".join(cells))
        assert [number for number in shown if number not in numbers] == [], row
