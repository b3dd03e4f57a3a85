"""Tensors in memory that processes share."""

import gc
import os
import sys
from importlib import import_module

import numpy as np
import pytest
import torch

import npg
import npg.multiprocessing as mp

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="memory is shared where there is a fork")


def fill(tensor, value):
    tensor.fill_(value)


def train(model, value):
    with npg.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)


def describe(tensor, queue):
    queue.put((tensor.is_shared(), tuple(tensor.shape), tensor.stride(), tensor.requires_grad, tensor.tolist()))


def run(method, target, *args):
    process = mp.get_context(method).Process(target=target, args=args)
    process.start()
    process.join(60)
    assert process.exitcode == 0


def test_a_tensor_is_shared_when_it_was_moved():
    for library in (npg, torch):
        t = library.arange(6.0).reshape(2, 3)
        assert not t.is_shared() and t.share_memory_() is t and t.is_shared()
        assert t[0].is_shared() and t.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
        assert t.share_memory_().is_shared() and not t.clone().is_shared()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_what_a_child_writes_is_seen(method):
    t = npg.zeros(3).share_memory_()
    run(method, fill, t, 2.0)
    assert t.tolist() == [2.0, 2.0, 2.0]
    own = npg.zeros(3)
    run(method, fill, own, 2.0)
    assert own.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_module_is_shared(method):
    model = npg.nn.Linear(2, 2)
    assert model.share_memory() is model and all(p.is_shared() and p.requires_grad for p in model.parameters())
    run(method, train, model, 3.0)
    assert model.weight.tolist() == [[3.0, 3.0], [3.0, 3.0]] and model.bias.tolist() == [3.0, 3.0]
    model(npg.ones(2)).sum().backward()
    npg.optim.SGD(model.parameters(), 0.5).step()
    assert model.weight.is_shared() and model.weight.tolist() == [[2.5, 2.5], [2.5, 2.5]]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_views_and_leaves_arrive_as_they_are(method):
    context = mp.get_context(method)
    base = npg.arange(12.0).reshape(3, 4).share_memory_()
    leaf = npg.ones(2, requires_grad=True).share_memory_()
    for tensor in (base.t()[1:], base[:, ::2], leaf, npg.empty(0).share_memory_(), npg.tensor(3).share_memory_()):
        queue = context.SimpleQueue()
        process = context.Process(target=describe, args=(tensor, queue))
        process.start()
        shared, shape, stride, requires_grad, values = queue.get()
        process.join()
        assert shared and shape == tuple(tensor.shape) and requires_grad == tensor.requires_grad
        assert values == tensor.tolist() and (stride == tensor.stride() or not tensor.numel())


def test_memory_and_descriptors_are_given_back():
    gc.collect()
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    for _ in range(20):
        npg.ones(1000).share_memory_()
    gc.collect()
    if descriptors is not None:
        assert len(os.listdir("/proc/self/fd")) == descriptors


def test_without_memory_the_tensor_is_as_it_was(monkeypatch):
    sharing = import_module("npg.tensor.sharing")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sharing.os, "posix_fallocate", full, raising=False)
    t = npg.ones(2)
    with pytest.raises(OSError, match="No space left"):
        t.share_memory_()
    assert t.tolist() == [1.0, 1.0] and not t.is_shared()


def test_gradients_flow_through_shared_leaves():
    x = npg.ones(3, requires_grad=True)
    y = (x * 2).sum()
    x.share_memory_()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]
    assert np.shares_memory(x.detach().numpy(), x._array)
