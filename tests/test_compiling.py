"""torch.compile, jit, compiler, _dynamo, fx: what they say of a function is kept, and the function runs as Python."""

import copy
import pickle
import threading
import time
import typing
import warnings

import pytest
import torch

import npg
from tests.transcripts import check_names, check_transcript

COMPILE = """
import functools
f = lambda x: x + 1
class M(torch.nn.Sequential): extra = 3
torch.compile(f)(1)
torch.compile(dynamic=False)(f)(1)
torch.compile(f, mode="x")
torch.compile(f, mode="default", options={"a": 1})
torch.compile(3)
m = M(torch.nn.Linear(2, 2), torch.nn.ReLU())
c = torch.compile(m)
torch.compile(m, disable=True) is m
type(c).__name__
repr(c)
c._orig_mod is m
list(c.state_dict())
[name for name, _ in c.named_modules()]
len(list(c.parameters()))
isinstance(c, M)
isinstance(c, torch.nn.Module)
c.training
c.eval() is c
(c.training, m.training)
m.train() is m
c.training
c.extra
c.extra = 4
m.extra
len(c)
c[0] is m[0]
c.nothing
c.load_state_dict(c.state_dict())
m.load_state_dict({k.removeprefix("_orig_mod."): v for k, v in c.state_dict().items()})
c(torch.zeros(2)).shape
m.compile()
m.compile(mode="x")
torch.compiler.disable(f)(3)
torch.compiler.disable()(f)(3)
torch.compiler.disable(reason="x")(f)(3)
torch.compiler.allow_in_graph(f) is f
torch.compiler.assume_constant_result(f) is f
torch.compiler.is_compiling()
torch.compiler.is_exporting()
torch.compiler.is_dynamo_compiling()
torch.compiler.reset()
torch.compiler.cudagraph_mark_step_begin()
torch.compiler.wrap_numpy(f)(3)
torch.compiler.substitute_in_graph(f)(lambda x: x - 1)(3)
torch.compiler.get_default_backend()
torch._dynamo.disable(f)(3)
torch._dynamo.graph_break()
torch._dynamo.is_compiling()
torch._dynamo.mark_dynamic(torch.ones(2), 0)
torch._dynamo.reset()
torch._dynamo.config.suppress_errors = True
torch._dynamo.config.suppress_errors
torch._dynamo.config.suppress_errors = False
torch._dynamo.config.cache_size_limit
torch._dynamo.eval_frame.OptimizedModule is torch._dynamo.OptimizedModule
torch.fx.wrap("f")
torch.fx.wrap(f) is f
torch.fx.wrap(3)
isinstance(m, torch.fx.GraphModule)
"""

JIT = """
f = lambda x: x + 1
torch.jit.ignore(f) is f
torch.jit.ignore(drop=True)(f) is f
torch.jit.ignore()(f) is f
torch.jit.ignore(drop=3)
torch.jit.unused(f) is f
torch.jit.export(f) is f
torch.jit.Final
torch.jit.annotate(int, 3)
torch.jit.Attribute(3, int)
torch.jit.is_scripting()
torch.jit.is_tracing()
torch.jit.script_if_tracing(f)(3)
torch.jit.onednn_fusion_enabled()
torch.jit.strict_fusion().__enter__()
[c.__name__ for c in torch.jit.Error.__mro__]
[c.__name__ for c in torch.jit.TracerWarning.__mro__]
torch.jit.isinstance(3, int)
torch.jit.isinstance(3, (int, str))
torch.jit.isinstance([1], list)
torch.jit.isinstance([1], list[int])
torch.jit.isinstance([1, "a"], list[int])
torch.jit.isinstance([], list[int])
torch.jit.isinstance({"a": 1}, dict[str, int])
torch.jit.isinstance({"a": "b"}, dict[str, int])
torch.jit.isinstance((1, "a"), tuple[int, str])
torch.jit.isinstance((1,), tuple[int, str])
torch.jit.isinstance([torch.ones(1)], list[torch.Tensor])
torch.jit.isinstance([[1], [2]], list[list[int]])
torch.jit.Future is torch.futures.Future
"""

SCRIPT = """
f = lambda x: x + 1
torch.jit.script(3)
torch.jit.script([1, 2])
torch.jit.trace(f, torch.ones(2))(torch.ones(3))
torch.jit.trace(f, (torch.ones(2), torch.ones(2)))
torch.jit.trace(f, "x")
torch.jit.trace(f)
torch.jit.trace(torch.nn.Linear(2, 3), torch.ones(2))(torch.ones(2)).shape
torch.jit.trace_module(torch.nn.Linear(2, 3), {"forward": torch.ones(2)})(torch.ones(2)).shape
torch.jit.trace_module(f, {})
list(torch.jit.script(torch.nn.Linear(2, 3)).state_dict())
torch.jit.script(torch.nn.Linear(2, 3))(torch.ones(2)).shape
torch.jit.wait(torch.jit.fork(f, 3))
torch.jit.fork(f, "x")
torch.jit.ScriptModule()
"""


@pytest.mark.parametrize("lines", [COMPILE, JIT], ids=["compile", "jit"])
def test_calls_are_answered_as_in_pytorch(lines):
    torch._dynamo.reset()
    check_transcript(lines, warnings_too=lines is JIT)  # PyTorch's compiler warns of its own code


def test_scripted_and_traced_functions_give_what_pytorchs_give():
    check_transcript(SCRIPT, warnings_too=False)  # PyTorch says in each call that TorchScript is deprecated


def test_a_scripted_module_says_why_it_cannot_be_saved():
    module = npg.jit.script(npg.nn.Linear(1, 1))
    with pytest.raises(
        AttributeError, match="'Linear' object has no attribute 'save'; npg has no TorchScript; save the s"
    ):
        module.save("module.pt")
    assert not hasattr(module, "graph")


def test_a_function_is_traced_as_often_as_in_pytorch():
    for check, runs in ((True, 3), (False, 1)):
        for library in (npg, torch):
            seen = []
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                library.jit.trace(lambda x, seen=seen: seen.append(1) or x, library.ones(2), check_trace=check)
            assert len(seen) == runs


@pytest.mark.parametrize(
    ("path", "absent", "other"),
    [
        ("jit", "", ""),
        ("compiler", "config", "compile"),
        ("futures", "", ""),
        ("fx", "", ""),
    ],
)
def test_modules_have_pytorchs_names_and_parameters(path, absent, other):
    check_names(path, absent, other)


REFUSED = """
jit.save(len,"x") jit.load("x") jit.ScriptFunction() jit.CompilationUnit() fx.symbolic_trace(len) fx.Graph()
fx.GraphModule(None,None) _dynamo.explain(len) _dynamo.export(len) onnx.export(None) export.export(None,())
compiler.load_compiled_function(None) compile(len,backend=lambda*a:len)
"""


@pytest.mark.parametrize("call", REFUSED.split())
def test_what_needs_a_graph_says_so_with_the_remedy(call):
    with pytest.raises((NotImplementedError, RuntimeError), match="^npg .*[;,] "):
        eval("npg." + call)


def test_unknown_backends_are_refused():
    for library in (npg, torch):
        with pytest.raises(RuntimeError, match="Invalid backend: 'xyz'"):
            library.compile(len, backend="xyz")


def test_a_compiled_module_is_copied_pickled_and_hooked():
    for library in (npg, torch):
        module = library.nn.Linear(2, 2)
        compiled = library.compile(module, backend="eager")
        calls = []
        module.register_forward_hook(lambda *_, calls=calls: calls.append("own"))
        compiled.register_forward_hook(lambda *_, calls=calls: calls.append("wrapper"))
        compiled(library.ones(2))
        assert calls == ["own", "wrapper"]
    compiled = npg.compile(npg.nn.Linear(2, 2))
    for twin in (copy.deepcopy(compiled), pickle.loads(pickle.dumps(compiled))):
        assert list(twin.state_dict()) == ["_orig_mod.weight", "_orig_mod.bias"]
        assert npg.equal(twin(npg.ones(2)), compiled(npg.ones(2)))
        assert twin.eval().training is False and compiled.training


def test_training_through_compile_is_training():
    losses = []
    for library in (npg, torch):
        library.manual_seed(0)
        model = library.nn.Sequential(library.nn.Linear(4, 8), library.nn.Tanh(), library.nn.Linear(8, 1))
        step = library.compile(model, backend="eager")
        optimizer = library.optim.SGD(step.parameters(), 0.1)
        x = library.randn(16, 4)
        for _ in range(5):
            optimizer.zero_grad()
            loss = step(x).pow(2).mean()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_isinstance_with_optional_and_union():
    for library in (npg, torch):
        check = library.jit.isinstance
        assert check(None, typing.Optional[int]) and check(3, typing.Optional[int])  # noqa: UP045
        assert not check("a", typing.Optional[int])  # noqa: UP045
        assert check([None, 1], list[typing.Optional[int]])  # noqa: UP045


# ----- Futures -----

FUTURES = """
f = torch.futures.Future()
f.done()
f.set_result(3)
f.done()
f.wait()
f.value()
f.set_result(4)
f.set_exception(ValueError("x"))
f = torch.futures.Future(); g = f.then(lambda x: x.wait() + 1)
g.done()
f.set_result(1)
g.wait()
f = torch.futures.Future(); f.set_exception(ValueError("boo"))
f.wait()
f.value()
f.done()
f.set_exception(3)
seen = []
f = torch.futures.Future(); f.add_done_callback(lambda x: seen.append(x.value())); f.set_result(5)
f.add_done_callback(lambda x: seen.append(x.value() + 1))
seen
torch.futures.wait_all([f, f])
len(torch.futures.collect_all([f, f]).wait())
torch.futures.collect_all([]).wait()
e = torch.futures.Future(); e.set_exception(ValueError("boo"))
torch.futures.wait_all([f, e])
torch.futures.collect_all([f, e]).wait()
torch.futures.Future(devices=["cuda:0"])
torch.futures.Future(devices=["cpu"])
import pickle; pickle.dumps(f)
"""


def test_futures_are_pytorchs():
    check_transcript(FUTURES)


def test_a_future_is_waited_for_and_callbacks_fail_alone(capsys):
    future = npg.futures.Future()
    threading.Thread(target=lambda: (time.sleep(0.05), future.set_result("late"))).start()
    assert future.wait() == "late"
    future.add_done_callback(lambda f: 1 / 0)
    assert "ZeroDivisionError: division by zero" in capsys.readouterr().err
    following = future.then(lambda f: 1 / 0)
    with pytest.raises(RuntimeError, match="Got the following error when running the callback: ZeroDivisionError"):
        following.wait()
    with pytest.raises(RuntimeError, match="not completed"):
        npg.futures.Future().value()
