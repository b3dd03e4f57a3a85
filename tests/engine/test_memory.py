"""Memory on each engine: no cycles, saved buffers freed as soon as used, deep graphs in a small stack."""

import gc
import os
import sys
import textwrap
import weakref
from typing import Any

import numpy as np
import pytest

from npg.ops._op import primitive
from tests import processes
from tests.engine.programs import leaf, squash


def test_graph_without_the_collector_is_freed(engine: Any) -> None:
    gc.collect()
    gc.disable()
    try:
        x = leaf(engine, [1.0])
        y = engine.apply(squash, (x * x,), {})
        node, value = weakref.ref(y.grad_fn), weakref.ref(y)
        z = y * y + y
        engine.run_backward((z,), (None,), False, False)
        del y, z
        assert node() is None and value() is None
    finally:
        gc.enable()


def test_recorded_backward_without_the_collector_is_freed(engine: Any) -> None:
    gc.collect()
    gc.disable()
    try:
        x = leaf(engine, [2.0])
        y = engine.apply(squash, (x * x,), {})
        (g,) = engine.run_backward((y,), (None,), True, True, [x], False)
        nodes = [weakref.ref(g.grad_fn), weakref.ref(y.grad_fn)]
        del y, g
        assert [n() for n in nodes] == [None, None]
    finally:
        gc.enable()


def test_backward_frees_what_a_node_saved_before_the_next_node_runs(engine: Any) -> None:
    alive: list[Any] = []
    freed: list[bool] = []

    @primitive(lambda g, _y, x: g * x)
    def later(input):
        return input * 1.0

    def look(g: Any, _y: Any, _x: Any) -> Any:
        freed.append(alive[0]() is None)
        return g

    @primitive(look)
    def earlier(input):
        return input * 1.0

    x = leaf(engine, np.ones(3))
    y = engine.apply(earlier, (x,), {})
    z = y * 1.0
    alive.append(weakref.ref(z))
    z = engine.apply(later, (z,), {})
    engine.run_backward((z,), (None,), False, False)
    assert freed == [True]


DEEP = """
import gc, sysconfig, threading
gc.disable()
import numpy as np
from npg import engine
from npg.engine import wrap, run_backward
import npg.tensor

def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096 / 1e6

failures = []

def chain(n):
    x, one = wrap(np.ones(2, np.float32)), wrap(np.ones(2, np.float32))
    x._set_requires_grad(True)
    y = x
    for _ in range(n):
        y = y + one
    run_backward((y,), (None,), False, False)
    if x._grad._array.tolist() != [1.0, 1.0] or y._array[0] != n + 1:
        failures.append((x._grad._array, y._array))

def in_thread():
    thread = threading.Thread(target=chain, args=(NODES,))
    thread.start()
    thread.join()

threading.stack_size(256 * 1024)
chain(1000)
most = 10
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    # The allocator of such a build keeps pages that were used once, and returns some at any time. If a chain leaked,
    # the next one would need 300 MB more.
    most = 200
    chain(NODES)
    in_thread()
before = resident()
chain(NODES)
after = resident()
in_thread()
print(engine.name, after - before, resident() - before, failures)
assert not failures and after - before < most and resident() - before < most
"""


def run_alone(engine: Any, program: str, timeout: float = 300) -> None:
    """Run a program, which prints the engine's name at its end, in a separate process."""
    run = processes.run(
        [sys.executable, "-c", program],
        env={**os.environ, "NPG_ENGINE": engine.name},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.startswith(engine.name)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the resident size from /proc")
def test_deep_chain_leaves_nothing_behind(engine: Any) -> None:
    nodes = 1_000_000 if engine.name == "cython" else 200_000  # which take Python as long: 40 microseconds each
    run_alone(engine, textwrap.dedent(DEEP).replace("NODES", str(nodes)))


# While a thread frees a graph, and waits in a destructor there, another one forks.
FORK = """
import os, threading, warnings, weakref
import npg
from npg import engine
warnings.simplefilter("ignore")  # of forking with threads

class Waiting:
    def __del__(self):
        begun.set()
        go_on.wait()

def graph(mark):
    x = npg.ones(2, requires_grad=True) * 2
    x.mark = mark
    return (x * x).sum()

begun, go_on = threading.Event(), threading.Event()
thread = threading.Thread(target=lambda: graph(Waiting()) and None)
thread.start()
begun.wait()
pid = os.fork()
if not pid:
    mark = type("Mark", (), {})()
    seen = weakref.ref(mark)
    y = graph(mark)
    del mark, y
    os._exit(0 if seen() is None else 3)
go_on.set()
thread.join()
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print(engine.name)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_process_frees_graphs(engine: Any) -> None:
    run_alone(engine, FORK, timeout=120)


# A thread holds the lock under which gradients are added up, vmaps counted and profilers started; another one forks.
LOCKED = """
import os, signal, threading, warnings
import npg
from npg import engine
from npg.engine._guard import guard
warnings.simplefilter("ignore")  # of forking with threads

def work():
    w = npg.ones(2, requires_grad=True)
    for _ in range(2):
        (w * 2).sum().backward()
    npg.func.vmap(npg.func.grad(lambda x: x * x))(npg.ones(3))
    with npg.profiler.profile():
        npg.ones(2) * 2
    return w.grad.tolist() == [4, 4]

def hold():
    with guard:
        held.set()
        go_on.wait(0.2)

assert work()
held, go_on = threading.Event(), threading.Event()
thread = threading.Thread(target=hold)
thread.start()
held.wait()
pid = os.fork()
if not pid:
    signal.alarm(20)  # ends it
    os._exit(0 if work() else 3)
go_on.set()
thread.join()
assert work()
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print(engine.name)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_process_forked_while_a_thread_adds_up_gradients_does_not_hang(engine: Any) -> None:
    run_alone(engine, LOCKED, timeout=120)
