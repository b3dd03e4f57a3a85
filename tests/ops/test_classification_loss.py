"""cross_entropy and nll_loss against torch."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
import torch

import npg
from npg import engine
from npg.nn import functional as F
from npg.ops import classification_loss as ops
from tests.expressions import check, check_error, evaluate
from tests.helpers import assert_like, assert_same_error, check_like_torch, drawn, strided, to_npg
from tests.ops.fused import check_both, check_composite, gradients, leaf

rng = np.random.default_rng(0)
normal = partial(drawn, rng)
TF = torch.nn.functional
CLASSES = 5
SHAPES = [
    ((7, CLASSES), (7,)),
    ((CLASSES,), ()),
    ((4, CLASSES, 3), (4, 3)),
    ((2, CLASSES, 3, 2), (2, 3, 2)),
    ((2, CLASSES, 2, 1, 3), (2, 2, 1, 3)),
    ((1, CLASSES), (1,)),
    ((1, CLASSES, 6), (1, 6)),  # whose rows (6, C) are a view with the classes outermost
    ((1, CLASSES, 2, 3), (1, 2, 3)),
]
REDUCTIONS = ["mean", "sum", "none"]


def targets(shape, *ignored):
    t = np.asarray(rng.choice([0, 1, 3, 4], shape))  # 2 only where it is to be ignored
    if ignored and t.size > 1:
        t.reshape(-1)[::3] = ignored[0]
    return t


def weights(dtype=np.float64):
    return torch.from_numpy(rng.uniform(0.2, 2.0, CLASSES).astype(dtype))


# ----- Class indices -----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shapes", SHAPES)
def test_cross_entropy_of_any_shape_is_like_torch(shapes, reduction, dtype):
    x, t = normal(*shapes[0], dtype=dtype), targets(shapes[1])
    check_both(F.cross_entropy, TF.cross_entropy, x, t, reduction=reduction, second=dtype is np.float64)


@pytest.mark.parametrize("function", ["cross_entropy", "nll_loss"])
def test_gradient_of_transposed_rows_is_like_torch(function):
    x, t = normal(CLASSES, 7).T, targets((7,))
    assert x.flags.f_contiguous
    check_like_torch(getattr(F, function), getattr(TF, function), x, t)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore_index", [-100, 2])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_settings_are_like_torch(reduction, label_smoothing, ignore_index, weighted):
    for x_shape, t_shape in (SHAPES[0], SHAPES[1], SHAPES[3]):
        check_both(
            F.cross_entropy,
            TF.cross_entropy,
            normal(*x_shape),
            targets(t_shape, ignore_index),
            weight=weights() if weighted else None,
            ignore_index=ignore_index,
            label_smoothing=label_smoothing,
            reduction=reduction,
        )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore_index", [-100, 2])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shapes", SHAPES)
def test_nll_loss_is_like_torch(shapes, reduction, ignore_index, weighted):
    check_both(
        F.nll_loss,
        TF.nll_loss,
        normal(*shapes[0]),
        targets(shapes[1], ignore_index),
        weight=weights() if weighted else None,
        ignore_index=ignore_index,
        reduction=reduction,
    )


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_losses_of_any_layout_are_like_torch(name):
    npg_fn, torch_fn = getattr(F, name), getattr(TF, name)
    x, t = normal(8, CLASSES), targets(8)
    for a in (strided(x), np.asfortranarray(x), normal(8, 2 * CLASSES)[:, CLASSES:]):
        check_both(npg_fn, torch_fn, a, t)
    check_both(npg_fn, torch_fn, x[::2], targets(8)[::2])
    check_both(npg_fn, torch_fn, normal(4, 3, CLASSES).transpose(0, 2, 1), targets((3, 4)).T)


def test_losses_equal_their_composites():
    for reduction, weighted, ignore_index in itertools.product(REDUCTIONS, (False, True), (-100, 1)):
        x, t = normal(4, CLASSES, 3), targets((4, 3), ignore_index)
        settings = {"reduction": reduction, "ignore_index": ignore_index}
        for op, more in ((ops.nll_loss, {}), (ops.cross_entropy, {"label_smoothing": 0.3})):
            inputs = (x, t, engine.wrap(weights().numpy()) if weighted else None)
            check_composite(op, inputs, settings | more)


def test_cross_entropy_backward_writes_no_saved_data():
    x = leaf(normal(6, CLASSES))
    before = x._array.copy()
    y = F.cross_entropy(x, engine.wrap(targets(6)))
    first = gradients(y, x)[0].copy()
    for _ in range(2):
        np.testing.assert_array_equal(gradients(y, x)[0], first)
    np.testing.assert_array_equal(x._array, before)


def test_cross_entropy_of_large_and_infinite_logits_is_like_torch():
    x = np.array([[1e4, 0, -1e4, 3, 2], [-math.inf, 0, 1, 2, 3], [88.8, 90, 200, -5, 0]])
    for dtype in (np.float32, np.float64):
        for t in ([0, 1, 2], [1, 4, 3]):
            check_like_torch(F.cross_entropy, TF.cross_entropy, x.astype(dtype), np.array(t), second=False)


def test_cross_entropy_of_infinity_is_nan_as_in_torch():
    for value in (math.inf, math.nan):
        x = np.zeros((2, CLASSES))
        x[0, 1] = value
        check_like_torch(F.cross_entropy, TF.cross_entropy, x, np.array([1, 2]), second=False, reduction="none")


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_where_all_is_ignored_are_like_torch(name, reduction):
    for t in (np.full(3, -100), np.full(3, 1)):
        check_like_torch(
            getattr(F, name),
            getattr(TF, name),
            normal(3, CLASSES),
            t,
            reduction=reduction,
            ignore_index=int(t[0]),
            second=False,
        )


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_of_nothing_are_like_torch(name, reduction):
    npg_fn, torch_fn = getattr(F, name), getattr(TF, name)
    for x_shape, t_shape in (((0, CLASSES), (0,)), ((0, 0), (0,)), ((2, CLASSES, 0), (2, 0))):
        t = np.zeros(t_shape, np.int64)
        check_like_torch(npg_fn, torch_fn, normal(*x_shape), t, reduction=reduction, second=False)


def test_losses_without_classes_refuse_any_target_as_torch_does():
    for name in ("cross_entropy", "nll_loss"):
        assert_same_error(
            lambda n=name: getattr(F, n)(engine.wrap(np.empty((3, 0))), engine.wrap(np.zeros(3, np.int64))),
            lambda n=name: getattr(TF, n)(torch.empty(3, 0), torch.zeros(3).long()),
        )


def test_losses_take_bytes_as_targets():
    t = targets(6).astype(np.uint8)
    for name in ("cross_entropy", "nll_loss"):
        check_like_torch(getattr(F, name), getattr(TF, name), normal(6, CLASSES), t, second=False)


@pytest.mark.parametrize("size_average", [None, False, True])
@pytest.mark.parametrize("reduce", [None, False, True])
def test_losses_understand_the_older_arguments(size_average, reduce):
    if size_average is None and reduce is None:
        return
    x, t = normal(6, CLASSES), targets(6)
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
        actual = F.cross_entropy(engine.wrap(x), engine.wrap(t), size_average=size_average, reduce=reduce)
    with pytest.warns(UserWarning, match="deprecated"):
        assert_like(
            actual, TF.cross_entropy(torch.from_numpy(x), torch.from_numpy(t), size_average=size_average, reduce=reduce)
        )


def test_cross_entropy_of_half_is_like_torch():
    x, t = normal(6, CLASSES, dtype=np.float16), targets(6)
    assert_like(F.cross_entropy(engine.wrap(x), engine.wrap(t)), TF.cross_entropy(*map(torch.from_numpy, (x, t))))


# ----- Probabilities -----


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
@pytest.mark.parametrize("shape", [(6, CLASSES), (CLASSES,), (2, CLASSES, 3), (0, CLASSES), (3, 0)])
def test_cross_entropy_with_probabilities_is_like_torch(shape, label_smoothing, weighted, reduction):
    classes = shape[0] if len(shape) == 1 else shape[1]
    weight = torch.from_numpy(rng.uniform(0.2, 2.0, classes)) if weighted else None
    if label_smoothing and not classes:
        return  # torch divides by the number of classes
    second = 0 not in shape
    check_both(
        F.cross_entropy,
        TF.cross_entropy,
        normal(*shape),
        rng.dirichlet(np.ones(3), shape)[..., 0],
        weight=weight,
        label_smoothing=label_smoothing,
        reduction=reduction,
        second=second,
    )


# ----- Errors -----


BAD_INDICES = [[0, 1, 65], [0, -3, 1], [7, 0, 9], [0, 1, 2**40]]


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("bad", BAD_INDICES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_refuse_a_class_that_is_not_there_as_torch_does(name, bad, reduction):
    x, t = normal(3, CLASSES), np.array(bad)
    assert_same_error(
        lambda: getattr(F, name)(engine.wrap(x), engine.wrap(t), reduction=reduction),
        lambda: getattr(TF, name)(torch.from_numpy(x), torch.from_numpy(t), reduction=reduction),
    )


def test_cross_entropy_refuses_target_65_in_pytorchs_words():
    with pytest.raises(IndexError, match=r"^Target 65 is out of bounds\.$"):
        F.cross_entropy(engine.wrap(normal(1, 65)), engine.wrap(np.array([65])))


REFUSED = [
    ((3, 5), (2,)),
    ((3, 5), (3, 3)),
    ((3, 5, 2), (3,)),
    ((3, 5, 2), (3, 3)),
    ((3, 5, 2, 2), (3, 3)),
    ((3, 5, 2, 2, 2), (3, 3)),
    ((5,), (3,)),
]


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("shapes", REFUSED)
def test_losses_refuse_shapes_as_torch_does(name, shapes):
    x, t = np.ones(shapes[0]), np.zeros(shapes[1], np.int64)
    assert_same_error(
        lambda: getattr(F, name)(engine.wrap(x), engine.wrap(t)),
        lambda: getattr(TF, name)(torch.from_numpy(x), torch.from_numpy(t)),
    )


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("kind", [np.int32, np.int16, np.int8, np.bool_, np.float32])
def test_losses_refuse_dtypes_of_targets_as_torch_does(name, kind):
    x, t = np.ones((3, 5), np.float32), np.zeros(3, kind)
    assert_same_error(
        lambda: getattr(F, name)(engine.wrap(x), engine.wrap(t)),
        lambda: getattr(TF, name)(torch.from_numpy(x), torch.from_numpy(t)),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"weight": ((4,), np.float32)},
        {"weight": ((5,), np.float64)},
        {"weight": ((4,), np.float32), "label_smoothing": 0.1},
        {"label_smoothing": 1.5},
        {"reduction": "x"},
        {"input": ((3, 5), np.int64)},
        {"target": ((3, 5), np.int64)},
        {"target": ((3, 5), np.float32), "ignore_index": 2},
        {"target": ((3, 5), np.float32), "weight": ((4,), np.float32)},
        {"target": ((3, 5), np.float32), "label_smoothing": 1.5},
    ],
)
def test_cross_entropy_refuses_other_arguments_as_torch_does(change):
    shapes = {"input": ((3, 5), np.float32), "target": ((3,), np.int64)} | change
    arrays = {k: np.zeros(*v) if isinstance(v, tuple) else v for k, v in shapes.items()}

    def call(fn, make):
        return fn(**{k: make(v) if isinstance(v, np.ndarray) else v for k, v in arrays.items()})

    assert_same_error(lambda: call(F.cross_entropy, engine.wrap), lambda: call(TF.cross_entropy, torch.from_numpy))


def test_losses_of_integers_and_of_a_number_are_refused_as_torch_does():
    i, t = np.ones((3, 5), np.int64), np.zeros(3, np.int64)
    for name in ("cross_entropy", "nll_loss"):
        npg_fn, torch_fn = getattr(F, name), getattr(TF, name)
        assert_same_error(
            lambda f=npg_fn: f(engine.wrap(i), engine.wrap(t)),
            lambda f=torch_fn: f(torch.from_numpy(i), torch.from_numpy(t)),
        )
        assert_same_error(lambda f=npg_fn: f([1], engine.wrap(t)), lambda f=torch_fn: f([1], torch.from_numpy(t)))
    assert_same_error(
        lambda: F.nll_loss(engine.wrap(np.array(1.0)), engine.wrap(np.array(0))),
        lambda: TF.nll_loss(torch.tensor(1.0), torch.tensor(0)),
    )


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", ["(4, 3)", "(2, 3, 4)", "(2, 3, 2, 2)", "(1, 3, 2, 2, 2)"])
def test_node_is_named_after_torchs_kernel(name, reduction, shape):
    check(
        f"shape = {shape}; x = lib.zeros(shape, requires_grad=True); t = lib.zeros(shape[:1] + shape[2:]).long(); "
        f"r = repr(lib.nn.functional.{name}(x, t, reduction='{reduction}')).split('grad_fn')[1]"
    )


def test_node_of_smoothed_targets_is_named_as_torchs():
    call = (
        "lib.nn.functional.cross_entropy(lib.ones(2, 3, requires_grad=True), lib.tensor([0, 1]), label_smoothing=0.1)"
    )
    check(f"repr({call}).split('grad_fn')[1]")


IMAGES = "lib.ones(2, 3, 2, 2).requires_grad_()"


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
@pytest.mark.parametrize("weight", ["lib.ones(4)", "lib.ones(3).requires_grad_()", "lib.ones(3).double()"])
def test_losses_of_images_refuse_weights_as_torch_does(name, weight):
    check_error(f"lib.nn.functional.{name}({IMAGES}, lib.zeros(2, 2, 2).long(), {weight})")


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
def test_losses_of_images_refuse_bytes_as_torch_does(name):
    check_error(f"lib.nn.functional.{name}({IMAGES}, lib.zeros(2, 2, 2).byte())")
    check_error(f"lib.nn.functional.nll_loss({IMAGES}.long(), lib.zeros(2, 2, 2).long())")


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("call", ["nll_loss(x, t", "cross_entropy(x, t", "cross_entropy(x, t, label_smoothing=0.1"])
def test_gradients_of_losses_of_images_are_contiguous_as_torchs(call, reduction):
    expression = f"lib.autograd.grad(lib.nn.functional.{call}, reduction='{reduction}').sum(), x)[0].stride()"
    x, t = torch.randn(2, 3, 4, 5), torch.zeros(2, 4, 5, dtype=torch.long)
    expected = evaluate(expression, torch, x=x.requires_grad_(), t=t)
    for z in (to_npg(x), to_npg(x).detach().to(memory_format=npg.channels_last).requires_grad_()):
        assert evaluate(expression, npg, x=z, t=to_npg(t)) == expected
