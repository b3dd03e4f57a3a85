"""Activation modules and the functions that they call."""

import pytest

import npg
from npg.nn.modules import activation

CLASSES = [
    value
    for value in vars(activation).values()
    if isinstance(value, type) and isinstance(vars(value).get("function"), str)
]


@pytest.mark.parametrize("module", CLASSES)
def test_module_calls_what_nn_functional_has(module, monkeypatch):
    """As PyTorch's do: who replaces a function replaces it in the modules too."""
    monkeypatch.setattr(npg.nn.functional, module.function, lambda *_args, **_settings: "replaced")
    arguments = {activation.Threshold: (0.1, 20)}.get(module, ())
    assert module(*arguments)(npg.ones(2, 2)) == "replaced"
