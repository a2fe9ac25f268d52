"""Saves spikes for the backward pass as bits: 1 per spike of a binary neuron, 2 or 4 with several output levels.

What a pool makes of spikes has few levels too: the greatest of several spikes is a spike, and the mean of 2 x 2 binary
spikes is one of 0, 1/4, .., 1, five levels or 4 bits. Which tensors are such a result is known without looking at
values: a pool whose settings guarantee it was given the memory of spikes, which nobody has written to since.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef

from snnlab.kernels.bits import pack, unpack
from snnlab.kernels.levels import Levels, bits_of
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.neurons.base_output import watch_output


@dataclass
class _Spikes:
    """The memory of spikes or of what a pool made of them; packed when first saved, shared by all that save it.

    Attributes:
        levels: all values that its numbers may have.
        version: version counter of in-place writes.
        dtype: dtype of its numbers, of which there are `count`.
        packed: packed bytes.
        fits: whether all its numbers are levels; on a GPU unknown, see `_Known.wrong`.
    """

    levels: Levels
    version: int
    dtype: torch.dtype
    count: int
    packed: Tensor | None = None
    fits: bool = True


@dataclass
class _Known:
    """The memory of all spikes of the forward passes in a block, and whether a GPU has found a number that is none.

    Attributes:
        spikes: by memory.
        wrong: for each GPU a number that is 1 after something else than a level has been packed.
    """

    spikes: dict[StorageWeakRef, _Spikes] = field(default_factory=dict)
    wrong: dict[torch.device, Tensor] = field(default_factory=dict)

    def note(self, tensor: Tensor, levels: Levels) -> None:
        """Remembers that all numbers in the memory of a tensor are levels."""
        count = tensor.untyped_storage().nbytes() // tensor.element_size()
        self.spikes[_memory(tensor)] = _Spikes(levels, tensor._version, tensor.dtype, count)

    def find(self, tensor: Tensor) -> _Spikes | None:
        """Returns the spikes that a tensor is a view of; None if it is not, or they have been written to since."""
        spikes = self.spikes.get(_memory(tensor))
        same = spikes is not None and (tensor._version, tensor.dtype) == (spikes.version, spikes.dtype)
        return spikes if same else None

    def flag(self, device: torch.device) -> Tensor | None:
        """Returns the number `wrong` of a GPU; None for the CPU, which looks at once."""
        if device.type == "cpu":
            return None
        if device not in self.wrong:
            self.wrong[device] = torch.zeros(1, dtype=torch.int32, device=device)
        return self.wrong[device]

    def check(self) -> None:
        """Makes each GPU fail if a number was no level, without waiting for it."""
        for wrong in self.wrong.values():
            torch._assert_async(wrong == 0, "a neuron's output that is kept as bits is none of its levels")


@dataclass(frozen=True)
class _View:
    """A saved tensor that is a view of spikes."""

    spikes: _Spikes
    size: torch.Size
    stride: tuple[int, ...]
    offset: int


@dataclass(frozen=True)
class _AsIs:
    """Any other saved tensor, and its version counter when it was saved."""

    tensor: Tensor
    version: int


@contextmanager
def packed_spikes(model: nn.Module) -> Iterator[None]:
    """Makes forward passes inside the block save spikes for the backward pass as bits.

        with packed_spikes(model):
            logits_TBK = model(x_TBCHW)
        loss(logits_TBK).backward()

    Convolutions, linear layers, pools and residual additions save their input. If that is the output of a neuron with a
    membrane potential, has not been written to since, and contains only integers within the neuron's `output_range`, it
    is packed into bits, once for all operations that save it. So is what a max pool makes of it, or an average pool
    over 2, 4, 8, .. pixels. The backward pass unpacks identical numbers, so gradients are bit-identical. All other
    tensors are saved unpacked. On a GPU, where looking at values would wait for it, only neurons that inherit their
    forward pass are packed, and a number that is no level nevertheless is a device-side error.
    """
    known = _Known()
    handles = []
    for module in model.modules():
        if isinstance(module, MembraneNeuron) and _is_packable(module):
            handles.append(watch_output(module, _noting(module, known)))
        elif _pooled(module, Levels(0, 1)) is not None:
            handles.append(module.register_forward_hook(_noting_pool(known)))

    def save(tensor: Tensor) -> _View | _AsIs:
        spikes = known.find(tensor)
        if spikes is None or not _packed(spikes, tensor, known):
            return _AsIs(tensor, tensor._version)
        return _View(spikes, tensor.shape, tensor.stride(), int(tensor.storage_offset()))

    try:
        with torch.autograd.graph.saved_tensors_hooks(save, _restore):
            yield
        known.check()
    finally:
        for handle in handles:
            handle.remove()


def _is_packable(neuron: MembraneNeuron) -> bool:
    return neuron.surrogate.plain_step and bits_of(Levels(*neuron.output_range)) is not None


def _memory(tensor: Tensor) -> StorageWeakRef:
    """Returns a unique identifier of the memory of a tensor that does not keep the memory alive."""
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]  # untyped in torch


def _noting(neuron: MembraneNeuron, known: _Known) -> Callable[[Tensor], None]:
    levels = Levels(*neuron.output_range)
    kind = type(neuron)
    as_written = (kind.forward, kind.forward_with_state) == (
        MembraneNeuron.forward,
        MembraneNeuron.forward_with_state,
    )

    def note(spikes_T: Tensor) -> None:
        if as_written or spikes_T.device.type == "cpu":
            known.note(spikes_T, levels)

    return note


def _noting_pool(known: _Known) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
    def note(pool: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        spikes = known.find(args[0]) if len(args) == 1 else None
        if spikes is not None and spikes.fits and (levels := _pooled(pool, spikes.levels)) is not None:
            known.note(output, levels)

    return note


def _pooled(module: nn.Module, levels: Levels) -> Levels | None:
    """Returns the levels of a pool of levels; None if the module is no pool, or would need more than 8 bits."""
    if type(module) is nn.MaxPool2d and not module.return_indices:
        return levels
    if type(module) is not nn.AvgPool2d or module.ceil_mode or module.divisor_override is not None:
        return None
    height, width = _pair(module.kernel_size)
    area = height * width
    if any(_pair(module.padding)) or area & (area - 1):
        return None
    pooled = Levels(levels.low * area, levels.high * area, levels.parts * area)
    return None if bits_of(pooled) is None else pooled


def _pair(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else size


def _packed(spikes: _Spikes, tensor: Tensor, known: _Known) -> bool:
    """Packs the memory of a tensor unless that is done already, and returns whether the bits are available."""
    if spikes.packed is None and spikes.fits:
        flat = tensor.as_strided((spikes.count,), (1,), 0)
        spikes.packed = pack(flat, spikes.levels, known.flag(tensor.device))
        spikes.fits = spikes.packed is not None
    return spikes.fits


def _restore(saved: _View | _AsIs) -> Tensor:
    if isinstance(saved, _AsIs):
        # Without hooks autograd checks that itself.
        if saved.tensor._version != saved.version:
            raise RuntimeError(
                "a tensor that the backward pass needs has been modified by an inplace operation"
            )
        return saved.tensor
    spikes = saved.spikes
    assert spikes.packed is not None
    flat = unpack(spikes.packed, spikes.count, spikes.dtype, spikes.levels)
    return flat.as_strided(saved.size, saved.stride, saved.offset)
