"""What is found before a graph is recorded; `meta` stands for the GPU, so that copies between devices can be seen."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from snnlab.graphs.host_reads import HostReadError, NoHostReads

META, CPU = torch.device("meta"), torch.device("cpu")
FAULTS: dict[str, tuple[torch.device, str, Callable[[Tensor], object]]] = {
    "to the host": (META, "reads a value", lambda x: x.to("cpu")),
    "into a tensor of the host": (META, "reads a value", lambda x: torch.ones(3).copy_(x)),
    "from the host": (META, "copies numbers", lambda x: torch.ones(3).to("meta")),
    "from a tensor of the host": (META, "copies numbers", lambda x: x.copy_(torch.ones(3))),
    "a number": (CPU, "copies numbers", lambda x: x * torch.tensor(2.0)),
    "float": (CPU, "reads a value", lambda x: float(x.sum())),
    "equal": (CPU, "reads a value", lambda x: torch.equal(x, x + 1)),
    "mask": (CPU, "has a shape", lambda x: x[x > 0]),
    "write by mask": (CPU, "has a shape", lambda x: x.__setitem__(x > 0, torch.ones(3))),
    "unique": (CPU, "has a shape", lambda x: x.unique()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_is_found_and_the_line_is_named(fault: str) -> None:
    device, says, do = FAULTS[fault]
    x = torch.ones(3, device=device)
    with (
        pytest.raises(HostReadError, match=rf"graphs/test_host_reads.py:\d+ {says}.* \(aten"),
        NoHostReads(device),
    ):
        do(x)


def test_what_a_graph_can_hold_and_what_stays_on_the_host_is_let_through() -> None:
    x, on_host = torch.ones(3, device=META, requires_grad=True), torch.ones(3)
    with NoHostReads(META):
        y = torch.where(x > 0, x, 0.5 * x).to(torch.bfloat16).float()
        y = y[torch.zeros(2, device=META, dtype=torch.long)] * torch.full((), 2.0, device=META)
        y.sum().backward()
        x.detach().copy_(x.detach() + 1)
        assert float(on_host.sum()) == 3
        assert on_host[on_host > 0].tolist() == [1, 1, 1]
        torch.tensor([1.0])
