"""strict_dtype: what it refuses, names and lets pass."""

import numpy as np
import pytest

import npg
from npg.autograd import strict_dtype


def tensors():
    return npg.ones(2), npg.ones(2, dtype=npg.float64)


REFUSED = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * np.ones(2),
    "cat": lambda a, b: npg.cat([a, b]),
    "stack": lambda a, b: npg.stack([a, b]),
    "where": lambda a, b: npg.where(a > 0, a, b),
    "sub": lambda a, b: a.sub_(b),
    "mse_loss": lambda a, b: npg.nn.functional.mse_loss(a, b),
    "gt": lambda a, b: a > b,
    "atan2": lambda a, b: npg.atan2(a, b),
    "addcmul": lambda a, b: npg.addcmul(a, a, b),
    "maximum": lambda a, b: a.half().maximum(a),
}
ALLOWED = {
    "one dtype": lambda a, b: a + a,
    "number": lambda a, b: a * 2.0,
    "NumPy number": lambda a, b: a * np.float64(2),
    "no dimensions": lambda a, b: a * npg.tensor(2.0, dtype=npg.float64),
    "integers": lambda a, b: a * npg.arange(2),
    "to": lambda a, b: a.to(npg.float64) + b,
    "dtype=": lambda a, b: a.sum(dtype=npg.float64),
    "result_type": lambda a, b: npg.result_type(a, b),
}


@pytest.mark.parametrize("name", REFUSED)
def test_strict_refuses_an_upcast_and_names_op_and_dtypes(name):
    a, b = tensors()
    with (
        strict_dtype(),
        pytest.raises(TypeError, match=rf"^{name}: expected floating tensors of one dtype .* got float"),
    ):
        REFUSED[name](a, b)
    assert a.tolist() == [1, 1] and a.dtype is npg.float32
    REFUSED[name](a, b)


@pytest.mark.parametrize("name", ALLOWED)
def test_strict_lets_pass_what_widens_no_tensor(name):
    with strict_dtype():
        ALLOWED[name](*tensors())


def test_strict_nests_and_ends_with_an_error():
    a, b = tensors()
    with strict_dtype():
        with strict_dtype(False):
            a + b
        with pytest.raises(TypeError, match="add"):
            a + b
    with pytest.raises(KeyError), strict_dtype():
        raise KeyError
    a + b


def test_strict_backward_runs():
    x = npg.ones(3, requires_grad=True)
    with strict_dtype():
        ((x * 2).exp().mean() + x.softmax(0).std()).backward()
    assert x.grad.dtype is npg.float32
