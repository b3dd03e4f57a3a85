"""Saving and loading while npg is served as torch: the same files, and texts that say torch."""

import os
import sys

import torch

import npg
from tests import processes
from tests.conftest import ROOT

PROGRAM = """
import npg.as_torch
npg.as_torch.install()
import torch
model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
state = {"model": model.state_dict(), "size": model[0].weight.shape, "dtype": torch.float32}
state |= {"parameter": torch.nn.Parameter(torch.ones(2)), "new": torch.ones(2).to(torch.uint16)}
torch.save(state, "state.pt")
torch.save([model, torch.relu, torch.nn.functional.relu, torch.optim.lr_scheduler.StepLR, torch.optim.AdamW], "all.pt")
assert torch.load("state.pt")["size"] == (2, 2)
assert type(torch.load("all.pt", weights_only=False)[0]) is torch.nn.Sequential
with torch.serialization.safe_globals([torch.nn.Linear]):
    torch.save(model[0], "linear.pt")
    assert type(torch.load("linear.pt")) is torch.nn.Linear
try:
    torch.load("all.pt")
except Exception as error:
    assert "npg" not in str(error)
    print(error)
"""

# The same for either library.
SAFETENSORS = """
from safetensors import safe_open
from safetensors.torch import load, load_file, load_model, save, save_file, save_model

KINDS = "float32 float64 float16 int64 int32 int16 int8 uint8 bool uint16 uint32 uint64".split()

def tensors():
    found = {kind: torch.arange(6).reshape(2, 3).to(getattr(torch, kind)) for kind in KINDS}
    return found | {"empty": torch.zeros(0, 3), "scalar": torch.tensor(2.5)}

class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.norm = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3), torch.nn.LayerNorm(3)
        self.b.weight = self.a.weight

def model(seed):
    torch.manual_seed(seed)
    return Tied()

def written(name):
    save_file(tensors(), name + ".safetensors", metadata={"format": "pt"})
    save_model(model(1), name + "_model.safetensors")
    assert same(load(save(tensors())), tensors())
    for bad in ({"a": torch.ones(3, 2).t()}, {"a": 1}, dict.fromkeys("ab", torch.ones(3))):
        try:
            save_file(bad, name + "_bad.safetensors")
        except (ValueError, RuntimeError):
            continue
        raise AssertionError(f"saved {bad}")

def same(found, expected):
    return found.keys() == expected.keys() and all(
        found[k].dtype == t.dtype and found[k].shape == t.shape and torch.equal(found[k], t)
        for k, t in expected.items()
    )

def checked(name):
    assert same(load_file(name + ".safetensors"), tensors())
    other = model(2)
    assert load_model(other, name + "_model.safetensors") == (set(), [])
    assert same(other.state_dict(), model(1).state_dict()) and other.a.weight is other.b.weight
    with safe_open(name + ".safetensors", framework="pt") as file:
        assert set(file.keys()) == tensors().keys() and file.metadata() == {"format": "pt"}
        assert file.get_slice("float32")[:, 1:].tolist() == [[1, 2], [4, 5]]
        assert torch.equal(file.get_tensor("int64"), tensors()["int64"])
"""


def test_files_are_torchs(tmp_path):
    scope = {"torch": torch}
    exec(SAFETENSORS, scope)
    os.mkdir(tmp_path / "torch")
    scope["written"](str(tmp_path / "torch" / "theirs"))
    program = PROGRAM + SAFETENSORS + "\nwritten('ours')\nfor name in ('ours', 'torch/theirs'): checked(name)\n"
    found = processes.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    try:
        torch.load(tmp_path / "all.pt")
    except Exception as error:
        assert found.stdout == f"{error}\n"
    for lib in (torch, npg):
        state = lib.load(tmp_path / "state.pt")
        assert state["size"] == lib.Size([2, 2]) and state["dtype"] is lib.float32 and state["new"].tolist() == [1, 1]
        parts = lib.load(tmp_path / "all.pt", weights_only=False)
        assert type(parts[0]) is lib.nn.Sequential and parts[1] is lib.relu and parts[4] is lib.optim.AdamW
    for name in ("ours", "torch/theirs"):
        scope["checked"](str(tmp_path / name))
