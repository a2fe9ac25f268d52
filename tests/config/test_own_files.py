"""What a newcomer does with files of one's own: the wrong folder, a file in place of a name, `~` in a path."""

from pathlib import Path

import pytest

from snnlab.config.compose import compose
from snnlab.errors import ConfigError

TEXT = "# @package _global_\nnum_steps: 3\n"


@pytest.fixture
def conf(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_conf/experiment").mkdir(parents=True)
    (tmp_path / "my_conf/experiment/mine.yaml").write_text(TEXT)
    return tmp_path / "my_conf"


@pytest.mark.parametrize(
    "chosen", ["+experiment=mine.yaml", "+experiment='mine.yaml'", "experiment=mine.yaml"]
)
def test_the_ending_of_a_file_changes_no_name(chosen, conf):
    assert compose([chosen], [conf]).mapping["experiment"] == "mine"
    assert compose(["neuron=plif.yaml"]).mapping["neuron"]["name"] == "plif"


def test_the_folder_of_a_group_is_not_a_folder_of_groups(conf):
    with pytest.raises(ConfigError, match="holds the choices of one group") as caught:
        compose(["+experiment=mine"], [conf / "experiment"])
    assert caught.value.hint == f"give the folder above it, {conf}"


@pytest.mark.parametrize("given", ["my_conf/experiment/mine.yaml", "my_conf/experiment/mine"])
def test_the_path_of_a_file_gets_the_words_that_choose_it(given, conf):
    with pytest.raises(ConfigError) as caught:
        compose([f"+experiment={given}"])
    assert caught.value.hint.endswith("--config-dir my_conf experiment=mine")


def test_what_else_an_experiment_needs_is_in_the_hint(conf):
    (conf / "experiment/mine.yaml").write_text(f"{TEXT}defaults:\n  - override /neuron: my_neuron\n")
    with pytest.raises(ConfigError, match="unknown choice 'my_neuron'") as caught:
        compose(["+experiment=mine"], [conf])
    assert caught.value.hint.endswith("; plugins=[PACKAGE] brings components of your own")
    with pytest.raises(ConfigError, match="no package named 'my_lba' can be imported"):
        compose(["+experiment=mine", "plugins=[my_lba]"], [conf])


@pytest.mark.parametrize("file", ["- a\n- b\n", "defaults:\n  - override /trainer: {epochs: 3}\n"])
def test_a_file_of_the_wrong_shape_is_named(file, conf):
    (conf / "experiment/mine.yaml").write_text(f"# @package _global_\n{file}")
    with pytest.raises(ConfigError) as caught:
        compose(["+experiment=mine"], [conf])
    assert "my_conf/experiment/mine.yaml" in f"{caught.value.message} {caught.value.hint}"


def test_the_home_folder_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "o'hara"))
    mapping = compose(["paths.runs=~/my runs", "paths.data=~"]).mapping["paths"]
    assert Path(mapping["runs"]) == tmp_path / "o'hara/my runs"
    assert Path(mapping["data"]) == tmp_path / "o'hara"


def test_a_misspelt_override_is_named(conf):
    (conf / "experiment/mine.yaml").write_text(f"{TEXT}defaults:\n  - overide /neuron: plif\n")
    with pytest.raises(ConfigError) as caught:
        compose(["+experiment=mine"], [conf])
    assert "my_conf/experiment/mine.yaml" in f"{caught.value.message} {caught.value.hint}"
