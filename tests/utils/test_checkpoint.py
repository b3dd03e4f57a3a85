"""Checkpointing: the gradients of the plain run, bit for bit, in less memory; the random stream; nesting; errors."""

import contextlib
import gc
import threading
import tracemalloc
import weakref

import numpy as np
import pytest
import torch
import torch.utils.checkpoint

import npg
import npg.nn as nn
from npg.utils.checkpoint import checkpoint, checkpoint_sequential, set_checkpoint_early_stop

WAYS = pytest.mark.parametrize("use_reentrant", [False, True])


def model(lib=npg, layers=3):
    lib.manual_seed(0)
    parts = [[lib.nn.Linear(4, 4), lib.nn.LayerNorm(4), lib.nn.GELU(), lib.nn.Dropout(0.5)] for _ in range(layers)]
    return lib.nn.Sequential(*[lib.nn.Sequential(*part) for part in parts]).double()


def data(lib=npg):
    lib.manual_seed(1)
    return lib.randn(5, 4, dtype=lib.float64, requires_grad=True)


def gradients(run, lib=npg):
    """Return the loss, all gradients and the state of the stream after run(model, x)."""
    net, x = model(lib), data(lib)
    loss = (run(net, x) ** 2).sum()
    loss.backward()
    return [
        loss.detach().numpy(),
        x.grad.numpy(),
        *[p.grad.numpy() for p in net.parameters()],
        lib.get_rng_state().numpy(),
    ]


def plain(net, x):
    return net(x)


def through(use_reentrant, lib=npg):
    check = checkpoint if lib is npg else torch.utils.checkpoint.checkpoint

    def run(net, x):
        for part in net:
            x = check(part, x, use_reentrant=use_reentrant)
        return x

    return run


# ----- Values -----


@WAYS
def test_checkpoint_gives_the_plain_runs_bits_and_leaves_the_stream_alike(use_reentrant):
    for a, b in zip(gradients(through(use_reentrant)), gradients(plain), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


@WAYS
def test_checkpoint_is_torchs(use_reentrant):
    for a, b in zip(gradients(through(use_reentrant)), gradients(through(use_reentrant, torch), torch), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@WAYS
@pytest.mark.parametrize("segments", [1, 2, 3])
def test_checkpoint_sequential_gives_the_plain_runs_bits(use_reentrant, segments):
    run = lambda net, x: checkpoint_sequential(net, segments, x, use_reentrant=use_reentrant)
    for a, b in zip(gradients(run), gradients(plain), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # of the inner ones, in the first run
@WAYS
def test_checkpoint_nested_gives_the_plain_runs_bits(use_reentrant):
    inner = through(use_reentrant)
    outer = lambda net, x: checkpoint(lambda y: inner(net, y), x, use_reentrant=use_reentrant)
    for a, b in zip(gradients(outer), gradients(plain), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def test_checkpoint_keywords_several_outputs_and_other_values():
    def f(x, k, *, w, text):
        assert text == "a" and k == 3
        return x * w * k, (x + w).exp()

    def run(wrapped):
        x, w = npg.tensor([1.0, 2.0], requires_grad=True), npg.tensor([0.5, 0.25], requires_grad=True)
        a, b = wrapped(x, 3, w=w, text="a")
        (a.sum() + (b * b).sum()).backward()
        return x.grad.numpy(), w.grad.numpy()

    found = run(lambda *args, **kwargs: checkpoint(f, *args, use_reentrant=False, **kwargs))
    for a, b in zip(found, run(f), strict=True):
        np.testing.assert_array_equal(a, b)


def test_checkpoint_without_reentry_serves_grad_and_second_order_and_backward_twice():
    f = lambda x: (x**3).sin()
    x = npg.tensor([0.5, 1.0], dtype=npg.float64, requires_grad=True)
    results = []
    for call in (lambda x: checkpoint(f, x, use_reentrant=False), f):
        y = call(x)
        (g,) = npg.autograd.grad(y.sum(), x, create_graph=True, retain_graph=True)
        (h,) = npg.autograd.grad(g.sum(), x, retain_graph=True)
        (again,) = npg.autograd.grad(y.sum(), x)
        results.append([t.detach().numpy() for t in (y, g, h, again)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_checkpoint_early_stop_runs_no_further_than_needed():
    for enable, expected in ((True, 1), (False, 2)):
        ends = []

        def f(x, ends=ends):
            y = x.exp()
            ends.append("start")
            z = y + 1  # saves nothing
            ends.append("end")
            return z

        x = npg.ones(2, requires_grad=True)
        with set_checkpoint_early_stop(enable):
            y = checkpoint(f, x, use_reentrant=False)
        y.sum().backward()
        assert ends.count("end") == expected and x.grad is not None


def test_checkpoint_without_recording_runs_once():
    calls = []
    with npg.no_grad():
        y = checkpoint(lambda x: (calls.append(1), x * 2)[1], npg.ones(2, requires_grad=True), use_reentrant=False)
    assert calls == [1] and not y.requires_grad


def test_checkpoint_context_fn_is_entered_in_both_runs():
    entered = []

    class Context:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            entered.append(self.name)

        def __exit__(self, *error):
            pass

    y = checkpoint(
        lambda x: x.exp(),
        npg.ones(2, requires_grad=True),
        use_reentrant=False,
        context_fn=lambda: (Context("forward"), Context("again")),
    )
    y.sum().backward()
    assert entered == ["forward", "again"]


def test_checkpoint_stream_not_preserved_draws_anew():
    npg.manual_seed(0)
    drawn = []
    x = npg.ones(100, requires_grad=True)
    f = lambda x: (drawn.append(npg.rand(1).item()), (x * 2).exp())[1]
    checkpoint(f, x, use_reentrant=False, preserve_rng_state=False).sum().backward()
    checkpoint(f, x, use_reentrant=False).sum().backward()
    assert drawn[0] != drawn[1] and drawn[2] == drawn[3]


@WAYS
def test_checkpoint_leaves_the_draws_of_other_threads_alone(use_reentrant):
    """PyTorch sets the stream back for all threads: what another one draws during a recomputation comes twice."""
    npg.manual_seed(0)
    alone = npg.rand(100).tolist()
    npg.manual_seed(0)
    elsewhere, masks = [], []

    def part(x):
        masks.append(npg.rand(4))
        thread = threading.Thread(target=lambda: elsewhere.extend(npg.rand(3).tolist()))
        thread.start()
        thread.join()
        return (x * masks[-1]) ** 2

    x = npg.ones(4, requires_grad=True)
    checkpoint(part, x, use_reentrant=use_reentrant).sum().backward()
    assert masks[0].tolist() == masks[1].tolist() and len(masks) == 2
    drawn = elsewhere + masks[0].tolist() + npg.rand(5).tolist()
    assert sorted(drawn) == sorted(alone[: len(drawn)]), "each number once, without a gap"


@WAYS
def test_checkpoint_within_vmap_recomputes_the_same_draws(use_reentrant):
    def f(x):
        w = npg.ones(3, requires_grad=True)
        y = checkpoint(lambda w: (w * npg.rand(3)) ** 2, w, use_reentrant=use_reentrant)
        y.sum().backward()
        return npg.stack([y.detach(), w.grad / 2]) + npg.searchsorted(npg.ones(1) * 2, x)

    found = npg.func.vmap(f, randomness="same")(npg.zeros(4, 3))
    assert (found[:, 0] == found[:, 1]).all() and (found == found[0]).all() and (found > 0).all()


def test_checkpoint_contexts_are_left_alone_without_recording():
    entered = []

    class Context:
        def __enter__(self):
            entered.append(1)

        def __exit__(self, *error):
            pass

    with npg.no_grad():
        checkpoint(npg.exp, npg.ones(2), use_reentrant=False, context_fn=lambda: (Context(), Context()))
    assert not entered


def test_checkpoint_backward_within_the_function_gives_torchs_gradients():
    for early_stop in (True, False):
        results = []
        for lib, check in ((npg, checkpoint), (torch, torch.utils.checkpoint.checkpoint)):

            def f(x, lib=lib):
                y = x.exp()
                (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
                return (y * g).sin()

            x = lib.tensor([1.0, 2.0], dtype=lib.float64, requires_grad=True)
            check(f, x, use_reentrant=False, early_stop=early_stop).sum().backward()
            results.append(x.grad.numpy())
        np.testing.assert_allclose(*results, rtol=1e-12)


# ----- Memory -----


def test_checkpoint_keeps_half_the_memory_of_a_deep_model_or_less():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.wide, self.narrow = nn.LayerNorm(32), nn.Linear(32, 128), nn.Linear(128, 32)

        def forward(self, x):
            return x + self.narrow(nn.functional.gelu(self.wide(self.norm(x))))

    blocks = [Block() for _ in range(12)]
    x = npg.randn(256, 32)

    def peak(use_reentrant):
        for block in blocks:
            block.zero_grad()
        gc.collect()
        tracemalloc.start()
        try:
            y = x.clone().requires_grad_()
            for block in blocks:
                y = block(y) if use_reentrant is None else checkpoint(block, y, use_reentrant=use_reentrant)
            (y * y).sum().backward()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    whole = peak(None)
    assert peak(False) < whole / 2 and peak(True) < whole / 2


@WAYS
def test_checkpoint_leaves_nothing_behind_without_the_collector(use_reentrant):
    gc.collect()
    gc.disable()
    try:
        x = npg.ones(3, requires_grad=True)
        w = x * 2
        arrays = [weakref.ref(w._array)]
        y = checkpoint(lambda t: t.exp() * t, w, use_reentrant=use_reentrant)
        nodes = [weakref.ref(y.grad_fn)]
        del w
        y.sum().backward()
        del y
        assert all(r() is None for r in arrays + nodes)
    finally:
        gc.enable()


# ----- Errors -----


def _changing(first, then):
    """Return a function that is `first` when it is called first, and `then` later."""
    calls = []

    def f(x):
        calls.append(1)
        return (first if len(calls) == 1 else then)(x)

    return f


def _refusal(lib, check, first, then, **keys):
    """Return the first paragraph of the CheckpointError of backward, in npg's name; None: without one."""
    x = lib.ones(2, requires_grad=True)
    y = check(_changing(first, then), x, use_reentrant=False, **keys)
    try:
        y.sum().backward()
    except RuntimeError as error:
        assert type(error).__name__ == "CheckpointError"
        return str(error).partition("\n\nTip")[0].strip().replace("torch.", "npg.")
    return x.grad.tolist()


@pytest.mark.parametrize("determinism_check", ["default", "none"])
@pytest.mark.parametrize("early_stop", [False, True])
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (lambda x: x.exp(), lambda x: x.exp() * x.exp()),
        (lambda x: x.exp() * x.sin(), lambda x: x.exp()),
        (lambda x: x.exp() * x.sin(), lambda x: x[:1].exp() * x[:1].sin()),
        (lambda x: x.exp(), lambda x: x.double().exp()),
    ],
    ids=["more", "fewer", "shapes", "dtypes"],
)
def test_checkpoint_that_computes_something_else_raises_as_torch(first, then, early_stop, determinism_check):
    keys = {"early_stop": early_stop, "determinism_check": determinism_check}
    found, expected = (
        _refusal(lib, check, first, then, **keys)
        for lib, check in ((npg, checkpoint), (torch, torch.utils.checkpoint.checkpoint))
    )
    if isinstance(expected, list):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    else:
        assert found == expected


def test_checkpoint_context_that_swallows_the_error_raises():
    def fails(x):
        raise ValueError("no")

    with pytest.raises(RuntimeError, match="suppressed an exception raised during the checkpointed forward"):
        checkpoint(
            fails,
            npg.ones(2, requires_grad=True),
            use_reentrant=False,
            context_fn=lambda: (contextlib.suppress(ValueError), contextlib.nullcontext()),
        )


def test_checkpoint_with_reentry_refuses_passes_for_inputs_only():
    x, w = npg.ones(2, requires_grad=True), npg.ones(2, requires_grad=True)
    run = lambda: checkpoint(lambda x: x * w, x, use_reentrant=True).sum()
    with pytest.raises(RuntimeError, match="incompatible with .grad\\(\\) or passing an `inputs` parameter"):
        npg.autograd.grad(run(), [x, w], allow_unused=True)
    with pytest.raises(RuntimeError, match="incompatible with .grad\\(\\) or passing an `inputs` parameter"):
        run().backward(inputs=[x])
    assert x.grad is None and w.grad is None
    run().backward()
    assert w.grad.tolist() == [1, 1]


def test_checkpoint_with_reentry_without_a_gradient_warns():
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True. Gradients will be None"):
        y = checkpoint(lambda x: x * 2, npg.ones(2), use_reentrant=True)
    assert not y.requires_grad


def test_checkpoint_unsaid_way_warns_and_is_reentrant():
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        y = checkpoint(lambda x: x * 2, npg.ones(2, requires_grad=True))
    assert y.grad_fn.name() == "CheckpointFunctionBackward"
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        checkpoint_sequential([lambda x: x * 2] * 2, 2, npg.ones(2, requires_grad=True))


@pytest.mark.parametrize(
    "keys",
    [
        {"use_reentrant": True, "w": 3},
        {"use_reentrant": True, "context_fn": lambda: None},
        {"use_reentrant": True, "debug": True},
        {"use_reentrant": False, "determinism_check": "strict"},
    ],
    ids=range(4),
)
def test_checkpoint_arguments_that_do_not_go_together_raise(keys):
    with pytest.raises(ValueError):
        checkpoint(lambda x: x, npg.ones(2, requires_grad=True), **keys)
