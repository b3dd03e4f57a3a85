"""Grad mode, inference mode and evaluation mode, however they are switched; against torch."""

import asyncio
import inspect

import pytest

from .programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


@program
def deco_fn(lib):
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
def deco_recursive(lib):
    @lib.no_grad()
    def f(n):
        return [lib.is_grad_enabled()] + (f(n - 1) if n else [])

    return f(3), lib.is_grad_enabled()


@program
def deco_gen(lib):
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
def deco_gen_close(lib):
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
def deco_gen_raise(lib):
    @lib.no_grad()
    def g():
        yield 1
        raise KeyError("x")

    it = g()
    next(it)
    return outcome(lambda: next(it)), lib.is_grad_enabled()


@program
def deco_coro(lib):
    @lib.no_grad()
    async def f():
        a = lib.is_grad_enabled()
        await asyncio.sleep(0)
        return a, lib.is_grad_enabled()

    return asyncio.run(f()), inspect.iscoroutinefunction(f)


@program
def deco_agen(lib):
    @lib.no_grad()
    async def f():
        yield lib.is_grad_enabled()

    async def m():
        return [found async for found in f()]

    return asyncio.run(m())


@program
def deco_class(lib):
    r = []
    for m in (lib.no_grad(), lib.no_grad, lib.enable_grad(), lib.inference_mode(), lib.set_grad_enabled(False)):

        class A:
            def __init__(self):
                self.g = lib.is_grad_enabled()

            def now(self):
                return lib.is_grad_enabled()

        with pytest.warns(FutureWarning, match="Decorating classes is deprecated"):
            made = m(A)()
        r.append((made.g, made.now()))
        lib.set_grad_enabled(True)
    return r


@program
def deco_name(lib):
    @lib.no_grad()
    def foo(x: int) -> int:
        "doc"
        return x

    return foo.__name__, foo.__doc__, foo.__wrapped__(2), foo.__annotations__


@program
def deco_method(lib):
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


@program
def reenter(lib):
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
def evalmode(lib):
    m = lib.nn.Dropout(0.5).eval()
    x = lib.ones(4, requires_grad=True)
    y = m(x)
    return y.requires_grad, values(y), lib.is_grad_enabled()


@program
def setge2(lib):
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


@program
def inference_nested(lib):
    r = []
    with lib.inference_mode():
        r.append((lib.is_grad_enabled(), lib.is_inference_mode_enabled()))
        with lib.inference_mode(False):
            r.append((lib.is_grad_enabled(), lib.is_inference_mode_enabled(), lib.ones(1).is_inference()))
        r.append((lib.is_grad_enabled(), lib.is_inference_mode_enabled()))
    with lib.no_grad():
        with lib.inference_mode(False):
            r.append(lib.is_grad_enabled())
        r.append(lib.is_grad_enabled())
    return r


@program
def inference_tensors(lib):
    x = lib.ones(3, requires_grad=True)
    n = lib.ones(3)
    short = lambda f: outcome(f)[:60]
    with lib.inference_mode():
        i = lib.ones(3)
        nv = n[:2]
        r = [t.is_inference() for t in (i, nv, i.clone(), x * 2, i[:2], i.data, lib.ones(2, requires_grad=True))]
        n.add_(1)
        i.add_(1)
        nv.add_(1)
        r.append(
            (
                n._version,
                values(i),
                short(lambda: (x * 2).backward(lib.ones(3))),
                short(lambda: i.requires_grad_()),
                i.requires_grad,
            )
        )
        i.requires_grad_(False)
        j = i[:2]
    r += [
        short(lambda: i.add_(1)),
        short(lambda: j.mul_(2)),
        short(lambda: i.zero_()),
        short(lambda: i.copy_(n)),
        short(lambda: i.__setitem__(0, 2.0)),
        short(lambda: nv.add_(1)),
        n._version,
    ]
    r += [
        short(lambda: x * i),
        short(lambda: i * x),
        short(lambda: x + i),
        short(lambda: (x * 1).add_(i)),
        short(lambda: (x * 1).mul_(i)),
        short(lambda: n.add_(i)),
        short(lambda: lib.nn.functional.linear(x, i[None])),
    ]
    r += [short(lambda: i.requires_grad_()), i.requires_grad, short(lambda: i.requires_grad_(False))]
    r += [t.is_inference() for t in (i.clone(), i * 2, i[:1], i.view(3))]
    with lib.no_grad():
        r.append(short(lambda: i.add_(1)))
    return r


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
