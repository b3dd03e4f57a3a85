"""Channels as places, places as channels, channels in another order."""

import numpy as np
import pytest
import torch

import npg
from tests.expressions import check, check_error
from tests.func.comparing import of_torch
from tests.helpers import check_like_torch

CALLS = ["pixel_shuffle(x, 2)", "pixel_unshuffle(x, 2)", "channel_shuffle(x, 2)", "channel_shuffle(x, 4)"]


@pytest.mark.parametrize("call", CALLS)
def test_values_gradients_batches_and_nodes_are_torchs(call):
    x = torch.arange(2 * 8 * 4 * 6, dtype=torch.float64).reshape(2, 8, 4, 6).sin().requires_grad_()

    def run(lib):
        return eval(f"lambda x: lib.{call}", {"lib": lib})

    check_like_torch(lambda x: run(npg)(x) ** 2, lambda x: run(torch)(x) ** 2, x)
    nodes = [run(lib)(lib.ones(1, 8, 2, 2, requires_grad=True)).grad_fn.name() for lib in (npg, torch)]
    assert nodes[0] == nodes[1]
    a = x.detach().numpy().reshape(2, 1, 8, 4, 6)

    def moved(lib):
        return lib.func.jvp(lib.func.vmap(run(lib)), (lib.tensor(a),), (lib.tensor(a[::-1].copy()),))

    for found, expected in zip(moved(npg), of_torch(moved), strict=True):
        np.testing.assert_array_equal(found.numpy(), expected.numpy())


@pytest.mark.parametrize("call", [*CALLS, "native_channel_shuffle(x, 2)", "nn.functional.pixel_shuffle(x, 2)"])
def test_dtypes_layouts_and_empty_arrays_are_torchs(call):
    # An empty array keeps its shape in PyTorch's pixel_unshuffle.
    empty = "lib.ones(0, 8, 2, 2)" if "unshuffle" not in call else "lib.ones(3, 8, 2, 2)"
    for x in ("lib.arange(192).reshape(2, 8, 2, 6)", empty, "lib.arange(32).reshape(1, 8, 2, 2) > 9",
              "lib.arange(512).reshape(2, 16, 4, 4).contiguous(memory_format=lib.channels_last)"):  # fmt: skip
        check(f"x = {x}; r = lib.{call}")


def test_unbatched_images_and_more_leading_dimensions():
    for x in ("lib.arange(32).reshape(8, 2, 2)", "lib.arange(64).reshape(1, 2, 8, 2, 2)"):
        for name in ("pixel_shuffle", "pixel_unshuffle"):
            check(f"lib.{name}({x}, 2)")
    check("lib.channel_shuffle(lib.arange(24).reshape(1, 6, 4), 3)")


@pytest.mark.parametrize(
    "call",
    ["pixel_shuffle(lib.ones(2, 3, 4, 4), 2)", "pixel_shuffle(lib.ones(4, 4), 2)",
     "pixel_shuffle(lib.ones(8, 4, 4), 0)",
     "pixel_shuffle(lib.ones(8, 4, 4), -2)", "pixel_shuffle(lib.ones(8, 4, 4), 2.0)", "pixel_shuffle(3, 2)",
     "pixel_unshuffle(lib.ones(2, 3, 5, 4), 2)", "pixel_unshuffle(lib.ones(2, 3, 4, 5), 2)",
     "pixel_unshuffle(lib.ones(4, 4), 2)", "pixel_unshuffle(lib.ones(3, 4, 4), 0)",
     "channel_shuffle(lib.ones(2, 3, 4, 4), 2)", "channel_shuffle(lib.ones(2, 4), 2)",
     "channel_shuffle(lib.ones(2, 4, 4), 0)", "native_channel_shuffle(lib.ones(2, 3, 4, 4), 2)"],
)  # fmt: skip
def test_wrong_calls_are_refused_in_torchs_words(call):
    check_error(f"lib.{call}")
