"""interpolate against torch: modes, sizes, scales, dtypes, errors."""

import itertools
import warnings

import numpy as np
import pytest
import torch

import npg
from tests.expressions import check_error
from tests.func.comparing import same

rng = np.random.default_rng(0)
F, TF = npg.nn.functional, torch.nn.functional
MODES = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3), "linear": (1,), "bilinear": (2,),
         "bicubic": (2,), "lanczos": (2,), "trilinear": (3,)}  # fmt: skip
CASES = [(mode, rank) for mode, ranks in MODES.items() for rank in ranks]
SIZES = [(7, 3, 5), (4, 12, 2), (1, 1, 1), (5, 6, 7)]
SCALES = [2, 0.5, 1.3, (2.0, 0.4, 1.5)]


def settings_of(mode, rank):
    """Yield settings of interpolate."""
    sizes = [{"size": size[:rank]} for size in SIZES]
    scales = [{"scale_factor": scale[:rank] if isinstance(scale, tuple) else scale} for scale in SCALES]
    again = [{**given, "recompute_scale_factor": True} for given in scales]
    align = [{}, {"align_corners": True}] if "linear" in mode or mode == "bicubic" else [{}]
    smooth = [{}, {"antialias": True}] if mode in ("bilinear", "bicubic") else [{"antialias": mode == "lanczos"}]
    for given, a, b in itertools.product(sizes + scales + again, align, smooth):
        yield {"mode": mode, **given, **a, **b}


@pytest.mark.parametrize(("mode", "rank"), CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8"])
def test_values_are_torchs(mode, rank, dtype):
    x = rng.standard_normal((2, 3, 5, 6, 7)[: rank + 2]) * 40
    x = (x % 256 if dtype == "uint8" else x).astype(dtype)
    rtol, atol = {"float32": (2e-5, 2e-4), "float64": (1e-12, 1e-11), "float16": (2e-3, 0.1)}.get(dtype, (0, 0))
    for settings in settings_of(mode, rank):
        try:
            expected = TF.interpolate(torch.tensor(x), **settings)
        except (NotImplementedError, RuntimeError) as error:
            if "INTERNAL ASSERT" in str(error):  # a fault of PyTorch's with bytes
                continue
            with pytest.raises((NotImplementedError, RuntimeError)):
                F.interpolate(npg.tensor(x), **settings)
            continue
        found = F.interpolate(npg.tensor(x), **settings)
        assert found.dtype is getattr(npg, dtype) and found.shape == expected.shape
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol, atol, err_msg=str(settings))


def test_large_images_are_torchs():  # several blocks of a product
    x = rng.standard_normal((1, 2, 130, 70)).astype(np.float32)
    for mode, settings in (("bilinear", {"scale_factor": 2.5}), ("bicubic", {"size": (97, 300)}),
                           ("bilinear", {"size": (33, 20), "antialias": True}),
                           ("area", {"size": (50, 50)})):  # fmt: skip
        expected = TF.interpolate(torch.tensor(x), mode=mode, **settings).numpy()
        found = F.interpolate(npg.tensor(x), mode=mode, **settings).numpy()
        np.testing.assert_allclose(found, expected, 1e-4, 3e-5)


def test_gradient_belongs_to_the_result_where_scale_and_sizes_differ():
    x = npg.randn(1, 1, 4, dtype=npg.float64, requires_grad=True)
    for mode in ("nearest", "linear"):
        assert npg.autograd.gradcheck(lambda v, mode=mode: F.interpolate(v, scale_factor=2.02, mode=mode), x)


X1, X2, X3 = "lib.ones(2, 3, 4)", "lib.ones(2, 3, 4, 4)", "lib.ones(2, 3, 4, 4, 4)"


@pytest.mark.parametrize(
    "call",
    [f"{X2}", f"{X2}, 3, 2", f"{X2}, (3,)", f"{X2}, (3, 3.5)", f"{X2}, None, (2,)", "lib.ones(2, 3), 3",
     f"{X2}, 3, mode='foo'", f"{X2}, 3, mode='linear'", f"{X1}, 3, mode='bicubic'", f"{X3}, 3, mode='bilinear'",
     f"{X1}, 3, mode='trilinear'", f"{X2}, 3, align_corners=True", f"{X2}, 3, recompute_scale_factor=True",
     f"{X2}, None, 0", f"{X2}, None, -1", f"{X2}, None, 0.1", f"{X2}, None, float('nan')", f"{X2}, None, 1e30",
     f"{X2}, 3, mode='lanczos'", f"{X2}, 3, mode='lanczos', antialias=True, align_corners=True",
     f"{X2}, 3, antialias=True", f"{X1}, 3, mode='linear', antialias=True", f"{X1}, 0", f"{X2}, 0", f"{X3}, 0",
     f"{X1}, 0, mode='linear'", "lib.ones(2, 0, 4), 3", "lib.ones(2, 0, 4, 4), 3", "lib.ones(2, 3, 4, 0), 3",
     f"{X1}.long(), 3", f"{X2}.bool(), 3", f"{X3}.int(), 3", f"{X2}.long(), 3, mode='bilinear'",
     f"{X1}.to(lib.uint8), 3, mode='linear'", f"{X3}.to(lib.uint8), 3, mode='trilinear'",
     f"{X2}.long(), 3, mode='bicubic'", f"{X2}.half(), 3, mode='bilinear', antialias=True",
     f"{X2}, -1, mode='area'", f"{X1}, -1, mode='area'", f"{X3}, -1, mode='area'", f"{X2}.long(), 3, mode='area'",
     f"{X3}.long(), 3, mode='area'", "lib.ones(2, 3, 4, 0), 3, mode='area'", "lib.ones(2, 0, 4, 4, 4), 3, mode='area'"],
)  # fmt: skip
def test_wrong_calls_are_refused_in_torchs_words(call):
    check_error(f"lib.nn.functional.interpolate({call})")


@pytest.mark.parametrize("value", ["size=3.5", "size='a'", "size=True", "scale_factor='a'", "scale_factor=(None, 1)"])
def test_settings_of_a_wrong_kind_are_type_errors(value):
    same(lambda lib: eval(f"lib.nn.functional.interpolate({X2}, {value})", {"lib": lib}), text=False)


def test_sizes_may_be_integers_of_any_kind():
    x = npg.ones(1, 1, 2, 2)
    for size in (npg.tensor(3), (np.int64(3), npg.tensor(4)), npg.Size((3, 4)), [3, 4]):
        assert F.interpolate(x, size).shape[-2:] in ((3, 3), (3, 4))
    assert F.interpolate(x, scale_factor=True).shape == x.shape


def test_empty_batches_are_resized():
    for call in ("size=3", "size=3, mode='bilinear'", "size=3, mode='bicubic', antialias=True", "size=3, mode='area'"):
        same(lambda lib, call=call: eval(f"lib.nn.functional.interpolate(lib.ones(0, 3, 4, 4), {call})", {"lib": lib}))
    same(lambda lib: lib.nn.functional.interpolate(lib.ones(2, 3, 4, 4), 0, mode="area"))


@pytest.mark.parametrize("name", ["upsample", "upsample_nearest", "upsample_bilinear"])
def test_deprecated_functions_warn_and_resize(name):
    found = []
    for lib in (npg, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            x = lib.arange(8.0).reshape(1, 2, 2, 2)
            y = getattr(lib.nn.functional, name)(x, scale_factor=2)
        found.append((y.numpy().round(5).tolist(), [(w.category, str(w.message), w.filename) for w in caught]))
    assert found[0] == found[1]
