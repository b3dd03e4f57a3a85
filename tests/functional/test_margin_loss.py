"""Losses on distributions, margins and distances against torch."""

import itertools
import math
import warnings
from functools import partial

import numpy as np
import pytest
import torch

import npg
from npg import engine
from npg.nn import functional as F
from tests.expressions import check_error
from tests.helpers import assert_like, assert_same_error, check_like_torch, drawn, strided

rng = np.random.default_rng(0)
normal = partial(drawn, rng)
TF = torch.nn.functional
REDUCTIONS = ["mean", "sum", "none"]


def signs(*shape):
    return torch.from_numpy(np.asarray(rng.choice([-1.0, 1.0], shape)))


def check(name, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "reduction: 'mean' divides")
        check_like_torch(getattr(F, name), getattr(TF, name), *args, **kwargs)


@pytest.mark.parametrize("reduction", [*REDUCTIONS, "batchmean"])
@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div_is_like_torch(reduction, log_target):
    target = normal(4, 3) if log_target else rng.dirichlet(np.ones(3), 4)
    check("kl_div", normal(4, 3), target, reduction=reduction, log_target=log_target)
    check("kl_div", normal(4, 3), torch.tensor([0.0, 0.4, 0.6], dtype=torch.float64), reduction=reduction)


def test_kl_div_warns_of_mean_as_torch_does():
    x = np.full(3, 0.5)
    with pytest.warns(UserWarning, match="'batchmean' divides only by the batch size"):
        F.kl_div(engine.wrap(x), engine.wrap(x))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gaussian_nll_loss_is_like_torch(reduction, full):
    for shape in ((4, 3), (4,), (4, 1)):
        check(
            "gaussian_nll_loss",
            normal(4, 3),
            normal(4, 3),
            rng.uniform(0.1, 2.0, shape),
            full=full,
            reduction=reduction,
        )
    check("gaussian_nll_loss", normal(4, 3), normal(4, 3), 0.7, full=full, reduction=reduction)


def test_gaussian_nll_loss_raises_small_variances_to_eps_as_torch_does():
    var = np.array([0.0, 1e-9, 0.3, 1e-3])
    check("gaussian_nll_loss", normal(4), normal(4), var, eps=1e-2, second=False)


@pytest.mark.parametrize("log_input", [False, True])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_poisson_nll_loss_is_like_torch(reduction, full, log_input):
    counts = torch.tensor([0.0, 1.0, 2.0, 7.0], dtype=torch.float64)
    check(
        "poisson_nll_loss", rng.uniform(0.1, 2.0, (3, 4)), counts, full=full, log_input=log_input, reduction=reduction
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_soft_margin_loss_is_like_torch(reduction):
    check("soft_margin_loss", normal(4, 3), signs(4, 3), reduction=reduction)
    # If exp overflows, torch's loss is inf and its gradient nan; npg's gradient is right.
    check("soft_margin_loss", np.array([1e4, -1e4]), signs(2), reduction=reduction, grad=False)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(4, 3), (3,)])
def test_multilabel_soft_margin_loss_is_like_torch(shape, reduction):
    for weight in (None, torch.from_numpy(rng.uniform(0.1, 2.0, 3))):
        check("multilabel_soft_margin_loss", normal(*shape), rng.random(shape), weight=weight, reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [1.0, 0.2])
def test_hinge_embedding_loss_is_like_torch(reduction, margin):
    check("hinge_embedding_loss", normal(4, 3), signs(4, 3), margin=margin, reduction=reduction)
    check("hinge_embedding_loss", strided(normal(4, 3)), signs(3), margin=margin, reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [0, 0.4])
def test_margin_ranking_loss_is_like_torch(reduction, margin):
    check("margin_ranking_loss", normal(5), normal(5), signs(5), margin=margin, reduction=reduction)
    check("margin_ranking_loss", normal(4, 3), normal(1, 3), signs(4, 1), margin=margin, reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_multi_margin_loss_is_like_torch(reduction, p, weighted):
    weight = torch.from_numpy(rng.uniform(0.1, 2.0, 5)) if weighted else None
    for shape, target in (((4, 5), np.array([0, 4, 2, 2])), ((5,), np.array(3))):
        check(
            "multi_margin_loss",
            normal(*shape),
            target,
            p=p,
            margin=0.6,
            weight=weight,
            reduction=reduction,
            second=False,
        )


@pytest.mark.parametrize("p", [1, 2, None])
def test_margin_losses_at_the_kink_and_of_infinite_logits_are_torchs(p):
    name = "multi_margin_loss" if p else "multilabel_margin_loss"
    options = {"p": p} if p else {}
    values = [np.nan, np.inf, -np.inf, 0.0, 1.0]
    rows = np.array(list(itertools.product(values, repeat=3)))
    for target in range(3):
        targets = np.full(len(rows), target) if p else np.tile([target, -1, -1], (len(rows), 1))
        actual, expected = [], []
        for lib, results in ((npg, actual), (torch, expected)):
            x = lib.from_numpy(rows.copy()).requires_grad_()
            loss = getattr(lib.nn.functional, name)(x, lib.from_numpy(targets), reduction="none", **options)
            loss.sum().backward()
            results += [loss.detach().numpy(), x.grad.numpy()]
        np.testing.assert_allclose(actual[0], expected[0], 1e-15)
        np.testing.assert_allclose(actual[1], expected[1], 1e-15)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_multilabel_margin_loss_is_like_torch(reduction):
    targets = np.array([[3, 0, -1, 1], [-1, 2, 2, 2], [0, 1, 2, 3], [2, 2, -1, 0]])
    check("multilabel_margin_loss", normal(4, 4), targets, reduction=reduction, second=False)
    check("multilabel_margin_loss", normal(4), targets[0], reduction=reduction, second=False)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [0, 0.3])
def test_cosine_embedding_loss_is_like_torch(reduction, margin):
    check("cosine_embedding_loss", normal(6, 3), normal(6, 3), signs(6), margin=margin, reduction=reduction)
    check("cosine_embedding_loss", normal(3), normal(3), signs(), margin=margin, reduction=reduction)


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_triplet_margin_loss_is_like_torch(reduction, p, swap):
    for shape in ((5, 4), (4,)):
        check(
            "triplet_margin_loss", normal(*shape), normal(*shape), normal(*shape), p=p, swap=swap, reduction=reduction
        )


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_triplet_margin_with_distance_loss_is_like_torch(reduction, swap):
    def distance(a, b):
        return (a - b).abs().sum(-1)

    for function in (None, distance):
        check(
            "triplet_margin_with_distance_loss",
            normal(5, 4),
            normal(5, 4),
            normal(5, 4),
            distance_function=function,
            margin=0.5,
            swap=swap,
            reduction=reduction,
        )


# ----- Errors -----


def same_error(name, arrays, **kwargs):
    assert_same_error(
        lambda: getattr(F, name)(*map(engine.wrap, arrays), **kwargs),
        lambda: getattr(TF, name)(*map(torch.from_numpy, arrays), **kwargs),
    )


def test_losses_refuse_a_reduction_as_torch_does():
    x = np.full((3, 3), 0.5)
    two = ["kl_div", "poisson_nll_loss", "soft_margin_loss", "hinge_embedding_loss", "multilabel_soft_margin_loss"]
    three = ["margin_ranking_loss", "gaussian_nll_loss", "triplet_margin_loss", "triplet_margin_with_distance_loss"]
    for name, count in itertools.chain(((n, 2) for n in two), ((n, 3) for n in three)):
        same_error(name, (x,) * count, reduction="x")


def test_losses_refuse_shapes_as_torch_does():
    same_error("margin_ranking_loss", (normal(3), normal(3), np.ones((3, 1))))
    same_error("cosine_embedding_loss", (normal(3, 4), normal(3, 4), np.ones((3, 1))))
    same_error("cosine_embedding_loss", (normal(4), normal(4), np.ones(3)))
    same_error("cosine_embedding_loss", (normal(3, 4), normal(4), np.ones(3)))
    same_error("gaussian_nll_loss", (normal(3, 4), normal(3, 4), np.ones((2, 4))))
    for name in ("triplet_margin_loss", "triplet_margin_with_distance_loss"):
        same_error(name, (normal(3, 4), normal(3, 4), normal(4)))


def test_losses_refuse_settings_as_torch_does():
    x = normal(3, 4)
    same_error("gaussian_nll_loss", (x, x, -np.ones((3, 4))))
    assert_same_error(
        lambda: F.gaussian_nll_loss(engine.wrap(x), engine.wrap(x), -1.0),
        lambda: TF.gaussian_nll_loss(torch.from_numpy(x), torch.from_numpy(x), -1.0),
    )
    for name in ("triplet_margin_loss", "triplet_margin_with_distance_loss"):
        same_error(name, (x, x, x), margin=-1.0)
    same_error("multi_margin_loss", (x, np.zeros(3, np.int64)), p=3)


def test_margin_losses_refuse_a_class_that_is_not_there():
    x = engine.wrap(normal(3, 4))
    for bad in (4, -1):
        with pytest.raises(RuntimeError, match="target out of range"):
            F.multi_margin_loss(x, engine.wrap(np.array([0, bad, 1])))
    with pytest.raises(RuntimeError, match="argument #2 'target' is out of range"):
        F.multilabel_margin_loss(x, engine.wrap(np.full((3, 4), 4)))


@pytest.mark.parametrize("name", ["soft_margin_loss", "hinge_embedding_loss", "poisson_nll_loss", "kl_div"])
def test_losses_understand_the_older_arguments(name):
    x = np.full(3, 0.5)
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
        actual = getattr(F, name)(engine.wrap(x), engine.wrap(x), size_average=False)
    assert_like(actual, getattr(TF, name)(torch.from_numpy(x), torch.from_numpy(x), reduction="sum"))


def test_losses_keep_float32():
    x = np.full((3, 4), 0.5, np.float32)
    for name in ("kl_div", "poisson_nll_loss", "soft_margin_loss", "hinge_embedding_loss"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y = getattr(F, name)(engine.wrap(x), engine.wrap(x))
        assert y._array.dtype == np.float32 and math.isfinite(y._array)


@pytest.mark.parametrize("input", ["lib.ones(2)", "lib.ones(2).long()", "lib.ones(2).bool()"])
@pytest.mark.parametrize("target", ["lib.ones(2).long()", "lib.ones(2).bool()"])
def test_kl_div_of_integers_raises_torchs_error(input, target):
    check_error(f"lib.nn.functional.kl_div({input}, {target}, reduction='sum')")


# ----- Dtypes -----

PAIRS = {
    "l1_loss": lambda F, x, t, **how: F.l1_loss(x, t, **how),
    "mse_loss": lambda F, x, t, **how: F.mse_loss(x, t, **how),
    "smooth_l1_loss": lambda F, x, t, **how: F.smooth_l1_loss(x, t, **how),
    "smooth_l1_loss with beta 0": lambda F, x, t, **how: F.smooth_l1_loss(x, t, beta=0.0, **how),
    "soft_margin_loss": lambda F, x, t, **how: F.soft_margin_loss(x, t, **how),
    "binary_cross_entropy": lambda F, x, t, **how: F.binary_cross_entropy(x, t, **how),
    "its weight": lambda F, x, t, **how: F.binary_cross_entropy(x, x.detach() * 0 + 0.5, weight=t[0], **how),
    "with logits": lambda F, x, t, **how: F.binary_cross_entropy_with_logits(x, t, **how),
    "weight with logits": lambda F, x, t, **how: F.binary_cross_entropy_with_logits(x, x.detach(), t, **how),
    "kl_div": lambda F, x, t, **how: F.kl_div(x, t, **how),
    "kl_div of logarithms": lambda F, x, t, **how: F.kl_div(x, t, log_target=True, **how),
    "poisson_nll_loss": lambda F, x, t, **how: F.poisson_nll_loss(x, t, full=True, **how),
    "hinge_embedding_loss": lambda F, x, t, **how: F.hinge_embedding_loss(x, t, **how),
    "multilabel_soft_margin_loss": lambda F, x, t, **how: F.multilabel_soft_margin_loss(x, t, **how),
    "gaussian_nll_loss": lambda F, x, t, **how: F.gaussian_nll_loss(x, t, x.detach() + 1, **how),
    "margin_ranking_loss": lambda F, x, t, **how: F.margin_ranking_loss(x, t, x.detach(), **how),
    "triplet_margin_loss": lambda F, x, t, **how: F.triplet_margin_loss(x, t, t * 2, **how),
    "with logits and pos_weight": lambda F, x, t, **how: F.binary_cross_entropy_with_logits(
        x, t, pos_weight=x.detach()[0], **how
    ),
    "pos_weight": lambda F, x, t, **how: F.binary_cross_entropy_with_logits(x, x.detach(), pos_weight=t, **how),
    "cross_entropy": lambda F, x, t, **how: F.cross_entropy(x, t, **how),
}


@pytest.mark.parametrize("name", PAIRS)
def test_dtypes_that_differ_give_torchs_results_gradients_and_errors(name):
    """Check all but huber_loss, which PyTorch computes for two dtypes, but whose backward it refuses."""
    kinds = ("float32", "float64", "int64", "bool")
    for first, second, reduction, recorded in itertools.product(kinds[:2], kinds, ("none", "mean"), ("x", "t", "xt")):
        if "t" in recorded and not second.startswith("float"):
            continue
        if name == "soft_margin_loss" and second == "bool":
            continue  # as huber_loss

        def call(lib):
            x = lib.full((2, 3), 0.75).to(getattr(lib, first))  # noqa: B023
            t = lib.full((2, 3), 0.25).to(getattr(lib, second))  # noqa: B023
            for letter, leaf in (("x", x), ("t", t)):
                leaf.requires_grad_(letter in recorded and leaf.is_floating_point())  # noqa: B023
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                y = PAIRS[name](lib.nn.functional, x, t, reduction=reduction)  # noqa: B023
            y.sum().backward()
            return [None if a is None else a.detach().numpy() for a in (y, x.grad, t.grad)]

        try:
            expected = call(torch)
        except Exception as error:
            with pytest.raises(type(error)) as raised:
                call(npg)
            assert str(raised.value) == str(error).replace("torch", "npg"), (first, second, reduction, recorded)
            continue
        for a, b in zip(call(npg), expected, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                assert a.dtype == b.dtype, (first, second, reduction, recorded)
                np.testing.assert_allclose(a, b, 2e-6, 1e-7)


@pytest.mark.parametrize(
    "call",
    [
        lambda F, x, w, c: F.binary_cross_entropy(x, x, weight=w),
        lambda F, x, w, c: F.binary_cross_entropy_with_logits(x, x, weight=w),
        lambda F, x, w, c: F.binary_cross_entropy_with_logits(x, x, pos_weight=w),
        lambda F, x, w, c: F.nll_loss(x, c, weight=w),
        lambda F, x, w, c: F.cross_entropy(x, c, weight=w),
        lambda F, x, w, c: F.cross_entropy(x, c, weight=w, label_smoothing=0.1),
        lambda F, x, w, c: F.multi_margin_loss(x, c, weight=w),
        lambda F, x, w, c: F.soft_margin_loss(x, x * w),
    ],
)
def test_weights_without_a_gradient_are_refused_as_torch_refuses_them(call):
    def arguments(lib):
        return lib.nn.functional, lib.full((2, 3), 0.5), lib.ones(3, requires_grad=True), lib.tensor([0, 1])

    assert_same_error(lambda: call(*arguments(npg)), lambda: call(*arguments(torch)))
    with npg.no_grad():
        assert call(*arguments(npg)).dtype == npg.float32


ONES = "lib.ones({})".format
CALLS = [
    *(f"multi_margin_loss({ONES(x)}, lib.zeros({t}).long(){more})"
      for x, t, more in [
          ("2, 3", "()", ""), ("2, 3", "2, 1", ""), ("2, 3", "3", ""), ("3", "2", ""), ("()", "2", ""), ("3", "0", ""),
          ("0, 3", "1", ""), ("2, 3, 4", "2", ""), ("2, 3", "2", ", weight=lib.ones(4)"),
          ("2, 3", "2", ", weight=lib.ones(1, 3)"), ("3", "()", ", weight=lib.ones(2)"),
          ("()", "()", ", weight=lib.ones(2)"), ("2, 3", "2", ", weight=lib.ones(2), p=3")]),
    "soft_margin_loss(lib.ones(2), lib.ones(2, 2))", "soft_margin_loss(lib.ones(2, 3), lib.ones(2, 3, 2))",
    "soft_margin_loss(lib.ones(2).long(), lib.ones(2))", "soft_margin_loss(lib.ones(2) > 0, lib.ones(2))",
    "soft_margin_loss(lib.ones(2).long(), lib.ones(2, 2))", "multilabel_soft_margin_loss(*[lib.tensor(1.0)] * 2)",
    "binary_cross_entropy(lib.ones(2), lib.ones(2), lib.ones(3))",
    *(f"binary_cross_entropy_with_logits(lib.ones(2), lib.ones(2), {key}=lib.ones({shape}))"
      for key in ("weight", "pos_weight") for shape in ("3", "2, 2")),
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_shapes_and_dtypes_that_do_not_fit_are_refused_in_torchs_words(call):
    check_error(f"lib.nn.functional.{call}")


@pytest.mark.parametrize("x, t", [((3,), ()), ((3,), (1,)), ((1, 3), ()), ((), (1,))])
def test_multi_margin_loss_takes_one_target_of_any_rank_as_torch_does(x, t):
    check("multi_margin_loss", normal(*x), torch.zeros(t, dtype=torch.long), second=False)


def test_multilabel_soft_margin_loss_of_broadcast_targets_is_torchs():
    check("multilabel_soft_margin_loss", normal(3), torch.from_numpy(normal(2, 3)))
