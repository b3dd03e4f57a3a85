"""Every op on 0-d tensors, on one element, and on nothing at all: as PyTorch, or an error where PyTorch has one.

The calls are PyTorch's own samples of each op (op_db), with every tensor cut down: to its first element (0-d, and with
as many dimensions as it had), and to nothing along one dimension, along the last, along all, or as a vector.
"""

import itertools
import warnings

import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

import npg
from tests.conftest import PROFILE
from tests.helpers import Unsupported, assert_like, tensors_in, to_npg
from tests.test_op_db import UNDEFINED, forms

pytestmark = pytest.mark.usefixtures("quick_samples")

ALLOWED = (TypeError, ValueError, IndexError, RuntimeError, AssertionError)  # the last of embedding's padding_idx
FEW = PROFILE != "ci"
DTYPES = [torch.float32, torch.int64]
DTYPES += [] if FEW else [torch.float64, torch.float16, torch.int8, torch.uint8, torch.bool]


def _along(dim):
    return lambda t: t.narrow(dim, 0, 0) if t.ndim > max(dim, 0) else t


CUTS = {
    "0-d": lambda t: t.reshape(-1)[0].clone() if t.numel() else t,
    "one": lambda t: t.reshape(-1)[:1].reshape((1,) * t.ndim).clone() if t.numel() else t,
    "empty along 0": _along(0),
    "empty along 1": _along(1),
    "empty along -1": _along(-1),
    "empty": lambda t: t.new_empty((0,) * t.ndim) if t.ndim else t,
    "empty vectors": lambda t: t.new_empty((0,)),
}

# ----- Where the two differ on purpose -----

UNSTABLE = {"sort", "argsort", "msort"}  # where equal elements stand
# PyTorch takes what it refuses of larger tensors, or returns another shape, where there is nothing to compute.
LENIENT = {
    "addmv": "gives the shape of a 0-d input where the product is empty",
    "as_strided": "reads the memory beside an empty part of a tensor, which a copy does not have",
    "cholesky": "takes matrices that are not square", "cummax": "does not look at dim", "cummin": "the same",
    "linalg.matrix_rank": "takes matrices that are not square as symmetric", "roll": "does not look at dims",
    "linalg.pinv": "takes matrices that are not square as symmetric, and reads one triangle of others",
    "nn.functional.pad": "replicates what is cut off elsewhere", "linalg.tensorsolve": "does not compare the sizes",
}  # fmt: skip
# PyTorch refuses what is no mistake.
STRICT = {
    "nn.functional.bilinear": "cannot reshape nothing", "index_put": "does not broadcast a value of nothing",
    "linalg.tensorinv": "slices beyond the dimensions",
}  # fmt: skip
# What PyTorch returns is no number that anybody computed.
ARBITRARY = {
    "median": "of no integers: the lowest, which int8 and int16 cannot hold", "nanmedian": "the same",
    "nn.functional.multi_margin_loss": "the mean of no losses: what stood in the memory",
    "nn.functional.multilabel_margin_loss": "the mean of no losses: 0", "resize_": "what stood in the memory",
    "native_batch_norm": "of one number: the bias, plus what is lost where x / sqrt(eps) is taken from itself",
}  # fmt: skip
# PyTorch rounds each of their steps to float16, npg the result: compared with PyTorch's of float64, rounded once.
STEPWISE = {"addr"}
# On processors that have float16 PyTorch leaves these to oneDNN, without its own check of sizes.
UNCHECKED = {f"nn.functional.conv_transpose{n}d" for n in (1, 2, 3)}
OWN_HALF = torch.ops.mkldnn._is_mkldnn_fp16_supported()
# PyTorch reads beside the memory of what is cut down, and the process dies.
DEADLY = {"nn.functional.embedding_bag"}

# ----- The comparison -----


def changed(x, cut):
    if isinstance(x, torch.Tensor):
        return cut(x).detach()
    if isinstance(x, dict):
        return {k: changed(v, cut) for k, v in x.items()}
    if isinstance(x, (list, tuple)) and not isinstance(x, torch.Size) and not hasattr(x, "_fields"):
        return type(x)(changed(v, cut) for v in x)
    return x


def outcome(lib, function, args, kwargs):
    """Return (result, None) or (None, error) of a call."""
    lib.manual_seed(7)
    try:
        return function(*args, **kwargs), None
    except Exception as error:
        return None, error


def calls(op):
    """Yield (dtype, cut's name, args, kwargs) of torch tensors; one sample for each kind of arguments."""
    for dtype in DTYPES:
        if dtype not in op.supported_dtypes("cpu"):
            continue
        kinds = set()
        limit = 5 if not FEW else 2 if dtype is torch.float32 else 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            samples = list(itertools.islice(op.sample_inputs("cpu", dtype), 10))
        for sample in samples:
            given = (sample.input, *sample.args)
            ranks = tuple(t.ndim for t in tensors_in((given, sample.kwargs)))
            kind = (ranks, str([a for a in sample.args if not isinstance(a, torch.Tensor)]), str(list(sample.kwargs)))
            if kind in kinds or len(kinds) == limit:
                continue
            kinds.add(kind)
            for name, cut in CUTS.items():
                yield dtype, name, changed(given, cut), changed(sample.kwargs, cut)


OPS = [op for op in op_db if op.name not in DEADLY and forms(op)]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name.replace(".", "_") + op.variant_test_name)
def test_small_inputs_as_torch(op):
    form = forms(op)[0]
    wrong = []
    for dtype, cut, args, kwargs in calls(op):
        try:
            npg_args, npg_kwargs = to_npg(args), to_npg(kwargs)
        except Unsupported:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected, torch_error = outcome(torch, form.torch_fn, args, kwargs)
            if torch_error is None and dtype == torch.float16 and op.name in STEPWISE:
                expected = form.torch_fn(*changed(args, lambda t: t.double()), **kwargs).to(dtype)
            found, error = outcome(npg, form.npg_fn, npg_args, npg_kwargs)
        shapes = [tuple(t.shape) for t in tensors_in((args, kwargs))]
        what = f"{cut}, {dtype}, {shapes}, {[a for a in args if not isinstance(a, torch.Tensor)]}, {kwargs}"
        if error is not None and not isinstance(error, ALLOWED):
            wrong.append(f"{what}: {error!r}")
        elif torch_error is not None:
            if error is None and op.name not in STRICT:
                wrong.append(f"{what}: npg accepts this, torch raises {torch_error!r}")
        elif error is not None:
            if op.name not in LENIENT and not (OWN_HALF and dtype == torch.float16 and op.name in UNCHECKED):
                wrong.append(f"{what}: torch accepts this, npg raises {error!r}")
        elif op.name not in LENIENT:
            values = op.name not in UNDEFINED and op.name not in ARBITRARY and op.name not in UNSTABLE
            tolerance = 3e-3 if dtype == torch.float16 else 1e-4
            try:
                assert_like(found, expected, "value", tolerance, tolerance / 10, values)
            except AssertionError as differs:
                wrong.append(f"{what}: {str(differs).strip()}")
    assert not wrong, "\n".join(w.replace("\n", " ")[:300] for w in wrong[:10])


# ----- By name -----


def test_division_of_no_integers_by_zero():
    for call in (
        lambda x: x // 0,
        lambda x: npg.remainder(x, 0),
        lambda x: npg.fmod(x, 0),
        lambda x: npg.div(x, npg.zeros(1, dtype=npg.int64), rounding_mode="trunc"),
    ):
        assert call(npg.zeros(0, dtype=npg.int64)).shape == (0,)
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            call(npg.zeros(1, dtype=npg.int64))


def test_batches_of_nothing_take_the_second_ones_dtype():
    for shape in ((0, 2, 3), (2, 0, 3), (2, 3, 0)):
        expected = torch.bmm(torch.ones(shape), torch.ones(shape[0], shape[2], 4, dtype=torch.float64))
        assert_like(npg.bmm(npg.ones(shape), npg.ones(shape[0], shape[2], 4, dtype=npg.float64)), expected)
    with pytest.raises(RuntimeError, match="expected scalar type Float but found Double"):
        npg.bmm(npg.ones(1, 2, 3), npg.ones(1, 3, 4, dtype=npg.float64))


def test_tensor_written_into_a_view_of_itself_with_another_dimension():
    x = npg.arange(3.0)
    x[None] = x
    x.unsqueeze(1).copy_(x.unsqueeze(1))
    assert x.tolist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match="refer to a single memory location"):
        x[1:] = x[:-1]


def test_expanded_tensor_changes_its_shape_in_place():
    assert npg.ones(1).expand(2).t_().shape == (2,)
    assert npg.ones(1, 1).expand(2, 3).t_().shape == (3, 2)
    assert npg.ones(1).expand(2).unsqueeze_(0).squeeze_(0).shape == (2,)
