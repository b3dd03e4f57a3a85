"""Methods that load when they are first used."""

import copy
import pickle
import sys

import pytest

import npg
from npg._lazy import LateMethod
from tests import processes


def fresh(code):
    processes.run([sys.executable, "-c", "import npg, sys\nfrom npg._lazy import LateMethod\n" + code], check=True)


def test_method_loads_when_it_is_first_used_and_then_is_the_function():
    fresh(
        "x = npg.eye(2)\n"
        "assert type(vars(npg.Tensor)['det']) is LateMethod and 'npg.functional.linalg_solvers' not in sys.modules\n"
        "assert x.det().item() == 1 and vars(npg.Tensor)['det'] is npg.linalg.det\n"
        "assert npg.Tensor.slogdet is npg.linalg.slogdet is vars(npg.Tensor)['slogdet']\n"
    )


def test_method_is_found_from_subclasses_and_classes():
    fresh(
        "class Own(npg.Tensor):\n"
        "    def tril(self): return super().tril() * 2\n"
        "own = npg.ones(2, 2).as_subclass(Own)\n"
        "assert own.tril().tolist() == [[2, 0], [2, 2]] and 'tril' in vars(Own)\n"
        "assert own.triu().tolist() == npg.Tensor.triu(own).tolist() == [[1, 1], [0, 1]] and 'triu' not in vars(Own)\n"
        "assert npg.nn.Parameter(npg.ones(2)).cumsum(0).tolist() == [1, 2]\n"
    )


def test_method_that_somebody_replaced_stays_replaced():
    fresh(
        "get = npg.Tensor.__dict__['roll'].__get__\n"
        "npg.Tensor.roll = lambda self, n: 'mine'\n"
        "assert get(npg.ones(2), npg.Tensor)(1).tolist() == [1, 1] and npg.ones(2).roll(1) == 'mine'\n"
    )


def test_method_can_be_mocked_before_its_first_use():
    fresh(
        "from unittest import mock\n"
        "x = npg.zeros(1)\n"
        "with mock.patch.object(npg.Tensor, 'sigmoid', autospec=True) as mocked:\n"
        "    x.sigmoid()\n"
        "assert mocked.called and x.sigmoid().item() == 0.5\n"
        "with mock.patch.object(npg.Tensor, 'tanh', return_value=7):\n"
        "    assert x.tanh() == 7\n"
        "assert x.tanh().item() == 0\n"
    )


def test_method_under_a_second_name():
    fresh(
        "class Own(npg.Tensor):\n"
        "    mine = vars(npg.Tensor)['relu']\n"
        "own = npg.ones(1).as_subclass(Own)\n"
        "assert own.mine().item() == own.relu().item() == npg.ones(1).relu().item() == 1\n"
    )


def test_all_methods_are_named_and_documented():
    names = [name for name, value in vars(npg.Tensor).items() if type(value) is LateMethod]
    assert all(name in dir(npg.Tensor) and hasattr(npg.Tensor, name) for name in names)
    assert not any(type(vars(npg.Tensor)[name]) is LateMethod for name in names)
    assert all(getattr(npg.Tensor, name).__doc__ for name in npg._names.METHODS["npg.functional.sort"].split())


def test_methods_load_in_many_threads_at_once():
    fresh(
        "import threading\n"
        "names = ['sort', 'cumsum', 'det', 'tril', 'roll', 'gather', 'erf', 'var', 'logsumexp', 'trunc']\n"
        "zeros = npg.zeros(2, 2, dtype=npg.int64)\n"
        "arguments = {'cumsum': (0,), 'roll': (1,), 'gather': (0, zeros), 'logsumexp': (0,)}\n"
        "barrier, done = threading.Barrier(8), []\n"
        "def work():\n"
        "    barrier.wait()\n"
        "    done.append([getattr(npg.eye(2), n)(*arguments.get(n, ())) is not None for n in names])\n"
        "threads = [threading.Thread(target=work) for _ in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "assert done == [[True] * len(names)] * 8\n"
    )


def test_file_does_not_hide_the_function_of_its_name():
    fresh(
        "import importlib\n"
        "module = importlib.import_module('npg.functional.softmax')\n"
        "import npg.functional.einsum\n"
        "assert npg.functional.softmax is npg.softmax is module.softmax and callable(npg.functional.einsum)\n"
        "assert npg.functional.shape.__name__ == 'npg.functional.shape'\n"
    )


@pytest.mark.parametrize("method", ["sort", "det", "softmax", "add_"])
def test_method_is_pickled_by_name(method):
    function = getattr(npg.Tensor, method)
    assert pickle.loads(pickle.dumps(function)) is function is copy.deepcopy(function)


def test_unknown_method_is_pythons_error():
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'nothing'"):
        npg.ones(2).nothing
