"""Anomaly mode: it names the forward call, finds nan, and is off again afterwards."""

import warnings

import pytest
import torch

import npg

LIBRARIES = (npg, torch)


@pytest.fixture(params=LIBRARIES, ids=["npg", "torch"])
def lib(request):
    """Either library: what holds in torch must hold in npg."""
    return request.param


def make_nan(lib):
    x = lib.tensor([[0.0, 1.0, 4.0]], requires_grad=True)
    return (x - 0.0).sqrt() * 0.0  # 0 * inf in the gradient of the root of 0


def test_nan_raises_with_the_forward_call_in_a_warning(lib):
    with lib.autograd.set_detect_anomaly(True):
        y = make_nan(lib)
        with (
            pytest.warns(UserWarning, match=r"Error detected in SqrtBackward0(?s:.*)make_nan") as record,
            pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan values in its 0th output."),
        ):
            y.sum().backward()
    assert len(record) == 1 and "Traceback of forward call" in str(record[0].message)


def test_nan_is_placed():
    with npg.autograd.set_detect_anomaly(True):
        y = make_nan(npg)
        with (
            pytest.warns(UserWarning),
            pytest.raises(
                RuntimeError, match=r"shape is \[1, 3\], 1 elements are nan, the first at \[0, 0\], 0 elements are inf"
            ),
        ):
            y.sum().backward()


def test_stack_ends_where_the_user_calls():
    with npg.autograd.set_detect_anomaly(True):
        y = make_nan(npg)
    last = y.grad_fn.origin.stack[-1]
    assert last.filename == __file__ and last.name == "make_nan"


def test_without_check_nan_or_when_off_nothing_is_said(lib):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with lib.autograd.set_detect_anomaly(True, check_nan=False):
            make_nan(lib).sum().backward()
        make_nan(lib).sum().backward()
    assert not lib.is_anomaly_enabled()


def test_error_in_a_backward_is_followed_to_its_call_under_create_graph_too(lib):

    class Bad(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise ValueError("on purpose")

    for create_graph in (False, True):
        with lib.autograd.set_detect_anomaly(True):
            x = lib.ones(2, requires_grad=True)
            y = Bad.apply(x)
            with (
                pytest.warns(UserWarning, match="Error detected in BadBackward"),
                pytest.raises(ValueError, match="purpose"),
            ):
                lib.autograd.grad(y.sum(), x, create_graph=create_graph)


def test_node_from_before_has_no_stack(lib):
    y = make_nan(lib)
    with lib.autograd.set_detect_anomaly(True):
        with (
            pytest.warns(UserWarning, match="No forward pass information available"),
            pytest.raises(RuntimeError, match="returned nan values"),
        ):
            y.sum().backward()


def test_detect_anomaly_warns_that_it_is_slow_and_ends(lib):
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        mode = lib.autograd.detect_anomaly()
    with mode:
        assert lib.is_anomaly_enabled() and lib.is_anomaly_check_nan_enabled()
    assert not lib.is_anomaly_enabled()


def test_set_detect_anomaly_as_a_function_stays(lib):
    lib.autograd.set_detect_anomaly(True, False)
    try:
        assert lib.is_anomaly_enabled() and not lib.is_anomaly_check_nan_enabled()
    finally:
        lib.autograd.set_detect_anomaly(False)
    assert not lib.is_anomaly_enabled()


def test_shapes_and_the_first_infinite_element_are_told():
    x = npg.tensor([[1.0, 0.0], [0.0, 2.0]], requires_grad=True)

    def f(x):
        return x.log() * npg.tensor([0.0, 1.0])  # 0 / 0 below the diagonal, 1 / 0 above it

    with npg.autograd.set_detect_anomaly(True):
        y = f(x)
        expected = r"1 elements are nan, the first at \[1, 0\], 1 elements are infinite, the first at \[0, 1\]"
        with (
            pytest.warns(UserWarning, match=r"It was given \[2, 2\] and made \[2, 2\]\."),
            pytest.raises(RuntimeError, match=expected),
        ):
            y.sum().backward()
    with npg.autograd.set_detect_anomaly(True):
        w = x * 1
        w.mul_(npg.ones(2))
        assert (w.grad_fn.origin.inputs, w.grad_fn.origin.outputs) == (["[2, 2]", "[2]"], ["[2, 2]"])
