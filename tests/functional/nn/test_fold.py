"""Arguments of fold and unfold."""

import pytest

from tests.expressions import check_error
from tests.func.comparing import same

C = "lib.ones(2, 12, 9)"
WRONG = ["0", "-1", "(0, 1)", "(1, -1)", "(1, 2, 3)", "(1,)", "[2]", "()"]


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("name", ["kernel_size", "dilation", "padding", "stride", "output_size"])
def test_wrong_settings_are_refused_in_torchs_words(name, value):
    given = {"output_size": "4", "kernel_size": "2"}
    call = "fold({}, {})".format(C, ", ".join(f"{k}={v}" for k, v in {**given, name: value}.items()))
    same(lambda lib: eval(f"lib.nn.functional.{call}", {"lib": lib}))
    if name != "output_size":
        call = f"unfold(lib.ones(1, 2, 4, 4), **{{'kernel_size': 2, '{name}': {value}}})"
        same(lambda lib: eval(f"lib.nn.functional.{call}", {"lib": lib}))


@pytest.mark.parametrize(
    "call",
    [f"fold({C}, 4, 3)", "fold(lib.ones(2, 12, 8), 4, 2)", "fold(lib.ones(2, 11, 9), 4, 2)", "fold(lib.ones(11), 4, 2)",
     "fold(lib.ones(1, 2, 12, 9), 4, 2)", f"fold({C}, (1, 4), 2)", "fold(lib.ones(2, 0, 9), 4, 2)",
     "fold(lib.ones(2, 12, 0), 4, 2)", "fold(lib.ones(1, 4, 1), 0, 2)", "fold(lib.ones(1, 4, 2), (0, -1), 2)",
     f"fold({C}.long(), 4, 2)", f"fold({C}.to(lib.uint8), 4, 2)", "unfold(lib.ones(1, 4, 3, 3), 5)",
     "unfold(lib.ones(1, 0, 3, 3), 2)", "unfold(lib.ones(1, 1, 3, 3).int(), 2)"],
)  # fmt: skip
def test_wrong_shapes_and_dtypes_are_refused_in_torchs_words(call):
    check_error(f"lib.nn.functional.{call}")


@pytest.mark.parametrize("value", ["1.5", "'a'", "None"])
def test_settings_of_a_wrong_kind_are_type_errors(value):
    for call in (f"fold(lib.ones(2, 12, 9), 4, {value})", f"unfold(lib.ones(1, 1, 4, 4), {value})"):
        same(lambda lib, call=call: eval(f"lib.nn.functional.{call}", {"lib": lib}), text=False)


@pytest.mark.parametrize("value", ["True", "[None, 1]", "(1, 2.5)", "None"])
def test_sizes_of_a_wrong_kind_are_refused_with_their_positions(value):
    for call in ("unfold(lib.ones(1, 1, 4, 4), {})", "unfold(lib.ones(1, 1, 4, 4), 2, 1, {})",
                 "fold(lib.ones(1, 4, 9), {}, 2)", "fold(lib.ones(1, 4, 9), 4, 2, 1, 0, {})"):  # fmt: skip
        check_error(f"lib.nn.functional.{call.format(value)}")
