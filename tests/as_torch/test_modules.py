"""Every public module of torch with names that npg has can be imported, and has them."""

import ast

import pytest
import torch  # noqa: F401  (what scripts are compared with, in processes of their own)

from tests.as_torch.commands import ROOT, run_each

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


PATHS = [
    "nn.functional", "nn.modules.linear", "nn.parameter", "nn.utils.clip_grad", "nn.common_types", "nn.modules.utils",
    "optim.lr_scheduler", "autograd.variable", "autograd.grad_mode", "autograd.function", "utils.checkpoint",
    "utils.hooks", "_tensor", "functional", "random", "types", "version", "torch_version", "return_types", "linalg",
]  # fmt: skip
ATTRIBUTES = f"""
import torch
for path in {PATHS!r}:
    value = torch
    for part in path.split("."):
        value = getattr(value, part)
    exec("import torch." + path + " as module")
    assert module is value, path
"""


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


TOP = """
import pkgutil, sys, torch
print([info.name for info in pkgutil.iter_modules(torch.__path__)])
"""
ROOMS = "from npg.as_torch._finder import _ROOMS\nprint(_ROOMS)"
FILES = {
    "list.py": LIST.format(root=str(ROOT)), "check.py": CHECK, "attributes.py": ATTRIBUTES, "utils.py": UTILS,
    "top.py": TOP, "rooms.py": ROOMS,
}  # fmt: skip
BOTH = ["attributes", "utils", "top"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """By library ("torch", "npg"), then by script: its exit code, output and errors."""
    folder = tmp_path_factory.mktemp("modules")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    found = {}
    for library, names in (("torch", ["list", *BOTH]), ("npg", ["check", "rooms", *BOTH])):
        lines = [[f"{name}.py"] for name in names]
        found[library] = dict(zip(names, run_each(lines, folder, npg=library == "npg")))
        if library == "torch":
            (folder / "found").write_text(found["torch"]["list"][1].splitlines()[-1])
    return found


def test_names_stand_in_the_modules_where_torch_has_them(results):
    code, out, error = results["npg"]["check"]
    assert code == 0, error
    lacking, count = out.splitlines()
    assert int(count) > 300
    assert not [case for case in ast.literal_eval(lacking) if case[:3] not in OTHERWISE]


def test_modules_below_torch_need_no_import_of_their_own(results):
    assert results["npg"]["attributes"] == results["torch"]["attributes"] == (0, "", "")


def test_helpers_of_modules_do_what_torchs_do(results):
    assert results["torch"]["utils"][0] == 0 and results["npg"]["utils"] == results["torch"]["utils"]


def test_rooms_of_npg_that_torch_has_not_are_not_served(results):
    theirs, ours = (set(ast.literal_eval(results[library]["top"][1])) for library in ("torch", "npg"))
    assert ours - theirs <= set(eval(results["npg"]["rooms"][1]))
