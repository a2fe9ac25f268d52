"""What holds for every registered data set, without its data."""

import inspect
from pathlib import Path

import pytest
import torch

from snnlab import registry
from snnlab.data.dataset import LabelledData
from snnlab.data.loader import loader
from snnlab.data.synthetic import Synthetic
from snnlab.errors import DataError

NAMES = list(registry.component_files("dataset"))
EMBEDDED = {"digits", "digits_dvs"}
OWN = {"image_folder", "event_folder"}


@pytest.fixture(params=NAMES)
def dataset(request, tmp_path, monkeypatch):
    monkeypatch.delenv("SNNLAB_CACHE", raising=False)
    return registry.load("dataset", request.param)(root=tmp_path / "none", num_steps=3)


def test_attributes(dataset):
    assert isinstance(dataset, LabelledData)
    assert len(dataset.class_names) == dataset.num_classes
    assert len(set(dataset.class_names)) == dataset.num_classes
    assert len(dataset.raw_shape) == (3 if dataset.static else 4)
    assert dataset.raw_shape[-3] == dataset.in_channels
    if not dataset.static:
        assert dataset.raw_shape[:2] == (3, 2)
    assert (dataset.mean is None) == (dataset.std is None)
    assert dataset.split_name


def test_every_key_has_a_default(dataset):
    parameters = inspect.signature(type(dataset)).parameters
    keys = [p for p in parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY]
    assert keys
    assert all(key.default is not inspect.Parameter.empty for key in keys)
    injected = [name for name, p in parameters.items() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert injected == ["root", "num_steps"]


def test_decode(dataset):
    raw = torch.randint(0, 256, (2, *dataset.raw_shape), dtype=torch.uint8)
    x = dataset.decode(raw)
    shape = (dataset.length, 1) if dataset.reads_words else (dataset.image_size, dataset.image_size)
    assert x.shape == (2, 1 if dataset.static else 3, dataset.in_channels, *shape)
    assert x.dtype == torch.float32
    if dataset.reads_words:
        assert torch.equal(x.flatten(), raw.flatten().float())
    elif dataset.static:
        assert x.min() >= 0
        assert x.max() <= 1.0001


def test_synthetic_data_in_its_shape(dataset):
    synthetic = Synthetic(dataset, num_train=40, num_test=12)
    assert not dataset_touched(dataset)
    for name in (
        "num_classes",
        "class_names",
        "in_channels",
        "frame_shape",
        "static",
        "reads_words",
        "mean",
        "std",
        "raw_shape",
    ):
        assert getattr(synthetic, name) == getattr(dataset, name)
    train, test = synthetic.train_set(), synthetic.test_set()
    assert (len(train), len(test)) == (40, 12)
    raw, label = train[5]
    assert raw.dtype == (torch.int32 if dataset.reads_words else torch.uint8)
    assert tuple(raw.shape) == dataset.raw_shape
    assert 0 <= label < dataset.num_classes
    assert torch.equal(raw, synthetic.train_set()[5][0])
    assert not torch.equal(raw, test[5][0])
    batch, target = next(loader(train, 4, shuffle=True, seed=0, epoch=0))
    assert synthetic.decode(batch).shape[0] == len(target) == 4
    assert synthetic.verify() == []
    assert synthetic.status().present


def dataset_touched(dataset):
    return Path(dataset.root).exists()


def test_without_its_data_one_error_says_how_to_get_it(dataset, request):
    name = request.node.callspec.params["dataset"]
    if name in EMBEDDED:
        assert dataset.status().present
        return
    status = dataset.status()
    assert not status.present
    assert status.note
    for use in (dataset.prepare, dataset.train_set, dataset.test_set):
        with pytest.raises(DataError, match=f"dataset {name}: ") as caught:
            use()
        if name in OWN:
            assert "dataset.folder=DIR" in caught.value.hint
            continue
        assert str(dataset.root) in caught.value.message + caught.value.hint
        assert "https://" in caught.value.hint
    assert not dataset_touched(dataset)


def test_config_keys_are_the_constructors(request):
    from omegaconf import OmegaConf

    for name in NAMES:
        file = Path(__file__).parents[2] / "conf" / "dataset" / f"{name}.yaml"
        config = OmegaConf.to_container(OmegaConf.load(file))
        assert config.pop("name") == name
        parameters = inspect.signature(registry.load("dataset", name)).parameters.values()
        keys = {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
        assert config == keys


@pytest.mark.parametrize("num_classes", [10, 1000])
def test_synthetic_data_can_be_learnt(num_classes, tmp_path):
    dataset = registry.load("dataset", "digits")(tmp_path)
    dataset.num_classes = num_classes
    dataset.raw_shape = (3, 64, 64)
    train = Synthetic(dataset, 64, 16).train_set()
    raw, target = train.batch(range(10))
    same, _ = Synthetic(dataset, num_classes + 10, 16).train_set().batch(range(num_classes, num_classes + 10))
    if num_classes == 10:
        distance = torch.cdist(raw.flatten(1).float(), same.flatten(1).float())
        assert distance.argmin(1).tolist() == list(range(10))
    assert target.tolist() == list(range(10))
