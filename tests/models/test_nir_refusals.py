"""A NIR graph that is not a network here is refused by the name of its node; strange values run or are an error."""

import h5py
import nir
import numpy as np
import pytest
import torch

from snnlab.errors import ConfigError
from snnlab.models import NIR
from snnlab.neurons import LIF
from tests.models.nir_graphs import ends, graph_file, lif, linear, small_graph


@pytest.mark.parametrize(
    ("changed", "edges", "message"),
    [
        (
            {"x": nir.Delay(np.ones(4, np.float32))},
            None,
            "x: there is no layer here for a node of type Delay",
        ),
        ({"x": linear(4, 9)}, None, "x: its input is 4, and its weight 4 x 9"),
        ({"x": nir.Scale(np.full(4, np.nan))}, None, "x: not all numbers of its scale are finite"),
        ({"x": nir.Scale(np.ones(3))}, None, "x: its input is 4, and its scale 3"),
        ({"x": nir.AvgPool2d(2, 2, 0)}, None, "x: its input is 4, and a pool takes"),
        ({"x": linear(3, 4)}, None, "its output is 3, and the data have 4 classes"),
        ({"in": nir.Input({"input": np.array([5])})}, None, "its input in is 5, and the data give 1 x 2 x 2"),
        (
            {"more": nir.Input({"input": np.array([4])})},
            [("more", "x")],
            "one Input node is expected, and there are 2",
        ),
        ({"more": linear(4, 4)}, [("more", "x")], "the node more has no input"),
        ({}, [("x", "nobody")], "an edge names nobody, and there is no such node"),
        ({}, [("in", "x")], r"the edge \('in', 'x'\) is there twice"),
        ({}, [("x", "x")], "the loop of x has 0 neurons that fire"),
        (
            {"n": lif(4), "m": lif(4)},
            [("x", "n"), ("n", "m"), ("m", "x")],
            "the loop of m, n, x has 2 neurons",
        ),
        (
            {"x": lif(4), "w": linear(4, 4)},
            [("x", "w"), ("w", "x"), ("in", "w")],
            "w is part of a loop, and takes",
        ),
        (
            {"x": lif(4), "w": linear(4, 4)},
            [("x", "w"), ("w", "x"), ("w", "out")],
            "w is part of a loop, and out",
        ),
        (
            {"x": lif(4), "w": linear(3, 4)},
            [("x", "w"), ("w", "x")],
            "what comes back to it has another shape",
        ),
        ({"y": linear(3, 4)}, [("in", "y"), ("y", "out")], "out: inputs of different shapes are added: 4, 3"),
    ],
)
def test_what_does_not_run_is_named(changed, edges, message, tmp_path):
    first, last = ends([4], [4])
    nodes = {**first, "x": linear(4, 4), **last, **changed}
    file = graph_file(tmp_path, nodes, [("in", "x"), ("x", "out"), *(edges or [])])
    with pytest.raises(ValueError, match=message):
        NIR(LIF, 1, 4, (2, 2), file)


def changed_field(file, node, field, value):
    with h5py.File(file, "a") as content:
        del content["node/nodes"][node][field]
        if value is not None:
            content["node/nodes"][node][field] = value


STRANGE = (
    None,
    0,
    -1,
    1.5,
    float("nan"),
    "x",
    np.zeros(0),
    np.ones((2, 2)),
    np.array([0, 0]),
    np.ones((1, 0, 3)),
)
FIELDS = {
    "input": ("shape", "type"),
    "conv": ("weight", "bias", "stride", "padding", "dilation", "groups"),
    "pool": ("kernel_size", "stride", "padding"),
    "row": ("start_dim", "end_dim", "input_type"),
    "spikes": ("tau", "r", "v_leak", "v_threshold"),
    "head": ("weight", "bias"),
}


@pytest.mark.parametrize(
    ("node", "field"), [(node, field) for node, fields in FIELDS.items() for field in fields]
)
@torch.no_grad()
def test_a_strange_value_is_an_error_or_runs(node, field, tmp_path):
    errors = []
    for i, value in enumerate(STRANGE):
        file = tmp_path / f"{i}.nir"
        file.write_bytes(small_graph(2, 3, 8).read_bytes())
        changed_field(file, node, field, value)
        try:
            NIR(LIF, 2, 3, (8, 8), file)(torch.rand(2, 1, 2, 8, 8))
        except ValueError as error:  # what commands print as one line
            errors.append(str(error))
    assert len(errors) >= 3
    assert not [error for error in errors if "\n" in error]


def test_without_a_file_it_says_where_one_is_named():
    with pytest.raises(ConfigError, match=r"model=nir: no NIR file is named"):
        NIR(LIF, 1, 4, (2, 2))
