"""vmap: apply a function of one example to a whole batch."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from npg.func._batched import BatchedTensor, Level, batch, running
from npg.func._batching import intercepting, note_loop
from npg.func._placeholder import Standin, Unbatchable
from npg.functional import cat, expand, movedim, narrow, select, stack
from npg.random._standing_in import Repeats, refusing
from npg.tensor import Tensor
from npg.utils._pytree import TreeSpec, _broadcast_to_and_flatten, tree_flatten, tree_unflatten


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Return a function that maps func over a dimension of its inputs, and stacks the results.

    y[i] = func(x[i]) for all i. Ops are applied to whole batches, by a rule or as composites of ops that have one; ops
    without a rule run on one example after another, and so does func where it reads values of a tensor other than by an
    op. vmap_report lists both.

    Args:
        func: takes tensors of one example, and returns a tensor or a tree of them.
        in_dims: the dimension of each input to map over, None for none; an int for all, or a prefix tree of the inputs.
        out_dims: the position of the mapped dimension in the outputs, likewise; None for outputs common to all.
        randomness: "error": func must not draw random numbers; "different": each example draws its own, which runs func
            one example after another; "same": all use the same.
        chunk_size: the number of examples at a time; None: all.
    Returns: the function; keyword arguments are the same for all examples.
    Raises: ValueError: when in_dims, out_dims, inputs or outputs do not fit. RuntimeError: when func uses a tensor in
        control flow or calls item() on it, and for random numbers under "error".
    Source: torch.func.vmap. The random numbers under "different" are drawn example by example, so they differ from
        PyTorch's. A function that can only run example by example is started twice.
    """
    check_randomness(randomness)
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return _Call(func, in_dims, out_dims, randomness, args, kwargs).run(chunk_size)

    return wrapped


def check_randomness(randomness: str) -> None:
    """Raise RuntimeError for anything but the three words."""
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")


def refuse_drawing() -> None:
    """Raise RuntimeError, always."""
    raise RuntimeError(
        "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
        "randomness flags on vmap or perform the randomness operation out of vmap"
    )


def name_of(func: Any) -> str:
    """Return a function's name for errors."""
    if hasattr(func, "__name__"):
        return str(func.__name__)
    if isinstance(func, functools.partial):
        return f"functools.partial({name_of(func.func)}, ...)"
    return repr(func)


class _Call:
    """One call of a mapped function, with its arguments parsed and checked."""

    def __init__(self, func: Any, in_dims: Any, out_dims: Any, randomness: str, args: Any, kwargs: Any) -> None:
        self.func, self.in_dims, self.out_dims, self.randomness = func, in_dims, out_dims, randomness
        self.name = name_of(func)
        self._check_out_dims()
        self._read_inputs(args)
        self.kwargs = kwargs

    # ----- Arguments -----

    def _check_out_dims(self) -> None:
        for d in tree_flatten(self.out_dims)[0]:
            if not (d is None or isinstance(d, int)):
                raise ValueError(
                    f"vmap({self.name}, ..., out_dims={self.out_dims}): `out_dims` must be an int, None or a python "
                    "collection of ints representing where in the outputs the vmapped dimension should appear."
                )

    def _read_inputs(self, args: tuple[Any, ...]) -> None:
        head = f"vmap({self.name}, in_dims={self.in_dims}, ...)(<inputs>): "
        if not isinstance(self.in_dims, (int, tuple)):
            raise ValueError(
                f"{head}expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
                f"got: {type(self.in_dims)}."
            )
        if not args:
            raise ValueError(
                f"vmap({self.name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to "
                "vmap over a function with no inputs. The latter is unsupported."
            )
        self.leaves, self.spec = tree_flatten(args)
        dims = _broadcast_to_and_flatten(self.in_dims, self.spec)
        if dims is None:
            raise ValueError(
                f"{head}in_dims is not compatible with the structure of `inputs`. in_dims has structure "
                f"{tree_flatten(self.in_dims)[1]} but inputs has structure {self.spec}."
            )
        self.dims: list[Any] = dims
        for i, (x, d) in enumerate(zip(self.leaves, dims, strict=True)):
            if d is None:
                continue
            if not isinstance(d, int):
                raise ValueError(
                    f"{head}Got in_dim={d} for an input but in_dim must be either an integer dimension or None."
                )
            if not isinstance(x, Tensor):
                raise ValueError(
                    f"{head}Got in_dim={d} for an input but the input is of type {type(x)}. We cannot vmap over "
                    "non-Tensor arguments, please use None as the respective in_dim"
                )
            if not -x.dim() <= d < x.dim():
                raise ValueError(
                    f"{head}Got in_dim={d} for some input, but that input is a Tensor of dimensionality {x.dim()} so "
                    f"expected in_dim to satisfy -{x.dim()} <= in_dim < {x.dim()}."
                )
            dims[i] = d % x.dim()
        sizes = [x.size(d) for x, d in zip(self.leaves, dims, strict=True) if d is not None]
        if not sizes:
            raise ValueError("vmap: Expected at least one Tensor to vmap over")
        if any(n != sizes[0] for n in sizes):
            raise ValueError(
                "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
                f"{sizes} for the mapped dimension"
            )
        self.size: int = sizes[0]

    # ----- Chunks -----

    def run(self, chunk_size: int | None) -> Any:
        """Return the stacked results."""
        batched = [x if d is None else movedim(x, d, 0) for x, d in zip(self.leaves, self.dims, strict=True)]
        if chunk_size is None or chunk_size >= self.size:
            return self._run(batched, self.size)
        with Repeats() if self.randomness == "same" else contextlib.nullcontext() as repeats:
            chunks = []
            for at in range(0, self.size, chunk_size):
                n = min(chunk_size, self.size - at)
                if repeats is not None:
                    repeats.restart()
                part = [x if d is None else narrow(x, 0, at, n) for x, d in zip(batched, self.dims, strict=True)]
                chunks.append(tree_flatten(self._run(part, n)))
        spec = chunks[0][1]
        dims = self._dims_of_outputs(tree_unflatten(chunks[0][0], spec), chunks[0][0], spec)
        if any(d is None for d in dims):
            raise TypeError("cat(): argument 'dim' must be int, not None; chunks go with outputs that are mapped over")
        parts = zip(*[leaves for leaves, _ in chunks], strict=True)
        return tree_unflatten([cat(ys, d) for ys, d in zip(parts, dims, strict=True)], spec)

    # ----- All examples at once, or one after the other -----

    def _run(self, batched: list[Any], size: int) -> Any:
        if self.randomness == "error":
            with refusing(refuse_drawing):
                return self._mapped(batched, size, None)
        if self.randomness == "same":
            with Repeats() as repeats:
                return self._mapped(batched, size, repeats)
        return self._mapped(batched, size, None)

    def _mapped(self, batched: list[Any], size: int, repeats: Repeats | None) -> Any:
        level = Level(running_number() + 1, size)
        try:
            return self._at_once(batched, level)
        except TypeError as error:
            if Standin.__name__ not in str(error):
                raise
            why = "an ndarray"  # a constructor passed the placeholder to the compiled engine as an ndarray
        except Unbatchable as reason:
            if 0 < reason.level < level.number:  # an enclosing vmap's
                raise
            why = reason.what
        note_loop(f"func: {self.name} ({why})")
        return self._one_by_one(batched, size, repeats)

    def _at_once(self, batched: list[Any], level: Level) -> Any:
        inputs = [x if d is None else batch(x, level.number) for x, d in zip(batched, self.dims, strict=True)]

        def refuse() -> None:  # each example draws its own; none is drawn before this is known
            raise Unbatchable(level.number, "random numbers")

        each = refusing(refuse) if self.randomness == "different" else contextlib.nullcontext()
        with each, intercepting(level):
            outputs = self.func(*tree_unflatten(inputs, self.spec), **self.kwargs)
            return self._unwrapped(outputs, level)

    def _one_by_one(self, batched: list[Any], size: int, repeats: Repeats | None) -> Any:
        if not size:
            raise RuntimeError(f"vmap: {self.name} can only be run one example after the other, and there is none")
        results = []
        for i in range(size):
            if repeats is not None:
                repeats.restart()
            each = [x if d is None else select(x, 0, i) for x, d in zip(batched, self.dims, strict=True)]
            results.append(tree_flatten(self.func(*tree_unflatten(each, self.spec), **self.kwargs)))
        leaves, spec = results[0]
        dims = self._dims_of_outputs(tree_unflatten(leaves, spec), leaves, spec)
        outputs = []
        for at, d in enumerate(dims):
            ys = [each[at] for each, _ in results]
            if d is None:
                outputs.append(ys[0])
                continue
            self._check_output(ys[0])
            outputs.append(movedim(stack(ys), 0, d))
        return tree_unflatten(outputs, spec)

    # ----- Outputs -----

    def _dims_of_outputs(self, outputs: Any, leaves: Any, spec: TreeSpec) -> list[Any]:
        out = self.out_dims
        dims: list[Any] | None
        if isinstance(outputs, Tensor):
            dims = [out] if out is None or isinstance(out, int) else None
            if isinstance(out, tuple) and len(out) == 1:
                dims = list(out)
        else:
            dims = _broadcast_to_and_flatten(out, spec)
        if dims is None:
            raise ValueError(
                f"vmap({self.name}, ..., out_dims={out})(<inputs>): out_dims is not compatible with the structure of "
                f"`outputs`. out_dims has structure {tree_flatten(out)[1]} but outputs has structure {spec}."
            )
        return dims

    def _check_output(self, y: Any) -> None:
        if not isinstance(y, Tensor):
            raise ValueError(
                f"vmap({self.name}, ...): `{self.name}` must only return Tensors, got type {type(y)}. Did you mean to "
                "set out_dims= to None for output?"
            )

    def _unwrapped(self, outputs: Any, level: Level) -> Any:
        leaves, spec = tree_flatten(outputs)
        dims = self._dims_of_outputs(outputs, leaves, spec)
        return tree_unflatten([self._output(y, d, level) for y, d in zip(leaves, dims, strict=True)], spec)

    def _output(self, y: Any, d: Any, level: Level) -> Any:
        is_batched = type(y) is BatchedTensor and y.level == level.number
        if d is None:
            if is_batched:
                raise ValueError(
                    f"vmap({self.name}, ...): `{self.name}` can not return a BatchedTensor when out_dim is None"
                )
            return y
        self._check_output(y)
        rank = y.dim() + 1
        if not -rank <= d < rank:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {d})")
        return movedim(y.physical if is_batched else expand(y, (level.size, *y.shape)), 0, d)


def running_number() -> int:
    """Return the number of the innermost vmap running in this thread, 0 for none."""
    return running.levels[-1].number if running.levels else 0
