"""What the two engines share because it is off their hot path."""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np

from npg import _errors, dtypes
from npg._floating import silent
from npg._words import op_text, scalar_name, shape_text, type_name
from npg.engine._saved import unpack
from npg.ops._op import Like
from npg.ops.indexing import assign
from npg.ops.shape import contiguous
from npg.ops.strided import overlaps, partly_overlaps

# The operators that both engines keep for tensors, see register_operators; the Cython engine counts on this order. Not
# those that write, such as +=: CPython would take a C __iadd__ for the concatenation of sequences too.
OPERATORS = (
    "__add__",
    "__radd__",
    "__sub__",
    "__rsub__",
    "__mul__",
    "__rmul__",
    "__truediv__",
    "__rtruediv__",
    "__neg__",
)

# What an operator takes beside tensors and arrays. NumPy counts its time spans among the integers.
_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)

_hook_ids = itertools.count()

# How a view came to be, which decides whether it and its base may be changed in place; 0 for those that may.
VIEW, MULTI_VIEW, NO_GRAD_VIEW, CUSTOM_VIEW = 0, 1, 2, 3


class RemovableHandle:
    """Returned by the register functions; `remove()` takes the hook out again.

    Args:
        hooks: the dict that the hook is put into.
        hook: the hook.
        prepend: put it before the hooks that are there.
    """

    def __init__(self, hooks: dict[int, Any], hook: Any, prepend: bool = False) -> None:
        self.id = next(_hook_ids)
        # A plain dict takes no weak reference, so the handle holds the dict; it holds no tensor.
        self._hooks = hooks
        if prepend:
            rest = dict(hooks)
            hooks.clear()
            hooks[self.id] = hook
            hooks.update(rest)
        else:
            hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook out; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class HookedNode:
    """What the Python engine's nodes and the AccumulateGrad of leaves have in common: hooks, and the user's notes."""

    __slots__ = ("hooks", "notes", "prehooks")

    hooks: dict[int, Any] | None
    prehooks: dict[int, Any] | None
    notes: dict[str, Any] | None

    @property
    def metadata(self) -> dict[str, Any]:
        """A dict for the user's own notes on this node."""
        if self.notes is None:
            self.notes = {}
        return self.notes

    def register_hook(self, hook: Any) -> RemovableHandle:
        """Call hook(grad_inputs, grad_outputs) after this node has run; a returned tuple replaces grad_inputs.

        The hook of a leaf's AccumulateGrad is called after the gradient was added, with () as grad_inputs.
        """
        if self.hooks is None:
            self.hooks = {}
        return RemovableHandle(self.hooks, hook)

    def register_prehook(self, hook: Any) -> RemovableHandle:
        """Call hook(grad_outputs) before this node runs; a returned tuple replaces grad_outputs."""
        if self.prehooks is None:
            self.prehooks = {}
        return RemovableHandle(self.prehooks, hook)


class AccumulateGrad(HookedNode):
    """The node at a leaf, as users see it: `variable` is the leaf, into whose .grad the gradient is added.

    The graph's edges lead to the leaf itself. This object is made when somebody asks for it, by `accumulator_of`; the
    leaf keeps it, and it does not keep the leaf.
    """

    __slots__ = ("__weakref__", "_leaf")

    def __init__(self, leaf: Any) -> None:
        self._leaf = weakref.ref(leaf)
        self.hooks = self.prehooks = self.notes = None

    @property
    def variable(self) -> Any:
        """The leaf, or None when it is gone."""
        return self._leaf()

    @property
    def next_functions(self) -> tuple[()]:
        """Nothing comes after a leaf."""
        return ()

    def name(self) -> str:
        """Return what PyTorch calls this node."""
        return "torch::autograd::AccumulateGrad"

    def __call__(self, gradient: Any) -> None:
        """Add a gradient into the leaf's .grad."""
        from npg.engine import TensorBase, is_grad_enabled, run_backward  # not above: the engines import this module

        if not isinstance(gradient, TensorBase):
            raise TypeError("argument 0 is not a Variable")
        recorded = is_grad_enabled() and gradient.requires_grad
        run_backward((self._leaf(),), (gradient,), False, recorded)

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"


def call_node(node: Any, gradients: tuple[Any, ...], run: Any, recorded: bool, wrap: Any, tensor_base: Any) -> Any:
    """Return what a node makes of the gradients of its outputs: one gradient, or a tuple with one for each input.

    Args:
        node: a node of the running engine, whose hooks are not called.
        gradients: one tensor, or None, for each output.
        run: the engine's `run(node, gradients, recorded)`.
    Raises: TypeError: for anything else. RuntimeError: for another number, or when the graph was freed.
    """
    if len(gradients) != node.output_count:
        raise RuntimeError(f"{node.name()} expected {node.output_count} gradients, got {len(gradients)}")
    for i, g in enumerate(gradients):
        if g is not None and not isinstance(g, tensor_base):
            raise TypeError(f"argument {i} is not a Variable")
    found = [g if g is None or recorded else g._array for g in gradients]
    if not node.op.runs_without_gradient and all(g is None for g in found):
        results: Any = [None] * len(node.edges)
    else:
        with silent():
            results = run(node, tuple(found) if node.op.is_multi else found[0], recorded)
    made = [g if g is None or isinstance(g, tensor_base) else wrap(np.asarray(g)) for g in results]
    return made[0] if len(made) == 1 else tuple(made)


def accumulator_of(leaf: Any) -> AccumulateGrad:
    """Return the AccumulateGrad of a leaf: the same object each time."""
    found: AccumulateGrad | None = leaf._accumulator
    if found is None:
        found = leaf._accumulator = AccumulateGrad(leaf)
    return found


def next_functions(node: Any, tensor_base: type) -> tuple[Any, ...]:
    """Return a node's edges as users see them: (node, output_nr), (None, 0) for none, in the order of PyTorch's."""
    edges, order = node.edges, node.op.edge_order
    if node.op.runs_without_gradient and "ctx" in node.params:  # a custom function's: of its arguments only the tensors
        order = [i for i, like in enumerate(node.params["ctx"]._inputs) if like is not None]
    return tuple(
        [
            (None, 0) if e is None else (accumulator_of(e[0]), 0) if isinstance(e[0], tensor_base) else e
            for e in (edges if order is None else [edges[i] for i in order])
        ]
    )


def check_gradient(index: int, root: Any, g: Any, recorded: bool, wrap: Any) -> Any:
    """Return the gradient to start from at a root: an ndarray, or a tensor for a recorded backward.

    Raises: RuntimeError: when its shape is not the root's.
    """
    array = root._array
    if g is None:
        ones = np.ones(array.shape, array.dtype)
        return wrap(ones) if recorded else ones
    given = g._array.shape
    if given != array.shape:
        raise RuntimeError(
            _errors.GRADIENT_SHAPE.format(
                index=index,
                given=f"npg.Size({shape_text(given)})",
                expected=f"npg.Size({shape_text(array.shape)})",
            )
        )
    if g._array.dtype != array.dtype:
        return g.to(array.dtype) if recorded else g._array.astype(array.dtype)
    return g if recorded else g._array


def _is_dense(array: Any) -> bool:
    order = sorted(range(array.ndim), key=lambda d: -array.strides[d])
    return bool(array.transpose(order).flags.c_contiguous)


def copy_in_layout(g: Any, array: Any) -> Any:
    """Return a copy of a gradient: strided as the leaf's array where that is dense, else in C order, as in PyTorch."""
    if not _is_dense(array):
        return np.array(g, order="C")
    copy = np.empty_like(array)
    copy[...] = g
    return copy


def recorded_copy(g: Any, array: Any, wrap: Any, apply_in_place: Any) -> Any:
    """Return a copy of a gradient that has a history, strided as `copy_in_layout` does, with nodes as in PyTorch."""
    if not _is_dense(array):
        return contiguous(g)
    return apply_in_place(assign, (wrap(np.empty_like(array)), g), {})


def own_copy(g: Any) -> Any:
    """Return a copy of a gradient for whoever asked for it: strided alike, in C order where it was expanded."""
    return np.array(g, order="C" if overlaps(g) else "K")


# ----- Errors -----


def node_attribute(node: Any, name: str, wrap: Any, tensor_base: Any) -> Any:
    """Return what PyTorch's nodes have beside their methods: what they saved, as `_saved_self`; a function's context.

    Raises: RuntimeError: when the graph was freed. AttributeError: for another name.
    """
    context = node.params.get("ctx")
    if context is not None and not name.startswith("__") and hasattr(context, name):
        return getattr(context, name)
    names = ["self" if n == "input" else n for n in node.op.inputs]
    wanted = name.removeprefix("_saved_")
    if name.startswith("_saved_") and wanted in (*names, "result"):
        node.check_versions()
        inputs, output = node.inputs, node.output
        if node.packed:
            inputs, output, _, _ = unpack(node, wrap, tensor_base, False)
        if wanted != "result":
            i = names.index(wanted)
            found, edge = inputs[i], node.edges[i]
            if node.packed and edge is not None and isinstance(found, tensor_base):
                if isinstance(edge[0], tensor_base):
                    found._set_requires_grad(True)
                else:
                    found._fn, found._nr = edge
            return None if isinstance(found, Like) else found
        if isinstance(output, np.ndarray):
            result = wrap(output)
            result._fn = node
            return result
    raise AttributeError(f"'{node.op.node_name}' object has no attribute '{name}'")


def modified(array: Any, source: Any, place: str, node: Any, version: int, expected: int) -> str:
    """Return the text for a saved array that was changed in place.

    Args:
        source: (node, output_nr) that produced the array; (None, 0) for a leaf.
        place: what the array is to `node`, which saved it.
    """
    fn, nr = source
    return _errors.MODIFIED.format(
        kind=scalar_name(array),
        shape=shape_text(array.shape),
        source="" if fn is None else f", which is output {nr} of {op_text(fn.name())},",
        place=place,
        node=node.name(),
        version=version,
        expected=expected,
    )


def is_number(x: Any) -> bool:
    """Tell whether x is a real number of Python's or NumPy's."""
    return isinstance(x, _NUMBERS) and not isinstance(x, np.timedelta64)


def operand_error(function: Any, args: Any, i: int) -> TypeError:
    """Return the error for an argument that is neither a tensor nor a number."""
    return TypeError(
        _errors.NOT_A_TENSOR.format(
            name=function.__name__, argument=function._names[i], position=i + 1, kind=type_name(args[i])
        )
    )


def of_numbers(function: Any, args: Any, wrap: Any) -> Any:
    """Return arguments without a tensor among them with the first as a 0-d one, where the op takes numbers alone.

    Raises: TypeError: where it does not.
    """
    if not function.op.takes_numbers or function.writes or not all(is_number(x) for x in args):
        raise operand_error(function, args, 0)
    args = [float(x) if isinstance(x, np.floating) else x.item() if isinstance(x, np.generic) else x for x in args]
    return wrap(np.asarray(args[0], dtypes.scalar_dtype(args[0]).dtype)), *args[1:]


def refuse_broadcast(array: Any, arrays: Any) -> None:
    """Raise when the operands broadcast to another shape than that of the tensor that is written.

    Raises: RuntimeError: naming both shapes.
    """
    shapes = [a.shape for a in arrays if isinstance(a, (np.ndarray, np.generic))]
    if all(s == array.shape or not s for s in shapes):  # nearly always, and the test below takes microseconds
        return
    shape = np.broadcast_shapes(*shapes)
    if np.broadcast_shapes(shape, array.shape) != array.shape:
        raise RuntimeError(
            _errors.BROADCAST_IN_PLACE.format(shape=shape_text(array.shape), broadcast=shape_text(shape))
        )


def refuse_partial_overlap(arrays: Any) -> None:
    """Raise when the first array, which is to be written, shares a part of its memory with another, and not all of it.

    Raises: RuntimeError: in PyTorch's words, and where PyTorch looks: at arrays without gaps.
    """
    written = arrays[0]
    for other in arrays[1:]:
        if isinstance(other, np.ndarray) and other is not written and partly_overlaps(written, other):
            raise RuntimeError(_errors.PARTIAL_OVERLAP_IN_PLACE)


def refuse_shapes(arrays: Any) -> None:
    """Raise when the shapes of the operands do not broadcast; numbers among them fit anything.

    Raises: RuntimeError: naming the first two sizes that differ, counted from the last dimension, as PyTorch does.
    """
    common: tuple[int, ...] = ()
    for shape in (a.shape for a in arrays if isinstance(a, np.ndarray)):
        rank = max(len(common), len(shape))
        a, b = (1,) * (rank - len(common)) + common, (1,) * (rank - len(shape)) + shape
        for d in reversed(range(rank)):
            if a[d] != b[d] and a[d] != 1 and b[d] != 1:
                raise RuntimeError(_errors.SIZE_MISMATCH.format(a=a[d], b=b[d], dimension=d))
        common = tuple(m if n == 1 else n for m, n in zip(a, b, strict=True))


def refuse_in_place(x: Any) -> None:
    """Raise when a recorded in-place change of x has no meaning: x is a leaf or shows one, or is a view that must not
    change.

    Raises: RuntimeError: in PyTorch's words.
    """
    fn = x.grad_fn
    if x._base is not None:
        refuse_view(x, fn, "is being")
        if x.requires_grad and x._base.grad_fn is None:  # of the base, or of a leaf that is itself a view of it
            raise RuntimeError(_errors.LEAF_VIEW_IN_PLACE)
    if x._requires_grad and fn is None:
        raise RuntimeError(_errors.LEAF_IN_PLACE)


def refuse_view(x: Any, fn: Any, what: str) -> None:
    """Raise when x, whose history is fn, is a view of a kind that does not go with in-place changes.

    Args:
        what: "is being", or words for a change of its base.
    Raises: RuntimeError: in PyTorch's words.
    """
    producer = f"Output {x._nr} of {op_text(fn.name())}" if fn else None
    if x._kind == MULTI_VIEW:
        raise RuntimeError(_errors.MULTI_VIEW_IN_PLACE.format(output=producer or "A tensor", what=what))
    if x._kind == CUSTOM_VIEW:
        raise RuntimeError(_errors.CUSTOM_VIEW_IN_PLACE.format(output=producer or "A tensor", what=what))
    if x._kind == NO_GRAD_VIEW:
        view = f"{producer} is a view of a view which" if producer else "A view"
        raise RuntimeError(_errors.NO_GRAD_VIEW_IN_PLACE.format(view=view, what=what))


# ----- Calls with keywords, out= -----

# NumPy's names for what PyTorch calls input and other, which PyTorch understands too.
_NUMPY_INPUTS = {"input": ("x", "a", "x1"), "other": ("x2",)}


def bind(function: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Return the positional arguments of a call with keywords, and its out= tensor or None.

    Raises: TypeError: when they do not fit, in PyTorch's words.
    """
    target = kwargs.pop("out", None)
    if not kwargs and len(args) == len(function._names):  # only out=, and to read a signature takes 10 microseconds
        return args, target
    signature = function.__signature__
    try:
        return tuple(signature.bind(*args, **kwargs).args), target
    except TypeError:
        names = list(signature.parameters)
        if len(args) > len(names):
            plural = "" if len(names) == 1 else "s"
            text = f"takes {len(names)} positional argument{plural} but {len(args)} were given"
            raise TypeError(f"{function.__name__}() {text}") from None
        for ours, theirs in _NUMPY_INPUTS.items():
            for name in theirs:
                if name in kwargs and ours in names[len(args) :] and ours not in kwargs:
                    kwargs[ours] = kwargs.pop(name)
        required = [n for n, p in signature.parameters.items() if p.default is p.empty]
        missing = [n for n in required[len(args) :] if n not in kwargs]
        if missing:
            plural = "s" if len(missing) == 1 else ""  # sic
            listed = ", ".join(f'"{n}"' for n in missing)
            text = f"missing {len(missing)} required positional argument{plural}: {listed}"
            raise TypeError(f"{function.__name__}() {text}") from None
        for name in kwargs:
            if name not in names:
                raise TypeError(f"{function.__name__}() got an unexpected keyword argument '{name}'") from None
            if name in names[: len(args)]:
                raise TypeError(f"{function.__name__}() got multiple values for argument '{name}'") from None
    return tuple(signature.bind(*args, **kwargs).args), target


# ----- The part of a graph that leads to given tensors -----


def reachable(roots: Any, wanted: set[Any], tensor_base: type, first: int = 0) -> set[Any]:
    """Return the nodes through which the wanted targets, (id of a node or leaf, nr), are reached from the roots.

    Args:
        first: the lowest number of a wanted node, 0 with a leaf among them: what has a lower one leads to none of them,
            so the gradient of a new part of a large graph costs no walk through all of it.
    """
    seen: dict[int, Any] = {}
    stack = [r for r in roots if r is not None]
    while stack:
        node = stack.pop()
        if node.seq in seen or node.seq < first:
            continue
        seen[node.seq] = node
        stack.extend(e[0] for e in node.edges if e is not None and not isinstance(e[0], tensor_base))
    needed: set[Any] = set()
    for seq in sorted(seen):  # inputs come before their consumers
        node = seen[seq]
        if any(e is not None and ((id(e[0]), e[1]) in wanted or e[0] in needed) for e in node.edges):
            needed.add(node)
    return needed
