"""npg.utils.tensorboard: tensorboardX's writer, which takes npg's tensors; an error that names the extra without it."""

import sys
import types

import pytest

import npg


@pytest.fixture
def tensorboard():
    import npg.utils.tensorboard as module

    module._class.cache_clear()
    yield module
    module._class.cache_clear()


def test_without_the_extra_the_error_names_it(tensorboard, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'npg-autograd\[tensorboard\]'"):
        tensorboard.SummaryWriter("runs")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        tensorboard.nothing


def test_tensors_arrive_as_arrays(tensorboard, monkeypatch):
    seen = []

    class SummaryWriter:
        def __init__(self, logdir=None):
            self.logdir = logdir

        def add_scalar(self, tag, value, step=None):
            seen.append((tag, value, step))

        def add_scalars(self, tag, values):
            seen.append((tag, values))

        def add_graph(self, model, inputs=None):
            raise AssertionError

        def close(self):
            seen.append("closed")

    monkeypatch.setitem(sys.modules, "tensorboardX", types.SimpleNamespace(SummaryWriter=SummaryWriter))
    writer = tensorboard.SummaryWriter("runs")
    writer.add_scalar("loss", npg.tensor(2.5, requires_grad=True), step=3)
    writer.add_scalars("both", {"a": npg.ones(2)})
    with pytest.raises(NotImplementedError, match="records no graph"):
        writer.add_graph(None)
    writer.close()
    assert float(seen[0][1]) == 2.5 and type(seen[0][1]).__module__ == "numpy" and seen[0][2] == 3
    assert seen[1][1]["a"].tolist() == [1.0, 1.0] and seen[2] == "closed"


def test_a_real_writer_writes(tensorboard, tmp_path):
    pytest.importorskip("tensorboardX", reason="an extra")
    with tensorboard.SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", npg.tensor(2.5), 1)
        writer.add_histogram("weights", npg.ones(5), 1)
    assert list(tmp_path.iterdir())
