"""PyTorch's page "Autograd mechanics", section "Multithreaded Autograd".

Each thread has its grad mode, leaves that graphs share lose no gradient, a graph moves between threads.
"""

import sys
import threading

import numpy as np
import pytest

import npg
from tests import processes

from ..programs import assert_same, outcome, values

THREADS, ROUNDS = 16, 1000


def together(*functions):
    """Run functions in threads that start at the same time; raise what one of them raised."""
    barrier, errors = threading.Barrier(len(functions)), []

    def run(function):
        barrier.wait()
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(f,)) for f in functions]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns as often as they can
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(before)
    if errors:
        raise errors[0]


def test_backward_of_graphs_that_share_leaves_loses_nothing():
    x = npg.zeros(3, dtype=npg.float64, requires_grad=True)
    w = npg.ones((), dtype=npg.float64, requires_grad=True)

    def work(k):
        for _ in range(ROUNDS):
            (x * w * float(k) + x).sum().backward()

    together(*[lambda k=k: work(k) for k in range(THREADS)])
    # Sums of integers below 2**53 are exact in any order.
    assert x.grad.tolist() == [ROUNDS * (sum(range(THREADS)) + THREADS)] * 3
    assert w.grad.item() == 0.0


def test_backward_through_one_graph_from_several_threads_adds_up():
    x = npg.ones(2, dtype=npg.float64, requires_grad=True)
    y = (x * 3).exp().log().sum()

    def work():
        for _ in range(100):
            y.backward(retain_graph=True)

    together(*[work] * 8)
    np.testing.assert_allclose(x.grad.numpy(), 3.0 * 800, rtol=1e-12)


def test_graph_built_in_one_thread_runs_in_another():
    x = npg.tensor([1.0, 2.0], requires_grad=True)
    losses = []
    together(lambda: losses.append((x * x).sum()))
    together(lambda: losses[0].backward())
    assert x.grad.tolist() == [2.0, 4.0]


def test_grad_and_inference_mode_are_each_threads_own():
    modes = {}
    inside, done = threading.Event(), threading.Event()

    def quiet():
        with npg.no_grad(), npg.inference_mode():
            inside.set()
            done.wait(10)
            modes["quiet"] = npg.is_grad_enabled(), npg.is_inference_mode_enabled()

    def loud():
        inside.wait(10)
        modes["loud"] = npg.is_grad_enabled(), npg.is_inference_mode_enabled()
        modes["recorded"] = (npg.ones(1, requires_grad=True) * 2).requires_grad
        done.set()

    together(quiet, loud)
    assert modes == {"quiet": (False, True), "loud": (True, False), "recorded": True}


def test_hooks_on_saved_tensors_are_each_threads_own():
    packed = []
    inside, done = threading.Event(), threading.Event()

    def hooked():
        with npg.autograd.graph.saved_tensors_hooks(lambda t: (packed.append(1), t)[1], lambda t: t):
            inside.set()
            done.wait(10)

    def plain():
        inside.wait(10)
        npg.ones(1, requires_grad=True).exp()
        done.set()

    together(hooked, plain)
    assert packed == []


def test_in_place_changes_from_several_threads_are_all_counted():
    x = npg.zeros(1)
    before = x._version

    def work():
        for _ in range(ROUNDS):
            x.add_(0.0)

    together(*[work] * 4)
    now = x._version
    assert now - before == 4 * ROUNDS


def test_error_in_one_threads_backward_leaves_the_others_alone():
    x = npg.ones(2, dtype=npg.float64, requires_grad=True)

    def fail():
        for _ in range(200):
            y = x.exp()
            with pytest.raises(RuntimeError, match="a second time"):
                y.sum().backward()
                y.sum().backward()

    def work():
        for _ in range(200):
            npg.autograd.grad((x * 2).sum(), x)
            assert npg.is_grad_enabled()

    together(fail, work, work)


STEPS = """
import gc, resource, sys
import npg, npg.nn as nn
gc.disable()
npg.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.GELU(), nn.Dropout(0.1), nn.Linear(16, 4))
optimizer = npg.optim.AdamW(model.parameters(), lr=1e-3)
x, y = npg.randn(32, 8), npg.randint(4, (32,))
def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()
def steps(n):
    for _ in range(n):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
steps(500)
before = resident()
steps(10_000)
print(resident() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_training_without_the_collector_does_not_grow():
    run = processes.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 2 << 20


def test_graph_that_two_backwards_share_is_freed_by_the_first():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        shared = x.exp()
        outcomes = []
        for root in ((shared * 2).sum(), (shared * 3).sum()):
            thread = threading.Thread(target=lambda root=root: outcomes.append(outcome(lambda: root.backward())[:70]))
            thread.start()
            thread.join()
        return outcomes, [round(v, 4) for v in values(x.grad)]

    assert_same(program)
