"""What `trainer.channels_last=auto` stands for, without torch."""

from pathlib import Path

import pytest

from snnlab import registry, system
from snnlab.config.check import check
from snnlab.config.signature import class_value
from snnlab.runs.load import load


def layout(*given: str) -> bool | str:
    return load(list(given)).trainer.channels_last


@pytest.mark.parametrize("gpu", [False, True])
def test_on_but_for_float32_on_a_gpu(gpu: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnlab.config.automatic.gpu_there", lambda: gpu)
    assert layout("model=vgg_snn") is not gpu
    assert layout("model=vgg_snn", "trainer.device=cpu") is True
    assert layout("model=vgg_snn", "trainer.device=cuda:1") is False
    for precision in ("bf16", "fp16"):
        assert layout("model=vgg_snn", "trainer.device=cuda", f"trainer.precision={precision}") is True
        assert layout("model=vgg_snn", f"trainer.precision={precision}") is True


def test_off_without_2d_convolutions_and_as_given_otherwise() -> None:
    assert layout("model=text_cnn_snn", "trainer.device=cpu") is False
    assert layout("model=spikformer", "trainer.precision=bf16") is False
    assert layout("model=vgg_snn", "trainer.device=cpu", "trainer.channels_last=false") is False
    assert layout("model=text_cnn_snn", "trainer.channels_last=true") is True


def test_the_quickstart_keeps_the_layout_of_its_published_numbers() -> None:
    cfg = load(["+experiment=quickstart", "trainer.device=cpu"])
    assert cfg.trainer.channels_last is False
    assert not cfg.chosen


def test_a_model_of_a_plugin_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "layout_lab/models"
    package.mkdir(parents=True)
    text = "class Mine:\n    convolutional = {}\n    def __init__(self, num_classes, *, a: int = 1): ...\n"
    (tmp_path / "layout_lab/__init__.py").touch()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    raw = load().raw
    for said in (True, False):
        (package / "mine.py").write_text(text.format(said))
        class_value.cache_clear()
        trainer = {**raw["trainer"], "device": "cpu", "channels_last": "auto"}
        given = {**raw, "plugins": ["layout_lab"], "model": {"name": "mine"}, "trainer": trainer}
        assert check(given, named=["layout_lab"]).trainer.channels_last is said
    class_value.cache_clear()


@pytest.mark.parametrize(
    ("drivers", "visible", "there"),
    [(True, None, True), (True, "0,1", True), (True, "", False), (True, "-1", False), (False, None, False)],
)
def test_a_gpu_is_expected_where_its_driver_is(
    drivers: bool, visible: str | None, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nvidiactl").touch()
    name = "nvidiactl" if drivers else "none"
    monkeypatch.setattr(system, "_GPU_DRIVERS", (str(tmp_path / name),))
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert system.gpu_there() is there


def test_every_model_says_whether_it_is_convolutional() -> None:
    """That it says so rightly is tested with the models."""
    said = {
        name
        for name, (_, file) in registry.component_files("model").items()
        if class_value(file, "convolutional")
    }
    assert {"vgg_snn", "resnet19_snn"} <= said
    assert not {"spikformer", "text_cnn_snn"} & said
