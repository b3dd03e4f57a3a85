"""npg in other interpreters and processes: subinterpreters are refused, processes of every kind work."""

import multiprocessing
import os
import sys

import pytest

from tests import processes

from .conftest import ROOT

SUBINTERPRETER = """
import sys
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
if sys.argv[1] == "main first":
    import npg
code = '''
import sys
try:
    import npg
except ImportError as error:
    print(error)
print('numpy' in sys.modules)
'''
for _ in range(2):
    interpreters.run_string(interpreters.create(), code)
import npg
print((npg.ones(2) + 1).tolist())
"""


@pytest.mark.parametrize("first", ["main first", "subinterpreter first"])
def test_subinterpreter_is_refused_clearly_and_the_main_one_can_still_import(first):
    if sys.implementation.name != "cpython":
        pytest.skip("subinterpreters are CPython's")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SUBINTERPRETER, first]
    done = processes.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    refusal, numpy, *again, main = done.stdout.splitlines()
    assert refusal.startswith("npg cannot be imported in a subinterpreter") and "or use a process" in refusal
    assert (numpy, again, main) == ("False", [refusal, numpy], "[2.0, 2.0]")


# A loader of batches as data loaders are: workers draw, compute with gradients and send tensors back.
LOADER = """
import multiprocessing, sys, threading
import npg
import npg.nn as nn

def work(seed):
    npg.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.GELU(), nn.Linear(8, 2))
    optimizer = npg.optim.AdamW(model.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(npg.randn(16, 4)).pow(2).sum()
        loss.backward()
        optimizer.step()
    return loss.detach(), npg.cat([p.detach().flatten() for p in model.parameters()])

def serve(tasks, results):
    for seed in iter(tasks.get, None):
        results.put((seed, work(seed)))

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    alone = {seed: work(seed) for seed in range(6)}
    npg.manual_seed(5)
    before = npg.get_rng_state()
    stop = threading.Event()
    thread = threading.Thread(target=lambda: [npg.rand(1000) for _ in iter(stop.is_set, True)])
    thread.start()  # draws while processes start
    found = alone
    if sys.argv[1] == "fork":  # the others take seconds to start
        with context.Pool(2) as pool:
            found = dict(zip(alone, pool.map(work, alone, chunksize=1)))
    tasks, results = context.Queue(), context.Queue()
    workers = [context.Process(target=serve, args=(tasks, results))]
    for worker in workers:
        worker.start()
    for seed in [*alone, None]:
        tasks.put(seed)
    queued = dict(results.get() for _ in alone)
    for worker in workers:
        worker.join()
    stop.set()
    thread.join()
    for other in (found, queued):
        assert other.keys() == alone.keys()
        assert all(npg.equal(a, b) for seed in alone for a, b in zip(alone[seed], other[seed])), other
    assert [worker.exitcode for worker in workers] == [0]
    print("alike")
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_of_every_start_method_compute_what_this_one_does(method, tmp_path):
    script = tmp_path / "loader.py"
    script.write_text(LOADER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore::DeprecationWarning"}
    command = [sys.executable, str(script), method]
    done = processes.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "alike\n", "")
