"""grid_sample and affine_grid against torch: modes, edges, gradients, batches, errors."""

import itertools

import numpy as np
import pytest
import torch

import npg
from tests.expressions import check_error
from tests.func.comparing import of_torch, same
from tests.ops.fused import check_both

rng = np.random.default_rng(0)
F, TF = npg.nn.functional, torch.nn.functional
CASES = [
    (dims, mode, padding)
    for dims, mode, padding in itertools.product(
        (2, 3), ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
    )
    if (dims, mode) != (3, "bicubic")
]


def images(dims):
    """Return images and a grid whose places lie inside and outside, some on pixels."""
    x = rng.standard_normal((2, 3, *(4, 5, 3)[:dims]))
    grid = rng.uniform(-2.6, 2.6, (2, *(3, 2, 4)[:dims], dims))
    grid.reshape(-1)[::7] = np.round(grid.reshape(-1)[::7])
    return x, grid


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize(("dims", "mode", "padding"), CASES)
def test_values_and_gradients_are_torchs(dims, mode, padding, align):
    x, grid = (torch.tensor(a, requires_grad=True) for a in images(dims))
    check_both(
        lambda x, g: F.grid_sample(x, g, mode, padding, align) ** 2,
        lambda x, g: TF.grid_sample(x, g, mode, padding, align) ** 2,
        x,
        grid,
        second=mode != "nearest",  # torch has no second-order gradient in its grid
        rtol=1e-9,
        atol=1e-10,
    )


@pytest.mark.parametrize(("dims", "mode", "padding"), CASES)
def test_batches_and_tangents_are_torchs(dims, mode, padding):
    (x, grid), (tx, tgrid) = images(dims), images(dims)

    def run(lib):
        def sampled(v, g):
            return lib.nn.functional.grid_sample(v[None], g[None], mode, padding, False)

        arrays = [lib.tensor(a) for a in (x, grid, tx, tgrid)]
        found = [lib.func.vmap(sampled)(*arrays[:2])]
        found += [lib.func.vmap(lambda v: sampled(v, arrays[1][0]))(arrays[0])]
        found += [lib.func.vmap(lambda g: sampled(arrays[0][0], g))(arrays[1])]
        found += lib.func.vmap(lib.func.grad(lambda v, g: (sampled(v, g) ** 2).sum(), (0, 1)))(*arrays[:2])
        return found

    for found, expected in zip(run(npg), of_torch(run), strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), 1e-9, 1e-10)


@pytest.mark.parametrize(("dims", "mode"), [(2, "bilinear"), (2, "bicubic"), (3, "bilinear"), (2, "nearest")])
def test_tangents_are_the_gradients_transposed(dims, mode):
    (x, grid), (tx, tgrid) = images(dims), images(dims)

    def sampled(v, g):
        return F.grid_sample(v, g, mode, "border", False)

    primals, tangents = map(npg.tensor, (x, grid)), tuple(map(npg.tensor, (tx, tgrid)))
    primals = tuple(primals)
    y, t = npg.func.jvp(sampled, primals, tangents)
    w = npg.tensor(rng.standard_normal(y.shape))
    _, pull = npg.func.vjp(sampled, *primals)
    expected = sum((g * d).sum() for g, d in zip(pull(w), tangents, strict=True))
    np.testing.assert_allclose((w * t).sum().item(), expected.item(), 1e-10)
    for i in (0, 1):  # one tangent alone
        alone = [lambda v: sampled(v, primals[1]), lambda g: sampled(primals[0], g)][i]
        _, part = npg.func.jvp(alone, (primals[i],), (tangents[i],))
        t = t - part
    assert t.abs().max().item() < 1e-12


@pytest.mark.parametrize(("dims", "mode", "padding"), CASES)
def test_places_that_are_not_finite_are_torchs(dims, mode, padding):
    x, grid = images(dims)
    grid.reshape(-1)[:8] = [np.nan, np.inf, -np.inf, 1e5, -1e5, 1, np.nan, -1]
    if padding != "reflection":
        grid.reshape(-1)[8:10] = [1e20, -1e20]
    expected = TF.grid_sample(torch.tensor(x), torch.tensor(grid), mode, padding, False).numpy()
    np.testing.assert_allclose(F.grid_sample(npg.tensor(x), npg.tensor(grid), mode, padding, False).numpy(), expected)


def test_pixels_that_are_not_finite_reach_only_places_beside_them():
    x, grid = np.zeros((1, 1, 3, 3)), np.array([[[[-1.0, -1.0], [1.2, 1.2], [-0.5, -0.5]]]])
    x[0, 0, 2, 2] = np.nan
    y = F.grid_sample(npg.tensor(x), npg.tensor(grid), align_corners=True).tolist()
    assert y[0][0][0][0] == 0 and y[0][0][0][2] == 0 and np.isnan(y[0][0][0][1])


def test_float16_is_computed_in_float32():
    x, grid = (a.astype(np.float16) for a in images(2))
    half = F.grid_sample(npg.tensor(x), npg.tensor(grid), "bicubic", align_corners=False)
    single = F.grid_sample(npg.tensor(x).float(), npg.tensor(grid).float(), "bicubic", align_corners=False)
    assert half.dtype is npg.float16
    np.testing.assert_array_equal(half.numpy(), single.half().numpy())


def test_nodes_and_empty_results_are_torchs():
    for dims in (2, 3):
        x, grid = images(dims)
        nodes = []
        for lib in (npg, torch):
            y = lib.nn.functional.grid_sample(
                lib.tensor(x, requires_grad=True), lib.tensor(grid, requires_grad=True), align_corners=True
            )
            nodes.append((y.grad_fn.name(), len(y.grad_fn.next_functions)))
        assert nodes[0] == nodes[1]
    for x, grid in (
        ("(2, 0, 4, 4)", "(2, 5, 5, 2)"),
        ("(0, 3, 4, 4)", "(0, 5, 5, 2)"),
        ("(2, 3, 4, 4)", "(2, 0, 5, 2)"),
    ):
        call = f"lib.nn.functional.grid_sample(lib.ones{x}, lib.ones{grid}, align_corners=False)"
        same(lambda lib, call=call: eval(call, {"lib": lib}))


@pytest.mark.filterwarnings("ignore:Default grid_sample:UserWarning")
@pytest.mark.parametrize(
    "call",
    ["grid_sample(lib.ones(2, 3, 4, 4), lib.ones(2, 5, 5, 3))", "grid_sample(lib.ones(2, 3, 4), lib.ones(2, 5, 2))",
     "grid_sample(lib.ones(2, 3, 4, 4), lib.ones(1, 5, 5, 2))",
     "grid_sample(lib.ones(2, 3, 4, 0), lib.ones(2, 5, 5, 2))",
     "grid_sample(lib.ones(2, 3, 4, 4).long(), lib.ones(2, 5, 5, 2))",
     "grid_sample(lib.ones(2, 3, 4), lib.ones(2, 5, 1))",
     "grid_sample(lib.ones(2, 3, 4, 4), lib.ones(2, 5, 5, 5, 2))",
     "grid_sample(lib.ones(2, 3, 4, 4).double(), lib.ones(2, 5, 5, 2))",
     "grid_sample(lib.ones(2, 3, 4, 4, 4), lib.ones(2, 5, 5, 5, 3), 'bicubic')",
     "grid_sample(lib.ones(2, 3, 4, 4), lib.ones(2, 5, 5, 2), 'x')",
     "grid_sample(lib.ones(2, 3, 4, 4), lib.ones(2, 5, 5, 2), padding_mode='x')",
     "affine_grid(lib.ones(2, 2, 3).long(), [2, 3, 4, 5])", "affine_grid(lib.ones(2, 2, 2), [2, 3, 4, 5])",
     "affine_grid(lib.ones(2, 3, 3), [2, 3, 4, 5, 6])", "affine_grid(lib.ones(2, 2, 3), [2, 3, 4])",
     "affine_grid(lib.ones(3, 2, 3), [2, 3, 4, 5])", "affine_grid(lib.ones(2, 2, 3), (2, 3, 0, 5))"],
)  # fmt: skip
def test_wrong_calls_are_refused_in_torchs_words(call):
    check_error(f"lib.nn.functional.{call}")


def test_wrong_ranks_are_refused_in_torchs_words():
    check_error("lib.grid_sampler_2d(lib.ones(1, 1, 2, 2, 2), lib.ones(1, 1, 1, 1, 3), 0, 0, True)")
    check_error("lib.grid_sampler_3d(lib.ones(1, 1, 2, 2), lib.ones(1, 1, 1, 2), 0, 0, True)")


def test_numbers_of_modes_out_of_range_are_refused():
    x, grid = npg.ones(1, 1, 2, 2), npg.ones(1, 1, 1, 2)
    for mode, padding in ((3, 0), (0, 3), (-1, 0)):
        with pytest.raises(ValueError, match="to be 0, 1 or 2"):
            npg.grid_sampler(x, grid, mode, padding, True)


@pytest.mark.parametrize("align", [False, True])
def test_affine_grids_are_torchs(align):
    for shape, size in (((2, 2, 3), (2, 3, 4, 5)), ((1, 3, 4), (1, 1, 2, 3, 4)), ((1, 2, 3), (1, 1, 1, 3))):
        if align and 1 in size[2:]:
            continue
        theta = torch.tensor(rng.standard_normal(shape), requires_grad=True)
        check_both(
            lambda t, s=size: F.affine_grid(t, s, align) ** 2, lambda t, s=size: TF.affine_grid(t, s, align) ** 2, theta
        )
        made = F.affine_grid(npg.tensor(theta.detach().numpy(), requires_grad=True), npg.Size(size), align)
        assert made.grad_fn.name() == "AffineGridGeneratorBackward0"
    maps = npg.tensor(rng.standard_normal((3, 2, 2, 3)))
    batch = npg.func.vmap(lambda t: F.affine_grid(t, (2, 1, 3, 4), align))(maps)
    for found, theta in zip(batch, maps, strict=True):
        np.testing.assert_allclose(found.numpy(), F.affine_grid(theta, (2, 1, 3, 4), align).numpy(), 1e-13)


def test_settings_that_changed_are_warned_of():
    for call in ("grid_sample(lib.ones(1, 1, 2, 2), lib.zeros(1, 1, 1, 2))",
                 "affine_grid(lib.ones(1, 2, 3), (1, 1, 2, 2))",
                 "affine_grid(lib.ones(1, 2, 3), (1, 1, 1, 2), True)"):  # fmt: skip
        texts = []
        for lib in (npg, torch):
            with pytest.warns(UserWarning) as caught:
                y = eval(f"lib.nn.functional.{call}", {"lib": lib})
            texts.append(([str(w.message) for w in caught], y.tolist()))
        assert texts[0] == texts[1]
