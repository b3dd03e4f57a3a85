"""Module, the base class of networks. _hooks.py runs the hooks around forward, _state_dict.py saves and loads."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from npg import dtypes
from npg._errors import NO_TORCHSCRIPT
from npg._naming import named
from npg.autograd import no_grad
from npg.creation import empty, empty_like
from npg.functional._attributes import device
from npg.functional._factory import NO_DATA
from npg.nn.modules import _hooks, _state_dict
from npg.nn.modules._state_dict import EXTRA as _EXTRA_STATE_KEY_SUFFIX, _IncompatibleKeys
from npg.nn.parameter import Buffer, Parameter, is_lazy
from npg.tensor import Tensor
from npg.utils._profiled import profiled
from npg.utils._typename import typename
from npg.utils.hooks import RemovableHandle

M = TypeVar("M", bound="Module")

_OF_SCRIPTS = frozenset({"save", "save_to_buffer", "code", "graph"})  # what PyTorch's compiled modules have


def _indent(text: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join([first, *("  " + line if line.strip() else "" for line in rest)])


@profiled("__call__")
class Module:
    """Base class of all networks: subclass it, assign parameters and submodules in __init__, define forward.

    Attributes:
        training: whether dropout and the like are active; set by train() and eval().
    Source: torch.nn.Module. Global module hooks are not supported.
    """

    training: bool
    dump_patches = False  # programs set it for PyTorch 1, which warned of changed sources
    T_destination = TypeVar("T_destination", bound=dict[str, Any])
    _version = 1  # written to a state_dict's _metadata; a subclass that renames its state increments it
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _forward_pre_hooks: dict[int, Callable[..., Any]]
    _forward_pre_hooks_with_kwargs: dict[int, bool]
    _forward_hooks: dict[int, Callable[..., Any]]
    _forward_hooks_with_kwargs: dict[int, bool]
    _forward_hooks_always_called: dict[int, bool]
    _backward_pre_hooks: dict[int, Callable[..., Any]]
    _backward_hooks: dict[int, Callable[..., Any]]
    _is_full_backward_hook: bool | None
    _state_dict_pre_hooks: dict[int, Callable[..., Any]]
    _state_dict_hooks: dict[int, Callable[..., Any]]
    _load_state_dict_pre_hooks: dict[int, Callable[..., Any]]
    _load_state_dict_post_hooks: dict[int, Callable[..., Any]]

    def __init__(self) -> None:
        # Bypasses __setattr__, which needs these tables.
        tables: dict[str, Any] = {"_parameters": {}, "_buffers": {}, "_modules": {}}
        self.__dict__.update(training=True, **tables, _non_persistent_buffers_set=set(), **_hooks.tables())

    # These parameters let a subclass's forward take any others, for type checkers too.
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks):
            return self.forward(*args, **kwargs)
        return _hooks.call(self, args, kwargs)

    _call_impl = _wrapped_call_impl = __call__

    # ----- Attributes: parameters, buffers and modules stand in tables of their own -----

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        parameters, modules, buffers = own.get("_parameters"), own.get("_modules"), own.get("_buffers")
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            _refuse_non_leaf(name, value)
            self._forget(name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise TypeError(
                    named(
                        f"cannot assign '{typename(value)}' as parameter '{name}' (npg.nn.Parameter or None expected)"
                    )
                )
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, "_parameters", "_buffers")
            modules[name] = value
        elif modules is not None and name in modules:
            if value is not None:
                raise TypeError(
                    named(
                        f"cannot assign '{typename(value)}' as child module '{name}' (npg.nn.Module or None expected)"
                    )
                )
            modules[name] = value
        elif isinstance(value, Buffer) or (buffers is not None and name in buffers):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    named(
                        f"cannot assign '{typename(value)}' as buffer '{name}' (npg.nn.Buffer, npg.Tensor or None "
                        "expected)"
                    )
                )
            persistent = value.persistent if isinstance(value, Buffer) else name not in self._non_persistent_buffers_set
            self.register_buffer(name, value, persistent)
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name: str, *tables: str) -> None:
        """Remove a name from these tables and from the plain attributes, because it gets another kind of value."""
        for table in tables:
            self.__dict__[table].pop(name, None)
        self.__dict__.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __getattr__(self, name: str) -> Any:
        # Called only when the ordinary look-up has failed. A name is in one table only. Written without a loop for
        # speed: a model's forward looks up each of its submodules here.
        tables = self.__dict__
        if "_modules" in tables:
            if name in tables["_modules"]:
                return tables["_modules"][name]
            if name in tables["_parameters"]:
                return tables["_parameters"][name]
            if name in tables["_buffers"]:
                return tables["_buffers"][name]
        text = f"'{type(self).__name__}' object has no attribute '{name}'"
        if name in _OF_SCRIPTS and "npg.jit" in sys.modules:  # npg.jit.script and trace return a module as it is
            text = f"{text}; {named(NO_TORCHSCRIPT)}"
        raise AttributeError(text)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[0].isdigit())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name, table in {"_non_persistent_buffers_set": set(), **_hooks.tables()}.items():
            self.__dict__.setdefault(name, table)  # a module pickled before this table existed

    # ----- Registering -----

    def _check_name(self, kind: str, name: str, table: str) -> None:
        if table not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if hasattr(self, name) and name not in self.__dict__[table]:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None reserves the name.

        Raises: TypeError, KeyError, ValueError: for a value that is no Parameter, a bad or taken name, a non-leaf.
        """
        self._check_name("parameter", name, "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                named(
                    f"cannot assign '{typename(param)}' object to parameter '{name}' (npg.nn.Parameter or None "
                    "required)"
                )
            )
        if param is not None:
            _refuse_non_leaf(name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but no parameter; persistent ones are part of state_dict.

        Raises: TypeError, KeyError: for a value that is no tensor, a bad or taken name.
        """
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (npg Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module under a name; None reserves the name.

        Raises: TypeError, KeyError: for a value that is no Module, a bad or taken name.
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", name, "_modules")
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a child module under a name, as add_module does."""
        self.add_module(name, module)

    # ----- By a dotted path -----

    def get_submodule(self, target: str) -> Module:
        """Return the module at a dotted path; "" is this one."""
        module: Module = self
        for name in target.split(".") if target else ():
            member = _member(module, name)
            if not isinstance(member, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
            module = member
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Set the module at a dotted path; with strict, only where there is one already.

        Raises: ValueError: for the path "" or something that is no module. AttributeError: for a path that leads
            nowhere or to something else.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if (strict or hasattr(owner, name)) and not isinstance(_member(owner, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(owner, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at a dotted path."""
        path, _, name = target.rpartition(".")
        parameter = _member(self.get_submodule(path), name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at a dotted path."""
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        buffer: Tensor = _member(owner, name)
        if name not in owner._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return buffer

    # ----- What is in it -----

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield (dotted name, module) of this module and all below it.

        Args:
            memo: modules to skip; those that are yielded are added.
            prefix: stands before each name.
            remove_duplicate: yield a shared module once, under its first name.
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        # Without recursion, where each module would pass through the generators of all above it.
        below = [(prefix + "." if prefix else "", iter(self._modules.items()))]
        while below:
            start, children = below[-1]
            for name, module in children:
                if module is None:
                    continue
                if type(module).named_modules is not Module.named_modules:
                    yield from module.named_modules(memo, start + name, remove_duplicate)
                    continue
                if module in memo:
                    continue
                if remove_duplicate:
                    memo.add(module)
                yield start + name, module
                if module._modules:
                    below.append((f"{start}{name}.", iter(module._modules.items())))
                    break
            else:
                below.pop()

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """Yield this module and all below it, a shared one once."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, module) of the direct children, a shared one once."""
        visited: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in visited:
                visited.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """Yield the direct children."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self, table: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        visited: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, member in getattr(module, table).items():
                if member is None or id(member) in visited:
                    continue
                if remove_duplicate:
                    visited.add(id(member))
                yield (f"{path}.{name}" if path else name), member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield (dotted name, parameter).

        Args:
            prefix: stands before each name, with a dot.
            recurse: also those of the modules below this one.
            remove_duplicate: yield a shared parameter once, under its first name.
        """
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, shared ones once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield (dotted name, buffer), persistent or not; the arguments are those of named_parameters."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers, shared ones once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    # ----- Acting on all -----

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call fn on every module below this one, then on this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self: M, mode: bool = True) -> M:
        """Put this module and all below it in training mode (or evaluation mode)."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: M) -> M:
        """Put this module and all below it in evaluation mode."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Set requires_grad of all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop all gradients, or fill them with zeros."""
        for parameter in self.parameters():
            if parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                parameter.grad.detach_()
                parameter.grad.zero_()

    # ----- Other dtypes -----

    def _apply(self: M, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> M:
        """Replace the data of every parameter, gradient and buffer by fn of it; the Tensor objects stay the same.

        Args:
            recurse: also in all modules below this one.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is None:
                    continue
                grad = parameter.grad
                _hold(parameter, fn(parameter.data))
                if grad is not None:
                    _hold(grad, fn(grad.detach()))
            for name, buffer in self._buffers.items():
                if is_lazy(buffer):
                    buffer.data = fn(buffer.data)  # it goes on waiting for its shape
                elif buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """Change the dtype of floating parameters and buffers, and their device, as Tensor.to.

        Args:
            memory_format: the order in memory of those with four or five dimensions.
        Raises: NotImplementedError: for the CPU, when one is on the device "meta", without data.
        """
        order = kwargs.pop("memory_format", None)
        place = kwargs.get("device", args[0] if args and isinstance(args[0], (str, device)) else None)
        if place is not None and next(self.parameters(), None) is None and next(self.buffers(), None) is None:
            device(place)  # as in PyTorch, a module without tensors may be asked to go anywhere
            return self
        example = empty(0, device="cpu").to(*args, **kwargs)
        dtype = example.dtype
        is_asked = kwargs.get("dtype") is not None or any(isinstance(a, (dtypes.dtype, Tensor)) for a in args)
        goes = place is not None or bool(args) and isinstance(args[0], Tensor)
        if goes and not example.is_meta and any(t.is_meta for t in (*self.parameters(), *self.buffers())):
            raise NotImplementedError(
                named(
                    f"{NO_DATA} Please use npg.nn.Module.to_empty() instead of npg.nn.Module.to() when moving module "
                    "from meta to a different device."
                )
            )
        if not is_asked and order is None and not example.is_meta:
            return self
        if is_asked and not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )

        def convert(t: Tensor) -> Tensor:
            kind = dtype if is_asked and t.is_floating_point() else t.dtype
            t = t.to("meta") if goes and example.is_meta else t
            return t.to(kind) if order is None or t.dim() not in (4, 5) else t.to(kind, memory_format=order)

        return self._apply(convert)

    def type(self: M, dst_type: Any) -> M:
        """Change the dtype of all parameters and buffers."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self: M) -> M:
        """Change floating parameters and buffers to float32."""
        return self.to(dtypes.float32)

    def double(self: M) -> M:
        """Change floating parameters and buffers to float64."""
        return self.to(dtypes.float64)

    def half(self: M) -> M:
        """Change floating parameters and buffers to float16."""
        return self.to(dtypes.float16)

    def bfloat16(self: M) -> M:
        """Raise TypeError: npg has no bfloat16 tensors, only the name of the dtype."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def to_empty(self: M, *, device: Any, recurse: bool = True) -> M:
        """Give all parameters and buffers uninitialised memory on a device, the CPU or "meta"."""
        return self._apply(lambda t: empty_like(t, device=device), recurse)

    def cpu(self: M) -> M:
        """Return this module, which is on the CPU already.

        Raises: NotImplementedError: when a parameter or buffer is on the device "meta".
        """
        return self._apply(lambda t: t.cpu()) if any(t.is_meta for t in (*self.parameters(), *self.buffers())) else self

    def cuda(self: M, device: Any = None) -> M:
        """Raise as PyTorch without CUDA does; return a module without state."""
        return self._apply(lambda t: t.cuda(device))

    def xpu(self: M, device: Any = None) -> M:
        """Raise as PyTorch without XPU does; return a module without state."""
        return self._apply(lambda t: t.xpu(device))

    def mtia(self: M, device: Any = None) -> M:
        """Raise as PyTorch without MTIA does; return a module without state."""
        return self._apply(lambda t: t.mtia(device))

    def ipu(self: M, device: Any = None) -> M:
        """Raise as PyTorch without IPU does; return a module without state."""
        return self._apply(lambda t: t.ipu(device))

    def share_memory(self: M) -> M:
        """Move all parameters and buffers into memory that processes share; see Tensor.share_memory_."""
        for t in (*self.parameters(), *self.buffers()):
            if is_lazy(t):
                t.share_memory_()  # raises
        return self._apply(lambda t: t.share_memory_())

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Check the arguments as npg.compile does; the module runs as Python."""
        from npg._dynamo.exc import check_arguments

        check_arguments(*args, **kwargs)

    # ----- Hooks -----

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call hook(module, args) before forward; a value that it returns replaces args.

        Args:
            hook: the hook; with_kwargs: called as hook(module, args, kwargs), and may return (args, kwargs).
            prepend: call it before the hooks registered so far.
        Returns: a handle, whose remove() removes the hook.
        """
        notes = {"kwargs": self._forward_pre_hooks_with_kwargs} if with_kwargs else {}
        return _hooks.Handle(self._forward_pre_hooks, hook, prepend, **notes)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call hook(module, args, output) after forward; a value that it returns replaces the output.

        Args:
            hook: the hook; with_kwargs: called as hook(module, args, kwargs, output).
            prepend: call it before the hooks registered so far.
            always_call: call it even when forward or another hook raises; the output is None if there is none yet.
        Returns: a handle, whose remove() removes the hook.
        """
        notes = {"kwargs": self._forward_hooks_with_kwargs} if with_kwargs else {}
        if always_call:
            notes["always"] = self._forward_hooks_always_called
        return _hooks.Handle(self._forward_hooks, hook, prepend, **notes)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(module, grad_outputs) before the gradients of the inputs are computed.

        A tuple that it returns replaces grad_outputs, which has None for outputs that are no tensors or have no
        gradient. With such hooks, forward and the caller receive views, which must not be changed in place.
        Args:
            prepend: call it before the hooks registered so far.
        Returns: a handle, whose remove() removes the hook.
        Source: torch.nn.Module.register_full_backward_pre_hook.
        """
        return RemovableHandle(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(module, grad_inputs, grad_outputs) when the gradients of the inputs are known.

        A tuple that it returns replaces grad_inputs. Only positional arguments count; where none requires grad, the
        hook is called when the gradients of the outputs are known, with None for the inputs. See
        register_full_backward_pre_hook about changes in place.
        Args:
            prepend: call it before the hooks registered so far.
        Returns: a handle, whose remove() removes the hook.
        Raises: RuntimeError: when the module has hooks of register_backward_hook.
        Source: torch.nn.Module.register_full_backward_hook.
        """
        if self._is_full_backward_hook is False:
            raise RuntimeError(_hooks.BOTH_KINDS)
        self._is_full_backward_hook = True
        return RemovableHandle(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(module, grad_inputs, grad_outputs) with the gradients of the node that made the output.

        Deprecated in PyTorch: for a forward of several operations that is only the last one, and a warning is given.
        Raises: RuntimeError: when the module has hooks of register_full_backward_hook.
        Source: torch.nn.Module.register_backward_hook.
        """
        if self._is_full_backward_hook is True:
            raise RuntimeError(_hooks.BOTH_KINDS)
        self._is_full_backward_hook = False
        return RemovableHandle(self._backward_hooks, hook)

    # ----- State -----

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """Return an ordered dict of dotted names to parameters and persistent buffers, detached and sharing memory.

        Args:
            args: destination, prefix, keep_vars by position, deprecated.
            destination: a mapping to fill.
            prefix: stands before each name.
            keep_vars: return the parameters themselves, not detached.
        Source: torch.nn.Module.state_dict.
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead. Refer to https://pytorch.org/docs/main/"
                "generated/torch.nn.Module.html#torch.nn.Module.state_dict for details.",
                FutureWarning,
                stacklevel=2,
            )
            arguments: list[Any] = [*args, *(destination, prefix, keep_vars)[len(args) :]]
            destination, prefix, keep_vars = arguments
        return _state_dict.save(self, destination, prefix, keep_vars)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Add this module's own state to destination; subclasses may override it."""
        for name, t in _state_dict.persistent(self).items():
            destination[prefix + name] = t if keep_vars else t.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy the tensors of a state_dict into the parameters and buffers of the same names.

        Args:
            state_dict: a mapping of dotted names to tensors.
            strict: raise when names are missing or unexpected.
            assign: use the tensors themselves instead of copying them.
        Returns: missing and unexpected names.
        Raises: TypeError: when it is no mapping. RuntimeError: listing every mismatch. The module is then unchanged,
            whereas PyTorch has copied the tensors that fit.
        Source: torch.nn.Module.load_state_dict.
        """
        return _state_dict.load(self, state_dict, strict, assign)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Check the entries of state_dict that are this module's own, and note the changes to make.

        A subclass may extend it, as in PyTorch; the changes are made when all modules have been checked.
        Args:
            state_dict: the entries whose names start with prefix; may be changed.
            local_metadata: the state_dict's metadata of this module; load_state_dict adds "changes", a list to fill.
            missing_keys, unexpected_keys, error_msgs: lists to fill.
        """
        has_extra_state = type(self).set_extra_state is not Module.set_extra_state
        lists = missing_keys, unexpected_keys, error_msgs
        _state_dict.load_own(self, state_dict, prefix, local_metadata, strict, *lists, has_extra_state)

    def get_extra_state(self) -> Any:
        """Return extra state for state_dict; subclasses define this together with set_extra_state."""
        raise RuntimeError(_state_dict.UNREACHABLE.format("get"))

    def set_extra_state(self, state: Any) -> None:
        """Restore the state that get_extra_state returned."""
        raise RuntimeError(_state_dict.UNREACHABLE.format("set"))

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(module, prefix, keep_vars) before state_dict collects. Returns: a handle to remove it."""
        return RemovableHandle(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(module, state_dict, prefix, metadata) when state_dict is done; it may change state_dict in place.

        Returns: a handle to remove it.
        """
        return RemovableHandle(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook as register_state_dict_post_hook does; what it returns takes the place of the state_dict."""
        return RemovableHandle(self._state_dict_hooks, _state_dict.Replacing(hook))

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        """Call hook as register_load_state_dict_pre_hook does, without the module, unless it is wanted."""
        return RemovableHandle(
            self._load_state_dict_pre_hooks, hook if with_module else lambda module, *args: hook(*args)
        )

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors) before loading.

        The hook may change state_dict and the three lists in place. Returns: a handle to remove it.
        """
        return RemovableHandle(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(module, incompatible_keys) when load_state_dict has copied everything.

        It may change incompatible_keys.missing_keys and .unexpected_keys in place; load_state_dict reads them
        afterwards. Returns: a handle to remove it.
        """
        return RemovableHandle(self._load_state_dict_post_hooks, hook)

    # ----- Printing -----

    def extra_repr(self) -> str:
        """Return the text in the parentheses of this module's repr; subclasses define it."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {_indent(repr(module))}" for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"


def _hold(tensor: Tensor, value: Tensor) -> None:
    """Let a tensor have another's data, which may be on another device: a tensor's own .data may not."""
    if tensor.is_meta == value.is_meta:
        tensor.data = value
    else:
        tensor._swap_array(value._array)


def _member(owner: Any, name: str) -> Any:
    if not hasattr(owner, name):
        raise AttributeError(f"{owner._get_name()} has no attribute `{name}`")
    return getattr(owner, name)


def _refuse_non_leaf(name: str, parameter: Parameter) -> None:
    if parameter.grad_fn is not None:
        raise ValueError(
            f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To "
            f"express '{name}' as a function of another Tensor, compute the value in the forward() method."
        )
