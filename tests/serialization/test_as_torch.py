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


def test_files_are_torchs(tmp_path):
    found = processes.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True,
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
