"""The class Tensor: each attribute, operator and method once; the longer ones are in files by theme."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, Self, overload

from npg import dtypes, functional as F
from npg._naming import is_own
from npg.engine import TensorBase, register_tensor_class, wrap
from npg.functional._arguments import dim_index
from npg.functional._attributes import CPU, META, Size, device, strided
from npg.functional._public import augmented, operator, public_function, reflected
from npg.functional.indexing import getitem, setitem
from npg.functional.transpose import (
    conjugate_transpose,
    matrix_conjugate_transpose,
    matrix_transpose,
    reversed_dims,
)
from npg.kernels.meta import MetaArray
from npg.ops import comparison, division, elementwise
from npg.tensor import constructing, conversion, gradients, graph, operators
from npg.tensor.late import casts, copies, exchange, layouts, memory, printing
from npg.tensor.methods import METHODS, Methods

_new_tuple = tuple.__new__
_requires_grad = TensorBase.requires_grad
# The getter of a property or of a C descriptor.
_get_requires_grad: Any = getattr(_requires_grad, "fget", None) or _requires_grad.__get__


class Tensor(Methods):
    """A multi-dimensional array that can record the operations on it.

    Calls:
        Tensor(): an empty tensor of the default dtype.
        Tensor(2, 3): uninitialised, of these sizes and the default dtype.
        Tensor([[1, 2], [3, 4]]): the data in the default dtype.
        Tensor(ndarray): the default dtype too; shares the memory of an ndarray that has it.
        Tensor(tensor): shares the memory and keeps the dtype.

    Args:
        data: sizes, nested sequences of numbers, an ndarray or a tensor.
        requires_grad: record operations on the tensor, for its gradient.
        device: None or the CPU.
    Raises: TypeError, ValueError: for data that is not numeric, or ragged.
    Source: torch.Tensor; requires_grad is npg's.
    """

    locals().update(METHODS)

    __array_priority__ = 1000
    __module__ = "npg"

    # Not __init__: a subclass may have a __new__ of its own, with other arguments, and then has nothing to initialise.
    def __new__(
        cls, *args: Any, data: Any = None, size: Any = None, requires_grad: builtins.bool = False, device: Any = None
    ) -> Self:
        arguments = args if data is None else (*args, data)
        tensor = TensorBase.__new__(cls)
        dtype = dtypes.get_default_dtype().dtype
        tensor._set_array(constructing.constructed(arguments, size, dtype, keep=True, device=device))
        if requires_grad:
            tensor.requires_grad = True
        return tensor

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
        """Where the tensor lives: the CPU, or the device "meta" for one without data."""
        return META if isinstance(self._array, MetaArray) else CPU

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
        """The strides in bytes, as of an ndarray; see stride()."""
        return self._array.strides

    @property
    def is_cpu(self) -> builtins.bool:
        """Whether the tensor lives on the CPU."""
        return not isinstance(self._array, MetaArray)

    @property
    def is_meta(self) -> builtins.bool:
        """Whether the tensor has no data."""
        return isinstance(self._array, MetaArray)

    layout = strided
    is_cuda = is_sparse = is_quantized = is_mps = is_xpu = is_nested = False
    is_sparse_csr = is_mkldnn = is_xla = is_ipu = is_vulkan = is_mtia = is_maia = False

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
        """Raise RuntimeError: npg has no complex numbers."""
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
    is_contiguous = conversion.is_contiguous
    contiguous = conversion.contiguous
    storage = memory.storage
    untyped_storage = memory.untyped_storage
    _typed_storage = memory.storage
    resize_ = memory.resize_
    resize_as_ = memory.resize_as_
    resize = memory.resize
    set_ = memory.set_
    apply_ = memory.apply_
    map_ = memory.map_
    is_set_to = memory.is_set_to
    share_memory_ = memory.share_memory_
    is_shared = memory.is_shared
    is_pinned = memory.is_pinned
    pin_memory = memory.pin_memory
    get_device = memory.get_device
    dim_order = memory.dim_order
    record_stream = memory.record_stream

    # ----- Other layouts: every tensor is strided -----

    sparse_dim = layouts.sparse_dim
    dense_dim = dim
    to_dense = layouts.to_dense
    is_coalesced = layouts.is_coalesced
    coalesce = layouts.coalesce
    indices = layouts.indices
    values = layouts.values
    crow_indices = layouts.crow_indices
    col_indices = layouts.col_indices
    ccol_indices = layouts.ccol_indices
    row_indices = layouts.row_indices

    # ----- Kinds -----

    def is_floating_point(self) -> builtins.bool:
        """Tell whether the dtype is float16, float32 or float64."""
        return self._array.dtype.kind == "f"

    def is_complex(self) -> builtins.bool:
        """Return False: npg has no complex dtypes."""
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

    requires_grad_ = graph.requires_grad_

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward() has accumulated, or None; reading None from a non-leaf gives a warning."""
        grad = self._grad
        if grad is None and self._fn is not None and not self._retains:
            graph.warn_of_no_grad()
        return grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        graph.check_grad(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def data(self) -> Tensor:
        """A tensor on the same memory without history; writes through it bump no version."""
        return wrap(self._array)

    @data.setter
    def data(self, value: Tensor) -> None:
        graph.check_data(self, value)
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
        Raises: RuntimeError: when there is no graph, it was freed, or shapes do not fit.
        Source: torch.Tensor.backward; starting a non-scalar from ones is npg's.
        """
        gradients.backward((self,), gradient, retain_graph, create_graph, inputs=inputs)

    @property
    def _version(self) -> builtins.int:
        """The number of in-place writes to this tensor's memory, by itself or a view.

        Raises: RuntimeError: for a tensor made in inference mode. Source: torch.Tensor._version.
        """
        if self._inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._counter.value

    def _is_view(self) -> builtins.bool:
        """Tell whether this tensor is a view of another one, `_base`. Source: torch.Tensor._is_view."""
        return self._base is not None

    detach_ = graph.detach_

    # ----- Operators -----

    if TYPE_CHECKING:  # implemented by the engine, see operators.py

        def __add__(self, other: Any) -> Self: ...
        def __radd__(self, other: Any) -> Self: ...
        def __sub__(self, other: Any) -> Self: ...
        def __rsub__(self, other: Any) -> Self: ...
        def __mul__(self, other: Any) -> Self: ...
        def __rmul__(self, other: Any) -> Self: ...
        def __truediv__(self, other: Any) -> Self: ...
        def __rtruediv__(self, other: Any) -> Self: ...
        def __neg__(self) -> Self: ...

    __abs__ = operator(elementwise.abs)
    __iadd__ = augmented(elementwise.add)
    __isub__ = augmented(elementwise.sub)
    __imul__ = augmented(elementwise.mul)
    __itruediv__ = augmented(division.div)
    __floordiv__ = operator(division.floor_divide)
    __rfloordiv__ = reflected(division.floor_divide)
    __ifloordiv__ = augmented(division.floor_divide)
    __rmod__ = reflected(division.remainder)
    __rpow__ = reflected(elementwise.rpow)
    __and__ = operator(comparison.bitwise_and)
    __rand__ = reflected(comparison.bitwise_and)
    __iand__ = augmented(comparison.bitwise_and)
    __or__ = operator(comparison.bitwise_or)
    __ror__ = reflected(comparison.bitwise_or)
    __ior__ = augmented(comparison.bitwise_or)
    __xor__ = operator(comparison.bitwise_xor)
    __rxor__ = reflected(comparison.bitwise_xor)
    __ixor__ = augmented(comparison.bitwise_xor)
    __lshift__ = operator(comparison.bitwise_left_shift)
    __rlshift__ = reflected(comparison.bitwise_left_shift)
    __ilshift__ = augmented(comparison.bitwise_left_shift)
    __rshift__ = operator(comparison.bitwise_right_shift)
    __rrshift__ = reflected(comparison.bitwise_right_shift)
    __irshift__ = augmented(comparison.bitwise_right_shift)
    __eq__ = operator(comparison.eq)  # type: ignore[assignment]  # object has bools
    __ne__ = operator(comparison.ne)  # type: ignore[assignment]
    __lt__ = operator(comparison.lt)
    __le__ = operator(comparison.le)
    __gt__ = operator(comparison.gt)
    __ge__ = operator(comparison.ge)
    __hash__ = object.__hash__  # by identity: == compares the elements
    __mod__ = operators.mod
    __imod__ = operators.imod
    __pow__ = operators.pow
    __ipow__ = operators.ipow
    __pos__ = operators.pos
    __invert__ = operators.invert
    __matmul__ = operators.matmul
    __rmatmul__ = operators.rmatmul

    # ----- As a container -----

    __getitem__ = getitem
    __setitem__ = setitem

    __len__ = operators.length
    __iter__ = operators.iterator
    __reversed__ = operators.backwards
    __contains__ = operators.contains

    # ----- As a number -----

    __bool__ = conversion.truth
    item = conversion.item
    tolist = conversion.tolist
    __int__ = conversion.to_int
    __float__ = conversion.to_float
    __complex__ = conversion.to_complex
    __index__ = conversion.to_index

    __format__ = printing.tensor_format

    def __repr__(self) -> str:
        return printing.tensor_repr(self)

    # ----- Other dtypes -----

    to = conversion.to
    type = conversion.type_
    type_as = casts.type_as
    float = casts.float
    double = casts.double
    half = casts.half
    bfloat16 = casts.bfloat16
    chalf = casts.chalf
    cfloat = casts.cfloat
    cdouble = casts.cdouble
    long = casts.long
    int = casts.int
    short = casts.short
    char = casts.char
    byte = casts.byte
    bool = casts.bool
    cpu = casts.cpu
    cuda = casts.cuda
    xpu = casts.xpu
    mtia = casts.mtia
    ipu = casts.ipu

    # ----- New tensors like this one -----

    new = constructing.new
    new_tensor = constructing.new_tensor
    new_zeros = constructing.new_zeros
    new_ones = constructing.new_ones
    new_full = constructing.new_full
    new_empty = constructing.new_empty
    new_empty_strided = constructing.new_empty_strided

    def where(self, condition: Tensor, other: Any) -> Tensor:
        """Return this tensor where the condition holds, else other."""
        return F.where(condition, self, other)

    # ----- Exchange -----

    numpy = to_numpy = conversion.numpy  # Matplotlib asks for to_numpy()
    __array__ = conversion.array
    __dlpack__ = exchange.to_dlpack
    astype = conversion.astype
    copy = conversion.copy
    tobytes = conversion.tobytes

    def __dlpack_device__(self) -> tuple[builtins.int, builtins.int]:
        if self.is_meta:
            raise ValueError("Unknown device type meta for Dlpack")
        return (1, 0)  # kDLCPU

    # Imported on NumPy's first call: most programs need no protocol, and `import npg` stays fast.

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
        if not is_own(cls.__module__):
            from npg.tensor import overriding  # only loaded for such classes

            overriding.adopt(Tensor, cls)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return copies.reduce(self, protocol)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


register_tensor_class(Tensor)
