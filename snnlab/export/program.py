"""A network with its loop over time as a program of torch.export, which runs without this package.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram


def program(model: nn.Module, x_TBCHW: Tensor) -> ExportedProgram:
    """Returns the program that maps frames [T, B, C, H, W], for this T and any B, to logits [T, B, K].

    Raises:
        ValueError: the network does what torch.export cannot record, such as depending on values.
    """
    model.eval()
    two = x_TBCHW[:, :1].repeat(
        1, 2, *[1] * (x_TBCHW.dim() - 2)
    )  # a batch of 1 would be taken for a fixed size
    try:
        with torch.no_grad():
            return torch.export.export(model, (two,), dynamic_shapes=({1: Dim("batch")},), strict=False)
    except (RuntimeError, torch._dynamo.exc.TorchDynamoException) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(f"torch.export cannot record {type(model).__name__}: {reason}") from error


def write(model: nn.Module, x_TBCHW: Tensor, path: Path) -> None:
    """Writes `program` into a file that `torch.export.load` opens."""
    with path.open("wb") as file:
        torch.export.save(program(model, x_TBCHW), file)


@torch.no_grad()
def furthest_logit(model: nn.Module, x_TBCHW: Tensor, path: Path) -> float:
    """Returns the greatest difference of the file's logits from the network's."""
    with path.open("rb") as file:
        theirs_TBK = torch.export.load(file).module()(x_TBCHW)
    return float((theirs_TBK - model(x_TBCHW)).abs().max())
