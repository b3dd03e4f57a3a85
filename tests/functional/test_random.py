"""Random tensors from PyTorch's functions: number for number torch's."""

import pytest
import torch

import npg

from ..expressions import check, check_error

# Each is drawn twice from equal seeds, and the streams must still agree afterwards.
CALLS = """
lib.rand(5)
lib.rand(2, 3)
lib.rand((2, 3), dtype=lib.float64)
lib.rand([40], dtype=lib.float16)
lib.rand(())
lib.rand(0)
lib.rand(size=(3,), requires_grad=True)
lib.rand(2, 3, out=lib.empty(2, 3, dtype=lib.double))
lib.rand_like(lib.ones(3, 4).t())
lib.rand_like(lib.ones(4), dtype=lib.float64, requires_grad=True)
lib.randn(5)
lib.randn(20)
lib.randn(3, 7, dtype=lib.float64)
lib.randn(40, dtype=lib.float16)
lib.randn_like(lib.ones(5, 4).t())
lib.randn_like(lib.ones(4, dtype=lib.long), dtype=lib.float32)
lib.randint(5, (7,))
lib.randint(2, 5, (7,))
lib.randint(low=-3, high=5, size=(7,))
lib.randint(high=5, size=[7])
lib.randint(2**40, (7,))
lib.randint(5, (7,), dtype=lib.float32)
lib.randint(200, (7,), dtype=lib.uint8)
lib.randint(lib.tensor(5), (7,))
lib.randint(5, (7,), out=lib.empty(7, dtype=lib.int32))
lib.randint_like(lib.ones(4), 5)
lib.randint_like(lib.ones(4), 2, 5)
lib.randint_like(lib.ones(4), 2, 5, dtype=lib.long)
lib.randperm(9)
lib.randperm(600)
lib.randperm(5, dtype=lib.float32)
lib.randperm(4, out=lib.empty(4, dtype=lib.int32))
lib.normal(0.0, 2.0, (5,))
lib.normal(1, 2, size=(20,), dtype=lib.float64)
lib.normal(0.0, 1.0, size=(2,), requires_grad=True)
lib.normal(lib.arange(3.0))
lib.normal(lib.arange(3.0), 2.0)
lib.normal(1.0, lib.arange(3.0))
lib.normal(lib.zeros(2, 1), lib.ones(3))
lib.normal(mean=lib.arange(20.0), std=lib.ones(20))
lib.bernoulli(lib.full((9,), 0.3))
lib.bernoulli(lib.full((9,), 0.3, dtype=lib.float64))
lib.bernoulli(lib.ones(9, dtype=lib.long), 0.5)
lib.ones(9).bernoulli(0.4)
lib.poisson(lib.tensor([0.5, 3.0, 20.0, 100.0]))
lib.multinomial(lib.tensor([0.1, 0.2, 0.7]), 2)
lib.multinomial(lib.tensor([[0.1, 0.9], [0.5, 0.5]]), 7, replacement=True)
lib.tensor([1.0, 2.0, 3.0]).multinomial(1)
lib.empty(5).uniform_()
lib.empty(5).uniform_(-2, 3)
lib.empty(5).uniform_(to=3)
lib.empty(5).uniform_(**{'from': 1, 'to': 3})
lib.empty(3, 5).t().uniform_()
lib.empty(5).normal_()
lib.empty(20).normal_(1, 2)
lib.empty(20).normal_(mean=1, std=2)
lib.empty(4, 6)[:, ::2].normal_()
lib.empty(5).random_()
lib.empty(5).random_(5)
lib.empty(5, dtype=lib.long).random_(2, 5)
lib.empty(5).random_(**{'from': 2, 'to': 5})
lib.empty(5, dtype=lib.int8).random_()
lib.zeros(9).bernoulli_()
lib.zeros(9).bernoulli_(0.3)
lib.zeros(9).bernoulli_(lib.full((9,), 0.3))
lib.zeros(2, 3).bernoulli_(lib.tensor([0.1, 0.5, 0.9]))
lib.zeros(9).geometric_(0.5)
lib.rand(3, generator=lib.Generator().manual_seed(3))
lib.randn(20, generator=lib.Generator().manual_seed(3))
lib.randint(5, (7,), generator=lib.Generator().manual_seed(3))
lib.randperm(5, generator=lib.Generator().manual_seed(3))
lib.multinomial(lib.ones(5), 3, generator=lib.Generator().manual_seed(3))
lib.empty(5).uniform_(generator=lib.Generator().manual_seed(3))
lib.empty(5).exponential_()
lib.empty(20, dtype=lib.float64).exponential_(2.0)
lib.empty(5).cauchy_()
lib.empty(5).cauchy_(1, 2)
lib.empty(5).log_normal_()
lib.empty(5).log_normal_(0, 0.5)
""".strip().splitlines()


@pytest.mark.parametrize("call", CALLS)
def test_random_call_is_torchs_and_stays_in_step(call):
    for seed in (0, 7):
        check(f"lib.manual_seed({seed}); r = ({call}, {call}, lib.rand(2), lib.randn(3))")


@pytest.mark.parametrize(
    "call",
    [
        "lib.randint(5, 5)",
        "lib.randint(2.5, (2,))",
        "lib.randint(5, 2, (2,))",
        "lib.randint(0, (2,))",
        "lib.randint(5, (2,), dtype=lib.bool)",
        "lib.randint(300, (2,), dtype=lib.uint8)",
        "lib.randperm(2.5)",
        "lib.randperm(-1)",
        "lib.rand(2, dtype=lib.long)",
        "lib.rand(2.0)",
        "lib.rand(-3)",
        "lib.randn(2, dtype=lib.long)",
        "lib.rand(2, device='cuda')",
        "lib.normal(0.0, -1.0, size=(2,))",
        "lib.normal(lib.zeros(2), std=lib.ones(3))",
        "lib.zeros(2).uniform_(1, 0)",
        "lib.zeros(2, dtype=lib.long).normal_()",
        "lib.ones(2, requires_grad=True).uniform_()",
        "lib.ones(2, requires_grad=True).normal_()",
        "lib.zeros(2).exponential_(0)",
        "lib.zeros(2).log_normal_(std=0)",
        "lib.zeros(2).bernoulli_(2.0)",
        "lib.multinomial(lib.ones(3), 4)",
        "lib.bernoulli(lib.ones(2, dtype=lib.long))",
        "lib.poisson(lib.ones(2, dtype=lib.long))",
        "lib.Generator().set_state(5)",
        "lib.Generator().set_state(lib.zeros(3))",
        "lib.manual_seed('a')",
    ],
)
def test_random_call_with_bad_arguments_raises_torchs_error(call):
    check_error(call)


@pytest.mark.parametrize(
    "call",
    [
        "lib.normal(0.0, 1.0)",
        "lib.normal(lib.zeros(2), lib.ones(2), size=(2,))",
        "lib.randint(5)",
        "lib.randint(0, 5, 2)",
        "lib.rand()",
        "lib.rand(2, generator=5)",
        "lib.empty(2).normal_(generator=5)",
        "lib.zeros(3).bernoulli_([0.5])",
        "lib.empty(3).random_(1, 2, 3)",
        "lib.empty(3).uniform_(nonsense=1)",
        "lib.multinomial(lib.ones(3), 1.5)",
        "lib.multinomial([1.0], 1)",
    ],
)
def test_random_call_with_arguments_of_bad_kind_raises_type_error(call):
    check_error(call, text=False)


def test_bad_call_draws_nothing():
    npg.manual_seed(0)
    expected = npg.rand(3).tolist()
    npg.manual_seed(0)
    for call in (lambda: npg.rand(2, dtype=npg.long), lambda: npg.ones(2, requires_grad=True).uniform_()):
        with pytest.raises((NotImplementedError, RuntimeError)):
            call()
    assert npg.rand(3).tolist() == expected


# ----- Generators -----


def test_states_are_uint8_tensors_and_torchs_bytes():
    npg.manual_seed(11)
    torch.manual_seed(11)
    npg.randn(3)
    torch.randn(3)
    state = npg.get_rng_state()
    assert state.dtype is npg.uint8 and state.tolist() == torch.get_rng_state().tolist()
    first = npg.randn(5).tolist()
    npg.set_rng_state(state)
    assert npg.randn(5).tolist() == first == torch.randn(5).tolist()
    npg.set_rng_state(npg.tensor(torch.get_rng_state().numpy()))
    assert npg.rand(2).tolist() == torch.rand(2).tolist()


def test_generator_is_torchs():
    g, h = npg.Generator(), torch.Generator()
    assert g.device == "cpu" and g.initial_seed() == h.initial_seed()
    assert g.manual_seed(5) is g and g.initial_seed() == 5
    h.manual_seed(5)
    assert g.get_state().tolist() == h.get_state().tolist()
    copied = g.clone_state()
    assert isinstance(copied, npg.Generator)
    assert npg.rand(3, generator=copied).tolist() == npg.rand(3, generator=g).tolist()
    assert npg.manual_seed(3) is npg.default_generator and npg.initial_seed() == 3
    assert isinstance(npg.default_generator, npg.Generator) and npg.random.default_generator is npg.default_generator
    assert npg.seed() == npg.initial_seed()
    assert isinstance(npg.Generator("cpu"), npg.Generator)
    with pytest.raises(RuntimeError, match="cuda"):
        npg.Generator("cuda")


# ----- Gradients -----

RECORDED = [
    "lib.bernoulli(x)",
    "x.bernoulli()",
    "lib.normal(x, 1.0)",
    "lib.normal(1.0, x)",
    "lib.normal(x, x)",
    "lib.poisson(x)",
    "(x * 1).uniform_()",
    "(x * 1).normal_()",
    "(x * 1).exponential_()",
    "(x * 1).random_()",
    "(x * 1).cauchy_()",
    "(x * 1).log_normal_()",
    "(x * 1).geometric_(0.5)",
    "(x * 1).bernoulli_()",
    "(x * 1).bernoulli_(lib.full((3,), 0.5))",
    "lib.zeros(3).bernoulli_(x)",
]


@pytest.mark.parametrize("source", RECORDED)
def test_gradient_of_random_numbers_is_zero(source):
    facts = {}
    for lib in (npg, torch):
        lib.manual_seed(2)
        x = lib.full((3,), 0.5, requires_grad=True)
        y = eval(source, {"lib": lib, "x": x})
        (g,) = lib.autograd.grad((y * 2).sum(), x)
        facts[lib] = (y.grad_fn.name(), y.requires_grad, g.tolist(), g.dtype.is_floating_point)
    name, *rest = facts[torch]
    assert facts[npg][1:] == tuple(rest)
    # Overloads of one function are numbered in torch: NormalBackward0, NormalBackward1, ...
    assert facts[npg][0].rstrip("0123456789") == name.rstrip("0123456789")


def test_random_like_and_multinomial_are_not_recorded():
    x = npg.full((3,), 0.5, requires_grad=True)
    assert not npg.rand_like(x).requires_grad and not npg.multinomial(x, 1).requires_grad
    assert not npg.randn_like(x).requires_grad and npg.rand_like(x, requires_grad=True).is_leaf


def test_filling_in_place_is_noticed_by_saved_tensors():
    x = npg.ones(3, requires_grad=True)
    y = x * 1
    z = y * y
    y.detach().uniform_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_permutation_of_more_than_there_are_addresses_is_refused_as_in_torch():
    for lib in (npg, torch):
        with pytest.raises(
            RuntimeError, match=r"^Storage size calculation overflowed with sizes=\[4611686018427387904\]"
        ):
            lib.randperm(2**62)
