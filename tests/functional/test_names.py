"""Names of `npg` and `npg.nn.functional`: torch's, with its signatures; and when they are loaded."""

import copy
import functools
import inspect
import os
import pickle
import sys
import types

import pytest
import torch
import torch.nn.functional as TF

import npg
import npg.nn.functional as F
from npg.functional._namespaces import NETWORKS, NOT_OF_TORCH, flat
from tests import processes


def public(room):
    return {name for name in dir(room) if name[0] != "_"}


# ----- Which names -----

# Names of npg that torch lacks, by reason.
OWN = {
    "numpygrad has them at its top level": {"cross_entropy", "gelu", "mse_loss"},
    "the engine, which can be replaced": {"engine"},
    "blocks of memory that are kept": {"empty_cache", "memory_stats"},
    "NumPy's, beside set_printoptions": {"get_printoptions", "printoptions"},
}


def test_npg_has_torchs_names_and_a_few_of_its_own():
    assert public(npg) - set(dir(torch)) == set().union(*OWN.values())
    assert {"relu", "sigmoid", "softmax", "tanh"} <= public(npg)  # numpygrad's, too
    assert public(npg) - {*npg.__all__} == {"bool", "float", "int"}  # a star import keeps Python's


def test_functions_that_nn_functional_lacks_are_those_of_torch_alone():
    missing = {name for name in public(npg) - public(F) if callable(getattr(TF, name, None))}
    assert missing == {"Tensor"}, "offer them in torch.nn.functional too: npg/functional/nn, or _namespaces.py"


def test_nn_functional_has_torchs_names_only():
    assert public(F) <= public(TF)
    assert isinstance(F, types.ModuleType) and F.__name__ == "npg.nn.functional"
    assert npg.nn.functional is F is sys.modules["npg.nn.functional"]
    strange = {name for name in public(F) if not getattr(F, name).__module__.startswith("npg.functional")}
    assert not strange


def test_methods_only_are_methods_and_no_functions_of_torch():
    methods = NOT_OF_TORCH
    assert not methods & set(dir(torch)) and methods <= set(dir(npg.functional))
    not_methods = {"getitem", "setitem", "vector_norm"}  # operators, and a function of linalg
    assert all(hasattr(npg.Tensor, name) and hasattr(torch.Tensor, name) for name in methods - not_methods)
    assert set(npg.functional.__all__) <= set(dir(torch))


@pytest.mark.parametrize(("room", "name"), [(npg, "elu"), (npg, "add_"), (npg, "bool_"), (F, "nothing"), (F, "exp")])
def test_unknown_name(room, name):
    with pytest.raises(AttributeError, match=f"module '{room.__name__}' has no attribute '{name}'"):
        getattr(room, name)


# ----- Signatures -----


def parameters(function):
    """Return (name, keyword only, default) of the parameters, without out=, which schemas lack."""
    parameters_ = inspect.signature(function).parameters.values()
    return [(p.name, p.kind is p.KEYWORD_ONLY, p.default) for p in parameters_ if p.name != "out"]


def _one(default):
    """Return one number for several equal ones: [1, 1] is written as 1 in PyTorch's documentation, [] as None."""
    if default == [] and isinstance(default, list):
        return None
    return default[0] if isinstance(default, list) and default and len(set(default)) == 1 else default


def schemas(name):
    """Return the same as `parameters` for every overload in aten, from which torch's functions are generated.

    A reduction's default is the word mean there, which PyTorch's parser reads as 0: see test_namespaces.py.
    """
    packet = getattr(torch.ops.aten, name)
    signatures = [getattr(packet, overload)._schema.arguments for overload in packet.overloads()]
    return [
        [
            (
                "input" if a.name == "self" else a.name,
                a.kwarg_only,
                (0 if a.name == "reduction" else _one(a.default_value)) if a.has_default_value() else inspect._empty,
            )
            for a in arguments
        ]
        for arguments in signatures
        if not any(a.is_out for a in arguments)
    ]


# Functions written in Python in torch.nn.functional, with an extra parameter in npg or a different annotation.
NAMED_OTHERWISE = {"one_hot": [("tensor", False, inspect._empty), ("num_classes", False, -1)]}
# The aten schemas of these have parameters or defaults that torch's functions lack.
WITHOUT_SETTINGS = {
    "elu_": [("input", False, inspect._empty), ("alpha", False, 1.0)],
    "logsigmoid": [("input", False, inspect._empty)],
}


def written(function):
    """Return the function that is called where no indices are asked for: only its parameters have names."""
    forms = torch._jit_internal.boolean_dispatched.get(function)
    return forms["if_false"] if forms else function


@pytest.mark.parametrize("name", sorted(public(F)))
def test_signature_in_nn_functional_is_torchs(name):
    actual = parameters(getattr(F, name))
    if isinstance(getattr(TF, name), types.FunctionType):
        assert actual == parameters(written(getattr(TF, name)))
    else:  # a built-in
        assert actual in [
            *(schemas(name) if hasattr(torch.ops.aten, name) else []),
            WITHOUT_SETTINGS.get(name),
            NAMED_OTHERWISE.get(name),
        ]


BOTH = sorted(public(F) & set(dir(torch)))


@pytest.mark.parametrize("name", [*BOTH, "feature_dropout"])
def test_signature_in_npg_is_torchs(name):
    found = parameters(getattr(npg, name))
    if name == "embedding_bag":  # one for both overloads, of which the second has no defaults
        assert found.pop() == ("padding_idx", False, None)
    assert found in schemas(name)


@pytest.mark.parametrize("name", BOTH)
def test_function_of_both_namespaces_with_one_signature_is_one_object(name):
    own, other = getattr(npg, name), getattr(F, name)
    assert (own is other) == (parameters(own) == parameters(other))


# ----- When they are loaded -----


def test_functions_of_networks_are_those_of_their_modules():
    assert all(getattr(F, name) is function for name, function in flat(NETWORKS).items())


def test_import_loads_what_the_operators_need():
    code = (
        "import sys, npg\n"
        "loaded = {name for name in sys.modules if name.startswith('npg.')}\n"
        "assert not loaded & {'npg.autograd', 'npg.nn', 'npg.optim', 'npg.ops.linalg', 'npg.ops.attention'}\n"
        "functions = {name.rpartition('.')[2] for name in loaded if name.startswith('npg.functional.')}\n"
        "functions = {n for n in functions if n[0] != '_' and sys.modules['npg.functional.' + n].__spec__.origin}\n"
        "assert functions == {'copy', 'generator', 'indexing', 'shape', 'transpose'}, functions\n"
        "assert {*npg._HOMES} <= {*dir(npg)} & {*npg.__all__}\n"
        "assert npg.embedding.__module__ == 'npg.functional.embedding' and 'embedding' in vars(npg)\n"
        "assert 'npg.functional.nn.embedding' not in sys.modules\n"
        "from npg import *\n"
        "assert einsum is npg.einsum and dropout is npg.dropout\n"
        "import npg.nn.functional as F\n"
        "from npg.nn.functional import *\n"
        "assert npg.cross_entropy is F.cross_entropy is cross_entropy and linear is F.linear\n"
        "assert dropout is F.dropout is not npg.dropout and softmax is F.softmax\n"
    )
    processes.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.parametrize(
    "room",
    [
        "npg",
        "npg.Tensor",
        "npg.functional",
        "npg.nn.functional",
        "npg.creation",
        "npg.autograd",
        "npg.utils",
        "npg.linalg",
    ],
)
def test_every_name_loads_when_it_is_the_first_that_is_used(room):
    code = (
        "import os, sys, npg\n"
        f"for name in dir({room}):\n"
        "    if not os.fork():\n"
        f"        os._exit(not hasattr({room}, name))\n"
        "    assert not os.wait()[1], name\n"
    )
    processes.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_fork_waits_for_a_load_in_another_thread(tmp_path):
    (tmp_path / "slow.py").write_text("import builtins, time\nbuiltins.begun.set()\ntime.sleep(0.5)\nx = 1\n")
    code = (
        "import builtins, os, sys, threading\n"
        "from npg import _lazy\n"
        f"sys.path.append({str(tmp_path)!r})\n"
        "builtins.begun = threading.Event()\n"
        "thread = threading.Thread(target=_lazy.load, args=('slow', 'x'))\n"
        "thread.start()\n"
        "builtins.begun.wait()\n"
        "if not os.fork():\n"
        "    os._exit(_lazy.load('slow', 'x') - 1)\n"  # hangs where the module's lock was inherited
        "assert not os.wait()[1] and not _lazy._loads\n"
    )
    processes.run([sys.executable, "-c", code], check=True, timeout=30)


def test_load_that_forks_does_not_wait_for_itself(tmp_path):
    (tmp_path / "forking.py").write_text("import os\npid = os.fork()\npid or os._exit(0)\nos.waitpid(pid, 0)\nx = 1\n")
    code = (
        "import sys, time\n"
        "from npg import _lazy\n"
        f"sys.path.append({str(tmp_path)!r})\n"
        "start = time.monotonic()\n"
        "assert _lazy.load('forking', 'x') == 1 and not _lazy._loads and time.monotonic() - start < _lazy.PATIENCE\n"
    )
    processes.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("use", ["npg.relu(x)", "x.relu()", "npg.functional.relu(x)"])
def test_function_that_is_patched_at_its_first_use_comes_back(use):
    code = (
        "import npg\n"
        "from unittest import mock\n"
        "x = npg.ones(1)\n"
        "with mock.patch('npg.functional.activation.relu', lambda t: 'patched'):\n"
        f"    assert {use} == 'patched'\n"
        f"assert {use} is not 'patched' and {use}.item() == 1\n".replace("is not", "!=")
    )
    processes.run([sys.executable, "-c", code], check=True)


# ----- Pickles -----


@pytest.mark.parametrize("room", [npg, npg.functional, F])
def test_functions_are_copied_and_pickled_by_name(room):
    for name in dir(room):
        function = getattr(room, name)
        if name[0] == "_" or not callable(function) or isinstance(function, type):
            continue
        if not getattr(function, "__module__", "").startswith("npg.functional"):
            continue
        assert copy.copy(function) is copy.deepcopy(function) is function, name
        assert pickle.loads(pickle.dumps(function)) is function, name


@pytest.mark.parametrize(
    ("place", "room"),
    [
        ("npg.functional tanh", npg),
        ("npg.functional softsign", F),
        ("npg.functional.neural gelu", F),
        ("npg.functional.activating relu", F),
        ("npg.functional.softmaxes softmax", F),
        ("npg.functional.dropouts dropout", F),
        ("npg.functional.linear_algebra matmul", npg),
        ("npg.functional.contracting einsum", npg),
        ("npg.functional.dropouts feature_dropout", npg),
        ("npg.functional.shaping view", npg.functional),
        ("npg.functional.matrix_norms norm", npg.linalg),
        ("npg.functional.solving inv", npg.linalg),
    ],
)
def test_pickles_of_the_releases_before_are_read(place, room):
    module, name = place.split()
    code = (
        f"import pickle; function = pickle.loads(b'c{module}\\n{name}\\n.')\n"
        f"import {room.__name__} as room; assert function is room.{name}"
    )
    processes.run([sys.executable, "-c", code], check=True)


def test_a_module_that_holds_functions_is_copied_and_pickled():
    module = npg.nn.Module()
    module.activation, module.norm = npg.tanh, functools.partial(npg.sum, dim=0)
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert twin.activation is npg.tanh and twin.norm.func is npg.sum
