"""Arguments of the convolutions: what they accept, and what they refuse in PyTorch's words before anything is done."""

import itertools
import warnings

import numpy as np
import pytest
import torch

import npg
from npg import _errors
from tests.expressions import check_error
from tests.func.comparing import same
from tests.helpers import assert_same_error
from tests.ops.fused import check_both

rng = np.random.default_rng(0)
F, TF = npg.nn.functional, torch.nn.functional
NAMES = ["conv1d", "conv2d", "conv3d"]
TRANSPOSED = ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


def normal(*shape):
    return rng.standard_normal(shape)


# ----- Accepted -----


def test_names_are_the_same_objects_in_both_namespaces():
    for name in (*NAMES, *TRANSPOSED, "conv_tbc"):
        assert getattr(npg, name) is getattr(F, name) and not hasattr(npg.Tensor, name)
    assert not hasattr(F, "convolution") and not hasattr(npg.Tensor, "convolution")


@pytest.mark.parametrize("name", NAMES + TRANSPOSED)
def test_an_input_without_batch_is_like_torch(name):
    n = int(name[-2])
    check_both(getattr(F, name), getattr(TF, name), normal(4, *(5,) * n), normal(4, 4, *(3,) * n), normal(4))


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("kernel", [(1, 2), (3, 4), (2, 5)])
def test_padding_same_is_like_torch(kernel, dilation):
    x, w = normal(2, 4, 6, 7), normal(6, 2, *kernel)
    for padding in ("same", "valid"):
        if padding == "same" or dilation == 1:
            check_both(F.conv2d, TF.conv2d, x, w, padding=padding, dilation=dilation, groups=2)
    check_both(F.conv1d, TF.conv1d, x[..., 0], w[..., 0], padding="same", dilation=(dilation,), groups=2)


def test_padding_same_of_an_even_kernel_warns_once(monkeypatch):
    monkeypatch.setattr(_errors, "_given", set())
    x, w = npg.ones(1, 1, 4), npg.ones(1, 1, 2)
    with pytest.warns(UserWarning, match="even kernel lengths and odd dilation"):
        F.conv1d(x, w, padding="same")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.conv1d(x, w, padding="same")
        F.conv1d(x, npg.ones(1, 1, 3), padding="same")
    monkeypatch.setattr(_errors, "warn_always", True)
    with pytest.warns(UserWarning, match="even kernel"):
        F.conv1d(x, w, padding="same")


@pytest.mark.parametrize(
    "settings", [{"stride": (2,)}, {"stride": [1, 2]}, {"padding": np.int64(1)}, {"dilation": [2]}]
)
def test_one_number_or_one_for_each_dimension_is_like_torch(settings):
    settings = {k: int(v) if isinstance(v, np.integer) else v for k, v in settings.items()}
    check_both(F.conv2d, TF.conv2d, normal(1, 2, 6, 7), normal(2, 2, 3, 2), **settings)
    (key, value), x, w = next(iter(settings.items())), npg.tensor(normal(1, 2, 6, 7)), npg.tensor(normal(2, 2, 3, 2))
    with_numpy = np.int64(value) if isinstance(value, int) else [np.int64(v) for v in value]
    assert (F.conv2d(x, w, **{key: with_numpy}) == F.conv2d(x, w, **settings)).all()


EMPTY = [
    "conv2d(lib.ones(0, 4, 5, 5, requires_grad=True), lib.ones(6, 4, 3, 3), lib.ones(6))",
    "conv2d(lib.ones(2, 0, 5, 5), lib.ones(6, 0, 3, 3, requires_grad=True), lib.ones(6))",
    "conv1d(lib.ones(0, 4, 0), lib.ones(6, 4, 3), padding=2)",
    "conv3d(lib.ones(0, 4, 5, 5, 5), lib.ones(6, 2, 3, 3, 3), groups=2)",
    "conv_transpose2d(lib.ones(0, 4, 5, 5, requires_grad=True), lib.ones(4, 6, 3, 3), lib.ones(6))",
    "conv_transpose1d(lib.ones(0, 4, 1), lib.ones(4, 2, 2), padding=1)",
    "conv2d(lib.ones(0, 4, 3, 3, dtype=lib.bool), lib.ones(4, 4, 3, 3, dtype=lib.bool))",
    "conv2d(lib.ones(0, 4, 3, 3), lib.ones(4, 4, 3, 3, dtype=lib.float64))",
    "conv2d(lib.ones(2, 4, 0, 3), lib.ones(4, 4, 3, 3), padding=3)",
    "conv_transpose1d(lib.ones(0, 4, 1), lib.ones(4, 2, 2), padding=3)",
    "conv_transpose2d(lib.ones(2, 4, 0, 3), lib.ones(4, 4, 3, 3))",
]


@pytest.mark.parametrize("call", EMPTY)
def test_inputs_without_elements_are_like_torch(call):
    same(lambda lib: eval(f"lib.nn.functional.{call}", {"lib": lib}))


def test_gradients_of_empty_inputs_are_zeros():
    for x, w in (((0, 4, 5, 5), (6, 4, 3, 3)), ((2, 0, 5, 5), (6, 0, 3, 3))):
        x, w, b = (npg.ones(*s, requires_grad=True) for s in (x, w, (6,)))
        F.conv2d(x, w, b).sum().backward()
        assert x.grad.shape == x.shape and not w.grad.any() and not b.grad.any()


INTEGERS = ["bool", "uint8", "int8", "int16", "int32", "int64"]


@pytest.mark.parametrize("name", NAMES + TRANSPOSED)
def test_integers_are_computed_or_refused_like_torch(name):
    n = int(name[-2])
    for dtype, dilation in itertools.product(INTEGERS, (1, 2)):

        def call(lib, dtype=dtype, dilation=dilation):
            x = (lib.arange(2 * 5**n) % 7 - 3).reshape(1, 2, *(5,) * n)
            w = (lib.arange(4 * 3**n) % 5 - 2).reshape(2, 2, *(3,) * n)
            x, w = (v.to(getattr(lib, dtype)) for v in (x, w))
            return getattr(lib.nn.functional, name)(x, w, dilation=dilation)

        same(call)


def test_integers_wrap_around_like_torch():
    for dtype in ("uint8", "int8", "int64"):
        value = 2**62 if dtype == "int64" else 100
        same(
            lambda lib, dtype=dtype, value=value: lib.conv1d(
                lib.full((1, 2, 4), value).to(getattr(lib, dtype)), lib.full((1, 2, 3), 3).to(getattr(lib, dtype))
            )
        )


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_convolution_is_like_torch(n, transposed):
    args = normal(2, 4, *(5,) * n), normal(4, 2, *(3,) * n), normal(4)
    settings = [[2], [1] * n, [1], transposed, [1] if transposed else [0], 2]
    check_both(lambda *a: npg.convolution(*a, *settings), lambda *a: torch.convolution(*a, *settings), *args)


@pytest.mark.parametrize("pad", [0, 2, -1])
def test_conv_tbc_is_like_torch(pad):
    check_both(F.conv_tbc, TF.conv_tbc, normal(6, 2, 3), normal(3, 3, 4), normal(4), pad=pad)
    check_both(F.conv_tbc, TF.conv_tbc, normal(2, 2, 3), normal(3, 3, 4), normal(4), second=False)
    x, w, b = (npg.tensor(normal(*s), dtype=npg.float32) for s in ((6, 2, 3), (3, 3, 4), (4,)))
    assert F.conv_tbc(x, w, b.double()).dtype is npg.float32 and F.conv_tbc(x, w, b).is_contiguous()


# ----- Refused -----

X, W = "lib.ones(2, 4, 7, 7)", "lib.ones(6, 4, 3, 3)"
REFUSED = [
    f"conv2d(lib.ones(2, 3, 7, 7), {W})", f"conv2d(lib.ones(3, 7, 7), {W})", f"conv2d(lib.ones(2, 4, 2, 2), {W})",
    f"conv2d(lib.ones(2, 4, 2, 2), {W}, padding=(0, 1), dilation=2)", f"conv2d({X}, lib.ones(6, 2, 3, 3), groups=4)",
    f"conv2d({X}, {W}, groups=2)", f"conv2d({X}, lib.ones(5, 2, 3, 3), groups=2)", f"conv2d({X}, {W}, groups=0)",
    f"conv2d({X}, {W}, groups=-1)", f"conv2d({X}, {W}, groups=8)", f"conv2d({X}, {W}, lib.ones(5))",
    f"conv2d({X}, {W}, lib.ones(6, 1))", f"conv2d({X}, {W}, lib.ones(()))", f"conv2d({X}, {W}.double())",
    f"conv2d({X}.double(), {W})", f"conv2d({X}, {W}, lib.ones(6).double())", f"conv2d({X}.long(), {W})",
    f"conv2d({X}, {W}.long())", f"conv2d({X}.half(), {W}.half(), lib.ones(6))",
    f"conv2d(lib.ones(7, 7), {W})", f"conv2d(lib.ones(1, 1, 4, 7, 7), {W})", f"conv2d({X}, lib.ones(6, 4, 3))",
    f"conv2d({X}, lib.ones(6, 4, 3, 3, 3))", f"conv1d(lib.ones(2, 4, 7), {W})", f"conv1d({X}, lib.ones(6, 4, 3))",
    "conv1d(lib.ones(4), lib.ones(6, 4, 3))", "conv3d(lib.ones(4, 5, 5), lib.ones(6, 4, 3, 3, 3))",
    f"conv2d({X}, lib.ones(()))", f"conv2d({X}, {W}, stride=0)", f"conv2d({X}, {W}, stride=-1)",
    f"conv2d({X}, {W}, stride=(1, 0))", f"conv2d({X}, {W}, stride=(1, 2, 3))", f"conv2d({X}, {W}, stride=())",
    f"conv2d({X}, {W}, stride=(1, 1.5))", f"conv2d({X}, {W}, padding=-1)", f"conv2d({X}, {W}, padding=(0, -1))",
    f"conv2d({X}, {W}, padding=(1, 2, 3))", f"conv2d({X}, {W}, padding='a')", f"conv2d({X}, {W}, padding='SAME')",
    f"conv2d({X}, {W}, dilation=0)", f"conv2d({X}, {W}, dilation=-1)", f"conv2d({X}, {W}, dilation=(1, 2, 3))",
    f"conv2d({X}, {W}, padding='same', stride=2)", f"conv2d({X}, {W}, padding='same', dilation=0)",
    f"conv2d({X}, {W}, padding='same', dilation=(1, 1, 1))", f"conv2d({X}, {W}, padding='same', stride=(1, 1, 1))",
    f"conv2d({X}, lib.ones(6, 4, 3), padding='same')", f"conv2d(lib.ones(2, 3, 7, 7), {W}, padding='same')",
    f"conv2d({X}, {W}.double(), padding='same')", f"conv2d({X}, {W}, padding='same', groups=0)",
    f"conv2d({X}, lib.ones(0, 4, 3, 3))", f"conv2d({X}, lib.ones(0, 2, 3, 3), groups=2)",
    f"conv2d({X}.double(), lib.ones(6, 4, 0, 3).double())",
    "conv1d(lib.ones(1, 4, 3).double(), lib.ones(2, 4, 0).double())",
    "conv3d(lib.ones(1, 4, 3, 3, 3), lib.ones(2, 4, 0, 3, 3))",
    "conv2d(lib.ones(0, 4, 3, 3), lib.ones(4, 4, 3, 3), stride=0)",
]  # fmt: skip
V = "lib.ones(4, 6, 3, 3)"
REFUSED_TRANSPOSED = [
    f"(lib.ones(2, 3, 7, 7), {V})", f"(lib.ones(7, 7), {V})", f"({X}, lib.ones(4, 6, 3))", f"({X}, lib.ones(()))",
    f"({X}, {V}, groups=3)", f"({X}, {V}, groups=0)", f"({X}, {V}, groups=8)", f"({X}, {V}, lib.ones(5))",
    f"({X}, {V}, lib.ones(6), groups=2)", f"({X}, {V}, lib.ones(6, 1))", f"({X}, {V}.double())",
    f"({X}.double(), {V})", f"({X}, {V}, lib.ones(6).double())", f"({X}.long(), {V})", f"({X}, {V}, stride=0)",
    f"({X}, {V}, stride=(1, 2, 3))", f"({X}, {V}, padding=-1)", f"({X}, {V}, padding=(1, 2, 3))",
    f"({X}, {V}, padding='same')", f"({X}, {V}, dilation=-1)", f"({X}, {V}, output_padding=-1)",
    f"({X}, {V}, output_padding=1)", f"({X}, {V}, output_padding=(0, 2))", f"({X}, {V}, output_padding=(1, 2, 3))",
    f"({X}, {V}, output_padding=2, stride=2)", f"({X}, {V}, output_padding=(2, 0), dilation=(1, 3))",
    f"({X}.double(), {V}.double(), padding=10)", f"({X}.double(), {V}.double(), dilation=0)",
    f"({X}.double(), lib.ones(4, 0, 3, 3).double())", f"({X}.double(), lib.ones(4, 6, 0, 3).double())",
]  # fmt: skip
REFUSED_OTHERS = [
    "conv_transpose1d(lib.ones(1, 4, 5), lib.ones(4, 2, 3), padding=10)",
    "conv_transpose1d(lib.ones(1, 4, 5), lib.ones(4, 2, 3), output_padding=1)",
    "conv_transpose3d(lib.ones(1, 4, 5, 5, 5), lib.ones(4, 2, 3, 3, 3), padding=10)",
    "conv_transpose3d(lib.ones(1, 4, 5, 5, 5), lib.ones(4, 2, 3, 3, 3), output_padding=1)",
    "conv_transpose3d(lib.ones(1, 4, 5, 5, 5).double(), lib.ones(4, 2, 0, 3, 3).double())",
    "conv_tbc(lib.ones(5, 2, 3), lib.ones(3, 4, 6), lib.ones(6))",
    "conv_tbc(lib.ones(5, 2), lib.ones(3, 4, 6), lib.ones(6))",
    "conv_tbc(lib.ones(5, 2, 4), lib.ones(3, 4), lib.ones(6))",
    "conv_tbc(lib.ones(5, 2, 4), lib.ones(3, 4, 6), lib.ones(5))",
    "conv_tbc(lib.ones(5, 2, 4), lib.ones(3, 4, 6), lib.ones(6, 1))",
    "conv_tbc(lib.ones(5, 2, 4), lib.ones(3, 4, 6), None)",
    "conv_tbc(lib.ones(1, 2, 4), lib.ones(3, 4, 6), lib.ones(6))",
    "conv_tbc(lib.ones(5, 2, 4).double(), lib.ones(3, 4, 6), lib.ones(6))",
]  # fmt: skip


@pytest.mark.parametrize(
    "call", REFUSED + [f"conv_transpose2d{arguments}" for arguments in REFUSED_TRANSPOSED] + REFUSED_OTHERS
)
def test_wrong_arguments_are_refused_in_torchs_words(call):
    check_error(f"lib.nn.functional.{call}")


@pytest.mark.parametrize(
    "arguments",
    [f"{X}[0], {W}, None, [1], [0], [1], False, [0], 1", f"{X}, {W}, None, [1], [0], [1], False, [-5], 1",
     f"{X}, {W}, None, [1], [0], [1], True, [0], 1", f"{X}, {W}, lib.ones(6).double(), [1], [0], [1], False, [0], 1",
     "lib.ones(1, 2, 3, 3, 3, 3), lib.ones(1, 2, 1, 1, 1, 1), None, [1], [0], [1], False, [0], 1"],
)  # fmt: skip
def test_wrong_arguments_of_convolution_are_refused_in_torchs_words(arguments):
    check_error(f"lib.convolution({arguments})")


@pytest.mark.parametrize(
    ("settings", "text"),
    [({"stride": "a"}, "'stride' must be tuple of ints, not str"), ({"stride": None}, "'stride' must be tuple of ints"),
     ({"dilation": 1.5}, "'dilation' must be tuple of ints, not float"),
     ({"groups": 1.0}, "'groups' must be int, not float"),
     ({"padding": 1.5}, "padding"), ({"padding": None}, "padding")],
)  # fmt: skip
def test_arguments_of_a_wrong_kind_are_named(settings, text):
    with pytest.raises(TypeError, match=text):
        F.conv2d(npg.ones(1, 1, 3, 3), npg.ones(1, 1, 3, 3), **settings)
    assert_same_error(
        lambda: F.conv2d(npg.ones(1, 1, 3, 3), npg.ones(1, 1, 3, 3), **settings),
        lambda: TF.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3), **settings),
        text=False,
    )
    for args in ((1,), (npg.ones(1, 1, 3, 3), 3), (npg.ones(1, 1, 3, 3), npg.ones(1, 1, 3, 3), 3)):
        with pytest.raises(TypeError):
            F.conv2d(*args)


def test_half_and_single_are_refused_in_the_words_that_torch_has_where_its_library_takes_half():
    x, w = npg.ones(2, 4, 7, 7, dtype=npg.float16), npg.ones(6, 4, 3, 3)
    with pytest.raises(RuntimeError, match=r"Input type \(npg.HalfTensor\) and weight type \(npg.FloatTensor\) should"):
        F.conv2d(x, w)
    assert_same_error(  # on other processors it says "expected scalar type Half but found Float"
        lambda: F.conv2d(x, w), lambda: TF.conv2d(torch.ones(2, 4, 7, 7).half(), torch.ones(6, 4, 3, 3)), text=False
    )


# ----- Kinds of arguments -----

SIGNAL, KERNEL = "lib.ones(1, 4, 6)", "lib.ones(4, 4, 3)"


@pytest.mark.parametrize("value", ["True", "[True]", "(2.5,)", "[1, None]", "'a'", "None", "2.5"])
@pytest.mark.parametrize("settings", ["{}", "1, {}", "1, 0, {}", "1, 0, 0, 1, {}"])
def test_settings_of_a_wrong_kind_are_refused_with_their_positions(settings, value):
    check_error(f"lib.nn.functional.conv_transpose1d({SIGNAL}, {KERNEL}, None, {settings.format(value)})")


@pytest.mark.parametrize("groups", ["True", "2.0"])
def test_groups_are_an_integer(groups):
    check_error(f"lib.nn.functional.conv_transpose1d({SIGNAL}, {KERNEL}, None, 1, 0, 0, {groups})")
    check_error(f"lib.nn.functional.conv1d({SIGNAL}, {KERNEL}, groups={groups})", text=False)


def test_order_and_shapes_of_refusals_are_torchs():
    name = "lib.nn.functional"
    check_error(f"{name}.conv1d({SIGNAL}[:, :, :0], {KERNEL}, padding=3)")
    check_error(f"{name}.conv1d({SIGNAL}, {KERNEL}, padding='SAME', groups=0)")
    check_error(f"{name}.conv2d(lib.ones(1, 3, 5, 5), lib.ones(4, 2, 2, 3), padding='same')")
