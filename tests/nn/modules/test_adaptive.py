"""AdaptiveLogSoftmaxWithLoss, and the modules on look-ups, slopes and bilinear maps that PyTorch has no samples of."""

import numpy as np
import pytest
import torch

import npg
from tests.expressions import check_error

rng = np.random.default_rng(0)


def both(name, *args, **kwargs):
    made = []
    for lib in (npg, torch):
        lib.manual_seed(3)
        made.append(getattr(lib.nn, name)(*args, **kwargs).double())
    ours, theirs = made
    assert repr(ours) == repr(theirs) and list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[name], value)
    return ours, theirs


def compare(ours, theirs, x, *others):
    a, b = npg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    found, expected = ours(a, *map(npg.tensor, others)), theirs(b, *map(torch.tensor, others))
    found, expected = (y if isinstance(y, tuple) else (y,) for y in (found, expected))
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(f.detach(), e.detach(), 1e-10)
        assert f.shape == e.shape
    sum((f * f).sum() for f in found).backward()
    sum((e * e).sum() for e in expected).backward()
    np.testing.assert_allclose(a.grad, b.grad, 1e-9, 1e-12)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert (p.grad is None) == (q.grad is None)
        if p.grad is not None:
            np.testing.assert_allclose(p.grad, q.grad, 1e-9, 1e-12)


@pytest.mark.parametrize("cutoffs", [[2], [3, 5, 9]])
@pytest.mark.parametrize("head_bias", [False, True])
def test_adaptive_softmax_is_like_torch(cutoffs, head_bias):
    ours, theirs = both("AdaptiveLogSoftmaxWithLoss", 16, 12, cutoffs, 2.0, head_bias)
    x = rng.standard_normal((6, 16))
    compare(ours, theirs, x, rng.integers(0, 12, 6))
    compare(ours, theirs, x, np.zeros(6, np.int64))  # clusters without a row
    compare(ours, theirs, x[0], np.array(7))
    for change in (1.0, 30.0, -30.0):  # all in the head, some, none
        found, expected = ours.log_prob(npg.tensor(x)), theirs.log_prob(torch.tensor(x))
        np.testing.assert_allclose(found.detach(), expected.detach(), 1e-10)
        np.testing.assert_array_equal(ours.predict(npg.tensor(x)), theirs.predict(torch.tensor(x)))
        for m in (ours, theirs):
            m.head.weight.data[: cutoffs[0]] *= change
    assert isinstance(ours(npg.tensor(x), npg.zeros(6).long()).loss, npg.Tensor)
    ours.reset_parameters()


@pytest.mark.parametrize(
    "arguments",
    ["8, 10, []", "8, 10, [3, 2]", "8, 10, [0, 2]", "8, 10, [2, 10]", "8, 10, [2, 2]", "8, 10, [2.5]"],
)
def test_wrong_cutoffs_are_refused_in_torchs_words(arguments):
    check_error(f"lib.nn.AdaptiveLogSoftmaxWithLoss({arguments})")


@pytest.mark.parametrize(
    "arguments",
    ["lib.ones(2, 8), lib.tensor([1, 10])", "lib.ones(2, 8), lib.tensor([-1, 1])", "lib.ones(2, 8), lib.tensor([1])",
     "lib.ones(8), lib.tensor([1] * 8)", "lib.ones(2, 8), lib.tensor(1)", "lib.ones(2, 8), lib.tensor([[1]])"],
)  # fmt: skip
def test_wrong_targets_are_refused_in_torchs_words(arguments):
    check_error(f"lib.nn.AdaptiveLogSoftmaxWithLoss(8, 10, [2])({arguments})")


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_embedding_bag_is_like_torch(mode):
    for settings in ({}, {"padding_idx": -2, "max_norm": 1.5}, {"padding_idx": 2, "norm_type": 1.0}):
        ours, theirs = both("EmbeddingBag", 5, 4, mode=mode, **settings)
        index, offsets = np.array([1, 3, 2, 4, 3]), np.array([0, 2, 2])
        for args in ((index, offsets), (index.reshape(1, 5),)):
            found, expected = ours(*map(npg.tensor, args)), theirs(*map(torch.tensor, args))
            np.testing.assert_allclose(found.detach(), expected.detach(), 1e-6)
        (found * found).sum().backward()
        (expected * expected).sum().backward()
        np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad, 1e-6)
    table = npg.tensor(rng.standard_normal((3, 2)))
    bag = npg.nn.EmbeddingBag.from_pretrained(table, mode=mode)
    assert not bag.weight.requires_grad and bag.mode == mode and bag.weight._array is table._array
    for wrong in ("3, 2, padding_idx=3", "3, 2, padding_idx=-4", "3, 2, _weight=lib.ones(2, 2)"):
        check_error(f"lib.nn.EmbeddingBag({wrong})")
    check_error("lib.nn.EmbeddingBag.from_pretrained(lib.ones(3))")


def test_rrelu_is_like_torch():
    x = rng.standard_normal((4, 5))
    for settings in ({}, {"lower": 0.1, "upper": 0.4}):
        ours, theirs = both("RReLU", **settings)
        for mode in (True, False):
            npg.manual_seed(1)
            torch.manual_seed(1)
            compare(ours.train(mode), theirs.train(mode), x)
    assert repr(npg.nn.RReLU(inplace=True)) == repr(torch.nn.RReLU(inplace=True))
    y = npg.tensor(-x)
    assert npg.nn.RReLU(inplace=True)(y) is y


def test_older_names_are_kept():
    x, t = rng.standard_normal((2, 3, 2, 2)), rng.integers(0, 3, (2, 2, 2))
    made, texts = [], []
    for lib in (npg, torch):
        with pytest.warns(FutureWarning) as caught:
            made.append((lib.nn.NLLLoss2d(reduction="sum"), lib.nn.Container(a=lib.nn.Linear(1, 2))))
        texts.append([str(w.message) for w in caught])
    assert texts[0] == texts[1]
    (ours, box), (theirs, their_box) = made
    compare(ours, theirs, x, t)
    assert repr(box) == repr(their_box) and list(box.state_dict()) == ["a.weight", "a.bias"]
    check_error("lib.nn.Bilinear(0, 3, 4)")


def test_keywords_of_factories_are_like_torch():
    f = npg.nn.factory_kwargs
    assert f(None) == {} and f({"dtype": 1, "factory_kwargs": {"device": 2}}) == {"dtype": 1, "device": 2}
    check_error("lib.nn.factory_kwargs({'a': 1})")
    check_error("lib.nn.factory_kwargs({'dtype': 1, 'factory_kwargs': {'dtype': 2}})")
