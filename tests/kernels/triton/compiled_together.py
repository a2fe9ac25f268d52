"""Which kernels are compiled before a layer's first call, and which later, with a stub for the GPU's driver.

    python tests/kernels/triton/compiled_together.py

In a process of its own because Triton is either an interpreter or a compiler for the whole of it. A stub for the
compiler waits until all kernels of the layer are being compiled.
"""

import json
import threading
import warnings
from collections import Counter

import torch
import triton.compiler
from triton.runtime.driver import driver

from snnlab.kernels import use_backend
from snnlab.kernels.triton import backend
from snnlab.layers.fused import norm_and_neuron
from snnlab.neurons import CF, DSATGO, LIF, PLIF
from snnlab.norms import BN
from snnlab.surrogates import TSG
from tests.kernels.triton import host_path

compiled, launched = [], Counter()
together = None


def compile_stub(source, **given):
    if threading.current_thread() is not threading.main_thread():
        together.wait(60)
    compiled.append(source.fn.__name__)
    return host_path.Kernel(source.fn.__name__)


def found_of(layer, x_T, expected):
    """Names of kernels compiled before the first launch and after it, and numbers of launches."""
    global together
    together = threading.Barrier(expected)
    compiled.clear()
    host_path.launches = []
    spikes_T = layer(x_T)
    before = sorted(compiled)
    if spikes_T.requires_grad:
        spikes_T.backward(torch.ones_like(spikes_T))
    once = Counter(kernel.key for kernel, _, _ in host_path.launches)
    return {"before": before, "later": compiled[len(before) :], "launches": dict(once)}


def main():
    driver.set_active(host_path.Driver())
    triton.compiler.compile = compile_stub
    backend.INTERPRETED = True
    use_backend("triton")
    x_T = torch.randn(4, 2, 16, 3, 3, requires_grad=True)
    residual_T = torch.randn(4, 2, 16, 3, 3)
    long_T = torch.randn(20, 2, 16, 4, 4, requires_grad=True)
    norm, resting = BN(16), BN(16).eval()
    lif = LIF()
    found = {
        "norm and lif": found_of(lambda x_T: norm_and_neuron(norm, lif, x_T), x_T, 6),
        "the same again": found_of(lambda x_T: norm_and_neuron(norm, lif, x_T), x_T, 1),
        "another layer": found_of(lambda x_T: norm_and_neuron(BN(16), LIF(), x_T), x_T, 1),
        "with residual": found_of(lambda x_T: norm_and_neuron(norm, lif, x_T, residual_T), x_T, 3),
        "running statistics": found_of(lambda x_T: norm_and_neuron(resting, lif, x_T), x_T, 2),
        "plif": found_of(PLIF(), x_T, 2),
        "cf, channels last": found_of(CF(), x_T.detach()[0].to(memory_format=torch.channels_last)[None], 1),
        "dsatgo": found_of(DSATGO(num_steps=4), x_T, 5),
        "tsg, 20 steps": found_of(LIF(TSG(num_steps=20)), long_T, 2),
    }
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
