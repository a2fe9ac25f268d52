"""Saves spikes for the backward pass as bits: 1 per spike of a binary neuron, 2 or 4 with several output levels."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef

from snnlab.kernels.bits import bits_of, pack, unpack
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.neurons.base_output import watch_output


@dataclass
class _Spikes:
    """The memory of a neuron's output; packed when it is first saved, and shared by all operations that save it.

    Attributes:
        output_range: the least and the greatest number in it.
        version: version counter of in-place writes.
        dtype: dtype of its numbers, of which there are `count`.
        packed: packed bytes.
        fits: whether all its numbers are integers in that range.
    """

    output_range: tuple[int, int]
    version: int
    dtype: torch.dtype
    count: int
    packed: Tensor | None = None
    fits: bool = True


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
    is packed into bits, once for all operations that save it. The backward pass unpacks identical numbers, so gradients
    are bit-identical. All other tensors are saved unpacked. On a GPU a number outside the range raises a device-side
    error, because a check on the host would synchronise.
    """
    known: dict[StorageWeakRef, _Spikes] = {}
    neurons = (module for module in model.modules() if isinstance(module, MembraneNeuron))
    handles = [watch_output(one, _noting(one, known)) for one in neurons if _is_packable(one)]

    def save(tensor: Tensor) -> _View | _AsIs:
        spikes = known.get(_memory(tensor))
        if spikes is None or not _packed(spikes, tensor):
            return _AsIs(tensor, tensor._version)
        return _View(spikes, tensor.shape, tensor.stride(), int(tensor.storage_offset()))

    try:
        with torch.autograd.graph.saved_tensors_hooks(save, _restore):
            yield
    finally:
        for handle in handles:
            handle.remove()


def _is_packable(neuron: MembraneNeuron) -> bool:
    return neuron.surrogate.plain_step and bits_of(neuron.output_range) is not None


def _memory(tensor: Tensor) -> StorageWeakRef:
    """Returns a unique identifier of the memory of a tensor that does not keep the memory alive."""
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]  # untyped in torch


def _noting(neuron: MembraneNeuron, known: dict[StorageWeakRef, _Spikes]) -> Callable[[Tensor], None]:
    def note(spikes_T: Tensor) -> None:
        count = spikes_T.untyped_storage().nbytes() // spikes_T.element_size()
        known[_memory(spikes_T)] = _Spikes(neuron.output_range, spikes_T._version, spikes_T.dtype, count)

    return note


def _packed(spikes: _Spikes, tensor: Tensor) -> bool:
    """Packs the memory of a tensor unless that is done already, and returns whether the bits are available."""
    if tensor._version != spikes.version or tensor.dtype != spikes.dtype:
        return False
    if spikes.packed is None and spikes.fits:
        spikes.packed = pack(tensor.as_strided((spikes.count,), (1,), 0), spikes.output_range)
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
    flat = unpack(spikes.packed, spikes.count, spikes.dtype, spikes.output_range)
    return flat.as_strided(saved.size, saved.stride, saved.offset)
