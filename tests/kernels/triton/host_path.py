"""What the Triton kernels do on the host, with a stub for the GPU's driver: calls, and the kernels launched.

    python tests/kernels/triton/host_path.py

In a process of its own because Triton is either an interpreter or a compiler for the whole of it. Triton itself finds
out here what each launch is specialised to; nothing is compiled, and a launch does nothing.
"""

import json
import sys
import warnings

import torch
from torch import nn
from triton.backends.compiler import GPUTarget
from triton.compiler.compiler import CompiledKernel
from triton.runtime.driver import driver
from triton.runtime.jit import JITFunction

from snnlab.kernels import use_backend
from snnlab.kernels.triton import backend, launcher
from snnlab.layers.fused import norm_and_neuron
from snnlab.neurons import CF, DSATGO, LIF, PLIF
from snnlab.norms import BN
from snnlab.surrogates import TSG


class Driver:
    """A driver for one device, where CPU tensors are (their `get_device()` is -1)."""

    def get_current_target(self):
        return GPUTarget("cuda", 90, 32)

    def get_current_device(self):
        return -1

    def get_current_stream(self, device):
        return 0


class Kernel(CompiledKernel):
    """What Triton would have compiled for one specialisation; launched by Triton's own code but for the driver's."""

    module, function, packed_metadata, metadata, src, name, hash = None, 0, (), None, None, "", ""

    def __init__(self, key):
        self.key = key
        self._run = self._note

    def _init_handles(self):
        pass

    def _note(self, x, y, z, stream, function, packed, metadata, enter, leave, *arguments):
        if launches is not None:
            launches.append((self, (x, y, z), arguments))


launches = None


def stub():
    """Puts the stubs in place of driver, compiler and the check for a GPU."""
    driver.set_active(Driver())

    def compiled(function, key, signature, device, constexprs, options, attributes, warmup):
        kernel = function.device_caches[device][0][key] = Kernel(f"{function.__name__} {key}")
        return kernel

    JITFunction._do_compile = compiled
    backend.INTERPRETED = True
    use_backend("triton")


class Counted:
    """Counts the calls of Python functions, and of all functions, inside a `with` block."""

    def __enter__(self):
        self.python = self.all = 0

        def look(frame, event, argument):
            self.python += event == "call"
            self.all += event in ("call", "c_call")

        sys.setprofile(look)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)


def calls_of(layer, x_T):
    """Calls of one forward and backward pass, after others that plan, compile and allocate."""
    grad_T = torch.ones_like(x_T)
    for _ in range(3):
        layer(x_T).backward(grad_T)
    with Counted() as counted:
        layer(x_T).backward(grad_T)
    return {"python": counted.python, "all": counted.all}


def inference_calls_of(layer, x_T):
    with torch.no_grad():
        for _ in range(3):
            layer(x_T)
        with Counted() as counted:
            layer(x_T)
    return {"python": counted.python, "all": counted.all}


def counts():
    x_T = torch.randn(4, 2, 8, 3, 3, requires_grad=True)
    bn, fused = BN(8), LIF()
    training = {
        "relu": nn.ReLU(),
        "lif": LIF(),
        "lif soft": LIF(reset="soft", v_init=0.2),
        "cf": CF(),
        "plif": PLIF(),
        "lif tsg": LIF(TSG(num_steps=4)),
        "dsatgo": DSATGO(num_steps=4),
        "dsatgo eval": DSATGO(num_steps=4).eval(),
        "norm and relu": nn.Sequential(BN(8), nn.ReLU()),
        "norm and lif": lambda x_T: norm_and_neuron(bn, fused, x_T),
    }
    found = {name: calls_of(layer, x_T) for name, layer in training.items()}
    inference = {"relu": nn.ReLU(), "lif": LIF()}
    return found | {f"{name} inference": inference_calls_of(layer, x_T) for name, layer in inference.items()}


def moved(tensor, offset):
    """The same numbers and strides, with an address that is `offset` elements further into its memory."""
    memory = torch.empty(tensor.numel() + 64, dtype=tensor.dtype)
    return memory[offset:].as_strided(tensor.shape, tensor.stride()).copy_(tensor)


def addressed(arguments):
    return [value.data_ptr() if isinstance(value, torch.Tensor) else value for value in arguments]


def checked_launches():
    """Calls layers on tensors at many addresses, and compares each launch with what Triton itself would launch.

    Returns how many launches were compared, how many of them Triton had no part in, and how many kernels there were.
    """
    seen, kernels = [0, 0], set()
    plain = launcher.Launch.__call__

    def check(launch, *tensors, step=None):
        global launches
        known, launches = len(launch._compiled), []
        plain(launch, *tensors, step=step)
        if launcher._only_compiles.get():
            assert launches == []
            launches = None
            return
        steps = () if step is None else (step,)
        launch._first(*tensors, *steps, *launch._numbers, **launch._constants)
        (direct, wanted), launches = launches, None
        assert direct[0] is wanted[0], (direct[0].key, wanted[0].key)
        assert direct[1] == (*wanted[1], 1, 1)[:3]
        assert addressed(direct[2]) == addressed(wanted[2])
        seen[0] += 1
        seen[1] += len(launch._compiled) == known
        kernels.add(direct[0].key)

    launcher.Launch.__call__ = check
    norm = BN(16)
    layers = [LIF(), PLIF(), LIF(TSG(num_steps=20)), DSATGO(num_steps=20), DSATGO(num_steps=20).eval(), CF()]
    layers.append(lambda x_T: norm_and_neuron(norm, layers[0], x_T, x_T.detach().clone()))
    random = torch.Generator().manual_seed(0)
    for shape in ((1, 2, 16, 1, 1), (3, 1, 16, 5, 1), (2, 3, 16, 4, 4), (19, 1, 16, 3, 3)):
        for layout in (lambda x_T: x_T, lambda x_T: x_T.transpose(2, 4).contiguous().transpose(2, 4)):
            for dtype in (torch.float32, torch.bfloat16):
                x_T = layout(torch.randn(shape, generator=random)).to(dtype)
                for layer in layers:
                    for turn in range(8):
                        if isinstance(layer, nn.Module):
                            layer.to(torch.float32 if turn % 3 else torch.bfloat16)  # what it has learned
                        far, farther = torch.randint(0, 17, (2,), generator=random).tolist()
                        leaf = moved(x_T, far).requires_grad_()
                        layer(leaf).backward(moved(x_T, farther))
    launcher.Launch.__call__ = plain
    return {"launches": seen[0], "direct": seen[1], "kernels": len(kernels)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    stub()
    print(json.dumps({"counts": counts(), "launches": checked_launches()}))  # noqa: T201
