"""Functions whose signatures differ between torch and torch.nn.functional, called as torch's; and F.unfold."""

import numpy as np
import pytest
import torch
import torch.nn.functional as TF

import npg
import npg.nn.functional as F
from tests.helpers import assert_same_error, check_layouts, check_like_torch, strided

rng = np.random.default_rng(4)
X, Y, Z = (rng.standard_normal((4, 3)) for _ in range(3))
ROWS = np.array([[0, 2], [1, 0]])
SIGNS = np.array([1.0, -1.0, 1.0, -1.0])


@pytest.mark.parametrize("reduction", [0, 1, 2, 7])
def test_losses_reduce_by_a_number(reduction):
    check_like_torch(npg.cosine_embedding_loss, torch.cosine_embedding_loss, X, Y, SIGNS, 0.1, reduction)
    check_like_torch(npg.hinge_embedding_loss, torch.hinge_embedding_loss, X, np.sign(Y), 0.5, reduction)
    check_like_torch(npg.kl_div, torch.kl_div, X, Y, reduction, log_target=True)
    check_like_torch(npg.margin_ranking_loss, torch.margin_ranking_loss, X, Y, np.sign(Z), 0.2, reduction)
    check_like_torch(npg.poisson_nll_loss, torch.poisson_nll_loss, X, np.abs(Y), True, True, 1e-8, reduction)
    check_like_torch(npg.triplet_margin_loss, torch.triplet_margin_loss, X, Y, Z, 1.0, 2.0, 1e-6, True, reduction)
    check_like_torch(
        lambda x, y: npg.binary_cross_entropy_with_logits(x, y, None, npg.tensor([1.0, 2.0, 3.0]), reduction),
        lambda x, y: torch.binary_cross_entropy_with_logits(x, y, None, torch.tensor([1.0, 2.0, 3.0]), reduction),
        X,
        np.abs(np.sin(Y)),
    )


def test_losses_do_not_reduce_unless_they_are_told_to():
    for name in ("binary_cross_entropy_with_logits", "hinge_embedding_loss", "kl_div"):
        check_like_torch(getattr(npg, name), getattr(torch, name), X, np.abs(np.sin(Y)))
    for name in ("margin_ranking_loss", "triplet_margin_loss"):
        check_like_torch(getattr(npg, name), getattr(torch, name), X, Y, np.sign(Z))
    check_like_torch(npg.cosine_embedding_loss, torch.cosine_embedding_loss, X, Y, SIGNS)


def test_binary_cross_entropy_with_logits_broadcasts_the_input_alone():
    pair = npg.binary_cross_entropy_with_logits, torch.binary_cross_entropy_with_logits
    check_like_torch(*pair, X[0], np.abs(np.sin(Y)))
    x, y = npg.ones(2, 3), torch.ones(2, 3)
    assert_same_error(lambda: pair[0](x, x[0]), lambda: pair[1](y, y[0]))
    assert_same_error(lambda: pair[0](x, npg.ones(2)), lambda: pair[1](y, torch.ones(2)))


@pytest.mark.parametrize("settings", [(), (2,), (-2,), (100,), (0, True), (-1, False, False)])
def test_embedding_takes_the_table_first(settings):
    check_like_torch(
        lambda w: npg.embedding(w, npg.tensor(ROWS), *settings),
        lambda w: torch.embedding(w, torch.tensor(ROWS), *settings),
        X,
    )


@pytest.mark.parametrize("name", ["dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"])
def test_dropout_takes_what_torchs_takes(name):
    for p, train in ((0.4, True), (0.4, False), (1.0, True), (0, True)):
        results = []
        for lib in (npg, torch):
            lib.manual_seed(3)
            results.append(getattr(lib, name)(lib.ones(5, 4, 3), p, train).numpy())
        np.testing.assert_allclose(*results, 1e-6)
    for p in (2.5, -1, 2, float("nan")):
        calls = [lambda lib=lib, p=p: getattr(lib, name)(lib.ones(5, 4), p, True) for lib in (npg, torch)]
        assert_same_error(*calls)
    assert_same_error(lambda: getattr(npg, name)(npg.ones(2)), lambda: getattr(torch, name)(torch.ones(2)), text=False)


def test_activations_and_normalisations_are_torchs():
    for name, args in {"relu": (), "selu": (), "celu": (0.5,), "threshold": (0.1, 2.0)}.items():
        check_layouts(lambda x: getattr(npg, name)(x, *args), lambda x: getattr(torch, name)(x, *args), X)  # noqa: B023
        too_many = [lambda lib=lib: getattr(lib, name)(lib.ones(2), *args, True) for lib in (npg, torch)]  # noqa: B023
        assert_same_error(*too_many)
    check_like_torch(npg.layer_norm, torch.layer_norm, X, (3,), Y[0], Z[0], 1e-3, False)
    check_like_torch(npg.rms_norm, torch.rms_norm, X, (3,), Y[0], 1e-3)


def test_softmax_needs_a_dim_and_takes_a_dtype_third():
    for name in ("softmax", "log_softmax"):
        function, expected = getattr(npg, name), getattr(torch, name)
        for args in ((), (None,), (1, 3)):
            assert_same_error(
                lambda: function(npg.ones(2, 3), *args),  # noqa: B023
                lambda: expected(torch.ones(2, 3), *args),  # noqa: B023
                text=not args or args[0] is not None and len(args) < 2,
            )
        assert function(npg.ones(2, 3), 1, npg.float64).dtype == npg.float64
        assert (
            getattr(F, name)(npg.ones(2, 3), 1, npg.float64).dtype == npg.float32
        )  # the third parameter of F is _stacklevel
        with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name} has been deprecated"):
            getattr(F, name)(npg.ones(2, 3))


# ----- im2col -----


@pytest.mark.parametrize("settings", [((2, 3),), (2, 2), ((3, 1), (1, 2), (2, 1), (3, 2)), (1,), (2, 1, 1, 2)])
@pytest.mark.parametrize("shape", [(2, 3, 7, 6), (3, 7, 6), (1, 1, 5, 5), (0, 2, 5, 5)])
def test_unfold_is_torchs(shape, settings):
    x = rng.standard_normal(shape)
    for layout in (x, strided(x), x.swapaxes(-1, -2)):
        check_like_torch(lambda x: F.unfold(x, *settings), lambda x: TF.unfold(x, *settings), layout)


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((1, 2, 3, 4), (5,)),
        ((1, 2, 3, 4), ((2,),)),
        ((1, 2, 3, 4), ((2, 2, 2),)),
        ((1, 2, 3, 4), (2, 0)),
        ((1, 2, 3, 4), (2, 1, -1)),
        ((1, 2, 3, 4), (2, 1, 0, 0)),
        ((1, 2, 3, 4), (0,)),
        ((1, 0, 3, 4), (2,)),
        ((0, 3, 4), (2,)),
        ((1, 2, 3, 4), ("a",)),
    ],
)
def test_unfold_refuses_what_torchs_refuses(shape, settings):
    text = settings != ("a",)
    assert_same_error(
        lambda: F.unfold(npg.ones(shape), *settings), lambda: TF.unfold(torch.ones(shape), *settings), text=text
    )


def test_unfold_refuses_integers():
    x = np.ones((1, 1, 3, 3), np.int64)
    assert_same_error(lambda: F.unfold(npg.tensor(x), 2), lambda: TF.unfold(torch.tensor(x), 2))
    assert F.unfold(npg.tensor(x) > 0, 2).dtype == npg.bool
