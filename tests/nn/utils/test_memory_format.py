"""Layouts of convolutions' weights."""

import pytest
import torch

import npg


@pytest.mark.parametrize("n", [2, 3])
def test_weights_are_laid_out_like_torchs(n):
    def strides(lib):
        nn, last = lib.nn, lib.channels_last if n == 2 else lib.channels_last_3d
        model = nn.Sequential(
            nn.Conv2d(2, 3, 3),
            nn.Sequential(nn.Conv3d(2, 3, 2), nn.ConvTranspose2d(2, 3, 3)),
            nn.ConvTranspose3d(3, 2, 2),
        )
        before = [p.detach().clone() for p in model.parameters()]
        assert getattr(nn.utils, f"convert_conv{n}d_weight_memory_format")(model, last) is model
        assert all((p == q).all() for p, q in zip(model.parameters(), before, strict=True))
        return [p.stride() for p in model.parameters()]

    assert strides(npg) == strides(torch)


def test_module_to_a_memory_format_is_like_torch():
    def strides(lib, **kwargs):
        model = lib.nn.Sequential(lib.nn.Conv2d(2, 3, 3), lib.nn.Linear(3, 4)).to(**kwargs)
        return [(p.stride(), str(p.dtype).partition(".")[2], p.requires_grad) for p in model.parameters()]

    for kind in (None, "float64"):
        found, expected = (
            strides(lib, memory_format=lib.channels_last, **({"dtype": getattr(lib, kind)} if kind else {}))
            for lib in (npg, torch)
        )
        assert found == expected
