"""Training in several processes: the losses of one with the whole batch, PyTorch's losses, the same bits in all."""

import pytest

from tests.distributed.ranks import needs_mpi, npg_ranks, torch_ranks, written

STEPS = 200
MODELS = ("gpt", "lstm", "cnn")

pytestmark = needs_mpi


def _losses(start, n):
    """Return the losses of each model; all ranks have the same, and had the same bits after each step."""
    ranks = written(start, n)
    assert all(lines == ranks[0] for lines in ranks)
    found = {}
    for line in ranks[0]:
        name, is_same, *losses = line.split()
        assert is_same == "True", f"{name}: the ranks have had different bits"
        found[name] = [float(loss) for loss in losses]
    return found


def _trained(n, start, steps, models=MODELS):
    done = npg_ranks(n, "training.py", start, steps, "float32", *models)
    assert done.returncode == 0, done.stderr
    return _losses(start, n)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return _trained(1, tmp_path_factory.mktemp("alone") / "losses", STEPS)


@pytest.mark.parametrize(("n", "steps"), [(2, STEPS), (3, 60), (4, 30), (8, 10)])
def test_losses_are_those_of_one_process(n, steps, alone, tmp_path):
    for name, losses in _trained(n, tmp_path / "losses", steps).items():
        assert losses == pytest.approx(alone[name][:steps], rel=1e-6), name
        assert len(losses) == steps


@pytest.mark.once
def test_losses_are_pytorchs_with_gloo(tmp_path):
    models = ("gpt", "lstm")
    found = _trained(2, tmp_path / "npg", STEPS, models)
    torch_ranks(2, "training.py", tmp_path / "torch", STEPS, "float32", *models)
    for name, losses in _losses(tmp_path / "torch", 2).items():
        assert found[name] == pytest.approx(losses, rel=2e-6), name
