"""saved_bytes: each buffer that a graph keeps once, before and after backward, with and without a checkpoint."""

import pytest

import npg
from npg.autograd.graph import saved_bytes, saved_tensors_hooks
from npg.utils.checkpoint import checkpoint


def leaf(*shape):
    return npg.rand(*shape).requires_grad_()


def test_saved_bytes_of_leaves_and_constants_are_none():
    x, w = leaf(10), leaf(10)
    assert saved_bytes(x) == saved_bytes(npg.ones(10)) == saved_bytes() == 0
    assert saved_bytes(x + w) == 0  # keeps nothing
    assert saved_bytes(x * w) == 0  # keeps leaves


def test_saved_bytes_counts_inputs_and_outputs_until_backward_has_run():
    x = leaf(10)
    y = x.exp()  # keeps its output
    assert saved_bytes(y) == 40
    z = (y * npg.ones(10, dtype=npg.float32)).sum()
    assert saved_bytes(z) == 80
    z.backward(retain_graph=True)
    assert saved_bytes(z) == 80
    z.backward()
    assert saved_bytes(z) == 0


def test_saved_bytes_counts_a_buffer_once_for_views_nodes_and_roots():
    x = leaf(4, 10)
    y = x + 1
    parts = [y[0] * y[1], y.t() @ y, y * y]
    assert saved_bytes(*parts) == saved_bytes(parts[0]) == 4 * 10 * 4
    assert saved_bytes(parts[0].sum() + parts[1].sum(), parts[2]) == 4 * 10 * 4


def test_saved_bytes_of_a_custom_function_are_counted():
    class Square(npg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            kept = x.detach() + 0
            ctx.save_for_backward(kept)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    assert saved_bytes(Square.apply(leaf(10))) == 40


def test_saved_bytes_follow_what_hooks_keep():
    x = leaf(10)
    with saved_tensors_hooks(lambda t: t.half(), lambda t: t.float()):
        y = x.exp()
    assert saved_bytes(y) == 20
    with saved_tensors_hooks(lambda t: 3, lambda t: npg.ones(10)):
        y = x.exp()
    assert saved_bytes(y) == 0


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_saved_bytes_of_a_checkpoint_are_fewer(use_reentrant):
    x = leaf(10)

    def part(x):
        for _ in range(5):
            x = x.exp().tanh()
        return x

    plain, less = saved_bytes(part(x)), saved_bytes(checkpoint(part, x, use_reentrant=use_reentrant))
    assert plain == 10 * 40 and less < plain / 5


def test_saved_bytes_of_a_long_chain_need_no_stack():
    y = leaf(1)
    for _ in range(20_000):
        y = y.exp() * 0
    assert saved_bytes(y) == 20_000 * 4
