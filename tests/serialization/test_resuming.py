"""Training goes on from a checkpoint bit for bit, also after a kill."""

import os
import signal
import subprocess
import sys

import pytest

from tests import processes
from tests.conftest import ROOT

PROGRAM = """
import os, sys
import npg
import npg.nn as nn

path, steps, kill_at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
npg.manual_seed(7)
model = nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.Dropout(0.3), nn.LayerNorm(16), nn.Linear(16, 1))
optimizer = npg.optim.AdamW(model.parameters(), lr=0.01, amsgrad=True)
scheduler = npg.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50)
own = npg.Generator().manual_seed(11)
start = 0
if os.path.exists(path):
    state = npg.load(path)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    npg.set_rng_state(state["random"])
    own.set_state(state["own"])
    start = state["step"]
for step in range(start, steps):
    x = npg.randn(32, 6, generator=own)
    loss = (model(x) - x.sum(1, keepdim=True) + 0.1 * npg.randn(32, 1)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    print(step, float(loss).hex(), flush=True)
    if step + 1 == kill_at:
        os.kill(os.getpid(), 9)
    npg.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
              "random": npg.get_rng_state(), "own": own.get_state(), "step": step + 1}, path)
for p in model.parameters():
    print(p.detach().numpy().tobytes().hex())
"""


def train(path, steps, kill_at=0):
    """Run the program. Returns its lines, those of the last steps first where it has begun anew."""
    found = processes.run(
        [sys.executable, "-c", PROGRAM, str(path), str(steps), str(kill_at)], cwd=ROOT, stdout=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert found.returncode == (-signal.SIGKILL if kill_at else 0)
    return found.stdout.splitlines()


@pytest.mark.skipif(os.name != "posix", reason="kills itself by a signal of POSIX")
def test_training_goes_on_bit_for_bit_after_kills(tmp_path):
    whole = train(tmp_path / "whole.pt", 20)
    lines: dict[str, str] = {}
    for kill_at in (1, 7, 8, 15, 0):
        for line in train(tmp_path / "killed.pt", 20, kill_at):
            step, _, text = line.partition(" ")
            assert lines.setdefault(step, text) == text  # a step that is taken again is the same
    assert [f"{step} {text}".rstrip() for step, text in lines.items()] == whole
