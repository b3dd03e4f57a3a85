"""Arguments of the look-ups in tables."""

import numpy as np
import pytest

import npg
from tests.expressions import check, check_error

W, I, O = "lib.ones(6, 2)", "lib.tensor([1, 2])", "lib.tensor([0])"


@pytest.mark.parametrize(
    "arguments",
    [f"{W}, {I}, lib.tensor([1])", f"{W}, {I}, lib.tensor([0, 3])", f"{W}, lib.tensor([7]), {O}",
     f"{W}, lib.tensor([1, -1]), {O}", f"{W}, lib.tensor([1.5]), {O}", f"{W}, {I}, lib.tensor([0.0])",
     f"{W}.long(), {I}, {O}", f"{W}[0], {I}, {O}", f"{W}, {I}, {O}[None]", f"{W}, {I}, {O}, mode=3",
     f"{W}, {I}, {O}, mode=1, per_sample_weights=lib.ones(2)", f"{W}, {I}, {O}, per_sample_weights=lib.ones(3)",
     f"{W}, {I}, {O}, per_sample_weights=lib.ones(2).double()", f"{W}, {I}, {O}, per_sample_weights=lib.ones(2, 1)",
     f"{W}, {I}, {O}[:0], include_last_offset=True", f"{W}, {I}, {O}, False, 0, False, None, False, 9",
     f"{W}, {I}, {O}, False, 0, False, None, False, -9"],
)  # fmt: skip
def test_wrong_bags_are_refused_in_torchs_words(arguments):
    check_error(f"lib.embedding_bag({arguments})")


@pytest.mark.parametrize(
    "arguments",
    [f"{I}, {W}", f"{I}, {W}, {O}[None]", f"{I}[None], {W}, {O}", f"{I}[None, None], {W}", f"{I}, {W}[0], {O}",
     f"{I}, {W}, {O}, mode='min'", f"{I}, {W}, {O}, mode='max', scale_grad_by_freq=True",
     f"{I}, {W}, {O}, mode='max', sparse=True", f"{I}, {W}, {O}, per_sample_weights=lib.ones(2)",
     f"{I}, {W}, {O}, mode='sum', per_sample_weights=lib.ones(3)", "lib.ones(3, 0).long(), lib.ones(3, 2)"],
)  # fmt: skip
def test_wrong_bags_of_networks_are_refused_in_torchs_words(arguments):
    check_error(f"lib.nn.functional.embedding_bag({arguments})")


@pytest.mark.parametrize(
    "arguments",
    [f"{W}, lib.tensor([7]), 0.5, 2.0", f"{W}[0], {I}, 0.5, 2.0", f"{W}, {I}.float(), 0.5, 2.0",
     f"{W}.requires_grad_(), {I}, 0.5, 2.0"],
)  # fmt: skip
def test_wrong_tables_to_limit_are_refused_in_torchs_words(arguments):
    check_error(f"lib.embedding_renorm_({arguments})")


def test_offsets_that_fall_are_refused():
    with pytest.raises(RuntimeError, match="ascending"):  # where PyTorch reads one bag's rows as another's
        npg.embedding_bag(npg.ones(6, 2), npg.tensor([1, 2, 3]), npg.tensor([0, 2, 1]))


def test_rows_are_limited_in_place():
    w = npg.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    version = w._version
    assert npg.embedding_renorm_(w, npg.tensor([[0, 1]]), 1.0, 2.0) is w
    np.testing.assert_allclose(w, [[0.6, 0.8], [0.3, 0.4], [6.0, 8.0]], 1e-6)
    assert w._version == version + 1


def test_one_hot_calls_its_classes_input_as_torch_does():
    check("lib.nn.functional.one_hot(input=lib.tensor([0, 2]), num_classes=4)")
