"""uint16, uint32 and uint64: made, converted, indexed, copied, compared and printed as PyTorch's; promotion refuses."""

import itertools
import pickle

import numpy as np
import pytest
import torch

import npg
from npg import dtypes
from tests.helpers import TORCH_DTYPES

NAMES = ["uint16", "uint32", "uint64"]
ALL = {**{str(t).removeprefix("torch."): (t, n) for t, n in TORCH_DTYPES.items()}}
ALL |= {name: (getattr(torch, name), getattr(npg, name)) for name in NAMES}


def both(call, name):
    """Return what a call gives with npg and with torch: (type of the error, its first line) or the result as text."""
    found = []
    for lib in (npg, torch):
        try:
            result = call(lib, getattr(lib, name))
            text = repr(result.tolist() if isinstance(result, lib.Tensor) else result)
            kind = str(result.dtype) if isinstance(result, lib.Tensor) else ""
            found.append((text.replace("npg.", "torch."), kind.replace("npg.", "torch.")))
        except Exception as error:
            found.append((type(error).__name__, str(error).split("\n")[0].replace("npg.", "torch.")))
    return found


def x(lib, dtype):
    return lib.tensor([1, 2, 3], dtype=dtype)


CALLS = [
    lambda lib, d: lib.zeros(2, dtype=d),
    lambda lib, d: lib.full((2,), 7, dtype=d),
    lambda lib, d: lib.full((2,), -1, dtype=d),
    lambda lib, d: lib.full((2,), 2**70, dtype=d),
    lambda lib, d: lib.full((2,), 2**16, dtype=d),
    lambda lib, d: lib.full((2,), 2**63, dtype=d),
    lambda lib, d: lib.full((2,), 2**64 - 1, dtype=d),
    lambda lib, d: lib.tensor([2**16 - 1], dtype=d),
    lambda lib, d: lib.tensor([2**64 - 1], dtype=d),
    lambda lib, d: lib.tensor([-1], dtype=d),
    lambda lib, d: lib.tensor(-1).to(d),
    lambda lib, d: lib.tensor([0.0, 1.9, 255.5]).to(d),
    lambda lib, d: x(lib, d).float(),
    lambda lib, d: x(lib, d).bool(),
    lambda lib, d: x(lib, d).to(lib.int8),
    lambda lib, d: x(lib, d)[1:],
    lambda lib, d: x(lib, d)[lib.tensor([2, 0])],
    lambda lib, d: x(lib, d)[x(lib, d) == 2],
    lambda lib, d: lib.ones(4)[x(lib, d)],
    lambda lib, d: x(lib, d).clone().copy_(lib.tensor([3.7, 2.0, 1.0])),
    lambda lib, d: x(lib, d).fill_(9),
    lambda lib, d: x(lib, d) == x(lib, d),
    lambda lib, d: x(lib, d) != 2,
    lambda lib, d: x(lib, d).equal(x(lib, d)),
    lambda lib, d: x(lib, d) * 3,
    lambda lib, d: x(lib, d) * 0.5,
    lambda lib, d: x(lib, d) / 2,
    lambda lib, d: x(lib, d) + 0.5,
    lambda lib, d: x(lib, d) + lib.ones(3),
    lambda lib, d: x(lib, d) * lib.tensor(2),
    lambda lib, d: x(lib, d) * lib.ones(3, dtype=lib.int32),
    lambda lib, d: x(lib, d) * lib.ones(3, dtype=lib.bool),
    lambda lib, d: x(lib, d) & 1,
    lambda lib, d: x(lib, d) ^ x(lib, d),
    lambda lib, d: x(lib, d).sum(),
    lambda lib, d: x(lib, d).prod(),
    lambda lib, d: x(lib, d).cumsum(0),
    lambda lib, d: x(lib, d).all(),
    lambda lib, d: x(lib, d).sort(descending=True)[0],
    lambda lib, d: x(lib, d).unique(),
    lambda lib, d: x(lib, d).sqrt(),
    lambda lib, d: lib.cat([x(lib, d), x(lib, d)]),
    lambda lib, d: lib.cat([x(lib, d), x(lib, d).int()]),
    lambda lib, d: lib.stack([x(lib, d), x(lib, d).float()]),
    lambda lib, d: lib.where(x(lib, d) == 1, x(lib, d), 0),
    lambda lib, d: x(lib, d).reshape(3, 1).repeat(1, 2).T,
    lambda lib, d: x(lib, d).requires_grad_(),
    lambda lib, d: lib.zeros(2, dtype=d, requires_grad=True),
    lambda lib, d: x(lib, d).is_signed(),
    lambda lib, d: x(lib, d).type(),
    lambda lib, d: x(lib, d).mul_(lib.ones(3, dtype=lib.int64)),
    lambda lib, d: lib.set_default_dtype(d) if lib is torch else _refuse_default(),
    lambda lib, d: lib.can_cast(d, lib.int8),
    lambda lib, d: lib.iinfo(d).max,
    lambda lib, d: str(x(lib, d)),
    lambda lib, d: x(lib, d).numpy().dtype,
    lambda lib, d: lib.from_numpy(x(lib, d).numpy()),
    lambda lib, d: x(lib, d).mean(),
    lambda lib, d: x(lib, d).std(),
]


def _refuse_default():
    raise TypeError("only floating-point types are supported as the default type")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("call", CALLS)
def test_unsigned_as_torch(call, name):
    found, expected = both(call, name)
    assert found == expected


def test_promotion_of_every_pair():
    for a, b in itertools.product(ALL, ALL):
        found, expected = both(lambda lib, _, a=a, b=b: lib.promote_types(getattr(lib, a), getattr(lib, b)), "uint16")
        assert found == expected, (a, b)


@pytest.mark.parametrize("name", NAMES)
def test_random_integers_are_torchs(name):
    for low, high in ((0, 5), (3, 60_000), (0, 2**31), (0, 2**40)):
        drawn = []
        for lib in (npg, torch):
            lib.manual_seed(3)
            try:
                drawn.append(lib.randint(low, high, (20,), dtype=getattr(lib, name)).tolist())
            except RuntimeError as error:
                drawn.append(str(error))
        assert str(drawn[0])[:30] == str(drawn[1])[:30]
        assert isinstance(drawn[0], str) or drawn[0] == drawn[1]


@pytest.mark.parametrize("name", NAMES)
def test_arrays_pickles_and_dlpack(name):
    array = np.array([0, 1, np.iinfo(name).max], name)
    t = npg.from_numpy(array)
    assert t.dtype is getattr(npg, name) and t.numpy() is array
    again = pickle.loads(pickle.dumps(t))
    assert again.dtype is t.dtype and again.tolist() == array.tolist()
    assert np.from_dlpack(t).dtype == array.dtype and npg.from_dlpack(array).dtype is t.dtype
    assert dtypes.from_numpy(array.dtype) is t.dtype
    # What PyTorch has no kernel for is computed all the same, as NumPy does: more than 2**n wraps around.
    assert (t + t).tolist() == (array + array).tolist() and t.max().item() == array.max()
