"""Every public module of torch with names that npg has can be imported, and has them."""

import ast

import torch  # noqa: F401  (what scripts are compared with, in processes of their own)

from tests.as_torch.commands import ROOT, run

# Prints, for each public module, the names that are defined in it and that torch offers in a shorter place too.
LIST = """
import importlib, sys, warnings
sys.path.insert(0, {root!r})
warnings.simplefilter("ignore")
sys.argv = ["x"]
import torch
from tools.torch_names import modules
SHORT = ["torch", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.nn.utils", "torch.optim",
         "torch.optim.lr_scheduler", "torch.autograd", "torch.func", "torch.linalg", "torch.utils.data",
         "torch.profiler", "torch.utils.benchmark", "torch.utils.checkpoint", "torch.distributions"]
offered = {{}}
for short in SHORT:
    for name, value in vars(importlib.import_module(short)).items():
        if name[0] != "_" and (isinstance(value, type) or callable(value)):
            offered.setdefault((name, id(value)), []).append(short)
found = {{}}
for module, loaded in modules().items():
    for name, value in ({{}} if loaded is None else vars(loaded)).items():
        if (name, id(value)) in offered and getattr(value, "__module__", None) == module:
            found.setdefault(module, {{}})[name] = offered[name, id(value)]
print(found)
"""
CHECK = """
import importlib, torch
found = eval(open("found").read())
lacking = []
for module, names in found.items():
    for name, places in names.items():
        for place in places:
            try:
                have = getattr(importlib.import_module(place), name)
            except (ImportError, AttributeError):
                continue
            try:
                assert getattr(importlib.import_module(module), name) is have
            except (ImportError, AttributeError, AssertionError) as error:
                lacking.append((module, name, place, type(error).__name__))
print(lacking)
print(sum(map(len, found.values())))
"""
# npg's function of torch that is another one in the module named: torch has one function for both.
OTHERWISE = {
    ("torch.functional", "norm", "torch"),
    ("torch.random", "initial_seed", "torch"),
    ("torch.random", "manual_seed", "torch"),
    ("torch.random", "seed", "torch"),
}


def test_names_stand_in_the_modules_where_torch_has_them(tmp_path):
    code, out, error = run("-W", "ignore", "-c", LIST.format(root=str(ROOT)), folder=tmp_path, npg=False)
    assert code == 0, error
    (tmp_path / "found").write_text(out.splitlines()[-1])
    code, out, error = run("-c", CHECK, folder=tmp_path, npg=True)
    assert code == 0, error
    lacking, count = out.splitlines()
    assert int(count) > 300
    assert not [case for case in ast.literal_eval(lacking) if case[:3] not in OTHERWISE]


ATTRIBUTES = """
import torch
for path in {paths!r}:
    value = torch
    for part in path.split("."):
        value = getattr(value, part)
    exec(f"import torch.{{path}} as module")
    assert module is value, path
"""


def test_modules_below_torch_need_no_import_of_their_own(tmp_path):
    paths = ["nn.functional", "nn.modules.linear", "nn.parameter", "nn.utils.clip_grad", "nn.common_types",
             "nn.modules.utils", "optim.lr_scheduler", "autograd.variable", "autograd.grad_mode", "autograd.function",
             "utils.checkpoint", "utils.hooks", "_tensor", "functional", "random", "types", "version",
             "torch_version", "return_types", "linalg"]  # fmt: skip
    for npg in (False, True):
        code, out, error = run("-c", ATTRIBUTES.format(paths=paths), folder=tmp_path, npg=npg)
        assert (code, out, error) == (0, "", "")


UTILS = """
from collections import OrderedDict
from torch.nn.modules.utils import (
    _list_with_default, _ntuple, _pair, _quadruple, _reverse_repeat_tuple, _single, _triple,
    consume_prefix_in_state_dict_if_present as consume,
)
print(_single(3), _pair((1, 2)), _triple([1]), _quadruple("ab"), _ntuple(5)(None), _pair.__name__, _ntuple(2).__name__)
print(_reverse_repeat_tuple((1, 2, 3), 2))
for args in (([None, 3], [4, 5, 6]), ([None, 3], [4, 5]), (3, [4, 5])):
    try:
        print(_list_with_default(*args))
    except ValueError as error:
        print(error)
for metadata in (None, {"": 0, "module": 1, "module.x": 2, "other": 3}):
    state = OrderedDict({"a": 1, "module.x": 2, "module.y": 3, "modulex": 4})
    if metadata is not None:
        state._metadata = OrderedDict(metadata)
    consume(state, "module.")
    print(state, getattr(state, "_metadata", None))
"""


def test_helpers_of_modules_do_what_torchs_do(tmp_path):
    expected = run("-c", UTILS, folder=tmp_path, npg=False)
    assert expected[0] == 0 and run("-c", UTILS, folder=tmp_path, npg=True) == expected


TOP = """
import pkgutil, sys, torch
print([info.name for info in pkgutil.iter_modules(torch.__path__)])
"""


def test_rooms_of_npg_that_torch_has_not_are_not_served(tmp_path):
    code, out, error = run("-c", TOP, folder=tmp_path, npg=False)
    assert code == 0, error
    theirs = set(ast.literal_eval(out))
    code, out, error = run(
        "-c", TOP + "from npg.as_torch._finder import _ROOMS\nprint(_ROOMS)", folder=tmp_path, npg=True
    )
    assert code == 0, error
    ours, rooms = out.splitlines()
    assert set(ast.literal_eval(ours)) - theirs <= set(eval(rooms))
