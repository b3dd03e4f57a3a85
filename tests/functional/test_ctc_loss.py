"""Arguments of ctc_loss."""

import numpy as np
import pytest

import npg
from npg.nn import functional as F
from tests.expressions import check_error

X, T = "lib.zeros(6, 2, 4)", "lib.ones(2, 3).long()"


@pytest.mark.parametrize(
    "arguments",
    [f"{X}, {T}, (6, 6), (3, 2), reduction='foo'", f"{X}, {T}, (7, 6), (3, 2)", f"{X}, {T}, (6,), (3, 2)",
     f"{X}, {T}, (6, 6), (3,)", f"{X}, {T}, (6, 6), (4, 2)", f"{X}, {T}, (6, 6), (-1, 2)",
     f"{X}, {T}, (-1, 6), (3, 2)", f"{X}, {T}, (6, 6), (3, 2), blank=4", f"{X}, {T}, (6, 6), (3, 2), blank=-1",
     f"{X}, {T}[0], (6, 6), (3, 2)", f"{X}, {T}.reshape(-1), (6, 6), (3, 2)", f"{X}, {T}[:, :, None], (6, 6), (3, 2)",
     f"{X}, {T}[:1], (6, 6), (3, 2)", f"{X}[:, 0], {T}, (6, 6), (3, 2)", f"{X}[0, 0], {T}, (6, 6), (3, 2)",
     f"{X}[:, 0], {T}[0], (6,), (2,)", f"{X}[:, 0], {T}[0], (6,), (4,)", f"{X}[:, 0], {T}[0], (6, 6), (3,)",
     f"{X}.half(), {T}, (6, 6), (3, 2)", f"{X}.long(), {T}, (6, 6), (3, 2)",
     f"{X}, {T}, lib.ones(2), lib.tensor([3, 2])", f"{X}[:0], {T}, (6, 6), (3, 2)", f"{X}[:, :0], {T}[:0], (), ()"],
)  # fmt: skip
def test_wrong_arguments_are_refused_in_torchs_words(arguments):
    check_error(f"lib.nn.functional.ctc_loss({arguments})")


@pytest.mark.parametrize("lengths", [(6, 3), ((6, 6), 3), (6, (3, 2)), ((6.5, 6), (3, 2)), (None, (3, 2)), ("a", "b")])
def test_lengths_of_a_wrong_kind_are_refused(lengths):
    with pytest.raises((TypeError, RuntimeError), match="ctc_loss|input_lengths|target_lengths"):
        F.ctc_loss(npg.zeros(6, 2, 4), npg.ones(2, 3).long(), *lengths)


@pytest.mark.parametrize("label", [4, -1])
def test_a_label_that_is_no_class_is_refused(label):
    targets = npg.tensor(np.array([[1, label, 9], [1, 1, 1]]))
    with pytest.raises(RuntimeError, match=f"expected targets from 0 to 3, got {label}"):
        F.ctc_loss(npg.zeros(6, 2, 4), targets, (6, 6), (2, 3))
    F.ctc_loss(npg.zeros(6, 2, 4), targets, (6, 6), (1, 3))  # what is not counted is not read


def test_the_default_reduction_of_torchs_own_is_none():
    args = npg.zeros(6, 2, 4), npg.ones(2, 3).long(), (6, 6), (3, 2)
    assert npg.ctc_loss(*args).shape == (2,) and F.ctc_loss(*args).shape == ()
