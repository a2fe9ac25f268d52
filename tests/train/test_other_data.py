"""A run knows its data: no number of other data is returned, and no training goes on with them."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from snnlab.cli import main
from snnlab.runs.identity import run_dir
from snnlab.runs.load import load

SMALL = [
    "dataset=imagenet",
    "dataset.classes=2",
    "dataset.image_size=16",
    "dataset.resize=16",
    "model.channels=[4,8]",
    "num_steps=2",
    "trainer.epochs=1",
    "trainer.batch_size=4",
    "trainer.plots=false",
    "trainer.progress=none",
    "trainer.device=cpu",
]


def pictures(root: Path, count: int, first: int = 0) -> None:
    for part in ("train", "val"):
        for label, name in enumerate(("a", "b")):
            for number in range(first, first + count):
                file = root / "imagenet" / part / name / f"{number}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.new("L", (16, 16), 200 * label + number).save(file)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNNLAB_DATA", raising=False)
    pictures(tmp_path / "data", 4)
    return tmp_path


def train(*overrides: str) -> int:
    return main(["train", "+experiment=quickstart", *SMALL, *overrides])


def results(here: Path) -> dict[Path, dict[str, object]]:
    return {file.parent: json.loads(file.read_text()) for file in here.glob("runs/*/*/*/result.json")}


def only(here: Path) -> Path:
    (folder,) = results(here)
    return folder


def test_a_finished_run_is_not_that_of_more_data(here, capsys):
    assert train() == 0
    first = only(here)
    stored = results(here)[first]
    assert stored["data"]["files"] == 16
    assert (stored["data"]["train"], stored["data"]["test"]) == (8, 8)
    assert first.parent.name.endswith(f"-{stored['data']['hash'][:8]}")
    assert stored["config_hash"] in first.parent.name
    for name in ("last", "best"):
        content = torch.load(first / "checkpoints" / f"{name}.pt", weights_only=True)
        assert content["data"] == stored["data"]
    capsys.readouterr()
    assert train() == 0
    assert len(results(here)) == 1, "the same data: the stored result"
    capsys.readouterr()

    pictures(here / "data", 2, first=4)
    assert train() == 0
    said = capsys.readouterr().out
    assert "16 files, now 24" in said
    assert str(first) in said
    assert sorted(one["num_train"] for one in results(here).values()) == [8, 12]


@pytest.mark.parametrize("elsewhere", ["other", "nowhere"])
def test_a_finished_run_is_not_that_of_another_folder(here, elsewhere, capsys):
    assert train() == 0
    pictures(here / "other", 3)
    code = train(f"paths.data={here / elsewhere}")
    if elsewhere == "nowhere":
        assert code == 2
        assert "no class folders" in capsys.readouterr().err
    assert len(results(here)) == (2 if elsewhere == "other" else 1)


def test_a_copy_is_the_same_data(here):
    assert train() == 0
    (here / "data").rename(here / "moved")
    assert train(f"paths.data={here / 'moved'}") == 0
    assert len(results(here)) == 1


def test_a_stopped_run_goes_on_with_its_own_data_only(here, capsys):
    assert train("trainer.epochs=2", "trainer.max_steps=1") == 0
    folder = only(here)
    (folder / "result.json").unlink()
    content = torch.load(folder / "checkpoints/last.pt", weights_only=True)
    content["data"]["split_hash"] = "0" * 16
    torch.save(content, folder / "checkpoints/last.pt")
    assert train("trainer.epochs=2", "trainer.max_steps=1") == 2
    said = capsys.readouterr().err
    assert "was trained on other data" in said
    assert "trainer.on_existing=restart" in said
    assert train("trainer.epochs=2", "trainer.max_steps=1", "trainer.on_existing=restart") == 0


@pytest.mark.parametrize(
    "command",
    [
        ["eval"],
        ["eval", "num_steps=[1,2]"],
        ["analyse", "what=membrane"],
        ["export", "format=safetensors"],
    ],
)
def test_other_data_are_not_measured_on_in_silence(here, command, capsys):
    assert train() == 0
    folder = only(here)
    verb, *rest = command
    assert main([verb, *rest, f"run={folder}"]) == 0
    pictures(here / "data", 1, first=9)
    capsys.readouterr()
    assert main([verb, *rest, f"run={folder}"]) == 2
    said = capsys.readouterr().err
    assert "was trained on other data: 16 files, now 20" in said
    assert "paths.other_data=allow" in said
    assert main([verb, *rest, f"run={folder}", "paths.other_data=allow"]) == 0
    assert "note: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "overrides", [["init.run={}"], ["loss=twd", "distill.teacher={}", "distill.cache=false"]]
)
def test_weights_and_teachers_of_other_data_are_refused(here, overrides, capsys):
    assert train() == 0
    folder = only(here)
    given = [one.format(folder) for one in overrides]
    assert train(*given) == 0
    pictures(here / "data", 1, first=9)
    capsys.readouterr()
    assert train(*given) == 2
    assert "was trained on other data: 16 files, now 20" in capsys.readouterr().err
    assert train(*given, "paths.other_data=allow") == 0


def test_a_sweep_and_check_name_the_run_of_the_data_that_are_there(here, capsys):
    assert train("seed=0") == 0
    pictures(here / "data", 2, first=4)
    assert main(["train", "-m", "+experiment=quickstart", *SMALL, "seed=0,1", "hydra/launcher=basic"]) == 0
    assert len(results(here)) == 3
    assert "0 done before" in capsys.readouterr().out
    assert main(["train", "-m", "+experiment=quickstart", *SMALL, "seed=0,1", "hydra/launcher=basic"]) == 0
    assert "2 done before" in capsys.readouterr().out
    assert main(["check", "+experiment=quickstart", *SMALL]) == 0
    named = Path(capsys.readouterr().out.removeprefix("ok: ").strip())
    assert results(here)[named]["num_train"] == 12


def test_a_sweep_without_its_data_stops_before_the_first_job(here, capsys):
    missing = f"paths.data={here / 'nowhere'}"
    assert main(["train", "-m", "+experiment=quickstart", *SMALL, "seed=0,1", missing]) == 2
    assert "no class folders" in capsys.readouterr().err


def test_a_comparison_shows_the_data(here, capsys):
    assert train() == 0
    pictures(here / "data", 2, first=4)
    assert train() == 0
    capsys.readouterr()
    assert main(["diff", *map(str, results(here))]) == 0
    said = capsys.readouterr().out
    assert "data:" in said
    assert "split_hash" in said


def test_results_can_be_looked_up_where_the_data_are_not(here):
    assert train() == 0
    (here / "data").rename(here / "moved")
    cfg = load(["+experiment=quickstart", *SMALL])
    assert run_dir(cfg) == only(here)
