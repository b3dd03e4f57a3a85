"""optim.swa_utils: averages of parameters and the schedule, step by step as PyTorch's."""

import copy

import numpy as np
import pytest
import torch
from torch.optim import swa_utils as theirs

import npg
from npg.optim import swa_utils as ours
from tests.helpers import assert_same_error


class Counting:
    """A network of either library with a parameter and two buffers, whose values are given."""

    def __new__(cls, lib):
        module = lib.nn.Linear(3, 2)
        module.register_buffer("seen", lib.zeros(2))
        module.register_buffer("count", lib.tensor(0))
        return module


def values(step):
    numbers = np.random.default_rng(step)
    return numbers.random((2, 3), np.float32), numbers.random(2, np.float32)


FUNCTIONS = {
    "default": "{}",
    "ema": "{'avg_fn': M.get_ema_avg_fn(0.9)}",
    "swa": "{'avg_fn': M.get_swa_avg_fn()}",
    "ema of all": "{'multi_avg_fn': M.get_ema_multi_avg_fn(0.9)}",
    "swa of all": "{'multi_avg_fn': M.get_swa_multi_avg_fn()}",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_averages_are_pytorchs(name):
    found = []
    for lib, module in ((npg, ours), (torch, theirs)):
        network = Counting(lib)
        average = module.AveragedModel(network, **eval(FUNCTIONS[name], {"M": module}))
        for step in range(4):
            weight, seen = values(step)
            with lib.no_grad():
                network.weight.copy_(lib.tensor(weight))
                network.seen.copy_(lib.tensor(seen))
            network.count += 2
            average.update_parameters(network)
        assert int(average.n_averaged) == 4 and list(average.state_dict())[0] == "n_averaged"
        found.append([average.module.weight.tolist(), average.module.seen.tolist(), int(average.module.count)])
    for mine, expected in zip(*found, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-6)


def test_buffers_are_averaged_when_asked():
    found = []
    for lib, module in ((npg, ours), (torch, theirs)):
        network = lib.nn.Linear(1, 1)
        network.register_buffer("seen", lib.zeros(2))
        average = module.AveragedModel(network, use_buffers=True)
        for step in range(3):
            network.seen += step
            average.update_parameters(network)
        found.append(average.module.seen.tolist())
    assert found[0] == pytest.approx(found[1])


@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("epochs", [0, 1, 4])
def test_rates_are_pytorchs(strategy, epochs):
    found = []
    for lib, module in ((npg, ours), (torch, theirs)):
        groups = [{"params": [lib.ones(1, requires_grad=True)], "lr": lr} for lr in (0.1, 1.0)]
        optimizer = lib.optim.SGD(groups, lr=0.1)
        scheduler = module.SWALR(optimizer, [0.05, 0.5], epochs, strategy)
        rates = []
        for _ in range(7):
            optimizer.step()
            scheduler.step()
            rates.append(scheduler.get_last_lr())
        found.append(rates)
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_arguments_that_do_not_fit_are_refused():
    def calls(lib, module):
        optimizer = lib.optim.SGD([lib.ones(1, requires_grad=True)], lr=0.1)
        yield lambda: module.SWALR(optimizer, 0.1, anneal_strategy="x")
        yield lambda: module.SWALR(optimizer, 0.1, anneal_epochs=-1)
        yield lambda: module.SWALR(optimizer, 0.1, anneal_epochs=1.5)
        yield lambda: module.SWALR(optimizer, [0.1, 0.2])
        yield lambda: module.get_ema_avg_fn(1.5)
        yield lambda: module.get_ema_multi_avg_fn(-0.1)
        yield lambda: module.AveragedModel(lib.nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max)

    for mine, expected in zip(calls(npg, ours), calls(torch, theirs), strict=True):
        assert_same_error(mine, expected)


def test_network_without_normalization_is_left_alone():
    model = npg.nn.Linear(1, 1).eval()
    before = copy.deepcopy(model.state_dict())
    ours.update_bn(iter(()), model)
    assert not model.training and all(npg.equal(v, before[k]) for k, v in model.state_dict().items())
