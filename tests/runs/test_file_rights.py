"""Every file and folder that the commands write has the rights that the user's umask leaves."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from snnlab.cli import main
from tests.tiny_runs import TINY


@pytest.fixture(params=[0o002, 0o027], ids=oct)
def rights(request: pytest.FixtureRequest) -> Iterator[int]:
    """What the umask takes away."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_all_that_a_run_writes(rights: int, tmp_path: Path) -> None:
    root = tmp_path / "made"
    paths = (f"paths.runs={root}", f"paths.data={root / 'data'}")
    small = (
        "trainer.limit_train_batches=1",
        "trainer.limit_test_batches=1",
        "trainer.keep=all",
        "logger=csv",
    )
    assert main(["train", *TINY, *small, "trainer.plots=true", *paths]) == 0
    (run,) = root.glob("quickstart/*/seed0")
    for command in (
        ["eval", f"run={run}", "num_steps=1"],
        ["analyse", f"run={run}", "what=firing_rates", "plots.format=[svg,pdf]"],
        *(
            ["export", f"run={run}", f"format={one}"]
            for one in ("nir", "safetensors", "onnx", "torch.export")
        ),
        ["report", str(run)],
        [
            "import",
            str(run / "network.nir"),
            "dataset=digits_dvs",
            "num_steps=2",
            "trainer.limit_test_batches=1",
        ],
        ["clean", "--runs", str(root), "--yes"],
        ["new", str(root / "my_lab")],
    ):
        assert main([*command, *(paths if command[0] in ("eval", "analyse", "import") else [])]) == 0, command
    found = [path for path in root.rglob("*") if not path.is_symlink()]
    assert len([path for path in found if path.is_file()]) > 40
    wrong = {
        str(path.relative_to(root)): oct(path.stat().st_mode & 0o777)
        for path in found
        if path.stat().st_mode & 0o666 != 0o666 & ~rights
    }
    assert wrong == {}
