"""Functions and methods that return tensors: the input itself, a view or a copy, as torch's, for each layout; strides.

Identity and addresses are compared, and then tested: a write to the result must change the input as in torch.
"""

import copy

import numpy as np
import pytest
import torch

import npg

INPUTS = {
    "0d": "lib.tensor(3.5)",
    "1d": "lib.arange(6.) - 2",
    "1d step": "(lib.arange(12.) - 2)[::2]",
    "1d part": "(lib.arange(12.) - 2)[3:8]",
    "1d one": "(lib.arange(12.) - 2)[3:4]",
    "1d exp": "lib.tensor(2.).expand(4)",
    "1d exp1": "lib.tensor(2.).expand(1)",
    "1d empty": "lib.zeros(0)",
    "2d": "lib.arange(12.).reshape(3, 4) - 4",
    "2d sq": "lib.arange(9.).reshape(3, 3) - 4",
    "2d T": "(lib.arange(12.).reshape(4, 3) - 4).t()",
    "2d cols": "(lib.arange(24.).reshape(4, 6) - 4)[:, 1:4]",
    "2d col": "(lib.arange(24.).reshape(4, 6) - 4)[:, 1:2]",
    "2d row": "(lib.arange(24.).reshape(4, 6) - 4)[1:2]",
    "2d rowT": "(lib.arange(6.).reshape(1, 6) - 4).t()",
    "2d step": "(lib.arange(48.).reshape(6, 8) - 4)[::2, ::2]",
    "2d exp": "(lib.arange(4.) - 2).expand(3, 4)",
    "2d exp2": "(lib.arange(3.) - 2)[:, None].expand(3, 4)",
    "2d one": "lib.tensor([[2.]]).expand(1, 1)",
    "2d empty": "lib.zeros(0, 3)",
    "2d empty2": "lib.zeros(3, 0)",
    "2d emptyT": "lib.zeros(0, 3).t()",
    "3d": "lib.arange(24.).reshape(2, 3, 4) - 9",
    "3d perm": "(lib.arange(24.).reshape(2, 3, 4) - 9).permute(2, 0, 1)",
    "3d T": "(lib.arange(24.).reshape(2, 3, 4) - 9).transpose(1, 2)",
    "3d T01": "(lib.arange(24.).reshape(2, 3, 4) - 9).transpose(0, 1)",
    "3d mid": "(lib.arange(24.).reshape(2, 3, 4) - 9)[:, 1:2]",
    "3d one": "(lib.arange(12.).reshape(1, 3, 4) - 9).transpose(0, 1)",
    "3d new": "(lib.arange(12.).reshape(3, 4) - 9)[:, None]",
    "3d exp": "(lib.arange(4.) - 2)[None, :, None].expand(3, 4, 2)",
    "4d cl": "(lib.arange(48.).reshape(2, 3, 2, 4) - 9).permute(0, 3, 1, 2)",
}

# x is the input and n the smaller of its last two sizes.
CALLS = """
x.ravel()
x.reshape(-1)
x.flatten()
x.flatten(0, 1) if x.dim() > 1 else x
x.contiguous()
x.to(x.dtype)
x.to('cpu')
x.to(x)
x.to(x.dtype, copy=True)
x.type(x.dtype)
x.type_as(x)
x.float()
x.double()
x.float(memory_format=lib.contiguous_format)
x.long()
x.cpu()
x.squeeze()
x.squeeze(0) if x.dim() else x.squeeze()
x.unsqueeze(0)
x.expand(x.shape)
x.expand(2, *x.shape)
x.expand_as(x)
x.broadcast_to(x.shape)
lib.broadcast_to(x, (1, *x.shape))
x.T if x.dim() == 2 else x
x.mT if x.dim() > 1 else x
x.H if x.dim() == 2 else x
x.t() if x.dim() < 3 else x
x.transpose(0, 0) if x.dim() else x
x.transpose(0, -1) if x.dim() else x
x.permute(*range(x.dim()))
x.movedim(0, 0) if x.dim() else x
x.swapaxes(0, -1) if x.dim() else x
x.real
x.conj()
x.resolve_conj()
x.resolve_neg()
lib.real(x)
lib.conj_physical(x)
x.detach()
x.clone()
x.data
x.positive()
+x
x.view(x.shape)
x.view_as(x)
x.reshape(x.shape)
x.reshape_as(x)
x.view(x.dtype)
lib.atleast_1d(x)
lib.atleast_2d(x)
lib.atleast_3d(x)
lib.atleast_2d(x, x)[1]
x[...]
x[:] if x.dim() else x
x[None]
x[()]
x[0] if x.dim() and len(x) else x
x[0:1] if x.dim() else x
x[x > 0]
x[[0]] if x.dim() and len(x) else x
x.narrow(0, 0, 1) if x.dim() and len(x) else x
x.select(0, 0) if x.dim() and len(x) else x
x.diagonal() if x.dim() > 1 else x
x.diag() if x.dim() == 2 else x
x.unfold(0, 1, 1) if x.dim() and len(x) else x
x.split(1)[0] if x.dim() and len(x) else x
x.chunk(2)[0] if x.dim() else x
x.tensor_split(2)[0] if x.dim() else x
lib.hsplit(x, 1)[0] if x.dim() else x
x.unbind()[0] if x.dim() and len(x) else x
x.unflatten(0, (-1, 1)) if x.dim() and x.numel() else x
x.sum_to_size(x.shape)
x.as_strided(x.size(), x.stride())
x.squeeze().unsqueeze(0)
lib.broadcast_tensors(x, x)[0]
lib.meshgrid(x, x, indexing='ij')[0] if x.dim() < 2 else x
lib.matrix_power(x[..., :n, :n], 1) if x.dim() > 1 else x
lib.linalg.matrix_power(x[..., :n, :n], 1) if x.dim() > 1 else x
lib.matrix_power(x[..., :n, :n], 0) if x.dim() > 1 else x
lib.chain_matmul(x) if x.dim() == 2 else x
lib.linalg.multi_dot([x, x.T]) if x.dim() == 2 else x
lib.cat([x]) if x.dim() else x
lib.stack([x])
lib.vstack([x])
lib.hstack([x])
lib.dstack([x])
lib.column_stack([x])
lib.einsum('...->...', x)
lib.einsum('i...->i...', x) if x.dim() else x
lib.einsum('ij->ji', x) if x.dim() == 2 else x
lib.einsum('ii->i', x[:n, :n]) if x.dim() == 2 else x
x.sum(())
x.sum(0, keepdim=True) if x.dim() else x.sum()
x.mean(0, keepdim=True) if x.dim() else x.mean()
x.max()
x.sort()[0]
x.cumsum(0) if x.dim() else x.cumsum(0)
x.round()
x.trunc()
x.floor()
x.ceil()
x.abs()
x.roll(0) if x.numel() else x
x.flip(()) if x.dim() else x
x.rot90(0) if x.dim() > 1 else x
x.rot90(2) if x.dim() > 1 else x
x.repeat(*[1] * max(x.dim(), 1))
x.tile(*[1] * max(x.dim(), 1))
x.repeat_interleave(1, 0) if x.dim() else x
x.tril() if x.dim() > 1 else x
x.nan_to_num()
x.masked_fill(x > 9, 0)
x.where(x < 9e9, x)
x.index_select(0, lib.arange(len(x))) if x.dim() else x
x.take_along_dim(lib.zeros(x.shape, dtype=lib.long), 0) if x.dim() and x.numel() else x
lib.nn.functional.dropout(x, 0.0)
lib.nn.functional.dropout(x, 0.5, training=False)
lib.nn.functional.dropout1d(x, 0.5, training=False) if x.dim() in (2, 3) else x
lib.nn.functional.alpha_dropout(x, 0.5, training=False)
lib.nn.functional.pad(x, (0, 0)) if x.dim() else x
lib.nn.functional.relu(x)
lib.nn.functional.threshold(x, 0, 0)
lib.nn.Identity()(x)
lib.nn.Flatten()(x) if x.dim() > 1 else x
lib.nn.Dropout(0.5).eval()(x)
lib.nn.Unflatten(0, (-1, 1))(x) if x.dim() and x.numel() else x
lib.as_tensor(x)
lib.asarray(x)
lib.asarray(x, copy=True)
lib.as_tensor(x, dtype=x.dtype)
lib.tensor(x)
x.new_tensor(x)
lib.from_numpy(x.numpy())
lib.as_tensor(x.numpy())
lib.asarray(x.numpy())
lib.tensor(x.numpy())
lib.from_dlpack(x)
lib.utils.dlpack.from_dlpack(lib.utils.dlpack.to_dlpack(x))
copy.copy(x)
copy.deepcopy(x)
x.requires_grad_(False)
x.detach_()
x.numpy()
np.asarray(x)
np.array(x)
x.__array__()
lib.nn.Parameter(x, requires_grad=False)
lib.nn.Parameter(x, requires_grad=False).data
lib.nn.utils.parameters_to_vector([x]) if x.dim() else x
lib.ravel(x)
lib.flatten(x)
lib.reshape(x, x.shape)
lib.reshape(x, (1, *x.shape))
lib.squeeze(x)
lib.swapdims(x, 0, 0) if x.dim() else x
lib.adjoint(x) if x.dim() > 1 else x
lib.moveaxis(x, 0, -1) if x.dim() else x
lib.diagonal(x) if x.dim() > 1 else x
lib.narrow(x, 0, 0, 0) if x.dim() else x
lib.clone(x)
lib.detach(x) if hasattr(lib, 'detach') else x
x.to(lib.float64)
x.to(lib.float32)
x.to(lib.float32, memory_format=lib.contiguous_format)
x.to(memory_format=lib.contiguous_format)
x.contiguous(memory_format=lib.contiguous_format)
x.to(dtype=x.dtype, copy=False)
x.half()
x.reshape(()) if x.numel() == 1 else x
x.view(-1) if x.is_contiguous() else x
x.view_as(x.reshape(-1)) if x.is_contiguous() else x
x.div(1)
x * 1
x + 0
x ** 1
lib.pow(x, 1)
x.mul_(1)
x.add_(0)
x.zero_()
x.fill_(1)
x.copy_(x)
x.clamp_(-1, 1)
lib.add(x, 0, out=x)
lib.abs(x, out=x)
lib.neg(x, out=x)
lib.nn.functional.normalize(x, dim=-1) if x.dim() else x
lib.gather(x, 0, lib.zeros(x.shape, dtype=lib.long)) if x.dim() and x.numel() else x
lib.squeeze(x, (0,)) if x.dim() else x
lib.nn.functional.one_hot(lib.zeros(2, dtype=lib.long), 2)
lib.empty_like(x).zero_()
lib.zeros_like(x)
lib.ones_like(x)
lib.full_like(x, 3)
lib.rand_like(x) * 0
lib.empty_like(x, memory_format=lib.contiguous_format).zero_()
x.new_zeros(x.shape)
x.new_empty(x.shape).zero_()
x.softmax(-1) if x.dim() else x
x.log_softmax(0) if x.dim() else x
x.exp()
x.sigmoid()
x.sqrt().nan_to_num()
lib.nn.functional.gelu(x)
lib.nn.functional.silu(x)
lib.nn.functional.elu(x)
lib.nn.functional.leaky_relu(x)
lib.nn.functional.layer_norm(x, x.shape[-1:]) if x.dim() and x.numel() else x
x @ x.mT if x.dim() > 1 else x
lib.where(x > 0, x, 0.)
x.sign()
x > 0
x == x
x.isnan()
x.lerp(x, 0.5)
lib.addcmul(x, x, x)
x.erf()
x.bernoulli(0.0)
x.index_fill(0, lib.tensor([0]), 1.) if x.dim() and len(x) else x
x.index_add(0, lib.tensor([0]), x[:1]) if x.dim() and len(x) else x
x.masked_select(x > -9e9)
x.nonzero()
x.argsort()
x.topk(1)[0] if x.dim() and x.shape[-1] else x
x.kthvalue(1)[0] if x.dim() and x.shape[-1] else x
x.median(-1)[0] if x.dim() and x.shape[-1] else x
x.cummax(0)[0] if x.dim() else x
x.diff() if x.dim() else x
x.logcumsumexp(0) if x.dim() else x
x.unique()
x.fmod(2)
x.remainder(2)
x.maximum(x)
x.float_power(1)
x.logit(0.1)
lib.nn.functional.scaled_dot_product_attention(x, x, x) if x.dim() > 2 and x.numel() else x
lib.nn.functional.linear(x, x) if x.dim() == 2 else x
lib.nn.functional.glu(x, 0) if x.dim() and x.shape[0] % 2 == 0 else x
lib.outer(x, x) if x.dim() == 1 else x
lib.inverse(x[..., :n, :n] + lib.eye(n) * 99) if x.dim() > 1 and n else x
lib.linalg.cholesky(lib.eye(n) + 0 * x[..., :n, :n]) if x.dim() > 1 and n else x
lib.linalg.qr(x)[0] if x.dim() > 1 and x.numel() else x
lib.linalg.solve(x[..., :n, :n] + lib.eye(n) * 99, lib.eye(n)) if x.dim() > 1 and n else x
lib.triu(x) if x.dim() > 1 else x
x.std(0) if x.dim() and x.numel() else x
x.amax(0) if x.dim() and x.numel() else x
x.prod(0) if x.dim() else x
x.all(0) if x.dim() else x
x.argmax(0) if x.dim() and x.numel() else x
x.logsumexp(0) if x.dim() else x
x.scatter(0, lib.zeros(x.shape, dtype=lib.long), x) if x.dim() and x.numel() else x
x.scatter_add(0, lib.zeros(x.shape, dtype=lib.long), x) if x.dim() and x.numel() else x
x.index_copy(0, lib.tensor([0]), x[:1]) if x.dim() and len(x) else x
x.index_put((lib.tensor([0]),), x[0]) if x.dim() and len(x) else x
x.put(lib.tensor([0]), lib.ones(1)) if x.numel() else x
lib.cross(x[:, :3], x[:, :3]) if x.dim() == 2 and x.shape[1] > 2 else x
lib.tensordot(x, lib.ones(()), 0) if not x.dim() else x
"""

# Results with another memory order than torch's: that of their indices, where torch has LAPACK's.
ORDERED = (
    "x.sort", "x.argsort", "x.flip", "x.rot90", "lib.nn.functional.pad", "x ** 1", "lib.pow", "x.float_power", "x[[0]]",
    "lib.nn.functional.normalize", "lib.nn.functional.gelu", "lib.inverse", "lib.linalg.cholesky", "lib.linalg.qr",
    "lib.linalg.solve", "lib.cat", "lib.stack", "lib.vstack", "lib.hstack", "lib.dstack", "lib.column_stack",
)  # fmt: skip


def relation(lib, text, call):
    """Return whose memory a call's result shares, its layout there, and x after a write to the result."""
    x = eval(text, {"lib": lib})
    start, storage = x.data_ptr(), x.untyped_storage()
    first, last = storage.data_ptr(), storage.data_ptr() + storage.nbytes()
    n = min(x.shape[-2:]) if x.dim() > 1 else 0
    lib.manual_seed(0)
    try:
        y = eval(call, {"lib": lib, "x": x, "np": np, "copy": copy, "n": n})
    except Exception as error:
        return type(error).__name__, None
    if isinstance(y, np.ndarray):
        return np.shares_memory(y, x.numpy()) if y.size else None, y.shape
    if not isinstance(y, lib.Tensor):
        return type(y).__name__, None
    if y is x:
        where = "itself"
    elif not y.numel() or not storage.nbytes():
        where = "empty"
    else:
        where = f"view at {y.data_ptr() - start}" if first <= y.data_ptr() < last else "copy"
    steps = [s for s, size in zip(y.stride(), y.shape) if size > 1] if y.numel() else None
    facts = [where, tuple(y.shape), y.is_contiguous(), steps]
    if y is not x and y.dtype != lib.bool and steps and 0 not in steps:
        with lib.no_grad():
            y.fill_(7)
        facts.append(x.tolist())
    return where, facts


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("call", CALLS.strip().split("\n"))
def test_result_is_itself_a_view_or_a_copy_as_torchs(call):
    wrong = []
    for name, text in INPUTS.items():
        expected, actual = relation(torch, text, call), relation(npg, text, call)
        if call.startswith(ORDERED) and isinstance(actual[1], list) and isinstance(expected[1], list):
            for facts in (actual[1], expected[1]):
                facts[2:4] = []
        if actual != expected:
            wrong.append(f"{name}: {actual}, torch has {expected}")
    assert not wrong, "\n".join(wrong)


def test_a_clone_of_an_expanded_tensor_can_be_viewed():
    x = npg.arange(3.0).expand(2, 3)
    for y in (x.clone(), x.double(), x.sigmoid(), npg.zeros_like(x), npg.tensor(x), x.masked_fill(x > 1, 0.0)):
        assert y.view(-1).shape == (6,)


def test_numbers_are_drawn_in_the_order_of_torchs_result():
    for lib in (npg, torch):
        lib.manual_seed(3)
    p = npg.arange(6.0).view(2, 3).t()
    q = torch.arange(6.0).view(2, 3).t()
    for f in (lambda lib, x: x.bernoulli(0.4), lambda lib, x: lib.bernoulli(x / 7)):
        np.testing.assert_array_equal(f(npg, p).numpy(), f(torch, q).numpy())


def test_storage_of_memory_that_no_array_owns_is_that_memory():
    memory = torch.arange(12.0)
    x = npg.from_dlpack(memory[1::2].view(2, 3)[:, 1:])
    assert x.untyped_storage().data_ptr() == x.data_ptr() == memory.data_ptr() + 12
    x.storage()[0] = 9.0
    assert memory[3] == 9 and x[0, 0] == 9
