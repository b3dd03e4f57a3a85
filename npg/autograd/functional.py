"""Derivatives of functions: products of vectors with Jacobians and Hessians, and the matrices themselves.

Everything is made of reverse passes. The product of a Jacobian with a vector from the right, which one reverse pass
does not give, takes two: u -> u J is linear in u, and the transpose of that linear map, applied to v, is J v ("double
backward": J. Townsend, "A new trick for calculating Jacobian vector products", 2017).

All take `strict`: raise where a derivative is zero because nothing depends on an input, instead of returning zeros; and
`create_graph`: the results can be differentiated with respect to the inputs. Source: torch.autograd.functional.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npg.creation import ones_like, zeros, zeros_like
from npg.engine import enable_grad, is_grad_enabled, set_grad_enabled
from npg.functional import reshape, stack
from npg.tensor import Tensor
from npg.tensor.gradients import grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = tuple[Tensor, ...]
_STRICT = "This is not allowed in strict mode"


# ----- Arguments and results -----


def _tuple(given: Any, what: str, function: str) -> tuple[bool, Tensors]:
    """Return (whether it is a tuple, the tensors). Raises: TypeError: for anything else than tensors."""
    is_tuple = isinstance(given, tuple)
    for i, x in enumerate(given if is_tuple else (given,)):
        if not isinstance(x, Tensor):
            where = f"value at index {i}" if is_tuple else f"given {what}"
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the {where} has "
                f"type {type(x)}."
            )
    return is_tuple, given if is_tuple else (given,)


def _prepared(inputs: Tensors, create_graph: bool, wanted: bool = True) -> Tensors:
    # New tensors in any case: func may hold the very same tensors and use them as constants.
    return tuple(
        [x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_(wanted) for x in inputs]
    )


def _packed(tensors: Any, is_tuple: bool, create_graph: bool) -> Any:
    results = tuple(tensors if create_graph else [x.detach() for x in tensors])
    return results if is_tuple else results[0]


def _outputs(func: Callable[..., Any], inputs: Tensors, name: str, strict: bool) -> tuple[bool, Tensors]:
    is_tuple, outputs = _tuple(func(*inputs), "outputs of the user-provided function", name)
    if strict:
        for i, y in enumerate(outputs):
            if not y.requires_grad:
                raise RuntimeError(
                    f"Output {i} of the user-provided function does not require gradients. The outputs must be "
                    "computed in a differentiable manner from the input when running in strict mode."
                )
    return is_tuple, outputs


def _scalar(func: Callable[..., Any], inputs: Tensors, name: str, strict: bool) -> Tensor:
    """Return func(*inputs). Raises: RuntimeError: unless it is one tensor with one element."""
    is_tuple, outputs = _outputs(func, inputs, name, strict)
    if is_tuple:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")
    return outputs[0]


def _vector(v: Any, like: Tensors, is_tuple: bool, create_graph: bool, name: str, missing: str) -> Any:
    """Return v as a tuple of tensors with the shapes of `like`, or of None.

    Raises: RuntimeError: when its length or a shape differs, or it is missing and `like` has more than one element.
    """
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if the {missing} a single Tensor with a single element.")
        return (ones_like(like[0], requires_grad=False),)
    v = _prepared(_tuple(v, "v", name)[1], create_graph, False)
    if len(v) != len(like):
        if is_tuple:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (part, x) in enumerate(zip(v, like, strict=True)):
        if part.shape != x.shape:
            entry = f"Entry {i} in " if is_tuple else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {x.size()} but got {part.size()}.")
    return v


_INPUT = "input to the user-provided function is"
_OUTPUT = "user-provided function returns"


# ----- Reverse passes -----


def _gradients(outputs: Any, inputs: Tensors, v: Any, create_graph: bool, retain_graph: bool | None = None) -> Any:
    """Return grad() of those outputs that have a graph; None where nothing arrives."""
    live = [(y, g) for y, g in zip(outputs, v, strict=True) if y is not None and y.requires_grad]
    if not live:
        return (None,) * len(inputs)
    return grad(
        [y for y, _ in live],
        inputs,
        [g for _, g in live],
        retain_graph=retain_graph,
        create_graph=create_graph,
        allow_unused=True,
    )


def _filled(grads: Any, like: Tensors, strict: bool, create_graph: bool, texts: tuple[str, str]) -> Tensors:
    """Return the gradients with zeros for None.

    Args:
        texts: what strict says of a None, and of a gradient without a graph under create_graph; {i} is the place.
    """
    if strict:
        for i, g in enumerate(grads):
            if g is None:
                raise RuntimeError(texts[0].format(i=i))
            if create_graph and not g.requires_grad:
                raise RuntimeError(texts[1].format(i=i))
    return tuple([zeros_like(x) if g is None else g for g, x in zip(grads, like, strict=True)])


_OF_GRADIENT = (
    f"The output of the user-provided function is independent of input {{i}}. {_STRICT}.",
    f"The jacobian of the user-provided function is independent of input {{i}}. {_STRICT} when create_graph=True.",
)
_OF_TRICK = (
    (
        "The gradient with respect to the input is independent of entry {i} in the grad_outputs when using the double "
        f"backward trick to compute forward mode gradients. {_STRICT}."
    ),
    _OF_GRADIENT[1],
)
_OF_HESSIAN = (
    f"The jacobian of the user-provided function is independent of input {{i}}. {_STRICT}.",
    f"The hessian of the user-provided function is independent of input {{i}}. {_STRICT} when create_graph=True.",
)
_OF_HESSIAN_TRICK = (
    (
        f"The hessian of the user-provided function is independent of entry {{i}} in the grad_jacobian. {_STRICT} as "
        "it prevents from using the double backward trick to replace forward mode AD."
    ),
    _OF_HESSIAN[1],
)


def _recorded_gradient(outputs: Any, inputs: Tensors, v: Any, strict: bool, of_scalar: bool) -> Any:
    """Return the gradients, recorded. Raises: RuntimeError: under strict, where one does not depend on the inputs."""
    found = _gradients(outputs, inputs, v, True)
    if strict:
        for i, g in enumerate(found):
            if g is None:
                raise RuntimeError(_OF_GRADIENT[0].format(i=i))
            if not g.requires_grad:
                raise RuntimeError((_CONSTANT_JACOBIAN if of_scalar else _CONSTANT_GRADIENT).format(i=i))
    return found


_CONSTANT_GRADIENT = (
    "The gradient with respect to input {i} is independent of the inputs of the user-provided function. "
    + _STRICT
    + "."
)
_CONSTANT_JACOBIAN = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {i} is "
    "independent of the input. " + _STRICT + ". You should ensure that your function is twice differentiable and that "
    "the jacobian depends on the inputs (this would be violated by a linear function for example)."
)


# ----- Products -----


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return func(*inputs), and the product of a vector with func's Jacobian.

    v J, one reverse pass.

    Args:
        func: takes and returns a tensor or a tuple of them.
        inputs: a tensor or a tuple of them.
        v: as the outputs of func; None where that is one element.
    Returns: (outputs, products), products as the inputs.
    Raises: TypeError: for what is no tensor. RuntimeError: when v does not fit, or for what strict refuses.
    """
    with enable_grad():
        is_tuple, inputs = _tuple(inputs, "inputs", "vjp")
        inputs = _prepared(inputs, create_graph)
        many, outputs = _outputs(func, inputs, "vjp", strict)
        v = _vector(v, outputs, many, create_graph, "vjp", _OUTPUT)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = _gradients(outputs, inputs, v, create_graph)
        products = _filled(found, inputs, strict, create_graph, _OF_GRADIENT)
    return _packed(outputs, many, create_graph), _packed(products, is_tuple, create_graph)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return func(*inputs), and the product of func's Jacobian with a vector.

    J v, two reverse passes; see the top of this file.

    Args:
        func, inputs, create_graph, strict: as for vjp.
        v: as the inputs; None where that is one element.
    Returns: (outputs, products), both as func returns.
    Raises: TypeError: for what is no tensor. RuntimeError: when v does not fit, or for what strict refuses.
    """
    with enable_grad():
        is_tuple, inputs = _tuple(inputs, "inputs", "jvp")
        inputs = _prepared(inputs, create_graph)
        v = _vector(v, inputs, is_tuple, create_graph, "jvp", _INPUT)
        many, outputs = _outputs(func, inputs, "jvp", strict)
        u = tuple([zeros_like(y, requires_grad=True) for y in outputs])
        pulled = _recorded_gradient(outputs, inputs, u, strict, False)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = _gradients(pulled, u, v, create_graph)
        products = _filled(found, outputs, strict, create_graph, _OF_TRICK)
    return _packed(outputs, many, create_graph), _packed(products, many, create_graph)


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return func(*inputs), one number, and the product of a vector with func's Hessian.

    v H, the gradient of (gradient . v).

    Args:
        func, inputs, create_graph, strict: as for vjp; func returns one element.
        v: as the inputs; None where that is one element.
    Returns: (output, products), products as the inputs.
    Raises: TypeError: for what is no tensor. RuntimeError: when v does not fit, or for what strict refuses.
    """
    with enable_grad():
        is_tuple, inputs = _tuple(inputs, "inputs", "vhp")
        inputs = _prepared(inputs, create_graph)
        v = _vector(v, inputs, is_tuple, create_graph, "vhp", _INPUT)
        output = _scalar(func, inputs, "vhp", strict)
        gradient = _recorded_gradient((output,), inputs, (None,), strict, True)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = _gradients(gradient, inputs, v, create_graph)
        products = _filled(found, inputs, strict, create_graph, _OF_HESSIAN)
    return _packed((output,), False, create_graph), _packed(products, is_tuple, create_graph)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return func(*inputs), one number, and the product of func's Hessian with a vector.

    H v. The Hessian is symmetric, so vhp gives the same with one pass less; this is for functions whose second
    derivatives are not continuous.

    Args and Returns: as vhp.
    """
    with enable_grad():
        is_tuple, inputs = _tuple(inputs, "inputs", "hvp")
        inputs = _prepared(inputs, create_graph)
        v = _vector(v, inputs, is_tuple, create_graph, "hvp", _INPUT)
        output = _scalar(func, inputs, "hvp", strict)
        gradient = _recorded_gradient((output,), inputs, (None,), strict, True)
        u = tuple([zeros_like(x, requires_grad=True) for x in inputs])
        pulled = _recorded_gradient(gradient, inputs, u, strict, False)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = _gradients(pulled, u, v, create_graph)
        products = _filled(found, inputs, strict, create_graph, _OF_HESSIAN_TRICK)
    return _packed((output,), False, create_graph), _packed(products, is_tuple, create_graph)


# ----- Matrices -----


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the Jacobian of func.

    J[i, j] = d output[i] / d input[j], one reverse pass per output element; with strategy="forward-mode" one pair of
    passes per input element.

    Args:
        func, inputs, create_graph, strict: as for vjp.
        vectorize: accepted; the passes run one after the other either way.
        strategy: "reverse-mode" or, with vectorize=True, "forward-mode".
    Returns: a tensor of shape (*output.shape, *input.shape); a tuple of them over the inputs where these are a tuple,
        a tuple over the outputs where func returns one, nested with the outputs first where both are.
    Raises: TypeError: for what is no tensor. RuntimeError: for what strict refuses. AssertionError,
        NotImplementedError: for a strategy that is none, or does not go with the other arguments.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                'npg.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not '
                'supported together (yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.'
            )
        if strict:
            raise RuntimeError(
                'npg.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported '
                'together (yet). Please either set `strict=False` or `strategy="reverse-mode"`.'
            )
        if not vectorize:
            raise NotImplementedError(
                "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented for "
                "`vectorize=True`."
            )
        return _by_columns(func, inputs)
    if strict and vectorize:
        raise RuntimeError(
            "npg.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. "
            "Please either set `strict=False` or `vectorize=False`."
        )
    with enable_grad():
        is_tuple, inputs = _tuple(inputs, "inputs", "jacobian")
        inputs = _prepared(inputs, create_graph)
        many, outputs = _outputs(func, inputs, "jacobian", strict)
        rows = [_rows(i, y, inputs, create_graph, strict) for i, y in enumerate(outputs)]
    return _nested(rows, many, is_tuple, create_graph)


def _rows(i: int, y: Tensor, inputs: Tensors, create_graph: bool, strict: bool) -> list[Tensor]:
    """Return the Jacobian of one output with respect to each input, a reverse pass per element."""
    found: list[list[Tensor]] = [[] for _ in inputs]
    for j in range(y.numel()):
        one = zeros_like(y, requires_grad=False)
        one.view(-1)[j] = 1
        for at, (g, x) in enumerate(zip(_gradients((y,), inputs, (one,), create_graph, True), inputs, strict=True)):
            if strict and g is None:
                raise RuntimeError(f"Output {i} of the user-provided function is independent of input {at}. {_STRICT}.")
            if strict and create_graph and not g.requires_grad:
                raise RuntimeError(_OF_GRADIENT[1].format(i=i))
            found[at].append(zeros_like(x) if g is None else g)
    return [
        reshape(stack(parts), (*y.shape, *x.shape)) if parts else zeros((*y.shape, *x.shape), dtype=x.dtype)
        for parts, x in zip(found, inputs, strict=True)
    ]


def _by_columns(func: Callable[..., Any], inputs: Any) -> Any:
    is_tuple, inputs = _tuple(inputs, "inputs", "jacobian")
    many = False
    columns: list[list[Tensors]] = []  # per input, per element, per output
    for at, x in enumerate(inputs):
        columns.append([])
        for j in range(x.numel()):
            v = [zeros_like(part, requires_grad=False) for part in inputs]
            v[at].view(-1)[j] = 1
            _, product = jvp(func, inputs, tuple(v))
            many, products = _tuple(product, "outputs of the user-provided function", "jacobian")
            columns[-1].append(products)
    count = max((len(column) for each in columns for column in each), default=0)
    found = []
    for i in range(count):
        shape = columns[0][0][i].shape
        found.append(
            [
                reshape(stack([column[i] for column in each], -1), (*shape, *x.shape))
                for each, x in zip(columns, inputs, strict=True)
            ]
        )
    return _nested(found, many, is_tuple, False)


def _nested(rows: list[list[Tensor]], many: bool, is_tuple: bool, create_graph: bool) -> Any:
    found = tuple([_packed(row, is_tuple, create_graph) for row in rows])
    return found if many else found[0]


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the Hessian of func, which returns one element.

    H[i, j] = d^2 output / d input[i] d input[j]: the Jacobian of the gradient.

    Args:
        func, inputs, create_graph, strict: as for vjp.
        vectorize, outer_jacobian_strategy: as for jacobian.
    Returns: a tensor of shape (*input.shape, *input.shape); nested tuples of them where inputs is a tuple.
    Raises: TypeError: for what is no tensor. RuntimeError: when func returns more than one element, or for what strict
        refuses.
    """
    is_tuple, given = _tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def gradient(*xs: Tensor) -> Any:
        if outer_jacobian_strategy == "forward-mode":
            xs = tuple([x if x.requires_grad else x.detach().requires_grad_() for x in xs])
        output = _scalar(func, xs, "hessian", strict)
        found = _gradients((output,), xs, (None,), True)
        for i, g in enumerate(found):
            if strict and (g is None or not g.requires_grad):
                raise RuntimeError(_CONSTANT_JACOBIAN.format(i=i))
        return _filled(found, xs, False, True, _OF_GRADIENT)

    found = jacobian(gradient, given, create_graph, strict, vectorize, strategy=outer_jacobian_strategy)
    return found if is_tuple else found[0][0]
