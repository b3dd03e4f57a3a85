"""Calls with absurd arguments: an error that names the argument, in bounded time and memory, and nothing changed."""

import os
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

import npg
import npg.linalg
import npg.nn.functional as F
from npg.functional._argument_errors import is_accident
from tests.conftest import PROFILE

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(not hasattr(os, "fork"), reason="memory and time of a process are limited on Unix only")
def test_every_public_function_refuses_what_is_absurd():
    # A process of its own: it may die of it. The longer profile tries more values.
    few = [] if PROFILE == "ci" else ["--few"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.refusals", *few],
        cwd=ROOT, capture_output=True, text=True, timeout=900,
        preexec_fn=lambda: signal.signal(signal.SIGPROF, signal.SIG_DFL),
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    *faults, last = done.stdout.splitlines()
    count = re.fullmatch(r"(\d+) calls, (\d+) faults on the (cython|python) engine", last)
    assert count, done.stdout[-2000:]
    assert int(count[1]) > 10_000
    assert not faults, "\n".join(faults[:40])


# ----- PyTorch's words -----

X = lambda lib: lib.ones(2, 2)
CALLS = [
    lambda lib: lib.einsum(None, X(lib)),
    lambda lib: lib.addcmul(*[X(lib).char()] * 3, value=300),
    lambda lib: lib.zeros(2**62),
    lambda lib: lib.zeros(2**62, 2**62),
    lambda lib: lib.full([2], 2**63),
    lambda lib: lib.full([2], 2**64),
    lambda lib: lib.full([2], -(2**63) - 1),
    lambda lib: X(lib).diagonal("a"),
    lambda lib: X(lib).sum(2**63),
    lambda lib: lib.tril(X(lib), "a"),
    lambda lib: lib.matrix_power(X(lib), "a"),
    lambda lib: X(lib).apply_(3) if lib is npg else _as_torch("apply_", "callable", 1, "callable", "int"),
    lambda lib: X(lib).new_zeros("a"),
    lambda lib: X(lib).new_full((2,), "a"),
    lambda lib: X(lib).type_as(3),
    lambda lib: X(lib).is_same_size(3),
    lambda lib: lib.index_select(X(lib), 0, "a"),
    lambda lib: lib.cat(3),
    lambda lib: lib.cat([X(lib), 3]),
    lambda lib: lib.stack(X(lib)),
    lambda lib: lib.promote_types(lib.float32, 3),
    lambda lib: lib.flatten(lib.tensor(1.0), 1),
    lambda lib: lib.ones(3).index_add(0, lib.tensor([-1]), lib.ones(1)),
    lambda lib: lib.ones(3, 2).index_add(0, lib.tensor([-1]), lib.ones(1, 2)),
    lambda lib: lib.tensor(3.0).index_select(0, lib.tensor([0, 0])),
    lambda lib: lib.zeros(0, 2).index_select(0, lib.tensor([0])),
    lambda lib: lib.ones(3).tensor_split(lib.tensor([1], dtype=lib.int32)),
    lambda lib: lib.nn.functional.multi_margin_loss(lib.ones(1, 3), lib.tensor([3])),
    lambda lib: lib.linalg.vecdot(lib.ones(3), lib.ones(3, dtype=lib.float16)),
    lambda lib: lib.nn.functional.pad(lib.ones(2, 0), (1, 1), "reflect"),
    lambda lib: lib.chain_matmul(2),
    lambda lib: lib.exp(2),
    lambda lib: lib.add(None, 3),
]


def _as_torch(name, argument, position, wanted, given):
    raise TypeError(f"{name}(): argument '{argument}' (position {position}) must be {wanted}, not {given}")


@pytest.mark.parametrize("call", CALLS)
def test_refused_call_has_torchs_words(call):
    found = []
    for lib in (torch, npg):
        with pytest.raises(Exception) as caught:
            call(lib)
        text = str(caught.value).split("\n")[0].replace("torch.", "npg.")
        # PyTorch counts the arguments of a method without self, npg those of the function that the method is.
        found.append((type(caught.value), re.sub(r" \(position \d\)", "", text)))
    assert issubclass(found[1][0], found[0][0])
    assert found[1][1] == found[0][1]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: X(npg).set_("a"), TypeError, "set_(): argument 'source' (position 1) must be Tensor, not str"),
        (lambda: npg.zeros(2**40), RuntimeError, "DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
        (lambda: X(npg).repeat_interleave(2**62), RuntimeError, "can't allocate|Storage size calculation"),
        (lambda: npg.nn.Dropout("a"), TypeError, "Dropout(): argument 'p' (position 1) must be float, not str"),
        (
            lambda: npg.nn.LazyConv1d(2, 1, groups="a"),
            TypeError,
            "LazyConv1d(): argument 'groups' must be int, not str",
        ),
        (
            lambda: npg.nn.Upsample(scale_factor=[None]),
            TypeError,
            "got (scale_factor=list of (None)), but expected (tuple",
        ),
        (lambda: npg.nn.Transformer(8, 2, 2**62), RuntimeError, "layers are more than fit into memory"),
        (lambda: npg.nn.init.normal_("a"), TypeError, "normal_(): argument 'tensor' must be Tensor, not str"),
        (lambda: npg.nn.init.trunc_normal_(X(npg), mean=2**64), ValueError, "expected a mean near [-2.0, 2.0], got"),
        (lambda: X(npg).backward(3), TypeError, "gradients can be either Tensors or None, but got int"),
        (
            lambda: npg.functional.eq_(3, npg.ones(2)),
            TypeError,
            "eq_(): argument 'input' (position 1) must be Tensor, not int",
        ),
        (lambda: npg.linalg.vander(npg.ones(1)), RuntimeError, "N must be greater than 1."),
        (lambda: npg.tensor_split(npg.ones(3), 2**62), RuntimeError, "more than fit into memory"),
    ],
)
def test_refused_call_says_what_is_wrong(call, error, words):
    with pytest.raises(error) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call()
    assert words in str(caught.value) or re.search(words, str(caught.value))


def test_module_that_is_refused_leaves_the_generator_as_it_was():
    class Own(npg.nn.TransformerEncoderLayer):
        pass

    before = npg.get_rng_state()
    with pytest.raises(TypeError, match=r"^TransformerEncoderLayer\(\): argument 'dropout' must be float, not str"):
        Own(4, 2, dropout="a")  # found after the attention has drawn
    assert npg.equal(npg.get_rng_state(), before)


def test_values_that_look_absurd_and_are_not():
    x = X(npg)
    assert x.diagonal(2**62).shape == torch.ones(2, 2).diagonal(2**62).shape
    assert npg.isnan(x.round(decimals=400)).all() and npg.isnan(x.double().round(decimals=-400)).all()
    assert x.roll(2**62).tolist() == [[1, 1], [1, 1]]
    assert npg.tril(x, 2**62).tolist() == npg.triu(x, -(2**62)).tolist() == x.tolist()
    assert len(x.chunk(2**62)) == 2 and len(x.split(2**62)) == 1


# ----- The mechanism -----


def test_error_of_an_inner_function_names_the_argument_of_the_outer_one():
    with pytest.raises(TypeError, match=r"kron\(\): argument 'other' \(position 2\) must be Tensor, not str") as caught:
        npg.kron(X(npg), "a")
    assert not is_accident(caught.value)


def test_cause_of_an_explained_error_is_kept():
    with pytest.raises(TypeError, match=r"tril\(\): argument 'diagonal'") as caught:
        npg.tril(X(npg), "a")
    assert isinstance(caught.value.__cause__, Exception) and "tril()" not in str(caught.value.__cause__)


def test_error_of_the_callers_own_function_stays():
    class Odd(Exception):
        pass

    def fails(_):
        raise Odd("mine")

    with pytest.raises(Odd, match="mine"):
        X(npg).apply_(fails)

    def stumbles(_):
        return None.nothing

    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'nothing'"):
        X(npg).apply_(stumbles)


def test_warning_turned_into_an_error_stays():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="degrees of freedom"):
            npg.ones(1).std()


@pytest.mark.parametrize(
    "call",
    [
        lambda: npg.ones(1).std(),
        lambda: npg.add(npg.ones(1), 2, npg.ones(1)),
        lambda: npg.ones(1).add_(2, npg.ones(1)),
        lambda: F.softmax(npg.ones(2, 2)),
        lambda: F.mse_loss(npg.ones(2), npg.ones(1)),
        lambda: npg.nn.MSELoss()(npg.ones(2), npg.ones(1)),
        lambda: npg.ones(2, 2, 2).T,
        lambda: npg.ones(3)[npg.tensor([1, 0, 1], dtype=npg.uint8)],
    ],
)
def test_warnings_point_to_the_callers_line(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert [Path(w.filename).name for w in caught] == [Path(__file__).name]


# ----- NumPy's names of keywords -----


@pytest.mark.parametrize(
    "call",
    [
        lambda lib: lib.add(x1=X(lib), x2=X(lib)),
        lambda lib: lib.mul(X(lib), x2=X(lib)),
        lambda lib: lib.neg(x=X(lib)),
        lambda lib: lib.sum(a=X(lib), axis=0, keepdims=True),
        lambda lib: X(lib).repeat_interleave(2, axis=0),
        lambda lib: lib.repeat_interleave(x=X(lib), repeats=2, axis=1),
        lambda lib: lib.unsqueeze(a=X(lib), axis=0),
        lambda lib: lib.squeeze(X(lib), axis=0),
        lambda lib: lib.cat([X(lib), X(lib)], axis=1),
        lambda lib: lib.index_select(X(lib), axis=0, index=lib.tensor([1])),
        lambda lib: lib.gather(x=X(lib), axis=1, index=lib.tensor([[0], [1]])),
        lambda lib: lib.clamp(x1=X(lib), max=0.5),
        lambda lib: lib.argmax(X(lib), axis=1, keepdims=True),
        lambda lib: X(lib).unbind(axis=1),
        lambda lib: X(lib).select(axis=0, index=1),
        lambda lib: X(lib).sort(axis=0),
        lambda lib: lib.linalg.vector_norm(X(lib), axis=1),
    ],
)
def test_numpys_names_of_keywords(call):
    found, wanted = call(npg), call(torch)
    pairs = zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]
    assert all(f.tolist() == w.tolist() for f, w in pairs)


def test_numpys_name_beside_pytorchs_is_refused():
    with pytest.raises(TypeError):
        npg.sum(npg.ones(2), dim=0, axis=0)
    with pytest.raises(TypeError):
        npg.add(npg.ones(2), npg.ones(2), x2=npg.ones(2))
