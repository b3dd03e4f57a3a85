"""Work in several threads: every element once, errors raised, results independent of the number of threads."""

import os
import sys
import threading

import numpy as np
import pytest

import npg
from npg.engine import name as engine_name
from npg.kernels import openblas, parallel
from npg.kernels.parallel import split
from tests import processes


@pytest.fixture(autouse=True)
def _two_threads(monkeypatch):
    monkeypatch.setattr(parallel._pool, "is_free", True)
    limit, before = parallel.requested(), npg.get_num_threads()
    npg.set_num_threads(2)
    yield
    npg.set_num_threads(before)
    parallel.set_limit(limit)


@pytest.mark.parametrize("grain", [1, 7, 64])
@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 1000])
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_parts_cover_the_range_once(count, grain, threads):
    npg.set_num_threads(threads)
    parts = []
    split(count, lambda start, stop: parts.append((start, stop)), 1e9, grain)
    covered = sorted(i for start, stop in parts for i in range(start, stop))
    assert covered == list(range(count))
    assert len(parts) <= threads
    assert all(start % grain == 0 for start, _ in parts)


def test_small_work_stays_in_the_calling_thread():
    names = []
    split(100, lambda start, stop: names.append((threading.current_thread().name, start, stop)), 1000)
    assert names == [(threading.current_thread().name, 0, 100)]


def test_large_work_is_shared():
    names = set()
    both = threading.Barrier(2, timeout=60)

    def work(start, stop):
        names.add(threading.current_thread().name)
        both.wait()

    split(100, work, 1e9)
    assert len(names) == 2


@pytest.mark.parametrize("failing", [0, 50])
def test_error_of_a_part_is_raised_after_all_parts_have_ended(failing):
    ended = []

    def work(start, stop):
        ended.append(start)
        if start == failing:
            raise ValueError("of this part")

    with pytest.raises(ValueError, match="of this part"):
        split(100, work, 1e9)
    assert sorted(ended) == [0, 50]
    split(100, lambda start, stop: ended.append(start), 1e9)  # the threads keep working
    assert len(ended) == 4


def test_split_within_a_part_and_from_two_threads_runs_in_place():
    done = []

    def inner(start, stop):
        done.append((start, stop))

    split(2, lambda start, stop: split(10, inner, 1e9), 1e9)
    assert sum(stop - start for start, stop in done) == 20


def test_nothing_is_kept_between_calls():
    import weakref

    class Held:
        def __call__(self, start, stop):
            pass

    watched = Held()
    gone = weakref.ref(watched)
    split(100, watched, 1e9)
    del watched
    assert gone() is None


def test_results_do_not_depend_on_the_number_of_threads():
    results = []
    for threads in (1, 2, 3):
        npg.set_num_threads(threads)
        npg.manual_seed(0)
        x = npg.randn(7, 4, 200, 64, requires_grad=True)  # queries of several blocks, batches of several tiles
        y = npg.nn.functional.gelu(x)
        y = npg.nn.functional.scaled_dot_product_attention(y, x, y, is_causal=True)
        y.sum().backward()
        p = npg.nn.Parameter(npg.randn(300_000))
        p.grad = npg.randn(300_000)
        npg.optim.AdamW([p]).step()
        results.append([a.detach().numpy().tobytes() for a in (y, x.grad, p)])
    assert results[0] == results[1] == results[2]


def test_set_num_threads_sets_the_limit():
    before = npg.get_num_threads()
    try:
        npg.set_num_threads(1)
        assert parallel.limit() == 1
        npg.set_num_threads(2)
        assert parallel.limit() == 2
    finally:
        npg.set_num_threads(before)


def test_workers_are_made_anew_in_a_forked_process():
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    code = """
import os, npg, numpy as np
from npg.kernels import parallel
npg.set_num_threads(2)
out = np.zeros(100)
def work(a, b): out[a:b] += 1
parallel.split(100, work, 1e9)
pid = os.fork()
parallel.split(100, work, 1e9)
assert out.sum() == 200
if pid:
    assert os.waitpid(pid, 0)[1] == 0
os._exit(0)
"""
    environment = {**os.environ, "OPENBLAS_THREAD_TIMEOUT": "18", "PYTHONWARNINGS": "ignore"}
    done = processes.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"NPG_POOL": "0"}, 1),
        ({"NPG_POOL": "0", "OPENBLAS_THREAD_TIMEOUT": "20"}, 1),
        ({"OPENBLAS_NUM_THREADS": "1"}, 1 if openblas.function("get_num_threads") else 2),
        ({"OPENBLAS_THREAD_TIMEOUT": "20"}, 2),
        ({"NPG_ENGINE": "python"}, 2 if openblas.APART else 1),
        ({"NPG_ENGINE": engine_name}, 2 if openblas.APART else 1),
    ],
)
@pytest.mark.skipif(sys.platform == "darwin", reason="threads of its BLAS do not spin")
def test_kernels_are_shared_only_where_the_threads_of_products_do_not_spin(given, expected):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "NPG_POOL"))}
    code = "from npg.kernels import parallel; print(parallel.limit())"
    environment |= {"OMP_NUM_THREADS": "2", **given}
    done = processes.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == str(expected), done.stderr


def test_a_value_of_npg_pool_that_says_nothing_is_refused():
    environment = {**os.environ, "NPG_POOL": "abc"}
    done = processes.run([sys.executable, "-c", "import npg"], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "expected NPG_POOL to be 0 or 1, got 'abc'" in done.stderr.splitlines()[-1]


# ----- Several threads of the user -----


def _products(count, seed):
    draw = np.random.default_rng(seed)
    sizes = [(int(draw.integers(1, 400)), int(draw.integers(1, 400)), int(draw.integers(1, 400))) for _ in range(count)]
    return [(draw.random((m, k)), draw.random((k, n))) for m, k, n in sizes]


def test_products_of_several_threads_are_right():
    wrong = []
    before = npg.get_num_threads()
    npg.set_num_threads(2)

    def work(seed):
        for a, b in _products(20, seed):
            if not np.allclose(a @ b, np.einsum("ij,jk->ik", a, b), rtol=1e-9):
                wrong.append((a.shape, b.shape))
            x = npg.randn(100_000)
            y = npg.nn.functional.gelu(x)  # a program, whose parts go to the same threads
            if not np.array_equal(y.numpy(), npg.nn.functional.gelu(x[:]).numpy()):
                wrong.append("gelu")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    npg.set_num_threads(before)
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong


def test_a_caller_inside_a_part_is_alone():
    inner = []

    def work(start, stop):
        split(10, lambda *part: inner.append(part), 1e9)

    split(2, work, 1e9)
    assert inner == [(0, 10)] * 2


@pytest.mark.parametrize("where", ["in the part of the caller", "while it waits"])
def test_interrupt_leaves_the_threads_usable(where, monkeypatch):
    before = npg.get_num_threads()

    def work(start, stop):
        if start == 0 and where == "in the part of the caller":
            raise KeyboardInterrupt

    if where == "while it waits":

        class Lock:
            def acquire(self):
                raise KeyboardInterrupt

            release = acquire

        make_job = parallel._Job.__init__

        def interrupted(job, *args):
            make_job(job, *args)
            job.ended = Lock()

        monkeypatch.setattr(parallel._Job, "__init__", interrupted)
        monkeypatch.setattr(parallel, "_helpers", lambda wanted: 0)
    with pytest.raises(KeyboardInterrupt):
        split(100, work, 1e9)
    monkeypatch.undo()
    monkeypatch.setattr(parallel._pool, "is_free", True)
    assert npg.get_num_threads() == before
    assert not parallel.inside.part
    done = []
    for _ in range(3):
        split(100, lambda start, stop: done.append((start, stop)), 1e9)
    assert sorted(done) == [(0, 50)] * 3 + [(50, 100)] * 3


def test_where_no_thread_can_be_made_the_caller_does_all(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(parallel._pool, "helpers", 0)
    done = []
    split(100, lambda start, stop: done.append((threading.current_thread().name, start, stop)), 1e9)
    name = threading.current_thread().name
    assert done == [(name, 0, 50), (name, 50, 100)]
