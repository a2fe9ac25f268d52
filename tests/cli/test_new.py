"""`snnlab new`: a package of one's own that runs as it is."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from snnlab.bench import worker
from snnlab.bench.arguments import read_bench_arguments
from snnlab.board.pairs import learns_from_teacher
from snnlab.cli import main
from snnlab.config.compose import compose
from snnlab.errors import ConfigError
from snnlab.verbs import new

ROOT = Path(__file__).parents[2]


def run(place, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["new", "my_lab"]) == 0
    yield tmp_path
    # Other tests have a package of this name.
    for name in [one for one in sys.modules if one.partition(".")[0] == "my_lab"]:
        del sys.modules[name]


def test_its_tests_pass(place):
    done = run(place, "-m", "pytest", "my_lab", "-p", "no:cacheprovider", "-q")
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_the_commands_of_its_readme_run(place):
    lines = re.findall(r"^    snnlab (.*)$", (place / "my_lab/README.md").read_text(), re.M)
    assert len(lines) == 3
    for line in lines:
        short = ["debug=smoke", "trainer.plots=false"] if line.startswith("train") else []
        done = run(place, "-m", "snnlab", *shlex.split(line), *short)
        assert done.returncode == 0, done.stderr
    assert len(list(place.glob("runs/*/my_data-vgg_snn-my_neuron-my_loss-t4-*"))) == 1


def test_it_prints_the_command_that_runs_it(place, capsys):
    (place / "deep").mkdir()
    assert main(["new", "deep/other_lab"]) == 0
    said = capsys.readouterr().out
    assert f"cd {place / 'deep'}" in said
    assert "snnlab train --config-dir other_lab/conf 'plugins=[other_lab]' +experiment=my_experiment" in said


@pytest.mark.parametrize("file", ["losses/my_loss.py", "test_my_lab.py", "__init__.py"])
def test_nothing_is_overwritten(tmp_path, file, capsys):
    path = tmp_path / "my_lab" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    assert main(["new", str(tmp_path / "my_lab")]) == 2
    assert f"{path} is there already" in capsys.readouterr().err
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [path]
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["my-lab", "class", "numpy", "json", "1st", "snnlab"])
def test_names_that_are_no_package_of_ones_own_are_refused(name, tmp_path, capsys):
    assert main(["new", str(tmp_path / name)]) == 2
    assert name in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["new", str(tmp_path / "file" / "my_lab")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_component_without_yaml_has_the_keys_of_its_signature(place):
    own = ["plugins=[my_lab]", "neuron=my_neuron", "neuron.slope=0.3", "loss=my_loss"]
    mapping = compose(own).mapping
    assert mapping["neuron"] == {"name": "my_neuron", "threshold": 1.0, "slope": 0.3}
    assert mapping["loss"] == {"name": "my_loss", "steps": 2}
    with pytest.raises(ConfigError, match="unknown choice 'my_neuron'") as caught:
        compose(["neuron=my_neuron"])
    assert "plugins=[PACKAGE] components" in caught.value.hint


def test_a_yaml_file_of_such_a_component_counts(place, recwarn):
    compose(["plugins=[my_lab]", "neuron=my_neuron"])  # leaves nothing that Hydra would take for a schema
    (place / "conf/neuron").mkdir(parents=True)
    (place / "conf/neuron/my_neuron.yaml").write_text("name: my_neuron\nslope: 0.7\n")
    own = ["plugins=[my_lab]", "neuron=my_neuron"]
    assert compose(own, [place / "conf"]).mapping["neuron"]["slope"] == 0.7
    assert not [one for one in recwarn if "ConfigStore" in str(one.message)]


def test_augmentations_and_regularisers_need_no_yaml_either(place):
    (place / "my_lab/regularisers").mkdir()
    (place / "my_lab/regularisers/quiet.py").write_text(
        "class Quiet:\n    def __init__(self, *, weight: float = 0.5) -> None: ...\n"
    )
    own = ["plugins=[my_lab]", "regulariser=quiet"]
    assert compose(own).mapping["regulariser"] == {"quiet": {"weight": 0.5}}


def test_listing_needs_no_yaml(place, capsys):
    assert main(["list", "neuron", "my_neuron", "--plugin", "my_lab"]) == 0
    assert "slope: 0.1  # rise of the threshold per time step" in capsys.readouterr().out


def test_every_template_is_used():
    assert {path.name.removesuffix(".txt") for path in new._STARTER.iterdir()} == set(new._PLACES)


@pytest.mark.parametrize("where", [".", "deep/other_lab", "deep/other_lab/neurons", "deep/below"])
def test_from_another_place_the_hint_names_the_one_where_it_works(tmp_path, monkeypatch, capsys, where):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "deep/other_lab"]) == 0
    (tmp_path / "deep/below").mkdir()
    monkeypatch.chdir(tmp_path / where)
    capsys.readouterr()
    assert main(["check", "--no-build", "plugins=[other_lab]", "neuron=my_neuron"]) == 2
    said = capsys.readouterr().err
    assert "no package named 'other_lab' can be imported" in said
    assert f"hint: it is in {tmp_path / 'deep'}: cd {tmp_path / 'deep'}, and repeat the command there" in said
    monkeypatch.chdir(tmp_path / "deep")
    assert main(["check", "--no-build", "plugins=[other_lab]", "neuron=my_neuron"]) == 0


def test_a_neuron_and_a_loss_of_ones_own_are_measured_beside_the_others(place, capsys):
    found = worker._make(
        {"device": "cpu", "surrogate": "triangle", "neuron": "my_neuron", "plugins": ["my_lab"]}, 4
    )
    assert type(found).__module__ == "my_lab.neurons.my_neuron"
    assert read_bench_arguments(["my_neuron", "plugins=[my_lab]"]).neurons == ("my_neuron",)
    assert main(["bench", "my_neuron"]) == 2
    assert "unknown choice 'my_neuron'" in capsys.readouterr().err
    (place / "my_lab/losses/taught.py").write_text(
        "from snnlab.losses.base_teacher import TeacherLoss\n\n\nclass Taught(TeacherLoss):\n    pass\n"
    )
    assert learns_from_teacher("taught", ("my_lab",))
    assert not learns_from_teacher("my_loss", ("my_lab",))
    own = ["losses=[my_loss]", "neurons=[lif,my_neuron]", "plugins=[my_lab]"]
    assert main(["board", *own, "seeds=[0]", "--plan"]) == 0
    out = capsys.readouterr().out
    assert "loss=my_loss neuron=my_neuron" in out
    assert main(["board", *own[:2], "--plan"]) == 2
    assert "unknown choice 'my_loss'" in capsys.readouterr().err
