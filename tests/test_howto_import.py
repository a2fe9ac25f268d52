"""The commands of docs/howto.md that bring a network from elsewhere run as they stand there."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import torch

from snnlab.cli import main
from tests.models.nir_graphs import small_graph

TEXT = (Path(__file__).parents[1] / "docs/howto.md").read_text()
SECTION = TEXT.partition("## Bring a network from another simulator")[2].partition("\n## ")[0]
COMMANDS = [
    line.partition("  #")[0].strip() for line in SECTION.splitlines() if line.startswith("    snnlab ")
]
BRIEF = "trainer.limit_test_batches=1 trainer.batch_size=8 trainer.device=cpu trainer.plots=false"
SHORT = "trainer.epochs=1 trainer.limit_train_batches=1 logger=none"


RELEASED = TEXT.partition("## Start from a released checkpoint")[2].partition("\n## ")[0]


def test_a_state_dict_of_spikingjelly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from spikingjelly.activation_based import neuron
    from spikingjelly.activation_based.model.sew_resnet import sew_resnet18

    monkeypatch.chdir(tmp_path)
    torch.save(sew_resnet18(num_classes=10, cnf="ADD", spiking_neuron=neuron.IFNode).state_dict(), "sew.pth")
    (line,) = re.findall(r"^    snnlab (train dataset=.*?)  +#", RELEASED, re.M)
    given = [*shlex.split(line), *SHORT.split(), *BRIEF.split(), "trainer.synthetic=true"]
    assert main(given) == 0
    assert main([word.replace("resnet18", "resnet34") for word in given]) == 2
    assert "init.file: " in (said := capsys.readouterr().err)
    assert "sew.pth does not fit: layer1.2.conv1.weight is not there" in said


def test_all_commands_run_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(small_graph(2, 10, 16), "net.nir")
    assert [line.split()[1] for line in COMMANDS] == ["import", "import", "import", "eval", "train"]
    for line in COMMANDS:
        words = shlex.split(line)[1:]
        if words[0] == "eval":  # of several imported runs, one has to be named
            words[1] = f"run={next(Path('runs/imported').glob('*'))}"
        # The steps of the file are 0.0001 s, and its time constants 0.0002 s.
        words = [re.sub(r"^dt=0.001$", "dt=0.00015", word) for word in words]
        assert main([*words, *BRIEF.split(), *(SHORT.split() if words[0] == "train" else [])]) == 0, line
    assert len(list(Path("runs/imported").glob("*/seed0/graph.nir"))) == 3
