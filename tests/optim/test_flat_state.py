"""Many small parameters, which are stepped as one: the numbers are torch's, whatever happens to the state."""

import copy

import numpy as np
import pytest
import torch

import npg

SHAPES = [(3,), (), (4, 5), (1, 2, 3), (0,), (200, 90), (7,)]  # one is too large to be among the small ones


def _parameters(lib, dtype="float32"):
    draw = np.random.default_rng(0)
    return [
        lib.nn.Parameter(lib.tensor(draw.standard_normal(s).tolist(), dtype=getattr(lib, dtype)).reshape(s))
        for s in SHAPES
    ]


def _give_gradients(lib, params, seed, without=()):
    draw = np.random.default_rng(seed)
    for i, p in enumerate(params):
        g = draw.standard_normal(tuple(p.shape))
        p.grad = None if i in without else lib.tensor(g.tolist(), dtype=p.dtype).reshape(p.shape)


ENTRIES = ("momentum_buffer", "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "square_avg", "grad_avg", "sum", "acc_delta")


def _run(lib, script, dtype="float32", name="AdamW", **settings):
    params = _parameters(lib, dtype)
    optimizer = getattr(lib.optim, name)(params, lr=0.1, **settings)
    for seed, act in enumerate(script):
        _give_gradients(lib, params, seed, act if isinstance(act, tuple) else ())
        if act == "copy":
            optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        elif act == "replace":
            state = optimizer.state[params[2]]
            state.update({key: lib.ones_like(state[key]) for key in ENTRIES[:-1] if key in state})
        elif act == "forget":
            optimizer.state.pop(params[0], None)
        elif act == "write":
            for value in optimizer.state[params[2]].values():  # the count of steps too
                value.mul_(2)
        elif act == "settings":
            optimizer.param_groups[0]["lr"] = 0.03
            optimizer.param_groups[0]["weight_decay"] = 0.3
        elif act == "transposed":
            for i in (2, 5):
                params[i].data = params[i].detach().t().contiguous().t()
        optimizer.step()
    kept = [[optimizer.state[p][n].tolist() for n in ("step", *ENTRIES) if n in optimizer.state[p]] for p in params]
    return [p.tolist() for p in params], kept


def _flat(x):
    return np.array(list(_leaves(x)))


def _leaves(x):
    if isinstance(x, (list, tuple)):
        for part in x:
            yield from _leaves(part)
    else:
        yield x


each_script = pytest.mark.parametrize(
    "script",
    [
        [None] * 4,
        [None, "copy", None, "replace", None],
        [None, "forget", None, None],
        [(0, 3), None, (0, 3), None, (), None],
        [None, "write", None],
        [None, "settings", None],
        [None, "transposed", None, None],
    ],
    ids=["plain", "loaded", "forgotten", "some_without_gradient", "written", "settings", "transposed"],
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"amsgrad": True}, {"maximize": True, "weight_decay": 0.1}, {"weight_decay": 0}],
    ids=["plain", "amsgrad", "maximize", "no_decay"],
)
@each_script
def test_steps_are_torchs(script, settings, dtype):
    found, expected = _run(npg, script, dtype, **settings), _run(torch, script, dtype, **settings)
    tolerance = {"float32": 2e-6, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(_flat(found), _flat(expected), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("SGD", {}),
        ("SGD", {"momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1}),
        ("SGD", {"momentum": 0.9, "nesterov": True}),
        ("RMSprop", {"momentum": 0.9, "centered": True}),
        ("RMSprop", {"maximize": True, "weight_decay": 0.1}),
        ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5}),
        ("Adadelta", {"weight_decay": 0.1}),
        ("RAdam", {"betas": (0.5, 0.6)}),
        ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
@each_script
def test_steps_of_every_optimizer_are_torchs(script, name, settings):
    found, expected = (_run(lib, script, "float64", name, **settings) for lib in (npg, torch))
    # Torch counts in float32 what it raises to the power of the count of steps.
    np.testing.assert_allclose(_flat(found), _flat(expected), rtol=1e-6, atol=1e-6)


def test_a_setting_switched_on_begins_what_it_remembers():
    def steps(lib, name, before, after):
        params = _parameters(lib, "float64")
        optimizer = getattr(lib.optim, name)(params, lr=0.1, **before)
        for seed in range(4):
            _give_gradients(lib, params, seed)
            if seed == 2:
                optimizer.param_groups[0].update(after)
            optimizer.step()
        return _flat([p.tolist() for p in params])

    case = "SGD", {}, {"momentum": 0.9, "dampening": 0.5}
    np.testing.assert_allclose(steps(npg, *case), steps(torch, *case), rtol=1e-12, atol=1e-12)
    assert np.isfinite(steps(npg, "Adam", {}, {"amsgrad": True})).all()  # which torch refuses


def test_adam_with_l2_is_torchs():
    found = []
    for lib in (npg, torch):
        params = _parameters(lib)
        optimizer = lib.optim.Adam(params, lr=0.1, weight_decay=0.2)
        for seed in range(3):
            _give_gradients(lib, params, seed)
            optimizer.step()
        found.append(_flat([p.tolist() for p in params]))
    np.testing.assert_allclose(*found, rtol=2e-6, atol=2e-6)


def test_step_counts_as_a_change_in_place():
    params = _parameters(npg)
    optimizer = npg.optim.AdamW(params)
    y = (params[2] * params[2]).sum() + (params[5] * params[5]).sum()
    _give_gradients(npg, params, 0)
    optimizer.step()
    assert params[0]._version == 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_what_is_remembered_stays_ordinary_tensors():
    params = _parameters(npg)
    optimizer = npg.optim.AdamW(params)
    _give_gradients(npg, params, 0)
    optimizer.step()
    state = optimizer.state[params[0]]
    assert sorted(state) == ["exp_avg", "exp_avg_sq", "step"]
    assert state["step"].dtype is npg.float32
    before = state["exp_avg"]
    _give_gradients(npg, params, 1)
    optimizer.step()
    assert optimizer.state[params[0]]["exp_avg"] is before


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad", "Adadelta", "RAdam"])
def test_parameters_in_the_same_memory_are_stepped_one_after_the_other(name):
    found = []
    for lib in (npg, torch):
        memory = lib.arange(12.0, dtype=lib.float64)
        params = [lib.nn.Parameter(x) for x in (memory[:4], memory[2:6], memory[2:4], memory[8:])]
        optimizer = getattr(lib.optim, name)(params, lr=0.1)
        for _ in range(3):
            for i, p in enumerate(params):
                p.grad = lib.full_like(p.detach(), i + 1.0)
            optimizer.step()
        found.append(_flat([p.tolist() for p in params]))
    np.testing.assert_allclose(*found, rtol=1e-7)


def test_two_dtypes_in_one_group():
    found = []
    for lib in (npg, torch):
        params = _parameters(lib) + _parameters(lib, "float64")
        optimizer = lib.optim.AdamW(params, lr=0.1)
        for seed in range(3):
            _give_gradients(lib, params, seed)
            optimizer.step()
        found.append(_flat([p.tolist() for p in params]))
    np.testing.assert_allclose(*found, rtol=2e-6, atol=2e-6)
