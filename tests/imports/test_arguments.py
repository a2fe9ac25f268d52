"""What `snnlab import` takes, and what it makes of it."""

import pytest

from snnlab.errors import ConfigError
from snnlab.imports.arguments import read_import_arguments


def test_the_file_and_how_it_is_stepped():
    asked = read_import_arguments(
        ["a b/net.nir", "dt=0.001", "fires=at", "dataset=digits", "neuron.reset=soft"]
    )
    assert asked.settings == ("dt=0.001", "fires=at", "dataset=digits", "neuron.reset=soft")
    assert asked.composed[0] == "model=nir"
    assert asked.composed[-4:] == ("model.dt=0.001", "model.fires=at", "dataset=digits", "neuron.reset=soft")
    assert asked.eval
    assert not read_import_arguments(["net.nir", "dataset=digits", "eval=false"]).eval


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["dataset=digits"], "import: no file is given"),
        (["net.nir"], "import: no dataset is given"),
        (["net.pt", "dataset=digits"], "import: net.pt is no .nir file"),
        (["net.nir", "dataset=digits", "dt=0"], "dt"),
        (["net.nir", "dataset=digits", "method=rk4"], "method: unknown choice 'rk4'"),
        (["net.nir", "dataset=digits", "model=vgg_snn"], "model=vgg_snn: the network is the graph's"),
        (["net.nir", "dataset=digits", "+experiment=quickstart"], "the network is the graph's"),
        (["net.nir", "dataset=digits", "init.run=there"], "init.run=there: the network is the graph's"),
        (["net.nir", "dataset=digits", "norm=tdbn"], "norm=tdbn: the network is the graph's"),
    ],
)
def test_what_is_wrong_is_one_error_with_a_hint(given, message):
    with pytest.raises(ConfigError, match=message) as found:
        read_import_arguments(given)
    assert found.value.hint
