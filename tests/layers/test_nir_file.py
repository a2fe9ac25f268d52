"""NIR files of others: what is damaged or more than numbers and names is one error, and reads nothing else."""

import h5py
import nir
import numpy as np
import pytest

from snnlab.errors import ConfigError
from snnlab.layers import nir_file
from snnlab.layers.nir_file import metadata_of, read_graph
from tests.models.nir_graphs import small_graph


@pytest.fixture
def file(tmp_path):
    copy = tmp_path / "net.nir"
    copy.write_bytes(small_graph(2, 3, 8).read_bytes())
    return copy


def refused(file, words):
    with pytest.raises(ConfigError, match=words) as found:
        read_graph(file)
    assert "\n" not in found.value.message
    assert found.value.hint


def test_a_graph_is_read(file):
    graph = read_graph(file)
    assert set(graph.nodes) == {"input", "conv", "spikes", "pool", "row", "hidden", "more", "head", "output"}
    assert metadata_of(graph) == (None, None)


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"dt": 1e-3, "fires": "at"}, (1e-3, "at")),
        ({"dt": -1.0, "fires": "never"}, (None, None)),
        ({"dt": "soon"}, (None, None)),
        ({"dt": np.array([1.0, 2.0])}, (None, None)),
    ],
)
def test_what_a_file_says_about_itself(about, expected, file, tmp_path):
    graph = nir.read(file, type_check=False)
    graph.metadata = about
    nir.write(tmp_path / "other.nir", graph)
    assert metadata_of(read_graph(tmp_path / "other.nir")) == expected


def test_missing_empty_and_other_files(tmp_path):
    refused(tmp_path / "none.nir", "no such file")
    for content in (b"", b"not HDF5", b"\x89HDF\r\n\x1a\n"):
        (tmp_path / "other.nir").write_bytes(content)
        refused(tmp_path / "other.nir", "is damaged, or no NIR graph")
    with h5py.File(tmp_path / "other.nir", "w") as content:
        content["a"] = 1
    refused(tmp_path / "other.nir", "is damaged, or no NIR graph")


def test_a_file_that_was_cut_short(file):
    whole = file.read_bytes()
    for part in (0.1, 0.5, 0.9, 0.99):
        file.write_bytes(whole[: int(part * len(whole))])
        refused(file, "is damaged, or no NIR graph")


def test_links_to_other_places(file, tmp_path):
    (tmp_path / "secret.h5").write_bytes(file.read_bytes())
    nodes = "node/nodes"
    for link in (h5py.ExternalLink("secret.h5", "/node/nodes/head"), h5py.SoftLink("/node")):
        with h5py.File(file, "a") as content:
            content[nodes]["other"] = link
        refused(file, "other is a link")
        with h5py.File(file, "a") as content:
            del content[nodes]["other"]
    with h5py.File(file, "a") as content:
        content[nodes]["other"] = content["node"]  # a circle
    refused(file, "is there twice")


def test_numbers_of_another_file(file, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(64))
    with h5py.File(file, "a") as content:
        head = content["node/nodes/head"]
        del head["bias"]
        head.create_dataset("bias", (3,), "f4", external=[(str(tmp_path / "secret"), 0, 12)])
    refused(file, "the numbers of bias lie in another file")
    with h5py.File(file, "a") as content:
        head = content["node/nodes/head"]
        del head["bias"]
        layout = h5py.VirtualLayout(shape=(3,), dtype="f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret"), "x", shape=(3,))
        head.create_virtual_dataset("bias", layout)
    refused(file, "the numbers of bias lie in another file")


def test_a_small_file_that_unpacks_to_much(file):
    with h5py.File(file, "a") as content:
        head = content["node/nodes/head"]
        del head["weight"]
        head.create_dataset("weight", (1 << 20, 1 << 20), "f8", chunks=(1024, 1024))
    refused(file, "it would unpack to more than")


def test_many_entries(file, monkeypatch):
    monkeypatch.setattr(nir_file, "MOST_OBJECTS", 10)
    refused(file, "more than 10 entries")


def test_what_is_neither_numbers_nor_text(file):
    with h5py.File(file, "a") as content:
        content["node/nodes/head"].create_dataset("other", data=np.zeros(2, [("a", "f4"), ("b", "i4")]))
    refused(file, "other is neither numbers nor text")


def test_an_unknown_type_of_node(file):
    with h5py.File(file, "a") as content:
        node = content["node/nodes/head"]
        del node["type"]
        node["type"] = "__import__"
    refused(file, "is damaged, or no NIR graph")


def test_a_single_node_is_no_graph(tmp_path):
    nir.write(tmp_path / "one.nir", nir.Linear(np.ones((2, 2), np.float32)))
    refused(tmp_path / "one.nir", "is damaged, or no NIR graph")
