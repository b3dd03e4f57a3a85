"""The device "meta": tensors with a shape and without data, as PyTorch documents them."""

import threading

import numpy as np
import pytest
import torch

import npg
from npg.kernels import meta
from tests.transcripts import check_transcript

MAKING = """
torch.empty(2, 3, device="meta")
torch.zeros((2, 3), device=torch.device("meta"), dtype=torch.int64)
torch.ones(0, device="meta:1").device
torch.full((2,), 3, device="meta")
torch.full((), 1.5, device="meta", requires_grad=True)
torch.eye(2, 3, device="meta")
torch.arange(2, 9, 2, device="meta")
torch.linspace(0, 1, 3, device="meta")
torch.logspace(0, 1, 3, device="meta", dtype=torch.float64)
torch.tril_indices(3, 3, device="meta")
torch.triu_indices(3, 3, device="meta")
torch.tensor([[1, 2]], device="meta")
torch.as_tensor([1.0], device="meta")
torch.as_tensor(torch.ones(2), device="meta")
torch.asarray(torch.ones(2), device="meta")
torch.asarray([True], device="meta")
torch.scalar_tensor(2, device="meta")
torch.empty_strided((2, 3), (1, 2), device="meta").stride()
torch.empty_permuted((2, 3, 4), (2, 0, 1), device="meta").stride()
torch.empty(1, 2, 3, 4, device="meta", memory_format=torch.channels_last).stride()
torch.rand(2, device="meta")
torch.randn(2, device="meta", dtype=torch.float64)
torch.randint(5, (2,), device="meta")
torch.randperm(5, device="meta")
torch.normal(0.0, 1.0, (2,), device="meta")
m = torch.empty(2, 3, device="meta", dtype=torch.float64)
torch.zeros_like(m)
torch.ones_like(m.t()).stride()
torch.empty_like(m, device="cpu").shape
torch.zeros_like(m, device="cpu")
torch.full_like(torch.ones(2), 2.0, device="meta")
torch.rand_like(m)
torch.randn_like(m)
torch.randint_like(m, 4)
m.new_zeros(2)
m.new_ones(2, device="cpu")
m.new_empty(2, 2)
m.new_full((2,), 3)
m.new_tensor([1, 2])
m.new_empty_strided((2, 2), (1, 2)).stride()
m.new(2)
torch.ones(1).new_zeros(2, device="meta")
torch.Tensor(2, device="meta")
torch.FloatTensor(2, device="meta")
torch.testing.make_tensor(2, device="meta", dtype=torch.float32, low=0, high=1)
torch.ones(10**13, device="meta")
torch.nn.Linear(10**6, 10**6, device="meta").weight
"""

ASKING = """
m = torch.empty(2, 3, device="meta")
s = torch.tensor(1.0, device="meta")
(m.device, m.is_meta, m.is_cpu, m.is_cuda, m.get_device())
(m.shape, m.stride(), m.storage_offset(), m.numel(), m.element_size(), m.nbytes)
(m.is_contiguous(), m.t().is_contiguous(), m.t().stride(), m[1:, 2].storage_offset())
(m.data_ptr(), m.untyped_storage().data_ptr(), m.untyped_storage().nbytes(), m.untyped_storage().device)
m.untyped_storage()
m.untyped_storage()[0]
m.untyped_storage().tolist()
m.untyped_storage().cpu()
torch.ones(2).untyped_storage().to(device="meta")
torch.UntypedStorage(8, device="meta")
m.type()
str(m.to(torch.int32).requires_grad)
f"{s}"
torch.nn.Parameter(m)
len(m)
list(m)
m.item()
s.item()
s.tolist()
m.tolist()
bool(s)
int(s)
float(s)
m.numpy()
m.__array__()
m.__dlpack__()
m.__dlpack_device__()
torch.is_nonzero(s)
m.share_memory_()
m.is_shared()
"""

MOVING = """
m = torch.empty(2, 3, device="meta")
c = torch.ones(2, 3)
m.to("cpu")
m.cpu()
m.to(c)
m.to("cpu", torch.float64)
m.to("meta") is m
m.to("meta", copy=True) is m
m.to(m) is m
c.to("meta")
c.to(device="meta", dtype=torch.float64)
c.t().to("meta").stride()
c.to(m)
c.requires_grad_().to("meta")
c.requires_grad_().to("meta").sum().backward()
c = torch.ones(2, 3)
c.copy_(m)
m.copy_(c)
m.copy_(torch.ones(5))
c.data = m
m.data = c
m.grad = c
m.grad = torch.empty(2, 3, device="meta")
m.set_(c)
c.set_(m)
m.set_()
m = torch.empty(2, 3, device="meta")
m.resize_(3, 4)
m = torch.empty(2, 3, device="meta")
m.to(torch.float64)
m.double().half().long().bool()
m.contiguous() is m
m.clone()
torch.empty(1, 2, 3, 4, device="meta").to(memory_format=torch.channels_last).stride()
torch.testing.assert_close(m, m)
torch.testing.assert_close(m, c)
"""

COMPUTING = """
m = torch.empty(2, 3, device="meta")
c = torch.ones(2, 3)
m + c
c + m
c + torch.tensor(1.0, device="meta")
m + torch.tensor(1.0)
torch.tensor(1.0) + m
torch.where(m > 0, m, c)
m * 2 + m / 3
m.to(torch.int64) / 2
m.half() + 1
m == m
m @ m.t()
torch.nn.functional.linear(m, c)
m.sum(), m.mean(1), m.max(1), m.std()
m.view(6), m.t().reshape(6), m.expand(4, 2, 3), m[None, :, 1]
m.t().view(6)
m.add_(1).mul_(m).fill_(3).zero_()
m.add_(c)
m.normal_().uniform_(0, 1).bernoulli_(0.5).exponential_().random_(3)
m.apply_(lambda x: x)
m[0] = 1
m[:, 1] = torch.empty(2, device="meta")
m[torch.tensor([0, 1])]
m[torch.empty(4, device="meta", dtype=torch.int64)]
m.split(1), m.unbind(1), m.chunk(2)
torch.cat([m, m]), torch.stack([m, m])
torch.multinomial(m, 2)
torch.bernoulli(m), torch.normal(m, 1.0)
torch.nn.functional.dropout(m)
torch.nn.functional.embedding(torch.tensor([0]), m)
torch.nn.functional.softmax(m, 1), torch.nn.functional.layer_norm(m, (3,))
torch.nn.functional.conv2d(torch.empty(1, 2, 5, 5, device="meta"), torch.empty(4, 2, 3, 3, device="meta"))
torch.nn.functional.scaled_dot_product_attention(*3 * [torch.empty(1, 2, 5, 4, device="meta")])
torch.linalg.inv(torch.empty(3, 3, device="meta")), torch.linalg.cholesky(torch.empty(3, 3, device="meta")).shape
torch.add(m, m, out=m)
torch.add(m, m, out=c)
torch.add(c, c, out=m)
torch.zeros(5, out=torch.empty(0, device="meta"))
torch.func.grad(lambda x: x.sum())(m)
torch.vmap(lambda x: x * 2)(m)
"""

MODULES = """
nn = torch.nn
import copy
net = nn.Sequential(nn.Linear(2, 4, device="meta"), nn.BatchNorm1d(4, device="meta"), nn.ReLU(), nn.Dropout())
net[0].weight
net.to("cpu")
net.cpu()
net.to(torch.float64)[0].bias
net.float()(torch.empty(3, 2, device="meta"))
net(torch.empty(3, 2, device="meta")).sum().backward()
[p.grad for p in net.parameters()]
copy.deepcopy(net)[0].weight
torch.optim.SGD(net.parameters(), 0.1, momentum=0.9).step()
adam = torch.optim.Adam(net.parameters())
adam.step()
adam.state[net[0].bias]["exp_avg"]
[p.device for p in net.to_empty(device="cpu").parameters()]
nn.Linear(2, 3).to("meta").weight
nn.Linear(2, 2, device="meta").load_state_dict(nn.Linear(2, 2).state_dict())
nn.Linear(2, 2).load_state_dict(nn.Linear(2, 2, device="meta").state_dict())
one = nn.Linear(2, 2, device="meta")
one.load_state_dict({"weight": torch.ones(2, 2), "bias": torch.ones(2)}, assign=True)
one.weight
lazy = nn.LazyLinear(3, device="meta")
(lazy.weight.device, lazy.weight.is_meta, lazy.bias.is_cpu)
lazy(torch.empty(2, 4, device="meta"))
lazy.weight
nn.LazyLinear(3).to("meta").weight.device
nn.init.kaiming_uniform_(torch.empty(2, 3, device="meta"))
nn.init.orthogonal_(torch.empty(2, 3, device="meta"))
nn.init.trunc_normal_(torch.empty(2, 3, device="meta"))
nn.init.sparse_(torch.empty(2, 3, device="meta"), 0.5)
nn.init.dirac_(torch.empty(2, 2, 3, device="meta"))
nn.init.eye_(torch.empty(2, 3, device="meta"))
nn.init.xavier_normal_(torch.empty(2, 3, device="meta"))
"""

DEFAULT = """
with torch.device("meta"): print(torch.get_default_device())
with torch.device("meta"): m = torch.ones(2)
m
with torch.device("meta"): m = torch.nn.Linear(2, 3)
m.weight
with torch.device("meta"): m = torch.tensor([1.0]), torch.arange(3), torch.randn(2), torch.as_tensor([1])
m
with torch.device("meta"): m = torch.zeros_like(torch.ones(2, device="cpu")), torch.Tensor([1.0])
m
with torch.device("meta"): print(torch.Tensor(2).device)
with torch.device("meta"), torch.device("cpu"): m = torch.zeros(1)
m
torch.set_default_device("meta")
(torch.get_default_device(), torch.ones(2))
torch.set_default_device(None)
torch.ones(2)
"""

SAVING = """
import io, pickle
m = torch.empty(2, 3, device="meta")
c = torch.ones(2, 3)
def saved(x): b = io.BytesIO(); torch.save(x, b); b.seek(0); return b

torch.load(saved(m))
torch.load(saved(m.t())).stride()
torch.load(saved(torch.nn.Parameter(m[0, 1:])))
torch.load(saved({"a": m, "b": c}))
torch.load(saved(m), map_location="cpu")
torch.load(saved(c), map_location="meta")
torch.load(saved({"a": c, "b": c[1]}), map_location=torch.device("meta"))
torch.load(saved(c), map_location={"cpu": "meta"})
torch.load(saved(torch.nn.Linear(2, 2).state_dict()), map_location="meta")["bias"]
torch.load(saved(m), weights_only=False)
pickle.loads(pickle.dumps(m))
pickle.loads(pickle.dumps(torch.nn.Parameter(m.t()))).stride()
"""


@pytest.mark.parametrize(
    "lines",
    [MAKING, ASKING, MOVING, COMPUTING, MODULES, DEFAULT, SAVING],
    ids=["making", "asking", "moving", "computing", "modules", "default", "saving"],
)
def test_calls_are_answered_as_by_pytorch(lines):
    check_transcript(lines)


# ----- No numbers, no memory -----

OF_NUMBERS = """
m[m > 0] torch.nonzero(m) torch.where(m) m.masked_select(m > 0) torch.unique(m) torch.unique_consecutive(m)
torch.equal(m, m) torch.allclose(m, m) torch.bincount(m[0].long()) torch.nn.functional.one_hot(m.long())
m.repeat_interleave(m[0].long(), 1)
"""


@pytest.mark.parametrize("call", OF_NUMBERS.replace(", ", ",").replace(" > ", ">").split())
def test_what_depends_on_numbers_is_refused(call):
    with pytest.raises(
        NotImplementedError, match="its result depends on numbers, and tensors on device meta have none"
    ):
        eval(call, {"torch": npg, "m": npg.empty(2, 3, device="meta")})
    with pytest.raises((NotImplementedError, RuntimeError)):
        eval(call, {"torch": torch, "m": torch.empty(2, 3, device="meta")})


def test_change_of_a_tensor_with_data_by_one_without_is_refused():
    c = npg.ones(2)
    with pytest.raises(RuntimeError, match="Tensor on device meta is not on the expected device cpu!"):
        c.add_(npg.ones(2, device="meta"))  # PyTorch changes nothing and says nothing
    assert c.tolist() == [1, 1]


@pytest.mark.parametrize(
    "call", ["m + k", "m.add_(k)", "torch.where(m > 0, m, k)", "m @ k", "m.copy_(k)", "m[0].view(2)"]
)
def test_shapes_that_do_not_fit_are_refused(call):
    for library in (npg, torch):
        with pytest.raises(RuntimeError):
            m, k = library.empty(2, 3, device="meta"), library.empty(4, device="meta")
            eval(call, {"torch": library, "m": m, "k": k})


def test_nothing_is_drawn():
    npg.manual_seed(3)
    with npg.device("meta"):
        npg.nn.Linear(3, 3)
        npg.randn(5).normal_()
        npg.nn.functional.dropout(npg.rand(4))
        npg.multinomial(npg.rand(4), 2)
        npg.bernoulli(npg.rand(4))
        npg.normal(npg.rand(4), npg.rand(4))
        npg.nn.functional.rrelu(npg.rand(4), training=True)
        npg.nn.functional.gumbel_softmax(npg.rand(4))
    here = npg.rand(3)
    npg.manual_seed(3)
    assert npg.equal(here, npg.rand(3))


def test_a_large_network_takes_neither_memory_nor_time():
    with npg.device("meta"):
        net = npg.nn.TransformerEncoderLayer(2**14, 16, 2**16, batch_first=True)
        x = npg.randn(8, 2**12, 2**14)
        y = net(x)
        y.sum().backward()
    assert sum(p.nbytes for p in net.parameters()) > 2**33
    assert y.shape == x.shape and net.linear1.weight.grad.shape == net.linear1.weight.shape
    assert not np.asarray(net.linear1.weight.detach()._array[0, :8]).any()  # nothing was ever written


def test_gradients_of_gradients_have_the_inputs_shapes():
    x = npg.empty(3, device="meta", requires_grad=True)
    (g,) = npg.autograd.grad((x**3).sum(), x, create_graph=True)
    g.sum().backward()
    assert g.requires_grad and g.is_meta and x.grad.is_meta and x.grad.shape == (3,)


def test_history_has_pytorchs_names_and_is_freed():
    def names(library):
        x = library.empty(2, 3, device="meta", requires_grad=True)
        y = library.nn.functional.layer_norm((x @ x.t()).relu(), (2,)).softmax(1).sum()
        found, node = [], y.grad_fn
        while node is not None:
            found.append(node.name())
            node = node.next_functions[0][0] if node.next_functions else None
        y.backward()
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            y.backward()
        return found

    assert names(npg) == names(torch)


def test_view_shares_its_version_and_follows_its_base():
    x = npg.empty(2, 3, device="meta")
    view = x[0]
    view.add_(1)
    assert x._version == view._version == 1 and view._base is x
    y = npg.empty(3, device="meta", requires_grad=True) * 1
    y[:2].mul_(2)
    assert y.grad_fn.name().endswith("CopySlices")
    y.sum().backward()


def test_hooks_see_gradients_without_data():
    seen = []
    x = npg.empty(2, device="meta", requires_grad=True)
    x.register_hook(lambda g: seen.append(g.is_meta))
    (x * x).sum().backward()
    x.grad = None
    (x * x).sum().backward(npg.empty((), device="meta"))
    assert seen == [True, True] and x.grad.is_meta


def test_default_device_is_of_one_thread():
    seen = []
    with npg.device("meta"):
        thread = threading.Thread(target=lambda: seen.append(npg.ones(2).device.type))
        thread.start()
        thread.join()
        seen.append(npg.ones(2).device.type)
    assert seen == ["cpu", "meta"]


# ----- The arrays -----


@pytest.mark.parametrize(
    "strides", [None, (12, 4), (4, 8), (0, 4), (24, 8)], ids=["none", "c", "transposed", "expanded", "gaps"]
)
def test_array_has_its_layout_and_reads_as_zero(strides):
    array = meta.empty((2, 3), np.float32, strides)
    assert array.shape == (2, 3) and array.strides == (strides or (12, 4)) and not np.asarray(array).any()
    array[...] = 5
    array.fill(5)
    array += 5
    np.copyto(array, 5)
    assert not np.asarray(array).any() and type(array) is meta.MetaArray


@pytest.mark.parametrize("make", [np.transpose, np.ravel, np.sqrt, np.sort, lambda x: x + x, lambda x: x[0], np.sum])
def test_what_numpy_computes_from_it_has_no_data_either(make):
    real, array = np.ones((2, 3)), meta.empty((2, 3), np.float64)
    result = make(array)
    assert type(result) is meta.MetaArray
    assert (result.shape, result.dtype) == (make(real).shape, make(real).dtype)


def test_more_than_there_is_address_space_is_refused():
    with pytest.raises(RuntimeError, match="takes address space, and there are no 1152921504606846976 bytes"):
        npg.empty(2**58, device="meta")


def test_larger_arrays_leave_smaller_ones_as_they_are():
    small = meta.empty((4,), np.float32)
    large = meta.empty((2**36,), np.float32)
    assert large[-1:].shape == (1,) and not np.asarray(large[-1:]).any() and not np.asarray(small).any()
