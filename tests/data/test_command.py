"""The bodies of `snnlab data`."""

import re
from types import SimpleNamespace

import pytest

from snnlab import registry
from snnlab.build import build_dataset
from snnlab.data import command
from snnlab.datasets import DigitsDVS
from snnlab.errors import ConfigError, DataError
from tests.datasets.trees import write_tiny_imagenet


def config(root, name="digits_dvs", **params):
    return SimpleNamespace(
        dataset=SimpleNamespace(name=name, params=params),
        data_name=name,
        augment=(),
        paths=SimpleNamespace(data=root),
        trainer=SimpleNamespace(synthetic=False, batch_size=32, num_workers=0, device="cpu"),
        num_steps=2,
        seed=0,
        plugins=(),
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.delenv("SNNLAB_CACHE", raising=False)
    monkeypatch.setenv("COLUMNS", "250")


def test_list_names_every_data_set(root, capsys):
    assert command.list_(SimpleNamespace(data=root)) == 0
    shown = capsys.readouterr().out
    for name in registry.component_files("dataset"):
        assert name in shown
    assert "not yet" in shown
    assert "ships with scikit-learn" in shown
    assert shown.count("SNNLAB_DATA name another place") == 1, "said once for all"


def test_prepare_then_verify_then_bench(root, capsys):
    cfg = config(root)
    assert command.verify(cfg, build_dataset(cfg)) == 0
    assert "no frames yet" in capsys.readouterr().out
    assert command.prepare(cfg, build_dataset(cfg)) == 0
    shown = capsys.readouterr().out
    assert "1437 training and 360 held-out samples of shape [2, 2, 16, 16]" in shown
    assert "split 'stratified80_seed0'" in shown
    assert str(DigitsDVS(root, 2).cache_folder()) in shown
    command.list_(SimpleNamespace(data=root))
    assert "T = 2 " in capsys.readouterr().out
    assert command.verify(cfg, build_dataset(cfg)) == 0
    assert "1797 samples in order" in capsys.readouterr().out
    assert command.bench(cfg, build_dataset(cfg), seconds=0.05) == 0
    assert "load and decode" in capsys.readouterr().out
    frames = DigitsDVS(root, 2).cache_folder() / "frames.npy"
    content = bytearray(frames.read_bytes())
    content[-1] ^= 1
    frames.write_bytes(content)
    assert command.verify(cfg, build_dataset(cfg)) == 1
    assert "is not what was written" in capsys.readouterr().out


def test_missing_data(root):
    cfg = config(root, "nmnist")
    with pytest.raises(DataError, match="dataset nmnist: nothing at") as caught:
        command.verify(cfg, build_dataset(cfg))
    assert "garrickorchard" in caught.value.hint
    with pytest.raises(DataError, match="dataset nmnist"):
        command.prepare(cfg, build_dataset(cfg))


def test_a_data_set_that_refuses_its_settings_is_one_error(root):
    with pytest.raises(ConfigError, match="imagenet"):
        build_dataset(config(root, "imagenet", image_size=300))


def test_a_set_that_cannot_be_listed_does_not_keep_others_from_it(root, capsys, monkeypatch):
    def broken(self):
        raise RuntimeError("a\nbroken disk")

    monkeypatch.setattr(DigitsDVS, "status", broken)
    assert command.list_(SimpleNamespace(data=root)) == 0
    shown = capsys.readouterr().out
    assert "digits_dvs: cannot be listed: RuntimeError: a broken disk" in shown
    assert all(name in shown for name in registry.component_files("dataset"))


def test_bench_of_pictures_says_what_the_time_goes_to(root, capsys):
    write_tiny_imagenet(root / "tiny-imagenet-200", ("n01", "n02"), train=4)
    cfg = config(root, "tiny_imagenet", classes=2)
    slept = []

    def slow(picture):
        slept.append(picture.shape)
        return picture

    assert command.bench(cfg, build_dataset(cfg), seconds=0.05, ops=[slow]) == 0
    shown = capsys.readouterr().out
    assert "images/s" in shown
    assert "this process reads" in shown
    assert re.search(r"load and decode .* \d+ %", shown)
    share = re.search(
        r"one image in one process: [\d.]+ ms, of which reading and decoding the file (\d+) %", shown
    )
    assert 0 < int(share[1]) < 100
    assert slept, "what the run's loader does is measured"
