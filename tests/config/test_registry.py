"""The registry: names are file names, classes are found in any case, plugins join or are refused."""

import importlib
from pathlib import Path

import pytest

from snnlab import registry
from snnlab.config.package_stub import package_stub
from snnlab.errors import ConfigError


def test_plugins_join(mine):
    files = registry.component_files("neuron", ("my_pkg",))
    assert files["foo_bar"] == ("my_pkg.neurons.foo_bar", mine / "my_pkg/neurons/foo_bar.py")
    assert "lif" in files
    assert "_helper" not in files
    assert list(files) == sorted(files)
    assert "foo_bar" not in registry.component_files("neuron")
    assert registry.load("neuron", "baz", ("my_pkg",)).__name__ == "Baz"


def test_a_plugin_must_not_redefine(mine):
    (mine / "my_pkg/neurons/lif.py").write_text("class LIF: pass")
    with pytest.raises(ConfigError, match="defines the neuron 'lif'"):
        registry.component_files("neuron", ("my_pkg",))


@pytest.mark.parametrize("name", ["no_such_package", "json.decoder", "", "sys", "..x"])
def test_no_such_plugin(name):
    with pytest.raises(ConfigError, match="no package named"):
        registry.component_files("neuron", (name,))


def test_no_such_component():
    with pytest.raises(ConfigError, match="no neuron is called 'nope'"):
        registry.load("neuron", "nope")


@pytest.mark.parametrize(
    ("name", "component", "expected"),
    [("VGGSNN", "vgg_snn", True), ("TMC", "tmc", True), ("IF", "if", True), ("LIF", "plif", False)],
)
def test_class_names(name, component, expected):
    assert registry.is_class_of(name, component) is expected


def test_packages_give_classes_and_modules():
    import snnlab.neurons as package
    from snnlab.neurons import LIF, PLIF, lif

    assert lif.LIF is LIF
    assert PLIF is not LIF
    assert {"LIF", "PLIF", "IF"} <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        package.Nothing  # noqa: B018 (the access is the test)


@pytest.mark.parametrize("kind", registry.KINDS)
def test_type_checkers_see_the_classes_of_today(kind):
    folder = Path(registry.__file__).parent / registry.KINDS[kind]
    assert (folder / "__init__.pyi").read_text() == package_stub(kind), "make conf"


@pytest.mark.parametrize("kind", registry.KINDS)
def test_each_public_class_can_be_imported(kind):
    package = importlib.import_module(f"snnlab.{registry.KINDS[kind]}")
    names = registry.public_classes(kind)
    assert dir(package) == list(names)
    for name, module in names.items():
        assert getattr(package, name).__module__ == module
    assert {registry.load(kind, name).__name__ for name in registry.component_files(kind)} <= names.keys()
