"""Arguments of the distances between rows."""

import pytest

import npg
from tests.expressions import check, check_error

A, B = "lib.ones(3, 4)", "lib.ones(5, 4)"


@pytest.mark.parametrize(
    "call",
    [f"cdist({A}[0], {B})", f"cdist({A}, {B}[0])", f"cdist({A}, {B}[:, :2])", f"cdist({A}.long(), {B}.long())",
     f"cdist({A}, {B}.long())", f"cdist({A}, {B}.double())", f"cdist({A}, {B}, -1.0)", f"cdist({A}, {B}, float('nan'))",
     f"cdist({A}.half(), {B}.half())", f"cdist({A}, {B}, 2, 'foo')", f"cdist({A}, {B}, 2, 7)",
     f"cdist({A}, {B}, 2, None)", f"cdist({A}.expand(2, 3, 4), {B}.expand(3, 5, 4))", f"cdist({A}, 3)",
     f"pdist({A}[0])", f"pdist({A}[None])", f"pdist({A}.long())", f"pdist({A}, -1.0)", f"pdist({A}.half())",
     "pdist(3)"],
)  # fmt: skip
def test_wrong_arguments_are_refused_in_torchs_words(call):
    check_error(f"lib.{call}")


def test_names_are_where_torch_has_them():
    assert npg.pdist is npg.nn.functional.pdist
    assert not hasattr(npg.Tensor, "pdist") and not hasattr(npg.Tensor, "cdist")
    assert not hasattr(npg.nn.functional, "cdist")


def test_gradients_of_counted_differences_are_zeros():
    for call in ("cdist(x, lib.ones(2, 3), p=0)", "pdist(x, p=0)"):
        check(f"x = lib.ones(2, 3).requires_grad_(); y = lib.nn.functional.{call}.sum().backward(); r = x.grad".replace(
            "lib.nn.functional.cdist", "lib.cdist"))  # fmt: skip


def test_half_is_multiplied_where_torch_multiplies():
    for mode in ("use_mm_for_euclid_dist", "use_mm_for_euclid_dist_if_necessary"):
        check(f"lib.cdist(lib.eye(26, 4).half() * 2, lib.zeros(3, 4).half(), 2.0, '{mode}')")
    check_error(f"lib.cdist({A}.half(), {B}.half(), 2.0, 'donot_use_mm_for_euclid_dist')")
