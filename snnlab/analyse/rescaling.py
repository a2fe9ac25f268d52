"""How much the loss scales each sample's gradient, against cross entropy at every step (TMC Fig. 1).

Shape suffixes: T time steps, B samples, K classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab import build
from snnlab.analyse.subject import Finding, Subject, table
from snnlab.losses.base import Loss, mean_cross_entropy
from snnlab.plots.rescaling import plot_rescaling
from snnlab.tmc_fixed_points import fixed_points_of


def run(subject: Subject) -> Finding:
    """The rescaling factors g_t of the run's loss (TMC, Eq. 10), on batches as in evaluation.

    What a loss learns from a teacher is left out.
    """
    loss = build.build_loss(subject.cfg)
    parts = []
    for x_TBCHW, target_B in subject.batches("rescaling"):
        with torch.no_grad():
            logits_TBK = subject.model(x_TBCHW).double().cpu()
        parts.append(rescaling(loss, logits_TBK, target_B.cpu()))
    confidence_TB, target_TB, others_TB = (torch.cat(one, 1) for one in zip(*parts, strict=True))
    of_loss = subject.cfg.loss
    settled = fixed_points_of(of_loss.name, of_loss.params, *logits_TBK.shape[::2])
    picture = plot_rescaling(
        confidence_TB.tolist(),
        target_TB.tolist(),
        others_TB.tolist(),
        subject.path("rescaling"),
        loss=of_loss.name,
        settles=settled.step if settled else (),
        title=subject.title,
    )
    found = table(
        f"gradient of '{subject.cfg.loss.name}' against cross entropy, median of {target_TB.shape[1]} samples",
        "t",
        "confidence",
        "target class",
        "other classes",
    )
    for t, line in enumerate(zip(confidence_TB, target_TB, others_TB, strict=True), start=1):
        found.add_row(str(t), *(f"{float(one.nanmedian()):.4f}" for one in line))
    return Finding(picture, found)


def rescaling(loss: Loss, logits_TBK: Tensor, target_B: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Confidence in the target class, and the factor of its gradient and that of the others, each [T, B].

    The factor of a class is the loss's gradient over that of cross entropy; of the other classes the mean is
    taken. NaN where cross entropy has no gradient left.
    """
    logits_TBK = logits_TBK.detach().requires_grad_()
    with torch.enable_grad():
        ours, of_entropy = (
            torch.autograd.grad(value, logits_TBK)[0]
            for value in (loss.held_out(logits_TBK, target_B), mean_cross_entropy(logits_TBK, target_B, 0.0))
        )
    factor_TBK = torch.where(of_entropy == 0, torch.nan, ours / of_entropy)
    chosen_TBK = F.one_hot(target_B, logits_TBK.shape[2]).bool().expand_as(factor_TBK)
    confidence_TB = logits_TBK.detach().softmax(2)[chosen_TBK].view(logits_TBK.shape[:2])
    target_TB = factor_TBK[chosen_TBK].view(logits_TBK.shape[:2])
    others_TB = factor_TBK[~chosen_TBK].view(*logits_TBK.shape[:2], -1).mean(2)
    return confidence_TB, target_TB, others_TB
