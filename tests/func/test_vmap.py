"""vmap against torch.func.vmap: dimensions, structure, errors, random numbers, gradients, what it loops over."""

import functools
import threading

import numpy as np
import pytest
import torch

import npg

from .comparing import compare, same, tensors


def loop(f, *xs):
    """Return the results of f for each example, stacked."""
    return npg.stack([f(*each) for each in zip(*xs, strict=True)])


# ----- Dimensions -----


@pytest.mark.parametrize("out_dims", [0, 1, -1, 2, 3, (1,), (0, 1), None, "x", [0]])
@pytest.mark.parametrize("in_dims", [0, 1, -1, -2, 2, -3, (1,), (None,), None, "x", ([0],), (0, 0), (1.5,), [0]])
def test_vmap_dims_of_one_tensor_are_torchs(in_dims, out_dims):
    same(lambda lib: lib.func.vmap(lambda x: x.sin(), in_dims, out_dims)(tensors(lib, (3, 4))))


@pytest.mark.parametrize("in_dims", [0, (0, None), (None, 0), (1, 0), ((0, None), 0), ({"a": 0, "b": None}, 0), (0, 2)])
def test_vmap_dims_of_two_inputs_are_torchs(in_dims):
    same(lambda lib: lib.func.vmap(lambda x, y: x * y.sum(), in_dims)(*tensors(lib, (3, 3), (3, 3))))
    same(lambda lib: lib.func.vmap(lambda x, y: x * y.sum(), in_dims)(*tensors(lib, (3, 3), (2, 3))))
    same(lambda lib: lib.func.vmap(lambda t, y: t[0] * t[1] + y, in_dims)(tensors(lib, (3,), (3,)), tensors(lib, (3,))))
    same(
        lambda lib: lib.func.vmap(lambda t, y: t["a"] * t["b"] + y, in_dims)(
            dict(zip("ab", tensors(lib, (3,), (3,)), strict=True)), tensors(lib, (3,))
        )
    )


@pytest.mark.parametrize("out_dims", [0, 1, (0, 1), (0, (1, 0)), (0, 1, 2), {"a": 0}, (None, 0), (0, None)])
def test_vmap_structure_of_outputs_is_torchs(out_dims):
    def call(lib, f):
        return lib.func.vmap(f, out_dims=out_dims)(tensors(lib, (3, 2)))

    same(lambda lib: call(lib, lambda x: (x, x * 2)))
    same(lambda lib: call(lib, lambda x: (x, [x, x * 2])))
    same(lambda lib: call(lib, lambda x: {"a": x}))
    if out_dims != 1:  # PyTorch's own expansion of what is not batched then fails
        same(lambda lib: call(lib, lambda x: (lib.ones(2), x)))
    same(lambda lib: call(lib, lambda x: (x, 3)))
    same(lambda lib: call(lib, lambda x: 3))
    same(lambda lib: call(lib, lambda x: None))


def test_vmap_inputs_that_do_not_fit_raise_torchs_errors():
    same(lambda lib: lib.func.vmap(lambda x: x)())
    same(lambda lib: lib.func.vmap(lambda x: x)(3))
    same(lambda lib: lib.func.vmap(lambda x: x)([]))
    same(lambda lib: lib.func.vmap(lambda x: x)(lib.ones(())))
    same(lambda lib: lib.func.vmap(lambda x, y: x, (0, None))(lib.ones(2), 3))
    same(lambda lib: lib.func.vmap(functools.partial(lambda x, y: x, y=1), 1)(lib.ones(2)))
    same(lambda lib: lib.func.vmap(lambda x: x, chunk_size=0))
    same(lambda lib: lib.func.vmap(lambda x: x, randomness="none")(lib.ones(2)))


def test_vmap_keyword_arguments_are_the_same_for_all():
    same(lambda lib: lib.func.vmap(lambda x, y: x * y)(lib.ones(2), y=lib.ones(2)))


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7, None])
def test_vmap_chunk_size(chunk_size):
    def call(lib):
        f = lib.func.vmap(lambda x, y: (x * y, y.sum()), (1, None), (1, 0), chunk_size=chunk_size)
        return f(*tensors(lib, (3, 5), (3,)))

    same(call)


def test_vmap_of_no_examples():
    same(lambda lib: lib.func.vmap(lambda x: x.sin().sum())(lib.ones(0, 3)))
    found = npg.func.vmap(lambda x: npg.outer(x, x).trace())(npg.ones(0, 3))
    assert found.shape == (0,)


def test_vmap_nests():
    def call(lib):
        inner = lib.func.vmap(lambda x, y: x @ y, (None, 0))
        return lib.func.vmap(inner, (0, None))(*tensors(lib, (4, 3), (5, 3)))

    same(call)
    same(lambda lib: lib.func.vmap(lib.func.vmap(lib.func.vmap(lambda x: x.sin())), 2, 1)(tensors(lib, (2, 3, 4))))
    same(lambda lib: lib.func.vmap(lambda x: lib.func.vmap(lambda y: x * y)(x).sum())(tensors(lib, (2, 3))))


def test_vmap_nested_loops():
    x = tensors(npg, (2, 3, 4))
    found = npg.func.vmap(npg.func.vmap(lambda x: npg.outer(x, npg.ones_like(x)).trace() + x - x.sum()))(x)
    compare(found, torch.from_numpy(x.numpy()))


# ----- Values are not to be had -----


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.item(),
        lambda x: float(x),
        lambda x: int(x),
        lambda x: x.tolist(),
        lambda x: x.numpy(),
        lambda x: f"{x:.3f}",
    ],
    ids=["item", "float", "int", "tolist", "numpy", "format"],
)
def test_vmap_refuses_values_in_torchs_words(f):
    same(lambda lib: lib.func.vmap(f)(tensors(lib, (2,))))
    same(lambda lib: lib.func.vmap(lib.func.vmap(f))(tensors(lib, (2, 2))), text=False)
    same(lambda lib: lib.func.vmap(lib.func.grad(f))(tensors(lib, (2,))), text=False)


@pytest.mark.parametrize("f", [lambda x: x if x > 0 else -x, lambda x: x or 2, lambda x: x.is_nonzero()])
def test_vmap_refuses_control_flow(f):
    for lib in (npg, torch):
        for mapped in (lib.func.vmap(f), lib.func.vmap(lib.func.grad(f))):
            with pytest.raises(RuntimeError, match="to use a Tensor in some data-dependent control flow|item"):
                mapped(tensors(lib, (2,)))


def test_vmap_no_function_gives_the_values_of_one_example():
    x = npg.tensor([[3.0, 1.0], [4.0, 2.0]])
    leaked = []
    npg.func.vmap(lambda x: leaked.append(x) or x)(x)
    (y,) = leaked
    for use in (np.asarray, np.array, lambda t: t.sum(), lambda t: np.exp(t), lambda t: 1 in t, lambda t: t.data_ptr()):
        with pytest.raises((RuntimeError, TypeError, ValueError)):
            use(y)
    with pytest.raises(RuntimeError):
        y += 1


def test_vmap_needs_values_and_runs_example_by_example():
    x = npg.tensor([[3.0, 1.0, 3.0], [4.0, 2.0, 2.0]])
    edges = npg.tensor([1.5, 3.5])
    with npg.func.vmap_report() as report:
        found = npg.func.vmap(lambda x: npg.searchsorted(edges, x))(x)
    assert found.tolist() == [[1, 0, 1], [2, 1, 1]]
    assert list(report.looped) == ["func: <lambda> (np.searchsorted)"]


@pytest.mark.parametrize("f", [npg.Tensor, npg.nn.Parameter, npg.tensor, lambda x: x.as_subclass(npg.Tensor)])
def test_vmap_of_constructors(f):
    x = npg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert npg.func.vmap(lambda x: f(x) * 1)(x).tolist() == x.tolist()


def test_vmap_prints_as_torch_does():
    seen = []
    npg.func.vmap(lambda x: seen.append(repr(x)) or x)(npg.ones(2))
    assert seen == ["BatchedTensor(lvl=1, bdim=0, value=\n    tensor([1., 1.])\n)"]


def test_vmap_leaves_no_trace_after_an_error():
    with pytest.raises(ZeroDivisionError):
        npg.func.vmap(lambda x: 1 / 0)(npg.ones(2))
    assert npg.func._batched.running.levels == () and not npg.func._batching._active


def test_vmap_in_several_threads():
    results = {}

    def work(n):
        x = npg.full((4, 3), float(n))
        results[n] = [npg.func.vmap(npg.func.grad(lambda y: (y**2).sum()))(x).tolist() for _ in range(20)][-1]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == {n: [[2.0 * n] * 3] * 4 for n in range(4)}


# ----- In place -----


def test_vmap_in_place_writes_the_batch():
    def call(lib):
        x, y = tensors(lib, (2, 3), (2, 3))
        return lib.func.vmap(lambda x, y: x.add_(y).mul_(2))(x, y), x

    same(call)

    def parts(lib):
        x = tensors(lib, (2, 3))

        def f(x):
            x = x.clone()
            x[1] = 5.0
            x[0] += x[2]
            x[1:].mul_(2)
            x[None, 1] = x[:1]
            x[:2].fill_(3)
            x[2:].zero_()
            x.copy_(x + 1)
            return x

        return lib.func.vmap(f)(x), x

    same(parts)


def test_vmap_in_place_of_what_is_not_batched():
    with pytest.raises(RuntimeError, match="vmapped over but `self` not being vmapped over"):
        npg.func.vmap(lambda x, c: c.add_(x), (0, None))(npg.ones(2), npg.ones(()))
    c = npg.zeros(3)
    with pytest.raises(RuntimeError):
        npg.func.vmap(lambda x: c.add_(x))(npg.ones(2, 3))
    with pytest.raises(RuntimeError, match="vmapped over but `self` not being vmapped over"):
        npg.func.vmap(lambda x: c.__setitem__(0, x))(npg.ones(2))
    assert c.tolist() == [0, 0, 0]

    def call(lib):
        def f(x):
            y, z = lib.zeros_like(x), x.new_ones(3)
            y[0] = x.sum()
            y += x
            return y + z.mul_(x)

        return lib.func.vmap(f)(tensors(lib, (2, 3)))

    same(call)


# ----- Random numbers -----


@pytest.mark.parametrize(
    "draw",
    [
        lambda x: x + npg.rand(3),
        lambda x: npg.randn_like(x),
        lambda x: npg.nn.functional.dropout(x, 0.5),
        lambda x: npg.bernoulli(x.sigmoid()),
        lambda x: x.clone().normal_(),
        lambda x: npg.multinomial(x.exp(), 2),
    ],
    ids=["rand", "randn_like", "dropout", "bernoulli", "normal_", "multinomial"],
)
def test_vmap_randomness(draw):
    x = npg.ones(4, 3)
    npg.manual_seed(3)
    state = npg.get_rng_state()
    with pytest.raises(RuntimeError, match="vmap: called random operation while in randomness error mode"):
        npg.func.vmap(draw)(x)
    assert npg.get_rng_state().tolist() == state.tolist()
    same_ones = npg.func.vmap(draw, randomness="same")(x)
    assert all(row == same_ones[0].tolist() for row in same_ones.tolist())
    npg.manual_seed(3)
    different = npg.func.vmap(draw, randomness="different")(npg.ones(64, 3))
    npg.manual_seed(3)
    assert different.tolist() == npg.stack([draw(e) for e in npg.ones(64, 3)]).tolist()
    assert len({tuple(row) for row in different.tolist()}) > 1


def test_vmap_randomness_same_in_chunks():
    x = npg.ones(5, 3)
    found = npg.func.vmap(lambda x: x + npg.rand(3), randomness="same", chunk_size=2)(x)
    assert all(row == found[0].tolist() for row in found.tolist())


def test_vmap_error_text_for_random_numbers_is_torchs():
    same(lambda lib: lib.func.vmap(lambda x: x + lib.rand(3))(lib.ones(2, 3)))
    same(lambda lib: lib.func.vmap(lambda x: lib.nn.functional.dropout(x))(lib.ones(2, 3)))


def in_another_thread(draw):
    found = []
    thread = threading.Thread(target=lambda: found.append(draw()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("chunk_size", [None, 2])
@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("randomness", ["error", "same", "different"])
def test_vmap_leaves_the_draws_of_other_threads_alone(randomness, one_by_one, chunk_size):
    npg.manual_seed(3)
    alone = npg.rand(500).tolist()
    npg.manual_seed(3)
    elsewhere = []

    def f(x):
        elsewhere.extend(in_another_thread(lambda: npg.rand(3)).tolist())
        if randomness != "error":
            x = x + npg.rand(2)
        if one_by_one:
            x = x + npg.searchsorted(npg.ones(1) * 2, x)
        elsewhere.extend(in_another_thread(lambda: npg.rand(1)).tolist())
        return x

    found = npg.func.vmap(f, randomness=randomness, chunk_size=chunk_size)(npg.zeros(4, 2)).tolist()
    own = {tuple(row) for row in found}
    assert len(own) == (4 if randomness == "different" else 1)
    drawn = elsewhere + ([] if randomness == "error" else [v for row in own for v in row]) + npg.rand(10).tolist()
    assert sorted(drawn) == sorted(alone[: len(drawn)]), "each number once, without a gap"


@pytest.mark.parametrize("inner", ["error", "same", "different"])
@pytest.mark.parametrize("outer", ["error", "same", "different"])
def test_vmap_nested_randomness_is_the_outer_ones_and_the_inner_ones(outer, inner):
    """PyTorch draws the numbers of a batch at once; which of them are equal is the same."""

    def call(lib):
        def f(x):
            return lib.func.vmap(lambda e: e + lib.randn(()), randomness=inner)(x)

        try:
            return lib.func.vmap(f, randomness=outer)(lib.zeros(3, 2)).tolist()
        except RuntimeError as error:
            return str(error)

    found, expected = call(npg), call(torch)
    if isinstance(expected, str):
        assert found == expected
    else:
        assert [[v == w for v in sum(found, []) for w in sum(found, [])]] == [
            [v == w for v in sum(expected, []) for w in sum(expected, [])]
        ]


@pytest.mark.parametrize(
    "draw",
    [
        lambda lib, x: lib.randn((), generator=lib.Generator()),
        lambda lib, x: lib.rand(0).sum(),
        lambda lib, x: lib.randperm(2),
        lambda lib, x: lib.empty(2).uniform_(),
        lambda lib, x: lib.bernoulli(lib.full((2,), 0.5)),
        lambda lib, x: lib.multinomial(lib.ones(3), 2),
        lambda lib, x: lib.nn.Linear(2, 2)(x).sum(),
        lambda lib, x: lib.nn.functional.dropout(x, 0.5, False),
        lambda lib, x: lib.nn.functional.dropout(x, 0.0, True),
        lambda lib, x: lib.nn.functional.dropout(x, 1.0, True),
        lambda lib, x: (lib.manual_seed(0), x)[1],
        lambda lib, x: lib.func.grad(lambda e: (e * lib.randn(())).sum())(x),
        lambda lib, x: lib.func.jacrev(lambda e: e * lib.randn(()))(x),
        lambda lib, x: lib.poisson(lib.ones(2)),
    ],
)
def test_vmap_refuses_the_draws_that_torch_refuses(draw):
    def refusal(lib):
        try:
            lib.func.vmap(lambda x: x + draw(lib, x))(lib.zeros(3, 2))
        except RuntimeError as error:
            return str(error)
        return ""

    npg.manual_seed(0)
    before = npg.get_rng_state().tolist()
    assert refusal(npg) == refusal(torch)
    assert npg.get_rng_state().tolist() == before


def test_vmap_refuses_before_anything_is_drawn_and_the_function_may_go_on():
    def f(lib):
        def g(x):
            try:
                return x + lib.randn(2)
            except RuntimeError:
                return x

        return lib.func.vmap(g)(lib.ones(3, 2))

    npg.manual_seed(0)
    before = npg.get_rng_state().tolist()
    assert f(npg).tolist() == f(torch).tolist()
    assert npg.get_rng_state().tolist() == before


@pytest.mark.parametrize("chunk_size", [None, 2])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_vmap_same_repeats_every_kind_of_draw_and_the_streams_go_on_as_after_one_example(one_by_one, chunk_size):
    generator = npg.Generator()
    edges = npg.zeros(1)

    def draws():
        return npg.cat(
            [
                npg.randn(3),
                npg.poisson(npg.full((2,), 3.0)),
                npg.rand(2, generator=generator),
                npg.randperm(5).float(),
                npg.rand(700),
                npg.randn(2, generator=generator),
                npg.randn(1),
            ]
        )

    def f(x):
        y = draws() + x
        return y + npg.searchsorted(edges, x) if one_by_one else y

    def seed():
        npg.manual_seed(7)
        generator.manual_seed(8)
        npg.randn(1)  # its sine is kept for the next call

    seed()
    once, then = draws().tolist(), [npg.randn(3).tolist(), generator.get_state().tolist()]
    seed()
    found = npg.func.vmap(f, randomness="same", chunk_size=chunk_size)(npg.zeros(4, 1)).tolist()
    assert found == [once] * 4
    assert [npg.randn(3).tolist(), generator.get_state().tolist()] == then


def test_vmap_same_seeds_and_states_within_the_function():
    def f(x):
        a = npg.rand(2)
        npg.manual_seed(5)
        b, state = npg.rand(2), npg.get_rng_state()
        c = npg.rand(2)
        npg.set_rng_state(state)
        return npg.cat([a, b, c, npg.rand(2)]) + npg.searchsorted(npg.ones(1) * 2, x)

    npg.manual_seed(3)
    once = f(npg.zeros(1)).tolist()
    npg.manual_seed(3)
    assert npg.func.vmap(f, randomness="same")(npg.zeros(4, 1)).tolist() == [once] * 4
    after = npg.rand(3).tolist()
    npg.manual_seed(3)
    f(npg.zeros(1))
    assert npg.rand(3).tolist() == after


# ----- Gradients -----


def mlp(lib):
    net = lib.nn.Sequential(
        lib.nn.Linear(5, 7), lib.nn.GELU(), lib.nn.LayerNorm(7), lib.nn.Linear(7, 6), lib.nn.Tanh(), lib.nn.Linear(6, 4)
    ).double()
    for i, p in enumerate(net.parameters()):
        p.data = tensors(lib, tuple(p.shape), seed=i) - 0.8
    return net


@pytest.mark.parametrize("loss", ["cross_entropy", "mse_loss"])
@pytest.mark.parametrize("detached", [False, True])
def test_per_sample_gradients_of_an_mlp(loss, detached):
    def call(lib, report=None):
        net = mlp(lib)
        params = {k: v.detach() if detached else v for k, v in net.named_parameters()}
        xs = tensors(lib, (6, 5), seed=20)
        ys = lib.tensor([0, 1, 2, 3, 1, 1]) if loss == "cross_entropy" else tensors(lib, (6, 4), seed=21)

        def one(p, x, y):
            out = lib.func.functional_call(net, p, (x.unsqueeze(0),))
            return getattr(lib.nn.functional, loss)(out, y.unsqueeze(0))

        found = lib.func.vmap(lib.func.grad(one), in_dims=(None, 0, 0))(params, xs, ys)
        if lib is npg:
            for i in range(6):
                each = npg.func.grad(one)(params, xs[i], ys[i])
                for k in each:
                    np.testing.assert_allclose(found[k][i].detach().numpy(), each[k].detach().numpy(), atol=1e-12)
        return found

    with npg.func.vmap_report() as report:
        same(call, rtol=1e-8)
    assert not report.looped


def test_gradients_flow_through_vmap():
    def call(lib):
        x, w = tensors(lib, (4, 3), (3, 2), grad=True)
        y = lib.func.vmap(lambda a: (a @ w).softmax(-1).amax())(x)
        y.sum().backward()
        return y, x.grad, w.grad

    same(call)


def test_gradients_flow_through_loops():
    x = tensors(npg, (4, 3), grad=True)
    npg.func.vmap(lambda a: (npg.outer(a, a)).trace())(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * x.detach().numpy())


def test_custom_function_in_vmap_runs_example_by_example():
    class Double(npg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.clone() * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = npg.ones(3, 2)
    with npg.func.vmap_report() as report:
        found = npg.func.vmap(npg.func.grad(lambda x: (Double.apply(x) ** 2).sum()))(x)
    assert found.tolist() == [[8.0, 8.0]] * 3
    assert len(report.looped) == 1


def test_vmap_of_grad_with_closure():
    def call(lib):
        x, w = tensors(lib, (4, 3), (3,), grad=True)
        return lib.func.vmap(lib.func.grad(lambda x: (x**2 * w).sum()))(x)

    same(call)


def test_autograd_inside_of_vmap_is_refused():
    with pytest.raises(RuntimeError):
        npg.func.vmap(lambda x: x.sum().backward())(npg.ones(2, 3, requires_grad=True))


def test_vmap_of_what_gives_other_shapes_for_other_examples_is_refused():
    masks = npg.tensor([[True, False], [True, True]])
    with pytest.raises(RuntimeError, match=r"can output dynamic shape. .* masked_select.* \(1,\), \(2,\)"):
        npg.func.vmap(npg.masked_select)(npg.ones(2, 2), masks)
    x = npg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert npg.func.vmap(npg.masked_select)(x, npg.eye(2) > 0).tolist() == [[1.0], [4.0]]


def test_vmap_chunks_with_a_tuple_of_one_out_dim():
    x = npg.arange(6.0).reshape(3, 2)
    assert npg.func.vmap(lambda t: t * 2, out_dims=(1,), chunk_size=2)(x).tolist() == (x * 2).t().tolist()
