"""The old weight_norm against PyTorch: its hook, by class and by function; tests/nn/test_utils.py has the numbers."""

import torch

from tests.twins import agree, attempt, warned


def test_the_hook_is_applied_and_removed_by_its_class():
    def program(lib):
        first = warned(lambda: lib.nn.utils.weight_norm(lib.nn.Linear(2, 2)))[0]
        cls = type(next(iter(first._forward_pre_hooks.values())))
        m = lib.nn.Linear(3, 2)
        fn, texts = warned(lambda: cls.apply(m, "weight", None))
        yield fn.name, fn.dim, texts, dict(m.state_dict()), fn.compute_weight(m)
        fn.remove(m)
        yield sorted(m.state_dict()), m.weight, type(m.weight) is lib.nn.Parameter

    agree(program)


def test_refusals_are_torchs_and_change_nothing():
    def program(lib):
        norm = lib.nn.utils.weight_norm
        yield warned(lambda: attempt(lambda: norm(lib.nn.LazyLinear(2))))[0]
        for call in (
            lambda m: norm(m, "nothing"),
            lambda m: norm(m, dim=2),
            lambda m: lib.nn.utils.remove_weight_norm(m),
        ):
            m = lib.nn.Linear(3, 2)
            yield warned(lambda call=call, m=m: attempt(lambda: call(m)))[0]
            # PyTorch's may have lost its weight.
            assert lib is torch or sorted(m.state_dict()) == ["bias", "weight"] and not m._forward_pre_hooks
        m = lib.nn.Linear(3, 2)
        warned(lambda: norm(m))
        yield warned(lambda: attempt(lambda: norm(m)))[0], sorted(m.state_dict())
        yield lib.nn.utils.remove_weight_norm(m) is m, dict(m.state_dict()), len(m._forward_pre_hooks)

    agree(program)
