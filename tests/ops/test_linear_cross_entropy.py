"""The cross-entropy of a linear map against torch, whole and in chunks."""

import numpy as np
import pytest
import torch

import npg
from npg.nn import LinearCrossEntropyOptions as Options
from tests.expressions import check_error
from tests.ops.fused import check_both

rng = np.random.default_rng(0)
TF = torch.nn.functional
X, W, B = rng.standard_normal((13, 4)), rng.standard_normal((9, 4)), rng.standard_normal(9)
TARGET = rng.integers(0, 9, 13)
TARGET[3] = -100
OPTIONS = [None, Options(), Options(batch_chunk_size=4), Options(chunking_method="aspect_ratio")]


def of(lib, **settings):
    made = {k: lib.tensor(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}
    return lambda x, w, b=None: lib.nn.functional.linear_cross_entropy(x, w, linear_bias=b, **made)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_are_like_torch(reduction, options):
    for more in ({}, {"weight": rng.uniform(0.1, 1, 9)}, {"ignore_index": 2}):
        target = np.where(TARGET < 0, 2, TARGET) if "ignore_index" in more else TARGET
        settings = {"target": target, "reduction": reduction, **more}
        check_both(of(npg, options=options, **settings), of(torch, **settings), X, W, B)
        check_both(of(npg, options=options, **settings), of(torch, **settings), X, W)


@pytest.mark.parametrize("options", OPTIONS[:2])
def test_one_row_and_none_are_like_torch(options):
    for target, x in ((np.array(3), X[0]), (TARGET[:0], X[:0])):
        check_both(of(npg, target=target, options=options), of(torch, target=target), x, W, B, second=False)


def test_places_and_probabilities_are_like_torch():
    w, b, target = rng.standard_normal((5, 2, 3, 4)), rng.standard_normal((5, 2, 3)), rng.integers(0, 5, (13, 2, 3))
    check_both(of(npg, target=target), of(torch, target=target), X, w, b)
    check_both(of(npg, target=target, label_smoothing=0.1), of(torch, target=target, label_smoothing=0.1), X, w, b)
    p = rng.uniform(0, 1, (13, 9))
    check_both(of(npg, target=p), of(torch, target=p), X, W, B)
    with pytest.warns(UserWarning, match="``options`` ignored"):
        found = of(npg, target=target, options=Options())(npg.tensor(X), npg.tensor(w))
    np.testing.assert_allclose(found, of(torch, target=target)(torch.tensor(X), torch.tensor(w)), 1e-12)


def test_chunks_have_the_sizes_of_torch():
    for given in ({}, {"batch_chunk_size": 5}, {"chunking_method": "aspect_ratio:3"}, {"chunking_method": None}):
        for rows, features, classes in ((13, 4, 9), (1, 4, 9), (100, 8, 1000), (64, 64, 2)):
            adjusted = torch.nn.LinearCrossEntropyOptions(**given)._adjust(rows, features, classes, torch.float32)
            assert Options(**given)._chunk_of(rows, features, classes) == adjusted.batch_chunk_size


@pytest.mark.parametrize(
    "arguments",
    ["acc_policy='a'", "chunking_method='a'", "chunking_method='aspect_ratio:0'", "chunking_method='aspect_ratio:'",
     "batch_chunk_size=0", "batch_chunk_size=1.5"],
)  # fmt: skip
def test_wrong_options_are_refused_in_torchs_words(arguments):
    check_error(f"lib.nn.LinearCrossEntropyOptions({arguments})")


@pytest.mark.parametrize(
    "arguments",
    ["lib.ones(1, 2, 3), lib.ones(4, 3), lib.ones(1).long()", "lib.ones(2, 3), lib.ones(3), lib.ones(2).long()",
     "lib.ones(2, 3), lib.ones(4, 2), lib.ones(2).long()",
     "lib.ones(2, 3), lib.ones(4, 3), lib.ones(2).long(), linear_bias=lib.ones(3)",
     "lib.ones(3), lib.ones(4, 2, 3), lib.ones(2).long()",
     "lib.ones(2, 3), lib.ones(4, 3), lib.ones(2, 4), ignore_index=1"],
)  # fmt: skip
def test_wrong_arguments_are_refused_in_torchs_words(arguments):
    check_error(f"lib.nn.functional.linear_cross_entropy({arguments})")


def test_two_sizes_of_a_chunk_must_agree():
    check_error(
        "lib.nn.functional.linear_cross_entropy(lib.ones(8, 3), lib.ones(4, 3), lib.ones(8).long(), "
        "options=lib.nn.LinearCrossEntropyOptions(batch_chunk_size=3, chunking_method='aspect_ratio'))"
    )


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("places", [(), (2, 2)])
def test_module_is_like_torch(places, chunked):
    results, target = [], rng.integers(0, 9, (13, *places))
    for lib in (npg, torch):
        lib.manual_seed(0)
        settings = {"options": lib.nn.LinearCrossEntropyOptions()} if chunked and not places else {}
        m = lib.nn.LinearCrossEntropyLoss(4, 9, out_features=places, bias=True, dtype=lib.float64, **settings)
        y = m(lib.tensor(X), lib.tensor(target))
        y.backward()
        results.append((repr(m), list(m.state_dict()), y.detach().numpy(), m.linear.weight.grad.numpy()))
    assert results[0][:2] == results[1][:2]
    for a, b in zip(results[0][2:], results[1][2:], strict=True):
        np.testing.assert_allclose(a, b, 1e-10)
    check_error("lib.nn.LinearCrossEntropyLoss(3, 4, weight=lib.ones(3))")
    check_error("lib.nn.LinearCrossEntropyLoss(3, 4, label_smoothing=1.5)")
