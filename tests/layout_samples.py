"""Samples of torch's op_db as calls whose arrays can be laid out in memory in other ways; see layout_runs.py."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch.testing._internal.common_methods_invocations import op_db

import npg
from npg.engine import TensorBase
from npg.utils._pytree import tree_flatten, tree_unflatten

from .helpers import Unsupported, to_npg
from .layout_runs import Call
from .test_op_db import UNDEFINED, Form, forms

# Their numbers are drawn in the order of memory, as PyTorch's are, or they are about memory.
BY_MEMORY = UNDEFINED | {
    *("cauchy", "exponential", "geometric", "log_normal", "normal", "uniform", "bernoulli", "multinomial"),
    *("rand_like", "randn_like", "randint_like", "nn.functional.dropout", "nn.functional.alpha_dropout"),
    *("nn.functional.dropout2d", "nn.functional.dropout3d", "nn.functional.feature_alpha_dropout_with_train"),
    # They update running statistics: what one run writes the next one would read. See KERNELS of layout_runs.py.
    *("native_batch_norm", "nn.functional.batch_norm", "nn.functional.instance_norm"),
    *("as_strided", "as_strided_copy", "as_strided_scatter", "resize_", "resize_as_", "view", "view_as"),
}


def _call(form: Form, name: str, leaves: list[Any], spec: Any) -> Call:
    places = [i for i, x in enumerate(leaves) if isinstance(x, TensorBase)]

    def function(*xs: Any) -> Any:
        own = list(leaves)
        for i, x in zip(places, xs, strict=True):
            own[i] = x
        args, kwargs = tree_unflatten(own, spec)
        return form.npg_fn(*args, **kwargs)

    arrays = [leaves[i]._array.copy() for i in places]
    return Call(name, function, arrays, [leaves[i].requires_grad and not form.in_place for i in places])


def sampled(
    count: int, part: int = 0, parts: int = 1, dtypes: tuple[Any, ...] = (torch.float32, torch.float64, torch.int64)
) -> Iterator[Call]:
    """Yield some calls of each op and dtype, of a part of all ops; npg's functions and their in-place forms.

    Args:
        count: samples of each, spread over all that op_db has.
        part, parts: every so-and-so-many-th op.
    """
    for op in op_db[part::parts]:
        if op.name in BY_MEMORY:
            continue
        found = forms(op)
        for form in [*found[:1], *(f for f in found[1:] if f.name == "in place")]:
            for number, dtype in enumerate(dtypes):
                if dtype not in op.dtypes:
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    grad = op.supports_autograd and dtype.is_floating_point
                    first = itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=grad), count + 2 * number)
                    given = list(first)[-count:]  # of each dtype others, where there are so many
                for s in given:
                    if form.in_place and s.broadcasts_input:
                        continue
                    try:
                        leaves, spec = tree_flatten(to_npg(((s.input, *s.args), dict(s.kwargs))))
                    except Unsupported:
                        continue
                    if any(isinstance(x, TensorBase) for x in leaves):
                        text = ", ".join(str(x) for x in leaves if not isinstance(x, TensorBase))
                        yield _call(form, f"{op.name}, {form.name}, {dtype}, {text}", leaves, spec)


assert npg.Tensor  # the engine makes its outputs of this class
