"""NIR files run by other packages, one time step after another.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

import contextlib
import io
import warnings

import nir
import torch


def spikingjelly(path, x_TBCHW, dt=1e-4):
    from spikingjelly.activation_based.nir_exchange.from_nir import import_from_nir

    model, state, logits = import_from_nir(str(path), dt=dt), None, []
    for x_BCHW in x_TBCHW:
        y_BK, state = model(x_BCHW, state)
        logits.append(y_BK)
    return torch.stack(logits)


def snntorch(path, x_TBCHW):
    from snntorch.import_nir import import_from_nir

    with contextlib.redirect_stdout(io.StringIO()):
        model = import_from_nir(nir.read(path))
    return torch.stack([model(x_BCHW)[0] for x_BCHW in x_TBCHW])


def norse(path, x_TBCHW, dt=1e-3):
    from norse.torch import from_nir

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of nirtorch.load
        model = from_nir(nir.read(path), dt=dt)
    state, logits = None, []
    for x_BCHW in x_TBCHW:
        y_BK, state = model(x_BCHW, state)
        logits.append(y_BK)
    return torch.stack(logits)
