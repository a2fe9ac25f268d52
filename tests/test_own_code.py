"""A mistake in a component of one's own is one line that names its file and line, whatever the kind and the moment."""

import sys

import pytest

from snnlab import own_code, registry
from snnlab.cli import main

FAULTS = {
    "on import": (
        "neurons/my_neuron.py",
        "import torch\n",
        "import torch, not_there\n",
        "ModuleNotFoundError: ",
    ),
    "in the constructor": (
        "neurons/my_neuron.py",
        "self.slope = slope",
        "self.slope = 1 / 0",
        "ZeroDivisionError: ",
    ),
    "in the forward pass": (
        "neurons/my_neuron.py",
        "            h = v + x",
        "            h = v + y",
        "NameError: ",
    ),
    "in PyTorch": (
        "neurons/my_neuron.py",
        "h = v + x",
        "h = v + x[..., :-1]",
        "RuntimeError: The size of tensor",
    ),
    "of a loss": (
        "losses/my_loss.py",
        "last_TBK = logits_TBK",
        "last_TBK = logits_TKB",
        "NameError: ",
    ),
    "of a data set": (
        "datasets/my_data.py",
        "np.arange(250)",
        "np.arrange(250)",
        "AttributeError: module 'numpy'",
    ),
}
OWN = ["neuron=my_neuron", "loss=my_loss", "dataset=my_data", "num_steps=3", "model.channels=[4,4]"]


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_USED", set())
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = f"lab_{abs(hash(str(tmp_path)))}"  # a package that was imported stays imported
    assert main(["new", name]) == 0
    return tmp_path / name


def spoil(lab, file, right, wrong):
    text = (lab / file).read_text()
    assert right in text
    (lab / file).write_text(text.replace(right, wrong, 1))
    return text[: text.index(right)].count("\n") + 1


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("verb", ["check", "train"])
def test_one_line_names_the_place(fault, verb, lab, capsys):
    file, right, wrong, said = FAULTS[fault]
    line = spoil(lab, file, right, wrong)
    assert main([verb, f"plugins=[{lab.name}]", *OWN]) == 2
    error, hint = capsys.readouterr().err.splitlines()[-2:]
    assert error.startswith(f"error: {lab / file}:{line}: {said}")
    assert "SNNLAB_TRACEBACK=1" in hint


def test_a_neuron_that_changes_the_shape_is_named(lab, capsys):
    spoil(lab, "neurons/my_neuron.py", "torch.stack(spikes_T),", "torch.stack(spikes_T)[..., :1],")
    assert main(["check", f"plugins=[{lab.name}]", *OWN]) == 2
    error = capsys.readouterr().err.splitlines()[0]
    assert error.startswith(
        f"error: {lab}/neurons/my_neuron.py: MyNeuron makes spikes 3 x 2 x 4 x 16 x 1 of currents "
    )


def test_the_traceback_can_be_had(lab, monkeypatch):
    spoil(lab, "neurons/my_neuron.py", "self.slope = slope", "self.slope = 1 / 0")
    monkeypatch.setenv(own_code.SHOWN, "1")
    with pytest.raises(ZeroDivisionError):
        main(["check", f"plugins=[{lab.name}]", *OWN])


def test_an_error_of_ours_is_not_put_down_to_the_package(lab, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("snnlab.models.vgg_snn.VGGSNN.forward", broken)
    with pytest.raises(ZeroDivisionError):
        main(["check", f"plugins=[{lab.name}]", *OWN])
