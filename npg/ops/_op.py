"""What an op is: one declaration that holds its forward and its vjp, side by side.

    @ufunc(np.exp, lambda g, y, _x: g * y, promote=FLOAT)
    def exp(input):
        \"\"\"Return e to the power of each element of input.\"\"\"

The positional parameters of the declared function are the op's inputs (arrays or numbers), its keyword-only parameters
are settings. A rule takes `(g, y, *inputs, **params)`: the incoming gradient, the output, the inputs, and all settings
by keyword; it returns the gradient of one input. The *names* a rule gives to y and to the inputs say what is saved for
it:

    x        the array (in a recorded backward: the Tensor) is saved, and version-checked
    x_like   only its shape and dtype are saved, as a Like
    _x       nothing is saved; the rule gets None

Rules are written with operators, NumPy functions and other ops only, so the same text runs on ndarrays (fast) and on
Tensors (recorded, for gradients of any order). This package knows no Tensor: an op called with an object whose type has
`__npg_apply__` hands the call to that method.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from npg._signatures import parameters_of
from npg.kernels.meta import MetaArray
from npg.ops import _half, _meta
from npg.ops._kinds import ELEMENTWISE, Kind

# How the inputs are promoted before the forward runs (npg/dtypes.py decides the dtype).
ARITHMETIC = "arithmetic"  # to their common dtype
FLOAT = "float"  # to their common dtype, integers and bools to the default floating dtype
COMPARISON = "comparison"  # to their common dtype; the result is bool

# What is saved of an input for a rule.
NOTHING, LIKE, VALUE = 0, 1, 2


class Like:
    """The shape and dtype of an input whose values a rule does not need."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape = shape
        self.dtype = dtype

    def astype(self, dtype: np.dtype[Any]) -> Like:
        """Return a Like of the same shape."""
        return Like(self.shape, dtype)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        n = 1
        for k in self.shape:
            n *= k
        return n


def _mode(name: str) -> int:
    if name.startswith("_"):
        return NOTHING
    return LIKE if name.endswith("_like") else VALUE


class _Rule:
    """A vjp rule and what its parameter names ask to save: the mode of y and of each input."""

    __slots__ = ("inputs", "output", "variadic")

    def __init__(self, rule: Callable[..., Any]) -> None:
        names, _, rest = parameters_of(rule)
        if len(names) < 2:
            raise TypeError(f"expected a rule (g, y, *inputs, **params), got {inspect.signature(rule)}")
        self.output = _mode(names[1])
        self.inputs = tuple(_mode(n) for n in names[2:])
        self.variadic = _mode(rest) if rest else NOTHING  # of the inputs beyond the named ones

    def input_mode(self, i: int) -> int:
        return self.inputs[i] if i < len(self.inputs) else self.variadic


OPS: list[Op] = []  # all declared ops


class Op:
    """One operation: its forward on ndarrays and its vjp.

    Attributes:
        name, __doc__, signature: taken from the declared function.
        forward: takes ndarrays and numbers, returns an array, a tuple of arrays, or for a fused op (result, saved).
        half: the forward for float16 arrays in float32, where `forward` has fewer digits than float16 near 0; or None.
        vjps: one rule per input (None: no gradient flows there), or () when the op has a joint rule or no gradient.
        joint: one rule for all inputs, `(g, y, *inputs, needs, **params) -> tuple`; a fused op's also takes `saved`.
        recorded: a joint rule of a fused op that may run on Tensors; without one, `composite` does.
        composite: the same function written in primitives: the tests' oracle.
        promote: ARITHMETIC, FLOAT, COMPARISON or None.
        refusal: is called with the inputs before promotion, unless all have one floating dtype; raises for some.
        is_view: the result shares the first input's memory (or may, which is checked).
        is_ufunc: the forward is a NumPy ufunc; it takes out= and broadcasts.
        exact: the forward rounds nothing, because it only moves, picks or compares numbers: it runs on float16 arrays
            as they are. Other ops compute in float32, see ops/_half.py.
        elementwise: each element of the result, and of the gradients before broadcasting is undone, is computed
            independently; rules run in blocks, see kernels/blocks.py. blocks: so does the forward.
        broadcasts: gradients may come out larger than their input and are summed down.
        reads: of a multi op, which outputs its rules read; None: all. Others are not saved, and y has None for them.
        takes_numbers: all its inputs may be Python numbers, as PyTorch allows for +, -, * and /.
        runs_without_gradient: its rule is called even when no output has a gradient, because it turns None into zeros.
        out_text: PyTorch's error for an out= whose dtype is not the result's; "" where it casts. None: the kind of op
            decides, see engine/_out.py.
        node_name: the name of the graph node, as in PyTorch.
        edge_order: the inputs in the order of PyTorch's edges, where that differs: the order of next_functions, of the
            gradients that a node's hooks see, and in which leaves get theirs.
        kind: what the op does to dimensions, see ops/_kinds.py; None for an op without a kind.
        batch_rule, tangent_rule, shape_rule: the op's batching rule, tangent rule and rule of shapes, see
            ops/_kinds.py; or None.
        namespace: the namespace of PyTorch's function where that is not torch: "linalg".
        aten: PyTorch's name of the op, None where PyTorch has no such op.
        flops: counts additions and multiplications, given the shapes of the output and of the inputs; None where they
            are not counted.
        in_place: the op that the in-place form (exp_) applies: itself, unless the declaration names another. None
            where PyTorch has no such form: ops that are not elementwise, and those declared with in_place=False.
        takes_out: whether the function takes out=, as in PyTorch.
        numpy, scipy: the NumPy ufuncs, and the name of the scipy.special ufunc, for which the public function of this
            name is called when they are given tensors.
    """

    def __init__(
        self,
        declared: Callable[..., Any],
        *,
        node: str | None = None,
        promote: str | None = None,
        kind: Kind | None = None,
        tangent: Callable[..., Any] | None = None,
        namespace: str = "",
        aten: str | None = "",
        flops: Callable[..., int] | None = None,
        numpy: tuple[np.ufunc, ...] = (),
        scipy: str = "",
        in_place: bool = True,
        takes_out: bool = True,
    ) -> None:
        self.name = declared.__name__.rstrip("_")
        self.__name__ = self.name
        self.__doc__ = declared.__doc__
        self.__module__ = declared.__module__
        self._declared = declared
        self.inputs, settings, _ = parameters_of(declared)
        self.forward: Callable[..., Any] = declared
        self.vjps: tuple[Callable[..., Any] | None, ...] = ()
        self.joint: Callable[..., Any] | None = None
        self.half: Callable[..., Any] | None = None
        self.recorded: Callable[..., Any] | None = None
        self.composite: Callable[..., Any] | None = None
        self.promote = promote
        self.kind = kind
        self.batch_rule = kind.batch if kind is not None else None
        self.tangent_rule = tangent or (kind.tangent if kind is not None else None)
        self.shape_rule = kind.shape if kind is not None else None
        self.namespace = namespace
        self.aten = (f"{namespace}_{self.name}" if namespace else self.name) if aten == "" else aten
        self.flops = flops
        self.numpy, self.scipy = numpy, scipy
        self.in_place: Op | None = self if in_place and kind is ELEMENTWISE else None
        self.takes_out = takes_out
        self.refusal: Callable[..., Any] | None = None
        self.is_fused = self.is_view = self.is_ufunc = self.is_multi = self.broadcasts = self.exact = False
        self.runs_without_gradient = self.takes_numbers = False
        self.elementwise = self.blocks = False
        self.reads: tuple[int, ...] | None = None
        self.out_text: str | None = None
        self.edge_order: tuple[int, ...] | None = None
        self.takes_keep = "keep" in settings
        self.node_name = (node or "".join(w.capitalize() for w in self.name.split("_"))) + "Backward0"
        self._rules: tuple[_Rule | None, ...] | None = None  # read when a call is first recorded
        self.plan: Any = None  # what the Cython engine has read from this declaration
        self._saves: dict[tuple[bool, ...], tuple[int, tuple[int, ...]]] = {}
        OPS.append(self)

    @property
    def key(self) -> str:
        """Return the op's name in PyTorch's namespace, aten::mul; under npg:: where PyTorch has no such op."""
        return f"npg::{self.name}" if self.aten is None else f"aten::{self.aten}"

    @property
    def signature(self) -> inspect.Signature:
        return inspect.signature(self._declared)

    @property
    def differentiable(self) -> bool:
        return self.joint is not None or any(rule is not None for rule in self.vjps)

    def saves(self, needs: tuple[bool, ...]) -> tuple[int, tuple[int, ...]]:
        """Return the mode of y and of each input, given which inputs need a gradient."""
        modes = self._saves.get(needs)
        if modes is None:
            if self._rules is None:
                vjps = self.vjps if self.joint is None else (self.joint,)
                self._rules = tuple(None if v is None else _Rule(v) for v in vjps)
            if self.joint is not None:
                live = [r for r in self._rules if r is not None]
            else:
                live = [r for r, n in zip(self._rules, needs, strict=False) if n and r is not None]
            output = max((r.output for r in live), default=NOTHING)
            inputs = tuple(max((r.input_mode(i) for r in live), default=NOTHING) for i in range(len(needs)))
            modes = self._saves[needs] = (output, inputs)
        return modes

    def _set_vjps(self, vjps: tuple[Callable[..., Any] | None, ...]) -> None:
        if vjps and len(vjps) != len(self.inputs):
            raise TypeError(f"expected {len(self.inputs)} vjps for {self.name}{self.signature}, got {len(vjps)}")
        self.vjps = vjps

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        """Run on ndarrays, or record on Tensors. For rules and composites; users call the public function."""
        forward = self.forward
        for x in inputs:
            if type(x) is np.ndarray:
                if x.dtype.char == "e":
                    forward = self._forward_half
                continue
            if type(x) is MetaArray:
                return _meta.forward(self, inputs, params)[0]
            apply = getattr(type(x), "__npg_apply__", None)
            if apply is not None:
                return apply(self, inputs, params)
        return forward(*inputs, **params)[0] if self.is_fused else forward(*inputs, **params)

    def _forward_half(self, *inputs: Any, **params: Any) -> Any:
        return _half.compute(self, inputs, params)

    def __repr__(self) -> str:
        return f"<op {self.name}{self.signature}>"

    def refuses(self, check: Callable[..., Any]) -> Callable[..., Any]:
        """Declare a check that raises for inputs that could be promoted but are refused: a difference of bools."""
        self.refusal = check
        return check

    def in_half(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        """Declare the forward for inputs that were float16; it takes the op's arguments, with arrays in float32."""
        self.half = forward
        return forward

    # ----- Rules beside the op, as decorators -----

    def batch(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Declare the op's batching rule, see ops/_kinds.py."""
        self.batch_rule = rule
        return rule

    def tangent(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Declare the op's tangent rule, see ops/_kinds.py."""
        self.tangent_rule = rule
        return rule

    def shape(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Declare the op's rule of shapes, see ops/_kinds.py."""
        self.shape_rule = rule
        return rule

    # ----- The parts of a fused kernel, as decorators -----

    def backward(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Declare a fused op's backward on ndarrays: `(g, y, *inputs, saved, needs, **params) -> gradients`."""
        self.joint = rule
        return rule

    def vjp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Declare a joint rule that may also run on Tensors (same arguments as backward, where a fused op has both)."""
        if self.is_fused:
            self.recorded = rule
        if self.joint is None:
            self.joint = rule
        return rule

    def compose(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Declare a fused op's composite: the same function in primitives."""
        self.composite = function
        return function


# ----- Declarations -----
# Each also takes what Op stores unchanged: promote, kind, tangent, namespace, aten, flops, numpy, scipy, in_place,
# takes_out; and `node`: the name of the graph node without "Backward0", where it is not the op's name in camel case.


def primitive(
    *vjps: Callable[..., Any] | None,
    view: bool = False,
    multi: bool = False,
    broadcasts: bool = False,
    reads: tuple[int, ...] | None = None,
    exact: bool = False,
    **facts: Any,
) -> Callable[[Callable[..., Any]], Op]:
    """Declare an op whose forward is the decorated function, with one vjp per input (or a joint one, set by `@op.vjp`).

    Args:
        vjps: rules `(g, y, *inputs, **params)`; None for an input through which no gradient flows. None at all: the op
            is not differentiable, unless a joint rule follows.
        view: the result shares memory with the first input.
        multi: the result is a tuple; g is then a tuple too, with None where no gradient came, and so is y.
        broadcasts: the inputs are broadcast against each other, so gradients are summed back to the inputs' shapes.
        reads: of a multi op, the numbers of the outputs that rules read; None: all.
        exact: nothing is rounded, so float16 arrays are taken as they are.
        facts: what Op takes: promote (None: dtypes are taken as they are), and the rest.
    """

    def declare(function: Callable[..., Any]) -> Op:
        op = Op(function, **facts)
        op.is_view, op.is_multi, op.broadcasts, op.reads = view, multi, broadcasts, reads
        op.exact = exact or view
        op._set_vjps(vjps)
        return op

    return declare


def movement(*vjps: Callable[..., Any] | None, **facts: Any) -> Callable[[Callable[..., Any]], Op]:
    """Declare an op that moves, picks or makes numbers but computes none: a primitive, exact in every dtype."""
    return primitive(*vjps, exact=True, **facts)


def ufunc(
    forward: Any,
    *vjps: Callable[..., Any] | None,
    promote: str | None = ARITHMETIC,
    exact: bool = False,
    numpy: tuple[np.ufunc, ...] | None = None,
    **facts: Any,
) -> Callable[[Callable[..., Any]], Op]:
    """Declare an elementwise op computed by a NumPy ufunc; the function gives name, signature and docstring.

    Args:
        numpy: as of Op; None for `forward` itself.
    """

    def declare(function: Callable[..., Any]) -> Op:
        op = Op(function, promote=promote, kind=ELEMENTWISE, numpy=(forward,) if numpy is None else numpy, **facts)
        op.forward, op.is_ufunc, op.broadcasts = forward, True, len(op.inputs) > 1
        op.exact = exact
        op.elementwise = True
        op._set_vjps(vjps)
        return op

    return declare


def elementwise(*ops: Op, forward: bool = True) -> None:
    """Declare that ops compute each element independently, so that large arrays may be processed in blocks.

    Args:
        forward: False where the forward makes no temporaries. A ufunc's makes none.
    """
    for op in ops:
        op.elementwise, op.blocks = True, forward


def fused(
    *, multi: bool = False, reads: tuple[int, ...] | None = None, **facts: Any
) -> Callable[[Callable[..., Any]], Op]:
    """Declare a hand-written kernel. The forward returns (result, saved); saved is a tuple of arrays for the backward.

    A forward with a keyword parameter `keep` is told whether a backward may follow, and may return () as saved if not.
    The backward is set by `@op.backward`, the composite by `@op.compose`; a recordable rule by `@op.vjp` where the
    composite would need inputs that the backward does not save.

    Args: multi, reads: as of `primitive`, of the result.
    """

    def declare(function: Callable[..., Any]) -> Op:
        op = Op(function, **facts)
        op.is_fused, op.is_multi, op.reads = True, multi, reads
        return op

    return declare
