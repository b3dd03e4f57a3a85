"""Objects of the engine's types made in unintended ways: an exception, never the end of the process.

Each type is called without arguments and with wrong ones, made by __new__, subclassed. Whatever results, and real
objects too, is copied, pickled, has every attribute read, set and deleted, and every method called. This runs in a
process of its own, because the failure would be a crash.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import npg

SCRIPT = """
import copy, faulthandler, operator, pickle, sys, warnings
faulthandler.enable()
warnings.simplefilter("ignore")
import numpy as np
import npg
from npg.engine import apply
from npg.engine._select import core
from npg.kernels import core as kernels, programs

WRONG = [(), (None,), (1,), ("a",), ((),), (None, None), (1, 2, 3), (np.ones(2), np.ones(2))]
BINARY = [operator.add, operator.mul, operator.matmul, operator.eq, operator.lt, operator.getitem, operator.iadd]
UNARY = [repr, str, hash, len, list, bool, float, operator.neg, operator.index, copy.copy, copy.deepcopy, dir, vars]
VALUES = [None, 0, "a", (), [], {}, np.ones(2), object()]
WAITING = {"__del__", "share_memory_", "pin_memory"}
done = 0


def attempt(function, *args, **kwargs):
    global done
    done += 1
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return error


def poke(x):
    for function in UNARY:
        attempt(function, x)
    for function in BINARY:
        attempt(function, x, x), attempt(function, x, 1), attempt(function, 1, x)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = attempt(pickle.dumps, x, protocol)
        if isinstance(data, bytes):
            attempt(pickle.loads, data)
    for name in dir(type(x)):
        if name in WAITING:
            continue
        member = attempt(getattr, x, name)
        if callable(member) and name != "__class__":
            attempt(member)
            attempt(member, None)
            attempt(member, x)
            attempt(member, 1, 2)
    for name in dir(type(x)):
        if name.startswith("__"):
            continue
        before = attempt(getattr, x, name)
        for value in VALUES:
            if not isinstance(attempt(setattr, x, name, value), Exception):
                use(x)
        if not isinstance(attempt(delattr, x, name), Exception):
            use(x)
        attempt(setattr, x, name, before)


def use(x):
    attempt(repr, x)
    if isinstance(x, core.TensorBase):
        attempt(lambda: (x * 2 + x).sum().backward())
        attempt(lambda: x.mul_(2))
        attempt(lambda: x[0])
    elif isinstance(x, core.Node):
        attempt(x.check_versions), attempt(lambda: x.next_functions), attempt(x.name)
        attempt(lambda: npg.autograd.grad(roots[-1], leaf, retain_graph=True))
        attempt(lambda: npg.autograd.grad(roots[-1], leaf, retain_graph=True, create_graph=True))
    elif callable(x):
        attempt(x, 1), attempt(x, leaf), attempt(x, leaf, leaf)


leaf = npg.ones(3, requires_grad=True)
roots = []


def real():
    hooked = (leaf * leaf).sin()
    hooked.register_hook(lambda g: g)
    fused = npg.softmax(hooked, 0)
    parts = (fused * 1).split(1)
    roots.append((parts[0] * parts[1].exp() + fused.max(0)[0]).sum())
    made = [leaf, hooked, roots[-1], leaf._counter, npg.nn.Parameter(npg.ones(2)), npg.add, npg.Tensor.mul_]
    twice = programs.program(lambda x: x * 2)
    twice(np.ones(2))
    made.append(twice._runner)
    stack, seen = [roots[-1].grad_fn], set()
    while stack:
        node = stack.pop()
        if node is not None and id(node) not in seen:
            seen.add(id(node))
            made.append(node)
            stack.extend(f for f, _ in node.next_functions)
    made.append(made[-1].op.plan if hasattr(made[-1], "op") else None)
    return made


rooms = ("npg.engine", "npg.kernels")
kinds = {t for module in (core, kernels) for t in vars(module).values() if isinstance(t, type)}
kinds = {t for t in kinds if t.__module__.startswith(rooms)}
kinds |= {type(x) for x in real()} - {type(None)}
for kind in sorted(kinds, key=lambda t: t.__name__):
    found = [attempt(kind, *args) for args in WRONG] + [attempt(kind, a=1), attempt(kind.__new__, kind)]
    found += [attempt(object.__new__, kind), attempt(kind.__new__, object), attempt(kind.__new__)]
    sub = attempt(type, "Sub", (kind,), {})
    if isinstance(sub, type):
        found += [attempt(sub, *args) for args in WRONG] + [attempt(sub.__new__, sub), attempt(object.__new__, sub)]
    for x in found:
        if not isinstance(x, Exception):
            use(x)
            poke(x)
    if issubclass(kind, Exception):
        continue
    for name in dir(kind):  # methods without an object, and with a foreign one
        member = attempt(getattr, kind, name)
        if callable(member) and name not in WAITING:
            attempt(member), attempt(member, None), attempt(member, object()), attempt(member, kind)
for x in real():
    poke(x)
    use(x)
print("alive", done > 5000, len(kinds))
"""


def test_objects_of_the_engines_types_never_end_the_process(engine, tmp_path):
    if engine.name == "python":
        pytest.skip("ordinary Python objects, which cannot crash")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "NPG_ENGINE": engine.name, "PYTHONPATH": str(Path(npg.__file__).parents[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0 and run.stdout.startswith("alive True"), run.stdout + run.stderr[-3000:]


def test_bare_tensor_is_empty(engine):
    for bare in (engine.TensorBase(), engine.TensorBase.__new__(engine.TensorBase)):
        assert bare._array.shape == (0,) and bare._counter.value == 0 and bare.is_leaf


def test_engines_own_types_cannot_be_made(engines):
    cython = engines["cython"]
    for kind in (cython.Node, cython.Plan):
        with pytest.raises(TypeError, match="cannot create"):
            kind()
        with pytest.raises(TypeError):
            kind.__new__(kind)
        with pytest.raises(TypeError):
            object.__new__(kind)


def test_none_for_an_array_or_a_tensor_is_refused(engines):
    # A typed argument in Cython accepts None, whose memory would then be read as an array's fields.
    core = engines["cython"]
    x = core.wrap(np.ones(2))
    calls = [x._set_array, x._swap_array, x._share_version, core.check_in_place, core.bump_version]
    calls += [lambda none: core.write_out("exp", x, none), core.register_tensor_class]
    for call in calls:
        with pytest.raises(TypeError, match="incorrect type"):
            call(None)
    assert x._array.shape == (2,) and x._counter.value == 0
