"""The types of a tensor's attributes: Size, device, layout, memory_format.

They are here because PyTorch programs name them. npg computes on the CPU, in strided memory; other devices can be named
but not used.
"""

from __future__ import annotations

import operator
import re
import threading
from typing import Any, SupportsIndex, overload

from npg import _naming

NO_CUDA = "Torch not compiled with CUDA enabled"
# What PyTorch's CPU build says about the devices that it knows and lacks.
NOT_COMPILED = {
    "cuda": NO_CUDA,
    "xpu": "Torch not compiled with XPU enabled",
    "mtia": (
        "Torch not compiled with MTIA enabled. Ensure you have `import mtia.host_runtime.torch_mtia.dynamic_library` "
        "in your python src file and include `//mtia/host_runtime/torch_mtia:torch_mtia` as your target dependency!"
    ),
}


# ----- Size -----


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple of ints with `numel()`.

    Raises: TypeError: when an item is no integer.
    Source: torch.Size.
    """

    __slots__ = ()

    def __new__(cls, sizes: Any = ()) -> Size:
        if not hasattr(sizes, "__iter__"):
            raise TypeError(_naming.named(f"npg.Size() takes an iterable of 'int', not '{type(sizes).__name__}'"))
        size = tuple.__new__(cls, sizes)
        for i, n in enumerate(size):
            if type(n) is not int:
                try:
                    return tuple.__new__(cls, [operator.index(k) for k in size])
                except TypeError:
                    kind = type(n).__name__
                    raise TypeError(
                        _naming.named(f"npg.Size() takes an iterable of 'int' (item {i} is '{kind}')")
                    ) from None
        return size

    def numel(self) -> int:
        """Return the number of elements of a tensor of this shape."""
        n = 1
        for k in self:
            n *= k
        return n

    def __repr__(self) -> str:
        return f"{_naming.library}.Size([{', '.join(map(str, self))}])"

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Size: ...
    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return tuple.__new__(Size, item) if type(item) is tuple else item

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, other)) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other: Any) -> Size:
        return Size(tuple(other) + tuple(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: SupportsIndex) -> Size:
        return tuple.__new__(Size, tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self) -> tuple[Any, ...]:
        return Size, (tuple(self),)


# ----- Device -----

_TYPES = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy",
    "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip


class device:
    """The device of a tensor: the CPU, or "meta" for one without data. Asking for another one raises a clear error.

    Args:
        type: "cpu", "cuda:0", ... or a device.
        index: the ordinal, where `type` does not hold it.
    Raises: RuntimeError: for a name that is no device type of PyTorch.
    Source: torch.device. Unlike PyTorch's it also equals its name: `x.device == "cpu"`.
    """

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, type: str | device, index: int | None = None) -> None:
        if isinstance(type, device):
            self.type, self.index = type.type, type.index
            return
        if isinstance(type, int) and not isinstance(type, bool):
            raise RuntimeError("Cannot access accelerator device when none is available.")
        if not isinstance(type, str):
            raise TypeError(f"device(): argument 'type' (position 1) must be str, not {type.__class__.__name__}")
        if not type:
            raise RuntimeError("Device string must not be empty")
        name, colon, ordinal = type.partition(":")
        is_ordinal = ordinal.isdecimal() and (ordinal[0] != "0" or len(ordinal) == 1)
        if not re.fullmatch("[a-zA-Z_]+", name) or (colon and not is_ordinal):
            raise RuntimeError(f"Invalid device string: '{type}'")
        if colon and index is not None:
            raise RuntimeError(f"type (string) must not include an index because index was passed explicitly: {type}")
        if index is not None and index < 0:
            raise RuntimeError("Device index must not be negative")
        if name not in _TYPES:
            raise RuntimeError(f"Expected one of {', '.join(_TYPES)} device type at start of device string: {name}")
        self.type = name
        self.index = int(ordinal) if colon else index

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        ordinal = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{ordinal})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, device):
            return self.type == other.type and self.index == other.index
        if isinstance(other, str):
            return str(self) == other
        return NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))  # equal to its name, so it hashes like it

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type, self.index)

    def __enter__(self) -> device:
        DEFAULTS.append((this_thread(), self))
        return self

    def __exit__(self, *exc: object) -> None:
        thread = this_thread()
        for i in range(len(DEFAULTS) - 1, -1, -1):
            if DEFAULTS[i] == (thread, self):
                del DEFAULTS[i]
                return


CPU = device("cpu")
META = device("meta")  # of tensors without data: npg/kernels/meta.py


def place_of(argument: Any) -> device:
    """Return CPU or META, the devices that npg has, for None (the CPU), a name or a device.

    Raises: AssertionError: for CUDA, XPU and MTIA, as PyTorch's CPU build does. RuntimeError: for any other.
    """
    if argument is None or argument is CPU or argument == "cpu":
        return CPU
    target = argument if isinstance(argument, device) else device(argument)
    if target.type in NOT_COMPILED:
        raise AssertionError(NOT_COMPILED[target.type])
    if target.type == "meta":
        return META
    if target.type != "cpu":
        raise RuntimeError(f"npg computes on the CPU, got device {str(target)!r}; use device='cpu'")
    return CPU


def check_device(argument: Any) -> None:
    """Raise when `argument` (None, a name or a device) is not the CPU; see place_of."""
    if place_of(argument) is not CPU:
        raise RuntimeError(f"expected the CPU, got device {str(argument)!r}; use device='cpu'")


# ----- The default device -----

# (thread, device) of `with device(...)` blocks and of set_default_device, the innermost last. Nearly always empty,
# which is all that a function that makes a tensor looks at.
DEFAULTS: list[tuple[object, device]] = []
_local = threading.local()


def this_thread() -> object:
    """Return an object that stands for this thread; the number of a thread is used again when it has ended."""
    if not hasattr(_local, "token"):
        _local.token = object()
    return _local.token


def default_device() -> device:
    """Return the device on which this thread makes tensors: a device that is not there can be chosen, not used."""
    thread = this_thread()
    return next((chosen for owner, chosen in reversed(DEFAULTS) if owner == thread), CPU)


def get_default_device() -> device:
    """Return the default device: the CPU, or the device "meta", whose tensors have no data.

    Raises: AssertionError, RuntimeError: when the device of set_default_device or of a block is not there.
    Source: torch.get_default_device.
    """
    return place_of(default_device())


def set_default_device(device: Any) -> None:
    """Choose the device on which this thread makes tensors; on one that is not there, making a tensor raises.

    Args:
        device: a name or a device; None: the CPU.
    Source: torch.set_default_device.
    """
    chosen = device if device is None or isinstance(device, _device) else _device(device)
    thread = this_thread()
    before, _local.chosen = getattr(_local, "chosen", None), None
    if before is not None:
        DEFAULTS.remove((thread, before))
    if chosen is not None and chosen.type != "cpu":
        _local.chosen = chosen
        DEFAULTS.insert(0, (thread, chosen))


_device = device


# ----- Layout and memory format -----


class layout:
    """The memory layout of a tensor; npg has `npg.strided` only."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"{_naming.library}.{self._name}"

    def __reduce__(self) -> str:
        return self._name


class memory_format(layout):
    """The order of dimensions in memory, such as npg.contiguous_format or npg.channels_last."""

    __slots__ = ()


strided = layout("strided")
# Layouts of which npg has no tensors: names to compare with.
sparse_coo, sparse_csr, sparse_csc = layout("sparse_coo"), layout("sparse_csr"), layout("sparse_csc")
sparse_bsr, sparse_bsc, jagged, _mkldnn = map(layout, ("sparse_bsr", "sparse_bsc", "jagged", "_mkldnn"))
contiguous_format = legacy_contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")


def check_memory_format(name: str, argument: Any) -> None:
    """Raise TypeError when the argument memory_format of the function `name` is neither None nor a memory format."""
    if argument is not None and not isinstance(argument, memory_format):
        kind = type(argument).__name__
        raise TypeError(_naming.named(f"{name}(): argument 'memory_format' must be npg.memory_format, not {kind}"))
