"""Training goes on from a checkpoint bit for bit, also after a kill, and in the middle of an epoch."""

import os
import signal
import sys

import pytest

from tests import processes
from tests.conftest import ROOT

# A checkpoint after each step, as scripts write it: of the loader the state of its generator when the epoch began, and
# the number of batches since. Each run is a process of its own, forked from one that has done nothing.
PROGRAM = """
import os, sys
import npg
import npg.nn as nn
from npg.utils.data import DataLoader, TensorDataset

def train(path, steps, kill_at):
    npg.manual_seed(7)
    model = nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.Dropout(0.3), nn.LayerNorm(16), nn.Linear(16, 1))
    optimizer = npg.optim.AdamW(model.parameters(), lr=0.01, amsgrad=True)
    scheduler = npg.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50)
    x = npg.randn(40, 6, generator=npg.Generator().manual_seed(3))
    order = npg.Generator().manual_seed(11)
    loader = DataLoader(TensorDataset(npg.arange(40), x), batch_size=8, shuffle=True, generator=order)
    step = done = 0
    if os.path.exists(path):
        state = npg.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["scheduler"])
        order.set_state(state["order"])
        npg.set_rng_state(state["random"])
        step, done = state["step"], state["done"]
    while step < steps:
        begun = order.get_state()
        for i, (numbers, x) in enumerate(loader):
            if i < done:
                continue
            loss = (model(x) - x.sum(1, keepdim=True) + 0.1 * npg.randn(len(x), 1)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            print(step, loss.item().hex(), numbers.tolist(), flush=True)
            step += 1
            if step == kill_at:
                os.kill(os.getpid(), 9)
            npg.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "order": begun, "step": step,
                      "scheduler": scheduler.state_dict(), "random": npg.get_rng_state(), "done": i + 1}, path)
            if step == steps:
                break
        done = 0
    print("parameters", *[p.detach().numpy().tobytes().hex() for p in model.parameters()], flush=True)

for path, kill_at in ("whole", 0), *[("killed", n) for n in (1, 7, 8, 12, 0)]:
    child = os.fork()
    if not child:
        try:
            train(path, 17, kill_at)
        finally:
            os._exit(0)
    print("run", path, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills by a signal of POSIX, and forks")
def test_training_goes_on_bit_for_bit_after_kills(tmp_path):
    found = processes.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert not found.stderr
    runs: dict[str, dict[str, str]] = {"whole": {}, "killed": {}}
    lines: dict[str, str] = {}
    endings = []
    for line in found.stdout.splitlines():
        word, _, text = line.partition(" ")
        if word != "run":
            assert word not in lines
            lines[word] = text
            continue
        path, code = text.split()
        endings.append(int(code))
        for step, text in lines.items():
            assert runs[path].setdefault(step, text) == text  # a step that is taken again is the same
        lines = {}
    assert endings == [0, *[-signal.SIGKILL] * 4, 0]
    assert runs["killed"] == runs["whole"] and len(runs["whole"]) == 18
