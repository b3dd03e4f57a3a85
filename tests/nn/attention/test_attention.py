"""nn.attention: settings that are kept and put back, and the registry of implementations, as PyTorch's."""

import logging
from pathlib import Path

import pytest
import torch
from torch.nn.attention import SDPBackend as TheirBackend, sdpa_kernel as their_kernel

import npg
from npg.backends import cuda
from npg.nn import attention
from npg.nn.attention import SDPBackend, sdpa_kernel
from tests.helpers import assert_same_error
from tests.twins import agree, attempt


def enabled(module):
    return [getattr(module, f"{name}_sdp_enabled")() for name in ("flash", "mem_efficient", "math", "cudnn")]


@pytest.mark.parametrize("chosen", [["MATH"], ["FLASH_ATTENTION", "CUDNN_ATTENTION"], ["MATH", "MATH"], []])
def test_block_permits_the_paths_it_names_and_puts_them_back(chosen):
    before = enabled(cuda)
    ours, theirs = ([getattr(kind, name) for name in chosen] for kind in (SDPBackend, TheirBackend))
    with pytest.raises(KeyError), sdpa_kernel(ours), their_kernel(theirs):
        assert enabled(cuda) == enabled(torch.backends.cuda) != before
        raise KeyError
    assert enabled(cuda) == before
    with sdpa_kernel(SDPBackend.MATH, set_priority=True), their_kernel(TheirBackend.MATH, set_priority=True):
        assert enabled(cuda) == enabled(torch.backends.cuda)


def test_paths_are_named_as_in_pytorch():
    for name, path in TheirBackend.__members__.items():
        mine = SDPBackend[name]
        assert (repr(mine), str(mine), int(mine)) == (repr(path), str(path), int(path))


def test_anything_but_paths_is_refused():
    assert_same_error(lambda: sdpa_kernel("x").__enter__(), lambda: their_kernel("x").__enter__())


def test_registry_is_pytorchs(caplog):
    class Handle:
        removed = 0

        def remove(self):
            self.removed += 1

    def program(lib):
        module = lib.nn.attention
        yield module.list_flash_attention_impls(), module.current_flash_attention_impl()
        for name in ("FA3", "FA4", "none"):
            yield attempt(lambda: module.activate_flash_attention_impl(name))  # noqa: B023
        handle = Handle()
        module.register_flash_attention_impl("mine", register_fn=lambda: handle)
        module.register_flash_attention_impl("of nothing", register_fn=lambda: None)
        try:
            yield module.list_flash_attention_impls()
            module.activate_flash_attention_impl("mine")
            yield module.current_flash_attention_impl(), handle.removed
            module.activate_flash_attention_impl("mine")
            yield module.current_flash_attention_impl(), handle.removed
            module.restore_flash_attention_impl()
            yield module.current_flash_attention_impl(), handle.removed
            module.activate_flash_attention_impl("of nothing")
            yield module.current_flash_attention_impl()
            with caplog.at_level(logging.WARNING, "npg.nn.attention._registry"):
                module.restore_flash_attention_impl()
        finally:
            registry = module._registry
            for name in ("mine", "of nothing"):
                getattr(registry, "_implementations", getattr(registry, "_FLASH_ATTENTION_IMPLS", None)).pop(name)

    agree(program)
    assert "Trying to restore default FA2 impl when no custom impl was activated" in caplog.text


# ----- Names -----


def test_module_has_pytorchs_names():
    assert sorted(attention.__all__) == sorted(torch.nn.attention.__all__)
    assert attention.SDPAParams is cuda.SDPAParams
    assert attention.can_use_flash_attention(None) is attention.can_use_efficient_attention(None) is False
    for module in ("bias", "flex_attention"):
        ours, theirs = (
            __import__(f"{lib.__name__}.nn.attention.{module}", fromlist=["x"]).__all__ for lib in (npg, torch)
        )
        assert sorted(ours) == sorted(theirs)


def test_no_file_of_modules_stands_in_the_place_of_a_part_of_nn():
    """npg.nn takes all names of npg.nn.modules, and sets utils right."""
    names = {path.stem for path in (Path(npg.nn.modules.__file__).parent).glob("[a-z]*.py")}
    parts = {path.stem for path in Path(npg.nn.__file__).parent.glob("[a-z]*") if path.name != "modules"}
    assert names & parts == {"utils"}
