"""What of autograd may be called within a function that is transformed, against torch.func."""

import pytest
import torch

import npg

from .comparing import compare, same, tensors


def raises_torchs(call, message, kind=RuntimeError):
    """Check that both libraries raise, npg with this text: torch's but for the names of what to call instead."""
    with pytest.raises(kind, match=message):
        call(npg)
    same(call, text=False)


# ----- Within vmap -----


@pytest.mark.parametrize("outside", [False, True])
def test_vmap_requires_grad_within_is_refused(outside):
    def call(lib, f):
        return lib.func.vmap(f)(tensors(lib, (2, 3), grad=outside))

    text = r"You are attempting to call Tensor.requires_grad_\(\) .* inside of a function being transformed"
    raises_torchs(lambda lib: call(lib, lambda x: x.requires_grad_()), text)
    raises_torchs(lambda lib: call(lib, lambda x: x.detach().requires_grad_()), text)
    functional = ("hvp", lambda x: (x**3).sum()), ("jvp", lambda x: x**3), ("vjp", lambda x: (x**3).sum())
    for name, f in functional:
        v = () if name == "vjp" else (0,)
        raises_torchs(
            lambda lib, name=name, f=f, v=v: call(
                lib, lambda x: getattr(lib.autograd.functional, name)(f, x, *[x for _ in v])[1]
            ),
            text,
        )
    raises_torchs(lambda lib: call(lib, lambda x: lib.autograd.functional.jacobian(lambda t: t**3, x)), text)


@pytest.mark.parametrize("allow_unused", [None, True])
def test_vmap_autograd_grad_of_what_is_batched_is_refused(allow_unused):
    text = "element 0 of tensors does not require grad and does not have a grad_fn"

    def of_batched(lib):
        f = lambda x: lib.autograd.grad((x**3).sum(), x, allow_unused=allow_unused)[0]
        return lib.func.vmap(f)(tensors(lib, (2, 3), grad=True))

    def of_captured(lib):
        w = tensors(lib, (3,), grad=True)
        f = lambda x: lib.autograd.grad((x * w).sum(), w, allow_unused=allow_unused)[0]
        return lib.func.vmap(f)(tensors(lib, (2, 3)))

    def of_new_leaf(lib):
        def f(x):
            z = lib.ones(3, dtype=lib.float64, requires_grad=True)
            return lib.autograd.grad((z * x).sum(), z, allow_unused=allow_unused)[0]

        return lib.func.vmap(f)(tensors(lib, (2, 3)))

    for call in (of_batched, of_captured, of_new_leaf):
        raises_torchs(call, text)


def test_vmap_backward_within_is_refused():
    def call(lib):
        return lib.func.vmap(lambda x: (x**2).sum().backward())(tensors(lib, (2, 3), grad=True))

    raises_torchs(call, "backward\\(\\) called inside a functorch transform. This is not supported, please use")


@pytest.mark.parametrize("create_graph", [False, True])
def test_vmap_of_autograd_grad_over_its_vectors_is_torchs(create_graph):
    def call(lib):
        w, u = tensors(lib, (3,), (3,), grad=True)
        y = (w**3 * u).softmax(0) * u.tanh()
        pull = lambda v: lib.autograd.grad(y, (w, u), v, retain_graph=True, create_graph=create_graph)
        return lib.func.vmap(pull)(lib.eye(3, dtype=lib.float64))

    same(call)


# ----- Within grad and jvp -----


def test_what_is_computed_under_no_grad_is_constant_forward_as_backward():
    def f(x):
        with npg.no_grad():
            c = x.exp()
        return c * x + x.detach() * x

    x = tensors(npg, (3,))
    expected = npg.diag(x.exp() + x)
    for transform in (npg.func.jacrev, npg.func.jacfwd):  # torch's jacfwd goes on through no_grad
        compare(transform(f)(x), torch.from_numpy(expected.numpy()))
    same(lambda lib: lib.func.jacfwd(lambda x: x.detach() * x)(tensors(lib, (3,))))


def test_grad_over_autograd_grad_is_torchs():
    def call(lib):
        return lib.func.grad(lambda x: lib.autograd.grad((x**3).sum(), x, create_graph=True)[0].sum())(
            tensors(lib, (3,))
        )

    same(call)


def test_grad_of_a_product_of_an_inner_transform_has_no_history():
    same(
        lambda lib: lib.func.grad(
            lambda v: lib.func.jvp(lambda x: (x**3).sum(), (tensors(lib, (3,)),), (v,))[1],
        )(tensors(lib, (3,), seed=1))
    )
    same(
        lambda lib: lib.func.grad(lambda v: lib.func.vjp(lambda x: x**3, tensors(lib, (3,)))[1](v)[0].sum())(
            tensors(lib, (3,), seed=1)
        )
    )
    same(lambda lib: lib.func.grad(lambda x: lib.func.jacfwd(lambda y: y**3)(x).sum())(tensors(lib, (3,))))
