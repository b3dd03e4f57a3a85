"""grad, vjp, jvp, jacrev, jacfwd and hessian against torch.func: values, structure, history, errors."""

import collections

import pytest
import torch

import npg

from .comparing import compare, of_torch, same, tensors

FUNCTIONS = {
    "cubes": lambda lib: lambda x: (x**3).sum(),
    "logistic": lambda lib: lambda x: lib.log(1 + lib.exp(-x)).mean(),
    "constant": lambda lib: lambda x: lib.ones((), dtype=lib.float64),
    "linear": lambda lib: lambda x: (x * 2).sum(),
    "softmax": lambda lib: lambda x: x.softmax(-1)[..., 0].sum() * x.prod(),
}
MAPS = {
    "sine": lambda lib: lambda x: x.sin(),
    "two": lambda lib: lambda x: (x.exp() * 2, (x * x).sum()),
    "dict": lambda lib: lambda x: {"b": x.cumsum(-1), "a": [x.prod()]},
    "constant": lambda lib: lambda x: lib.ones(2, dtype=lib.float64),
    "identity": lambda lib: lambda x: x,
}


# ----- grad -----


@pytest.mark.parametrize("requires", [False, True])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_grad_of_scalar_function_is_torchs(name, shape, requires):
    if name == "softmax" and shape in ((), (0,)):
        pytest.skip("nothing to index")
    same(lambda lib: lib.func.grad(FUNCTIONS[name](lib))(tensors(lib, shape, grad=requires)))
    same(lambda lib: lib.func.grad_and_value(FUNCTIONS[name](lib))(tensors(lib, shape, grad=requires)))


@pytest.mark.parametrize("argnums", [0, 1, -1, (0,), (1, 0), (0, 1, 2), 3, -4, (), (0, 0), (0, -3), "x", [0], (0, "y")])
def test_grad_argnums_structure_and_errors_are_torchs(argnums):
    def call(lib):
        x, y, z = tensors(lib, (3,), (3,), ())
        return lib.func.grad(lambda x, y, z: (x * y.exp() * z).sum(), argnums)(x, y, z)

    same(call)
    same(lambda lib: lib.func.jacrev(lambda x, y, z: x * y * z, argnums)(*tensors(lib, (2,), (2,), ())))


def test_grad_of_trees_keeps_their_structure():
    pair = collections.namedtuple("pair", "a b")

    def call(lib):
        x, y = tensors(lib, (2,), (2, 2))
        tree = {"w": [x, (y, x)], "p": pair(y, x), "o": collections.OrderedDict(k=x)}
        return lib.func.grad(lambda t: (t["w"][1][0] @ t["w"][0] * t["p"].b).sum() + (t["o"]["k"] ** 2).sum())(tree)

    same(call)
    same(lambda lib: lib.func.grad(lambda t: t[0].sum())([tensors(lib, (2,)), 3]))


@pytest.mark.parametrize("aux", [1, "pair", "tensors"])
def test_grad_has_aux(aux):
    def f(lib):
        return {
            1: lambda x: x.sum(),
            "pair": lambda x: (x.sum(), "text"),
            "tensors": lambda x: (x.sin().sum(), {"y": x * 2, "c": [lib.ones(2)]}),
        }[aux]

    same(lambda lib: lib.func.grad(f(lib), has_aux=True)(tensors(lib, (3,))), text=aux != "pair")
    same(lambda lib: lib.func.grad_and_value(f(lib), has_aux=True)(tensors(lib, (3,))), text=aux != "pair")


def test_grad_of_what_is_no_scalar_raises_torchs_error():
    same(lambda lib: lib.func.grad(lambda x: x * 2)(tensors(lib, (3,))))
    same(lambda lib: lib.func.grad(lambda x: 3.0)(tensors(lib, (3,))))
    same(lambda lib: lib.func.grad(lambda x: (x.sum(), x))(tensors(lib, (3,))))
    same(lambda lib: lib.func.grad(lambda x: x.sum())(3.0))
    same(lambda lib: lib.func.grad(lambda x: x.sum())(lib.ones(2, dtype=lib.int64)), text=False)
    same(lambda lib: lib.func.grad(lambda x: x.sum())())


def test_grad_closure_over_the_same_tensor_is_constant():
    def call(lib):
        x = tensors(lib, (3,))
        return lib.func.grad(lambda y: (x * y).sum())(x)

    same(call)


def test_grad_nests():
    same(lambda lib: lib.func.grad(lib.func.grad(lambda x: x**4))(tensors(lib, ())))
    same(lambda lib: lib.func.grad(lambda x: lib.func.grad(lambda y: x**2 * y**3)(x))(tensors(lib, ())))
    same(lambda lib: lib.func.grad(lib.func.grad(lib.func.grad(lambda x: x.sin() * x)))(tensors(lib, ())))
    same(lambda lib: lib.func.jacrev(lib.func.grad(lambda x: (x**3).sum()))(tensors(lib, (3,))))
    same(lambda lib: lib.func.grad(lambda x: lib.func.jacrev(lambda y: y.sin())(x).sum())(tensors(lib, (3,))))


@pytest.mark.parametrize("captured", [False, True])
@pytest.mark.parametrize("mode", ["outside", "inside", None])
def test_grad_and_no_grad_are_torchs(mode, captured):
    def call(lib):
        x, w = tensors(lib, (3,), (3,), grad=True)
        w = w if captured else w.detach()

        def f(x):
            if mode == "inside":
                with lib.no_grad():
                    c = x**2
                return (x * w - c).sum()
            return (x**2 * w).sum()

        if mode != "outside":
            return lib.func.grad_and_value(f)(x), lib.func.grad_and_value(f)(x.detach())
        with lib.no_grad():
            return lib.func.grad_and_value(f)(x)

    same(call)


def test_derivatives_in_inference_mode_are_torchs():
    def call(lib, given=None):
        x = tensors(lib, (3,)) if given is None else given
        return (
            lib.func.grad(lambda x: (x**2).sum())(x),
            lib.func.vjp(lambda x: x**2, x)[1](x),
            lib.func.jvp(lambda x: x**2, (x,), (x,)),
            lib.func.vmap(lib.func.grad(lambda x: x**2))(x),
        )

    def inside(lib):
        with lib.inference_mode():
            return call(lib)

    same(inside)
    with npg.inference_mode():
        x = tensors(npg, (3,))
    compare(call(npg, x), of_torch(call))


def test_grad_result_can_be_differentiated_by_backward():
    def call(lib):
        x, w = tensors(lib, (3,), (3,), grad=True)
        lib.func.grad(lambda x: (x**3 * w).sum())(x).sum().backward()
        return x.grad, w.grad

    same(call)


# ----- vjp and jvp -----


@pytest.mark.parametrize("requires", [False, True])
@pytest.mark.parametrize("name", MAPS)
def test_vjp_is_torchs_and_may_be_called_again(name, requires):
    def call(lib):
        output, vjp_fn = lib.func.vjp(MAPS[name](lib), tensors(lib, (3,), grad=requires))
        leaves = torch.utils._pytree.tree_map(lambda y: y.detach() * 2 + 1, output) if lib is torch else None
        cotangents = leaves if lib is torch else npg.utils._pytree.tree_map(lambda y: y.detach() * 2 + 1, output)
        return output, vjp_fn(cotangents), vjp_fn(cotangents)

    same(call)


def test_vjp_errors_are_torchs():
    same(lambda lib: lib.func.vjp(lambda x: (x, x), tensors(lib, (3,)))[1](tensors(lib, (3,))))
    same(lambda lib: lib.func.vjp(lambda x: 3, tensors(lib, (3,))))
    same(lambda lib: lib.func.vjp(lambda x: (), tensors(lib, (3,))))
    same(lambda lib: lib.func.vjp(lambda x: None, tensors(lib, (3,))))
    same(lambda lib: lib.func.vjp(lambda x: x > 0, tensors(lib, (3,))))
    same(lambda lib: lib.func.vjp(lambda x: x, 3))
    same(lambda lib: lib.func.vjp(lambda x: x, tensors(lib, (3,)), has_aux=True))
    same(lambda lib: lib.func.vjp(lambda x: (x, [x]), tensors(lib, (3,)), has_aux=True)[2])


@pytest.mark.parametrize("requires", [False, True])
@pytest.mark.parametrize("name", MAPS)
def test_jvp_is_torchs(name, requires):
    def call(lib):
        x, v = tensors(lib, (3,), (3,))
        return lib.func.jvp(MAPS[name](lib), (x.requires_grad_(requires),), (v,))

    same(call, grad=not requires)
    same(lambda lib: lib.func.jvp(lambda x, y: x * y.sin(), tensors(lib, (3,), (3,)), tensors(lib, (3,), (3,), seed=1)))


def test_jvp_errors_are_torchs():
    same(lambda lib: lib.func.jvp(lambda x: x, tensors(lib, (3,)), tensors(lib, (3,))))
    same(lambda lib: lib.func.jvp(lambda x: x, (tensors(lib, (3,)),), tensors(lib, (3,))))
    same(lambda lib: lib.func.jvp(lambda x: x, (), ()))
    same(lambda lib: lib.func.jvp(lambda x: x, (3,), (4,)))
    same(lambda lib: lib.func.jvp(lambda x: 3, (tensors(lib, (3,)),), (tensors(lib, (3,)),)))
    same(lambda lib: lib.func.jvp(lambda x: lib.ones(2), (tensors(lib, (3,)),), (tensors(lib, (3,)),), strict=True))
    same(lambda lib: lib.func.jvp(lambda x: (x, [x]), (tensors(lib, (3,)),), (tensors(lib, (3,)),), has_aux=True))
    same(lambda lib: lib.func.jvp(lambda x: x, (tensors(lib, (3,)),), (tensors(lib, (3,)),), has_aux=True))
    same(lambda lib: lib.func.jvp(lambda x: x, (tensors(lib, (3,)),), (tensors(lib, (2,)),)), text=False)


def test_jvp_of_integers_is_torchs():
    ints = lambda lib: lib.tensor([1, 2, 3])
    same(lambda lib: lib.func.jvp(lambda x: x * 2, (ints(lib),), (ints(lib),)))
    same(lambda lib: lib.func.jvp(lambda x: x * 2, (tensors(lib, (3,)),), (ints(lib),)))
    same(lambda lib: lib.func.jacfwd(lambda x: x * 2)(ints(lib)))
    same(lambda lib: lib.func.jvp(lambda x: (x > 1, x.long(), x), (tensors(lib, (3,)),), (tensors(lib, (3,)),)))
    same(lambda lib: lib.func.jacfwd(lambda x: (x > 1, x.argmax(), x))(tensors(lib, (3,))))


def test_vjp_cotangents_of_none_and_numbers_are_torchs():
    same(lambda lib: lib.func.vjp(lambda x: x.sum(), tensors(lib, (3,)))[1](None))
    same(lambda lib: lib.func.vjp(lambda x: (x.sum(), x), tensors(lib, (3,)))[1]((None, tensors(lib, (3,), seed=1))))
    same(lambda lib: lib.func.vjp(lambda x: x * 2, tensors(lib, (3,)))[1](None))
    same(lambda lib: lib.func.vjp(lambda x: x.sum(), tensors(lib, (3,)))[1](1.0))


# ----- Jacobians -----


@pytest.mark.parametrize("randomness", ["error", "same", "none"])
def test_jacfwd_randomness_is_checked_as_torchs(randomness):
    def call(lib):
        lib.manual_seed(0)
        f = lambda x: x * lib.nn.functional.dropout(lib.ones(3, dtype=lib.float64))
        return lib.func.jacfwd(f, randomness=randomness)(tensors(lib, (3,)))

    same(call)


@pytest.mark.parametrize("requires", [False, True])
@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
@pytest.mark.parametrize("name", MAPS)
def test_jacobian_is_torchs(name, shape, requires):
    if name == "dict" and not shape:
        pytest.skip("torch's forward cumsum of a 0-d tensor")
    same(lambda lib: lib.func.jacrev(MAPS[name](lib))(tensors(lib, shape, grad=requires)))
    same(lambda lib: lib.func.jacfwd(MAPS[name](lib))(tensors(lib, shape, grad=requires)), grad=not requires)


@pytest.mark.parametrize("which", ["jacrev", "jacfwd"])
def test_jacobian_of_several_arguments_and_trees(which):
    def jacobian(lib, *args, **kwargs):
        return getattr(lib.func, which)(*args, **kwargs)

    def f(x, y):
        return {"a": x[0] * y["k"], "b": x[1].sum()}

    def call(lib, **kwargs):
        x, y, z = tensors(lib, (2,), (2,), (3, 2))
        return jacobian(lib, f, **kwargs)((x, z), {"k": y})

    same(lambda lib: call(lib))
    same(lambda lib: call(lib, argnums=1))
    same(lambda lib: call(lib, argnums=(1, 0)))
    same(lambda lib: jacobian(lib, lambda x: (x.sin(), x * 2), has_aux=True)(tensors(lib, (3,))))


def test_jacrev_chunk_size():
    same(lambda lib: lib.func.jacrev(lambda x: x.sin(), chunk_size=2)(tensors(lib, (3,))))
    same(lambda lib: lib.func.jacrev(lambda x: x.sin(), chunk_size=0))


@pytest.mark.parametrize("argnums", [0, 1, (0, 1)])
def test_hessian_is_torchs(argnums):
    same(lambda lib: lib.func.hessian(lambda x, y: (x**2 * y.sin()).sum(), argnums)(*tensors(lib, (3,), (3,))))
    same(lambda lib: lib.func.hessian(lambda x, y: x * y * x, argnums)(*tensors(lib, (2,), (2,))))


def test_transforms_compose():
    same(lambda lib: lib.func.jacfwd(lib.func.jacfwd(lambda x: (x**3).sum()))(tensors(lib, (3,))))
    same(lambda lib: lib.func.jacrev(lib.func.jacfwd(lambda x: (x**3).sum()))(tensors(lib, (3,))))
    same(lambda lib: lib.func.jacfwd(lib.func.jacrev(lambda x: (x**3).sum()))(tensors(lib, (3,))))
    same(lambda lib: lib.func.vmap(lib.func.hessian(lambda x: (x**3).sum()))(tensors(lib, (4, 3))))
    same(lambda lib: lib.func.vmap(lib.func.jacfwd(lambda x: x.sin() * x.sum()))(tensors(lib, (4, 3))))
    same(lambda lib: lib.func.grad(lambda x: lib.func.vmap(lib.func.grad(lambda y: y**3))(x).sum())(tensors(lib, (4,))))
    same(
        lambda lib: lib.func.vmap(lambda x, v: lib.func.jvp(lambda y: y**2 * y.sum(), (x,), (v,))[1])(
            *tensors(lib, (4, 3), (4, 3))
        )
    )


def test_vmap_of_vjp_fn_runs_once_for_each_vector():
    def call(lib):
        _, vjp_fn = lib.func.vjp(lambda x: x.sin(), tensors(lib, (3,)))
        return lib.func.vmap(vjp_fn)(lib.eye(3, dtype=lib.float64))

    same(call)


def test_results_without_an_outer_transform_have_no_history():
    x = npg.ones(3)
    w = npg.ones(3)
    for y in (
        npg.func.grad(lambda x: (x * w).sum())(x),
        npg.func.jacrev(lambda x: x * w)(x),
        npg.func.jacfwd(lambda x: x * w)(x),
        npg.func.hessian(lambda x: (x * x * w).sum())(x),
    ):
        assert y.grad_fn is None and not y.requires_grad
    assert x.grad is None and w.grad is None and not x.requires_grad


def test_float32_stays():
    same(lambda lib: lib.func.grad(lambda x: (x**2).sum())(tensors(lib, (3,), dtype="float32")), rtol=1e-5)
    same(lambda lib: lib.func.jacfwd(lambda x: x**2)(tensors(lib, (3,), dtype="float32")), rtol=1e-5)
    compare(npg.func.vmap(npg.sum)(npg.ones(2, 3)), torch.func.vmap(torch.sum)(torch.ones(2, 3)))


def test_value_and_grad_is_grad_and_value_the_other_way_round():
    x = npg.tensor([1.0, 2.0])
    value, gradient = npg.func.value_and_grad(lambda t: (t * t).sum())(x)
    assert value.item() == 5.0 and gradient.tolist() == [2.0, 4.0]
    (value, aux), gradients = npg.func.value_and_grad(lambda t, u: ((t * u).sum(), t), (0, 1), has_aux=True)(x, x)
    assert value.item() == 5.0 and aux.tolist() == [1.0, 2.0] and [g.tolist() for g in gradients] == [[1.0, 2.0]] * 2
    assert npg.vmap is npg.func.vmap
