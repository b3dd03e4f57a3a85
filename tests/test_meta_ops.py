"""Every op that npg offers on the device "meta", over PyTorch's samples of it (torch.testing's op_db).

The result has the shapes and dtypes of PyTorch's on that device, and the strides of npg's on the CPU; gradients have
the shapes of their inputs, and nothing is drawn. What PyTorch refuses there npg may do, but never with numbers.
"""

import itertools
import warnings

import pytest
import torch

import npg
from npg.utils import _pytree
from tests.helpers import Unsupported, tensors_in, to_npg
from tests.test_op_db import OFFERED, forms

pytestmark = pytest.mark.usefixtures("quick_samples")

FEW = 5

# Part of a name, and why npg differs there.
KNOWN = {
    "linspace": "a bound that is a tensor is a number in npg",
    "logspace": "a bound that is a tensor is a number in npg",
    "as_strided": "a view that was moved has no more memory than itself",
    "native_batch_norm": "PyTorch's results in evaluation are empty on the CPU only",
    "nn.functional.multilabel_margin_loss": "npg looks for the last class",
    "nn.functional.embedding_bag": "npg looks for the empty bags",
}
WITHOUT_CHECK = {"ldexp", "logit"}  # integers in place, which PyTorch refuses on the CPU only


def without_data(tree, tensor, tree_map):
    def moved(t):
        return t.detach().to("meta").requires_grad_(t.requires_grad) if isinstance(t, tensor) else t

    return tree_map(moved, tree)


def described(result):
    return [(tuple(t.shape), str(t.dtype).rpartition(".")[2]) for t in tensors_in(result)]


def own_copy(args, in_place):
    return (args[0].clone(), *args[1:]) if in_place and isinstance(args[0], npg.Tensor | torch.Tensor) else args


def check(form, sample):
    args, kwargs = (sample.input, *sample.args), dict(sample.kwargs)
    try:
        real_args, real_kwargs = to_npg(args), to_npg(kwargs)
    except Unsupported:
        return
    inputs, settings = without_data((real_args, real_kwargs), npg.Tensor, _pytree.tree_map)
    theirs, options = without_data((args, kwargs), torch.Tensor, torch.utils._pytree.tree_map)
    if "device" in kwargs:
        settings["device"] = options["device"] = "meta"
    npg.manual_seed(42)  # as op_db's functions that draw do
    before = npg.get_rng_state()
    try:
        expected = described(form.torch_fn(*own_copy(theirs, form.in_place), **options))
    except Exception:
        expected = None
    try:
        result = form.npg_fn(*own_copy(inputs, form.in_place), **settings)
    except Exception:
        assert expected is None, f"{form.name}, {sample.summary()[:300]}"
        return
    found = list(tensors_in(result))
    assert all(t.is_meta for t in found)
    assert npg.equal(npg.get_rng_state(), before)
    assert expected in (None, described(result))
    if expected is None:
        return
    roots = [t.sum() for t in found if t.requires_grad]
    if roots:
        npg.autograd.backward(roots)
    for t in tensors_in((inputs, settings)):
        assert t.grad is None or (t.grad.is_meta and t.grad.shape == t.shape)
    on_cpu = tensors_in(form.npg_fn(*own_copy(real_args, form.in_place), **real_kwargs))
    for t, real in zip(found, on_cpu, strict=True):
        # The stride of a dimension of size 1, and strides of nothing, are arbitrary.
        steps = [[s for n, s in zip(x.shape, x.stride(), strict=True) if n > 1] for x in (t, real)]
        assert steps[0] == steps[1] or not t.numel()


@pytest.mark.parametrize("op", OFFERED, ids=lambda op: op.formatted_name)
def test_op_without_data_has_pytorchs_shapes(op):
    if op.name in KNOWN:
        pytest.skip(KNOWN[op.name])
    for form in forms(op)[:2]:
        for dtype in (torch.float32, torch.int64):
            if dtype not in op.dtypes or (op.name in WITHOUT_CHECK and dtype is torch.int64):
                continue
            grad = op.supports_autograd and dtype is torch.float32 and not form.in_place
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for sample in itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=grad), FEW):
                    if not (form.in_place and sample.broadcasts_input):
                        check(form, sample)
