"""The class Tensor. Its operators stand in operators.py, the methods it takes from npg.functional in methods.py."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Iterator
from typing import Any, Self, overload

import numpy as np

from npg import dtypes, functional as F
from npg.engine import TensorBase, register_tensor_class, wrap
from npg.functional._arguments import dim_index
from npg.functional._attributes import (
    CPU,
    NO_CUDA,
    Size,
    check_device,
    contiguous_format,
    device,
    preserve_format,
    strided,
)
from npg.functional._public import public_function
from npg.functional.transpose import (
    conjugate_transpose,
    matrix_conjugate_transpose,
    matrix_transpose,
    reversed_dims,
)
from npg.tensor import conversion, copies, exchange, memory
from npg.tensor.constructing import (
    constructed,
    new,
    new_empty,
    new_empty_strided,
    new_full,
    new_ones,
    new_tensor,
    new_zeros,
)
from npg.tensor.gradients import backward
from npg.tensor.operators import Operators
from npg.tensor.printing import tensor_repr

__all__ = ["Tensor"]

_new_tuple = tuple.__new__
_requires_grad = TensorBase.requires_grad
_get_requires_grad: Any = (
    getattr(_requires_grad, "fget", None) or _requires_grad.__get__
)  # a property or a C descriptor


class Tensor(Operators):
    """A multi-dimensional array that can record what is done with it.

    Calls:
        Tensor(): an empty tensor of the default dtype.
        Tensor(2, 3): uninitialised, of these sizes and the default dtype.
        Tensor([[1, 2], [3, 4]]): the data in the default dtype.
        Tensor(ndarray): the default dtype too; shares the memory of an ndarray that has it.
        Tensor(tensor): shares the memory and keeps the dtype.

    Args:
        data: sizes, nested sequences of numbers, an ndarray or a tensor.
        requires_grad: whether a gradient is wanted.
        device: None or the CPU.
    Raises: TypeError, ValueError: for data that is no numbers, or ragged.
    Source: torch.Tensor; requires_grad is npg's.
    """

    __array_priority__ = 1000
    __module__ = "npg"

    # Not __init__: a subclass may have a __new__ of its own, with other arguments, and then has nothing to initialise.
    def __new__(
        cls, *args: Any, data: Any = None, size: Any = None, requires_grad: builtins.bool = False, device: Any = None
    ) -> Self:
        check_device(device)
        given = args if data is None else (*args, data)
        made = TensorBase.__new__(cls)
        made._set_array(constructed(given, size, dtypes.get_default_dtype().dtype, keep=True))
        if requires_grad:
            made.requires_grad = True
        return made

    # ----- Attributes -----

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return _new_tuple(Size, self._array.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type, such as npg.float32."""
        return dtypes._BY_CHAR[self._array.dtype.char]

    @property
    def ndim(self) -> builtins.int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def device(self) -> device:
        """Where the tensor lives: the CPU."""
        return CPU

    @property
    def itemsize(self) -> builtins.int:
        """Bytes per element."""
        return self._array.itemsize

    @property
    def nbytes(self) -> builtins.int:
        """Bytes of all elements."""
        return self._array.nbytes

    @property
    def strides(self) -> tuple[builtins.int, ...]:
        """The steps in bytes from one element to the next along each dimension, as of an ndarray; see stride()."""
        return self._array.strides

    layout = strided
    is_cpu = True
    is_cuda = is_sparse = is_quantized = is_meta = is_mps = is_xpu = is_nested = False
    is_sparse_csr = is_mkldnn = is_xla = is_ipu = is_vulkan = False

    T: Self = property(reversed_dims)  # type: ignore[assignment]
    mT: Self = property(matrix_transpose)  # type: ignore[assignment]
    H: Self = property(conjugate_transpose)  # type: ignore[assignment]
    mH: Self = property(matrix_conjugate_transpose)  # type: ignore[assignment]

    @property
    def real(self) -> Tensor:
        """The tensor itself: npg has no complex numbers."""
        return self

    @property
    def imag(self) -> Tensor:
        """Raises RuntimeError: npg has no complex numbers."""
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")

    # ----- Sizes and memory -----

    @overload
    def size(self) -> Size: ...
    @overload
    def size(self, dim: builtins.int) -> builtins.int: ...
    def size(self, dim: builtins.int | None = None) -> Any:
        """Return the shape, or the size of one dimension."""
        if dim is None:
            return _new_tuple(Size, self._array.shape)
        shape = self._array.shape
        return shape[dim_index("size", dim, len(shape))]

    def dim(self) -> builtins.int:
        """Return the number of dimensions."""
        return self._array.ndim

    ndimension = dim

    def numel(self) -> builtins.int:
        """Return the number of elements."""
        return self._array.size

    nelement = numel

    def element_size(self) -> builtins.int:
        """Return the bytes per element."""
        return self._array.itemsize

    stride = memory.stride
    storage_offset = memory.storage_offset
    data_ptr = memory.data_ptr
    is_contiguous = memory.is_contiguous
    contiguous = conversion.contiguous
    storage = memory.storage
    untyped_storage = memory.untyped_storage
    resize_ = memory.resize_
    resize_as_ = memory.resize_as_
    resize = memory.resize
    set_ = memory.set_
    apply_ = memory.apply_
    map_ = memory.map_
    is_set_to = memory.is_set_to

    def share_memory_(self) -> Tensor:
        """Return self; npg has no memory shared between processes."""
        return self

    def is_shared(self) -> builtins.bool:
        """Tell that the memory is this process's own."""
        return False

    def is_pinned(self, device: Any = None) -> builtins.bool:
        """Tell that the memory is not pinned: only accelerators need that."""
        return False

    def pin_memory(self, device: Any = None) -> Tensor:
        """Raise RuntimeError: only accelerators need pinned memory."""
        raise RuntimeError("Cannot access accelerator device when none is available.")

    def get_device(self) -> builtins.int:
        """Return -1: the tensor is on no accelerator."""
        return -1

    # ----- Kinds -----

    def is_floating_point(self) -> builtins.bool:
        """Tell whether the dtype is float16, float32 or float64."""
        return self._array.dtype.kind == "f"

    def is_complex(self) -> builtins.bool:
        """Tell that the dtype is not complex."""
        return False

    is_conj = is_neg = is_complex

    def is_signed(self) -> builtins.bool:
        """Tell whether the dtype has negative values."""
        return self._array.dtype.kind in "if"

    @public_function
    def is_same_size(self, other: Tensor) -> builtins.bool:
        """Tell whether the shapes are equal."""
        return self._array.shape == other._array.shape

    is_nonzero = conversion.truth

    # ----- The graph -----

    @property
    def requires_grad(self) -> builtins.bool:
        """Whether gradients flow to or through this tensor."""
        return _get_requires_grad(self)

    @requires_grad.setter
    def requires_grad(self, flag: builtins.bool) -> None:
        if not isinstance(flag, builtins.bool):
            raise RuntimeError("requires_grad must be a bool")
        if flag and not self.is_leaf:
            raise RuntimeError("you can only change requires_grad flags of leaf variables.")
        self._set_requires_grad(flag)

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Tensor:
        """Set requires_grad and return self."""
        if not isinstance(requires_grad, builtins.bool):
            kind = type(requires_grad).__name__
            raise TypeError(f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {kind}")
        if requires_grad and self._array.dtype.kind != "f":
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        self._set_requires_grad(requires_grad)
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward() has accumulated, or None; None of a non-leaf comes with a warning."""
        found = self._grad
        if found is None and self._fn is not None and not self._retains:
            memory.warn_of_no_grad()
        return found

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        memory.check_grad(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def data(self) -> Tensor:
        """A tensor on the same memory with no history; changes through it are not noticed."""
        return wrap(self._array)

    @data.setter
    def data(self, value: Tensor) -> None:
        memory.check_data(self, value)
        self._swap_array(value._array)

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradients of this tensor to .grad of the leaves.

        Args:
            gradient: the gradient of this tensor; None: ones.
            retain_graph: keep the graph for another backward; None: as create_graph.
            create_graph: record the backward pass, for gradients of higher order.
            inputs: only these tensors get their gradient in .grad.
        Raises: RuntimeError: when there is no graph, when it was freed, when the shapes do not fit.
        Source: torch.Tensor.backward; starting a non-scalar from ones is npg's.
        """
        backward((self,), gradient, retain_graph, create_graph, inputs=inputs)

    @property
    def _version(self) -> builtins.int:
        """How often this tensor's memory was written in place, by itself or a view.

        Raises: RuntimeError: for a tensor made in inference mode. Source: torch.Tensor._version.
        """
        if self._inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._counter.value

    def _is_view(self) -> builtins.bool:
        """Tell whether this tensor shows another's memory, `_base`'s. Source: torch.Tensor._is_view."""
        return self._base is not None

    def detach_(self) -> Tensor:
        """Take this tensor out of the graph, and return it.

        Raises: RuntimeError: for a view.
        """
        memory.check_detach(self)
        self._detach_in_place()
        return self

    # ----- As a container -----

    __getitem__ = F.getitem
    __setitem__ = F.setitem

    def __len__(self) -> builtins.int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __reversed__(self) -> Tensor:
        return F.flip(self, (0,)) if self._array.ndim else self

    def __contains__(self, element: Any) -> builtins.bool:
        if isinstance(element, (TensorBase, builtins.bool, builtins.int, builtins.float, np.generic)):
            return builtins.bool(F.eq(self, element)._array.any())
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")

    # ----- As a number -----

    __bool__ = conversion.truth
    item = conversion.item
    tolist = conversion.tolist

    def __int__(self) -> builtins.int:
        return builtins.int(conversion.only_element(self))

    def __float__(self) -> builtins.float:
        return builtins.float(conversion.scalar(self))

    def __complex__(self) -> complex:
        return complex(conversion.scalar(self))

    def __index__(self) -> builtins.int:
        array = self._array
        if array.size != 1 or array.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return builtins.int(array.item())

    def __repr__(self) -> str:
        return tensor_repr(self)

    def __format__(self, spec: str) -> str:
        if self._array.ndim == 0:
            return format(self._array.item(), spec)
        if spec:
            raise TypeError("unsupported format string passed to Tensor.__format__")
        return repr(self)

    # ----- Other dtypes -----

    to = conversion.to
    type = conversion.type_

    @public_function
    def type_as(self, other: Tensor) -> Tensor:
        """Return this tensor in the dtype of another."""
        return conversion.converted(self, other._array.dtype)

    def float(self, memory_format: Any = None) -> Tensor:
        """Return this tensor as float32."""
        return conversion.converted(self, np.dtype(np.float32), layout=memory_format)

    def double(self, memory_format: Any = None) -> Tensor:
        """Return this tensor as float64."""
        return conversion.converted(self, np.dtype(np.float64), layout=memory_format)

    def half(self, memory_format: Any = None) -> Tensor:
        """Return this tensor as float16."""
        return conversion.converted(self, np.dtype(np.float16), layout=memory_format)

    def long(self, memory_format: Any = None) -> Tensor:
        """Return this tensor as int64."""
        return conversion.converted(self, np.dtype(np.int64), layout=memory_format)

    def int(self, memory_format: Any = None) -> Tensor:
        """Return this tensor as int32."""
        return conversion.converted(self, np.dtype(np.int32), layout=memory_format)

    def short(self, memory_format: Any = None) -> Tensor:
        """Return this tensor as int16."""
        return conversion.converted(self, np.dtype(np.int16), layout=memory_format)

    def char(self, memory_format: Any = None) -> Tensor:
        """Return this tensor as int8."""
        return conversion.converted(self, np.dtype(np.int8), layout=memory_format)

    def byte(self, memory_format: Any = None) -> Tensor:
        """Return this tensor as uint8."""
        return conversion.converted(self, np.dtype(np.uint8), layout=memory_format)

    def bool(self, memory_format: Any = None) -> Tensor:
        """Return this tensor as bool: what is not zero is True."""
        return conversion.converted(self, np.dtype(np.bool_), layout=memory_format)

    def cpu(self, memory_format: Any = None) -> Tensor:
        """Return this tensor: it is on the CPU."""
        return conversion.converted(self, None, layout=memory_format)

    def cuda(self, device: Any = None, non_blocking: builtins.bool = False, memory_format: Any = None) -> Tensor:
        """Raise AssertionError: npg computes on the CPU."""
        raise AssertionError(NO_CUDA)

    # ----- New tensors like this one -----

    new = new
    new_tensor = new_tensor
    new_zeros = new_zeros
    new_ones = new_ones
    new_full = new_full
    new_empty = new_empty
    new_empty_strided = new_empty_strided

    def where(self, condition: Tensor, other: Any) -> Tensor:
        """Return this tensor where the condition holds, else other."""
        return F.where(condition, self, other)

    # ----- Exchange -----

    numpy = to_numpy = conversion.numpy  # Matplotlib asks for to_numpy()
    __array__ = conversion.array
    __dlpack__ = exchange.to_dlpack
    astype = conversion.astype

    def copy(self, order: str = "C") -> Tensor:
        """Return a copy, recorded, as the method of an ndarray does."""
        return self.clone(memory_format=contiguous_format if order == "C" else preserve_format)

    def tobytes(self, order: Any = "C") -> bytes:
        """Return the bytes of the elements, as the method of an ndarray does."""
        return self.numpy().tobytes(order)

    def __dlpack_device__(self) -> tuple[builtins.int, builtins.int]:
        return (1, 0)  # kDLCPU

    # Imported when NumPy first asks: most programs never do, and `import npg` is to stay quick.

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        from npg.tensor._numpy.protocol import array_ufunc

        return array_ufunc(self, *args, **kwargs)

    def __array_function__(self, *args: Any, **kwargs: Any) -> Any:
        from npg.tensor._numpy.protocol import array_function

        return array_function(self, *args, **kwargs)

    # ----- Copies and subclasses -----

    __deepcopy__ = copies.deepcopy
    __copy__ = copies.shallow_copy
    as_subclass = copies.as_subclass
    _make_subclass = staticmethod(copies.make_subclass)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.partition(".")[0] == "npg":  # Parameter: what is computed from it is a plain Tensor
            cls._plain_results = True
        elif not cls._plain_results:
            cls.__bases__ = tuple(_between() if b is Tensor else b for b in cls.__bases__)

    _plain_results = False

    def __reduce_ex__(self, protocol: Any) -> Any:
        return copies.reduce(self, protocol)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


@functools.cache
def _between() -> Any:
    """Return the base of the classes that users derive from Tensor, made when there is the first; see result_class."""
    return copies.result_class(Tensor)


register_tensor_class(Tensor)
