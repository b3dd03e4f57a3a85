"""Engine tests work on an engine module itself, with a Tensor class of their own."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from npg.engine._select import core
from npg.tensor import Tensor
from tests.engine.programs import tensor_class


@pytest.fixture(autouse=True)
def _own_tensor_class(request: pytest.FixtureRequest) -> Iterator[None]:
    modules: list[ModuleType] = []
    if "engine" in request.fixturenames:
        modules = [request.getfixturevalue("engine")]
    elif "engines" in request.fixturenames:
        modules = list(request.getfixturevalue("engines").values())
    for module in modules:
        module.register_tensor_class(tensor_class(module))
    yield
    for module in modules:
        module.register_tensor_class(Tensor if module is core else module.TensorBase)
