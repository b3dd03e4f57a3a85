"""Parameter and Buffer: tensors that a module registers when they are assigned to it."""

from __future__ import annotations

from typing import Any

from npg import _naming
from npg._naming import named
from npg._words import type_name
from npg.creation import empty, from_numpy
from npg.tensor import Tensor

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


def _given(data: Any, kind: str) -> Tensor:
    source = empty(0) if data is None else data
    if not isinstance(source, Tensor):
        raise TypeError(f"expected a Tensor as the data of a {kind}, got {type_name(source)}")
    return source


class Parameter(Tensor):
    """A leaf tensor that requires grad; assigned to a module's attribute, it becomes one of the module's parameters.

    Args:
        data: the tensor to show; the buffer is shared. None gives an empty tensor.
        requires_grad: whether to compute its gradient.
    Raises: TypeError: for data that is no tensor. RuntimeError: when integers are to require grad, or, outside
        inference mode, a tensor made in it.
    Source: torch.nn.Parameter.
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        source = _given(data, "Parameter")
        if not isinstance(requires_grad, bool):
            raise TypeError(f"expected requires_grad to be bool, got {type(requires_grad).__name__}")
        if requires_grad and not source.is_floating_point():
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        parameter = Tensor.__new__(cls)
        parameter._set_array(source._array)
        parameter._share_version(source)
        parameter._inference = source._inference
        parameter._set_requires_grad(requires_grad)
        return parameter

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        pass

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        copied: Parameter = memo[id(self)]
        return copied


class _BufferMeta(type(Tensor)):  # type: ignore[misc]
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(metaclass=_BufferMeta):
    """Return a tensor that, assigned to a module's attribute, becomes one of its buffers.

    It is a plain Tensor with a mark, which is kept by copies and pickles.

    Args:
        data: the tensor to show; the buffer is shared. None gives an empty tensor.
        persistent: whether it is part of the module's state_dict.
    Raises: TypeError: for data that is no tensor.
    Source: torch.nn.Buffer.
    """

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        source = _given(data, "Buffer")
        buffer: Any = source.detach().requires_grad_(source.requires_grad)
        buffer.persistent, buffer._is_buffer = persistent, True
        return buffer


# ----- Without a shape yet -----

_NO_SHAPE = (
    "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` "
    "when trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the "
    "parameters before accessing their attributes."
)
_NOT_SHARED = (
    "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters before "
    "calling `module.share_memory()`."
)
# The slot of the array; None in the engine in Python, where it is an attribute of the instance.
_SLOT: Any = next((vars(owner)["_array"] for owner in Tensor.__mro__ if "_array" in vars(owner)), None)


def _held(tensor: Any) -> Any:
    return tensor.__dict__["_array"] if _SLOT is None else _SLOT.__get__(tensor)


def _hold(tensor: Any, array: Any) -> None:
    if _SLOT is None:
        tensor.__dict__["_array"] = array
    else:
        _SLOT.__set__(tensor, array)


def _refusing(name: str) -> Any:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        text = named(
            f"Attempted to use an uninitialized parameter in {name}. This error happens when you are using a "
            f"`LazyModule` or explicitly manipulating `npg.nn.parameter.{type(self).__name__}` objects. When using "
            "LazyModules Call `forward` with a dummy batch to initialize the parameters before calling "
        )
        raise ValueError(f"{text}{_naming.library} functions")

    return refuse


class UninitializedTensorMixin(Tensor):
    """A tensor that has a dtype but no shape yet; all that would need one is refused."""

    cls_to_become: type[Any]

    # Functions read the array here, the engine where _held does.
    _array = property(_refusing("a function"), _hold)

    @property
    def data(self) -> Tensor:
        """An empty tensor of this dtype."""
        return from_numpy(_held(self))

    @data.setter
    def data(self, value: Tensor) -> None:
        self._swap_array(value._array)

    @property
    def dtype(self) -> Any:
        """The dtype that the tensor is going to have."""
        return self.data.dtype

    @property
    def device(self) -> Any:
        """The device that the tensor is going to be on."""
        return self.data.device

    @property
    def is_meta(self) -> bool:
        """Whether the tensor is going to have no data."""
        return self.data.is_meta

    @property
    def is_cpu(self) -> bool:
        """Whether the tensor is going to live on the CPU."""
        return self.data.is_cpu

    @property
    def shape(self) -> Any:
        """Raise RuntimeError."""
        raise RuntimeError(_NO_SHAPE)

    def share_memory_(self) -> Any:
        """Raise RuntimeError."""
        raise RuntimeError(_NOT_SHARED)

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a Parameter (or Tensor) of this shape, with undefined values.

        Args:
            device, dtype: None: those that were given when the parameter was made, or that it was moved to.
        """
        device = self.device if device is None else device
        value = empty(shape, device=device, dtype=self.dtype if dtype is None else dtype)
        self._swap_array(value._array)
        self.__class__ = self.cls_to_become

    def detach(self) -> Any:
        """Return itself, which stands in a state_dict."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, None, self.dtype)
        return memo[id(self)]


def _through_data(name: str) -> Any:
    return lambda self, *args, **kwargs: getattr(self.data, name)(*args, **kwargs)


def _restrict() -> None:
    """Refuse all methods and properties of Tensor but those of the mixin and some that need no shape."""
    allowed = (
        "size copy_ is_complex is_floating_point half float double char short int long cuda cpu to type get_device"
    )
    kept = frozenset(
        "requires_grad requires_grad_ grad grad_fn is_leaf output_nr is_inference __annotations__ __dict__ "
        "__weakref__ __module__ __npg_apply__ __setstate__".split()
    )
    for name in allowed.split():
        setattr(UninitializedTensorMixin, name, _through_data(name))
    compared = frozenset("__eq__ __ne__ __lt__ __le__ __gt__ __ge__".split())
    for name in dir(Tensor):
        member = getattr(Tensor, name)
        is_private = name[0] == "_" and not name.startswith("__")
        is_general = hasattr(object, name) and name not in compared
        if is_private or is_general or name in kept or name in vars(UninitializedTensorMixin):
            continue
        if callable(member):
            setattr(UninitializedTensorMixin, name, _refusing(f"npg.Tensor.{name}"))
        elif hasattr(type(member), "__get__"):
            setattr(UninitializedTensorMixin, name, property(_refusing(f"npg.Tensor.{name}")))


_restrict()


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape a lazy module finds in its first call.

    Args:
        requires_grad, dtype: as the parameter is going to have; None is the default dtype.
    Source: torch.nn.parameter.UninitializedParameter.
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        parameter: Any = Parameter(empty(0, device=device, dtype=dtype), requires_grad)
        parameter.__class__ = cls
        return parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        pass


class UninitializedBuffer(UninitializedTensorMixin):
    """A buffer whose shape a lazy module finds in its first call.

    Args:
        requires_grad, dtype: as the buffer is going to have; None is the default dtype.
        persistent: whether it is part of the module's state_dict.
    Source: torch.nn.parameter.UninitializedBuffer.
    """

    cls_to_become = Tensor
    persistent: bool

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> Any:
        buffer: Any = empty(0, device=device, dtype=dtype, requires_grad=requires_grad)
        buffer.__class__ = cls
        buffer.persistent, buffer._is_buffer = persistent, True
        return buffer


def is_lazy(param: Any) -> bool:
    """Tell whether a parameter or buffer waits for its shape. Source: torch.nn.parameter.is_lazy."""
    return isinstance(param, UninitializedTensorMixin)
