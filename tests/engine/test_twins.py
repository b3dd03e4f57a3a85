"""The Cython engine and its Python twin: the same names, the same bits, the same errors."""

import inspect

import numpy as np
from hypothesis import HealthCheck, given, settings

from npg.engine._select import NAMES
from tests.engine.programs import Program, leaf, programs, run

# The fixtures hold no state that an example could leave behind.
_shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@_shared
@given(program=programs())
def test_backward_random_programs_bits_equal(engines: dict, program: Program) -> None:
    assert run(engines["python"], program) == run(engines["cython"], program)


@_shared
@given(program=programs())
def test_create_graph_random_programs_bits_equal(engines: dict, program: Program) -> None:
    assert run(engines["python"], program, create_graph=True) == run(engines["cython"], program, create_graph=True)


def test_programs_are_not_all_errors(engines: dict) -> None:
    # The comparison above would also hold between two engines that refuse everything.
    outcomes: list[bool] = []

    @settings(max_examples=100, database=None, derandomize=True)
    @given(program=programs())
    def collect(program: Program) -> None:
        outcomes.append(isinstance(run(engines["cython"], program)[0], bytes))

    collect()
    assert sum(outcomes) > len(outcomes) / 2


def _public(thing: object) -> set[str]:
    return {n for n in dir(thing) if not n.startswith("__")}


def test_modules_offer_the_same_names(engines: dict) -> None:
    for module in engines.values():
        assert [n for n in NAMES if not hasattr(module, n)] == []
    modules = {name for name, value in vars(engines["python"]).items() if inspect.ismodule(value)}
    assert _public(engines["python"]) - modules == set(NAMES)


def test_tensor_base_offers_the_same_attributes(engines: dict) -> None:
    tensors = [leaf(engine, np.ones(2)) for engine in engines.values()]
    assert _public(tensors[0]) == _public(tensors[1])


def test_run_backward_parameters_equal(engines: dict) -> None:
    python = inspect.signature(engines["python"].run_backward)
    cython = inspect.signature(engines["cython"].run_backward)
    assert [(p.name, p.default) for p in python.parameters.values()] == [
        (p.name, p.default) for p in cython.parameters.values()
    ]
