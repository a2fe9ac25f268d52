"""A network with its loop over time as an ONNX file.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from snnlab.export.program import program


def write(model: nn.Module, x_TBCHW: Tensor, path: Path) -> None:
    """Writes an ONNX file that maps `frames` [T, B, C, H, W], for this T and any B, to `logits` [T, B, K].

    Raises:
        ValueError: the network does what torch.export cannot record, or has an operation that ONNX lacks.
    """
    recorded = program(model, x_TBCHW)
    try:
        made = torch.onnx.export(
            recorded, dynamo=True, input_names=["frames"], output_names=["logits"], verbose=False
        )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(f"ONNX has no form for {type(model).__name__}: {reason}") from error
    assert made is not None
    made.save(path, external_data=False)


@torch.no_grad()
def furthest_logit(model: nn.Module, x_TBCHW: Tensor, path: Path) -> float:
    """Returns the greatest difference of the logits by onnxruntime from the network's."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (theirs_TBK,) = session.run(None, {"frames": x_TBCHW.contiguous().numpy()})
    return float((torch.from_numpy(theirs_TBK) - model(x_TBCHW)).abs().max())
