"""Names of npg.functional: which are loaded with it, and which when they are first used."""

import copy
import functools
import importlib
import pickle
import sys

import pytest

import npg
import npg.functional as F
from npg.functional._public import functions_of
from tests import processes


@pytest.mark.parametrize("module", F._LATER)
def test_later_names_are_those_of_their_module(module):
    found = importlib.import_module(f"npg.functional.{module}")
    functions = functions_of(found)
    assert sorted(F._LATER[module]) == sorted(functions)
    assert all(getattr(F, name) is function for name, function in functions.items())


def test_import_leaves_later_modules_out():
    code = (
        "import sys, npg, npg.functional as F\n"
        "names = {f'npg.functional.{m}' for m in F._LATER} | {'npg.autograd', 'npg.nn', 'npg.optim'}\n"
        "assert not names & set(sys.modules), names & set(sys.modules)\n"
        "assert {*F._LAZY} <= {*dir(F)} & {*dir(npg)} & {*F.__all__} & {*npg.__all__}\n"
        "assert npg.cross_entropy is F.cross_entropy and 'cross_entropy' in vars(F) and 'cross_entropy' in vars(npg)\n"
        "from npg.functional import *\n"
        "from npg import einsum\n"
        "assert einsum is F.einsum and linear is F.linear\n"
    )
    processes.run([sys.executable, "-c", code], check=True)


def test_unknown_name():
    with pytest.raises(AttributeError, match=r"module 'npg.nn.functional' has no attribute 'nothing'"):
        _ = F.nothing


def test_functions_are_copied_and_pickled_by_name():
    for name in npg.functional.__all__:
        function = getattr(npg.functional, name)
        if not callable(function) or isinstance(function, type):
            continue
        assert copy.copy(function) is copy.deepcopy(function) is function, name
        assert pickle.loads(pickle.dumps(function)) is function, name


def test_a_module_that_holds_functions_is_copied_and_pickled():
    module = npg.nn.Module()
    module.activation, module.norm = npg.tanh, functools.partial(npg.sum, dim=0)
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert twin.activation is npg.tanh and twin.norm.func is npg.sum
