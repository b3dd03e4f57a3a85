"""PyTorch's pages "torch.no_grad", "enable_grad", "set_grad_enabled", "inference_mode": as decorators and contexts."""

import asyncio
import inspect

import pytest

from ..programs import collect, compared, outcome

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- As decorators -----


@program
def function(lib):
    r = []
    for m in (
        lib.no_grad,
        lib.no_grad(),
        lib.enable_grad,
        lib.enable_grad(),
        lib.inference_mode,
        lib.inference_mode(),
        lib.inference_mode(False),
        lib.set_grad_enabled(False),
        lib.set_grad_enabled(True),
    ):
        f = m(lambda: (lib.is_grad_enabled(), lib.is_inference_mode_enabled()))
        r.append((f(), f(), lib.is_grad_enabled()))
        with lib.no_grad():
            r.append(f())
    return r


@program
def recursive_function(lib):
    @lib.no_grad()
    def f(n):
        return [lib.is_grad_enabled()] + (f(n - 1) if n else [])

    return f(3), lib.is_grad_enabled()


@program
def generator(lib):
    @lib.no_grad()
    def g():
        r = []
        for i in range(3):
            try:
                x = yield (i, lib.is_grad_enabled())
            except ValueError:
                x = "caught"
            r.append((x, lib.is_grad_enabled()))
        return r

    it = g()
    out = [next(it), lib.is_grad_enabled(), it.send("s"), it.throw(ValueError("x"))]
    try:
        it.send("end")
    except StopIteration as e:
        out.append(e.value)
    it = g()
    next(it)
    it.close()
    out.append(lib.is_grad_enabled())
    return out


@program
def generator_is_closed(lib):
    log = []

    @lib.no_grad()
    def g():
        try:
            yield 1
        finally:
            log.append(lib.is_grad_enabled())

    it = g()
    next(it)
    it.close()
    it = g()
    next(it)
    del it
    return log


@program
def generator_raises(lib):
    @lib.no_grad()
    def g():
        yield 1
        raise KeyError("x")

    it = g()
    next(it)
    return outcome(lambda: next(it)), lib.is_grad_enabled()


@program
def coroutine(lib):
    @lib.no_grad()
    async def f():
        a = lib.is_grad_enabled()
        await asyncio.sleep(0)
        return a, lib.is_grad_enabled()

    return asyncio.run(f()), inspect.iscoroutinefunction(f)


@program
def asynchronous_generator(lib):
    @lib.no_grad()
    async def f():
        yield lib.is_grad_enabled()

    async def m():
        return [mode async for mode in f()]

    return asyncio.run(m())


@program
def decorated_class(lib):
    r = []
    for m in (lib.no_grad(), lib.no_grad, lib.enable_grad(), lib.inference_mode(), lib.set_grad_enabled(False)):

        class A:
            def __init__(self):
                self.g = lib.is_grad_enabled()

            def now(self):
                return lib.is_grad_enabled()

        with pytest.warns(FutureWarning, match="Decorating classes is deprecated"):
            instance = m(A)()
        r.append((instance.g, instance.now()))
        lib.set_grad_enabled(True)
    return r


@program
def name_and_annotations(lib):
    @lib.no_grad()
    def foo(x: int) -> int:
        "doc"
        return x

    return foo.__name__, foo.__doc__, foo.__wrapped__(2), foo.__annotations__


@program
def methods(lib):
    class A:
        @lib.no_grad()
        def f(self):
            return lib.is_grad_enabled()

        @staticmethod
        @lib.no_grad()
        def g():
            return lib.is_grad_enabled()

        @classmethod
        @lib.no_grad()
        def h(cls):
            return lib.is_grad_enabled()

        @property
        @lib.no_grad()
        def q(self):
            return lib.is_grad_enabled()

    return A().f(), A.g(), A.h(), A().q


# ----- As contexts -----


@program
def context_is_entered_again(lib):
    m = lib.no_grad()
    r = []
    with m:
        r.append(lib.is_grad_enabled())
    r.append(lib.is_grad_enabled())
    with m:
        with lib.enable_grad():
            r.append(lib.is_grad_enabled())
        r.append(lib.is_grad_enabled())
    return r + [lib.is_grad_enabled()]


@program
def set_grad_enabled(lib):
    r = []
    lib.set_grad_enabled(False)
    r.append(lib.is_grad_enabled())
    lib.set_grad_enabled(True)
    with lib.set_grad_enabled(False):
        r.append(lib.is_grad_enabled())
    r.append(lib.is_grad_enabled())
    c = lib.set_grad_enabled(False)
    r.append(lib.is_grad_enabled())
    with c:
        r.append(lib.is_grad_enabled())
    r.append(lib.is_grad_enabled())
    lib.set_grad_enabled(True)
    r.append(repr(lib.set_grad_enabled(mode=True)))
    r += [outcome(lambda: lib.set_grad_enabled(1)), outcome(lambda: lib.set_grad_enabled("a"))]
    r += [
        lib.set_grad_enabled(True).clone().mode,
        outcome(lambda: lib.no_grad().clone()),
        lib.inference_mode(False).clone().mode,
    ]
    return r


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
