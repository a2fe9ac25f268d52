"""The commands of docs/howto.md that bring a network from elsewhere run as they stand there."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from snnlab.cli import main
from tests.models.nir_graphs import small_graph

TEXT = (Path(__file__).parents[1] / "docs/howto.md").read_text()
SECTION = TEXT.partition("## Bring a network from another simulator")[2].partition("\n## ")[0]
COMMANDS = [
    line.partition("  #")[0].strip() for line in SECTION.splitlines() if line.startswith("    snnlab ")
]
BRIEF = "trainer.limit_test_batches=1 trainer.batch_size=8 trainer.device=cpu trainer.plots=false"
SHORT = "trainer.epochs=1 trainer.limit_train_batches=1 logger=none"


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
