"""Hooks of modules: the same programs in torch."""

import warnings
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import pytest

import npg
from tests.transcripts import check_transcript
from tests.twins import agree, attempt, warned

Pair = namedtuple("Pair", "a b")


def leaf(lib: Any, *values: float) -> Any:
    return lib.tensor(values, requires_grad=True)


def mixing(lib: Any) -> Any:
    """Return a module with several inputs and outputs, of which some are no tensors or have no gradient."""

    class Mixing(lib.nn.Module):  # type: ignore[name-defined,misc]
        def forward(self, a: Any, b: Any, c: Any = None) -> Any:
            return a * 2 + b, b * 3, "text", a.detach()

    return Mixing()


def plain(gradients: Any) -> Any:
    """Return gradients as lists, None where there is none."""
    return [g if g is None else g.tolist() for g in gradients]


# ----- Forward hooks -----


def test_forward_hooks_orders_and_replacements_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = lib.nn.Identity()
        seen: list[Any] = []
        m.register_forward_pre_hook(lambda mod, args: seen.append("pre") or args[0] + 1)
        m.register_forward_pre_hook(lambda mod, args: seen.append("first pre"), prepend=True)
        m.register_forward_hook(lambda mod, args, out: seen.append("post"))
        handle = m.register_forward_hook(lambda mod, args, out: seen.append("first post") or out * 10, prepend=True)
        yield m(lib.ones(2))
        handle.remove()
        handle.remove()
        yield m(lib.ones(2))
        yield seen
        with m.register_forward_hook(lambda mod, args, out: out * 3):
            yield m(lib.ones(2))
        yield m(lib.ones(2))

    agree(program)


def test_forward_hooks_with_kwargs_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        class Scaled(lib.nn.Module):  # type: ignore[name-defined,misc]
            def forward(self, x: Any, by: float = 1.0) -> Any:
                return x * by

        m = Scaled()
        seen: list[Any] = []
        m.register_forward_pre_hook(lambda mod, args, kwargs: (args, {"by": kwargs.get("by", 0) + 1}), with_kwargs=True)
        m.register_forward_hook(lambda mod, args, kwargs, out: seen.append(kwargs), with_kwargs=True)
        yield m(lib.ones(1), by=2.0)
        yield seen
        handle = m.register_forward_pre_hook(lambda mod, args, kwargs: args, with_kwargs=True)
        yield attempt(lambda: m(lib.ones(1), by=2.0))
        handle.remove()
        yield len(m._forward_pre_hooks), len(m._forward_pre_hooks_with_kwargs)
        m.register_forward_hook(lambda mod, args, kwargs, out: (out, kwargs["by"]), with_kwargs=True)
        yield m(lib.ones(1))

    agree(program)


def test_forward_hook_always_called_runs_after_an_error() -> None:
    def program(lib: Any) -> Iterator[Any]:
        class Broken(lib.nn.Module):  # type: ignore[name-defined,misc]
            def forward(self, x: Any) -> Any:
                raise ValueError("broken")

        m = Broken()
        seen: list[Any] = []
        m.register_forward_hook(lambda mod, args, out: seen.append(("plain", out)))
        m.register_forward_hook(lambda mod, args, out: seen.append(("always", out)), always_call=True)
        m.register_forward_hook(
            lambda mod, args, kwargs, out: seen.append(("kwargs", kwargs)), always_call=True, with_kwargs=True
        )
        yield attempt(lambda: m(lib.ones(1)))
        yield seen
        m.register_forward_hook(lambda mod, args, out: 1 / 0, always_call=True)
        yield warned(lambda: attempt(lambda: m(lib.ones(1))))
        whole = lib.nn.Identity()
        whole.register_forward_hook(lambda mod, args, out: 1 / 0)
        whole.register_forward_hook(lambda mod, args, out: seen.append(out.tolist()), always_call=True)
        whole.register_forward_hook(lambda mod, args, out: seen.append("once"), always_call=True, prepend=True)
        yield attempt(lambda: whole(lib.ones(1)))
        yield seen[4:]

    agree(program)


# ----- Backward hooks -----


def test_full_backward_hooks_see_what_torchs_see() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = mixing(lib)
        seen: list[Any] = []
        m.register_full_backward_hook(lambda mod, gi, go: seen.append((plain(gi), plain(go))))
        m.register_full_backward_pre_hook(lambda mod, go: seen.append(plain(go)))
        a, b = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        for x, y in ((a, b), (a, b.detach()), (a.detach(), b), (a, lib.tensor([1, 2]))):
            results = m(x, y, 3)
            yield [getattr(r, "requires_grad", None) for r in results]
            results[0].sum().backward()
            yield seen.pop(0), seen.pop(0)
        results = m(a, b)
        results[1].sum().backward()
        yield seen.pop(), a.grad, b.grad
        yield attempt(lambda: m(a, b)[1].add_(1)).split("being modified")[1][:9]

    agree(program)


def test_full_backward_hooks_replace_gradients_as_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        a = leaf(lib, 1.0, 2.0)
        m = lib.nn.Identity()
        m.register_full_backward_hook(lambda mod, gi, go: (gi[0] * 3,))
        m.register_full_backward_hook(lambda mod, gi, go: (gi[0] + 1,), prepend=True)
        m.register_full_backward_pre_hook(lambda mod, go: (go[0] * 5,))
        m.register_full_backward_pre_hook(lambda mod, go: (go[0] + 2,), prepend=True)
        y = m(a)
        yield y.grad_fn.name()
        y.sum().backward()
        yield a.grad
        a.grad = None
        model = lib.nn.Sequential(lib.nn.Linear(2, 3), m, lib.nn.Tanh())
        model(a).sum().backward()
        yield a.grad, model[0].weight.grad

    agree(program)


def test_full_backward_hooks_and_gradients_of_gradients_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        a = leaf(lib, 1.0, 2.0)
        m = lib.nn.Softplus()
        seen: list[Any] = []
        m.register_full_backward_hook(lambda mod, gi, go: seen.append((gi[0].requires_grad, plain(go))))
        (g,) = lib.autograd.grad((m(a) ** 2).sum(), a, create_graph=True)
        yield g.detach()
        yield lib.autograd.grad(g.sum(), a)
        yield seen

    agree(program)


def test_full_backward_hook_without_input_gradients_fires_on_outputs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        m = lib.nn.Linear(2, 1)
        seen: list[Any] = []
        handle = m.register_full_backward_hook(lambda mod, gi, go: seen.append((gi, plain(go))))
        yield warned(lambda: m(lib.ones(1, 2)).sum().backward())
        yield seen
        handle.remove()
        m.register_full_backward_hook(lambda mod, gi, go: (lib.ones(1, 2),))
        yield warned(lambda: attempt(lambda: m(lib.ones(1, 2)).sum().backward()))
        with lib.no_grad():
            yield m(lib.ones(1, 2)).requires_grad

    agree(program)


def test_full_backward_hook_keeps_a_named_tuple() -> None:
    def program(lib: Any) -> Iterator[Any]:
        class Two(lib.nn.Module):  # type: ignore[name-defined,misc]
            def forward(self, x: Any) -> Any:
                return Pair(x * 2, x * 3)

        m = Two()
        m.register_full_backward_hook(lambda mod, gi, go: (gi[0] * 10,))
        a = leaf(lib, 1.0)
        result = m(a)
        yield type(result).__name__
        (result.a + result.b).sum().backward()
        yield a.grad

    agree(program)


def test_backward_hooks_refusals_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        a = leaf(lib, 1.0, 2.0)
        m = mixing(lib)
        handle = m.register_full_backward_hook(lambda mod, gi, go: (gi[0],))
        yield attempt(lambda: m(a, a)[0].sum().backward())
        handle.remove()
        yield attempt(lambda: m.register_backward_hook(print))
        handle = m.register_full_backward_pre_hook(lambda mod, go: (go[0],) * 2)
        yield attempt(lambda: m(a, a)[0].sum().backward())
        handle.remove()
        old = lib.nn.Identity()
        old.register_backward_hook(print)
        yield attempt(lambda: old.register_full_backward_hook(print))

        class Named(lib.nn.Module):  # type: ignore[name-defined,misc]
            def forward(self, x: Any) -> Any:
                return {"y": x * 2}

        named = Named()
        named.register_full_backward_hook(lambda *given: None)
        yield warned(lambda: named(a)["y"].requires_grad)

    agree(program)


def test_backward_hook_of_another_shape_raises() -> None:
    m = npg.nn.Identity()
    m.register_full_backward_hook(lambda mod, gi, go: (gi[0][:1],))
    x = leaf(npg, 1.0, 2.0)
    with pytest.raises(RuntimeError, match="hook has changed the size of value: .* shape .1,., but expected .2,."):
        m(x).sum().backward()
    assert x.grad is None


def test_backward_hook_of_the_older_kind_is_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        a, b = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
        m = lib.nn.Tanh()
        seen: list[Any] = []
        m.register_backward_hook(lambda mod, gi, go: seen.append((plain(gi), plain(go))) or (gi[0] * 2,))
        yield warned(lambda: m(a * 1).sum().backward())
        yield seen, a.grad
        for make in (lambda r: r, lambda r: r[0], lambda r: [r[1]], lambda r: {"y": r[0]}, lambda r: (r[0], (r[1],))):

            class Several(lib.nn.Module):  # type: ignore[name-defined,misc]
                def forward(self, x: Any, y: Any) -> Any:
                    return make((x.exp() * y, y.exp()))  # noqa: B023

            several = Several()
            several.register_backward_hook(lambda *given: None)
            yield warned(lambda: type(several(a, b)).__name__)  # noqa: B023
        yield warned(lambda: type(several(a, y=b)).__name__)

    agree(program)


def test_backward_hooks_leave_no_cycle_in_the_inputs() -> None:
    import gc
    import weakref

    m = npg.nn.Linear(2, 2)
    m.register_full_backward_hook(lambda *given: None)
    gc.disable()
    try:
        x = npg.ones(1, 2, requires_grad=True)
        gone = weakref.ref(x)
        m(x).sum().backward()
        del x
        assert gone() is None
    finally:
        gc.enable()


def test_module_with_hooks_copies_and_pickles_tables() -> None:
    import copy
    import pickle

    m = npg.nn.Linear(2, 2)
    m.register_forward_hook(_double)
    m.register_full_backward_hook(_same)
    for twin in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        x = npg.ones(1, 2, requires_grad=True)
        assert twin(x).tolist() == m(x).tolist()
    old = {k: v for k, v in m.__dict__.items() if not k.endswith(("hooks", "kwargs", "called"))}
    revived = npg.nn.Linear.__new__(npg.nn.Linear)
    revived.__setstate__(old)  # as pickled before there were hooks
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert revived(npg.ones(1, 2)).shape == (1, 2)


def _double(module: Any, args: Any, output: Any) -> Any:
    return output * 2


def _same(module: Any, grad_inputs: Any, grad_outputs: Any) -> None:
    return None


def test_hooks_of_pytorchs_own_on_state_dicts():
    check_transcript("""
torch.nn.Module.dump_patches, torch.nn.Module.T_destination
m = torch.nn.Linear(1, 1)
h = m._register_state_dict_hook(lambda m, s, p, meta: {"own": 1})
m.state_dict()
h.remove(); list(m.state_dict())
h = m._register_state_dict_hook(lambda m, s, p, meta: None)
list(m.state_dict())
h.remove(); n = torch.nn.Sequential(m)
h = m._register_load_state_dict_pre_hook(lambda s, p, *a: print(sorted(s), p, len(a)))
n.load_state_dict(n.state_dict())
h.remove()
h = m._register_load_state_dict_pre_hook(lambda m, s, p, *a: s.pop("0.bias"), with_module=True)
n.load_state_dict(n.state_dict(), strict=False)
m._call_impl(torch.zeros(1)).shape, m._wrapped_call_impl(torch.zeros(1)).shape
""")
