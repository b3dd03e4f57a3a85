"""npg is a guest in the process: what NumPy does beside it, its threads, its memory, forks and exits, is as before.

Each program runs in a process of its own, with and without npg where the two are compared.
"""

import ctypes
import os
import platform
import signal
import sys
import textwrap

import pytest

import npg
from npg.kernels import openblas
from tests import processes

LINUX = sys.platform.startswith("linux")
GLIBC = platform.libc_ver()[0] == "glibc"
needs_cython = pytest.mark.skipif(npg.engine.name != "cython", reason="of the Cython engine")

RESIDENT = """
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6
"""


def run(program, *arguments, timeout=120, **variables):
    """Return what a program prints, run with two threads for products."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    environment |= {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONWARNINGS": "ignore", **variables}
    done = processes.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done.stdout.strip()


# ----- Settings of BLAS -----


@pytest.mark.skipif(openblas.function("get_num_threads") is None, reason="needs OpenBLAS")
def test_import_and_use_change_no_setting_of_openblas():
    program = """
        import ctypes, threading, numpy as np
        from npg.kernels import openblas
        ask = openblas.function("get_num_threads")
        seen = {ask()}
        import npg
        stop = threading.Event()
        def watch():
            while not stop.is_set():
                seen.add(ask())
        watcher = threading.Thread(target=watch)
        watcher.start()
        x = npg.randn(64, 512, requires_grad=True)
        q = npg.randn(4, 4, 200, 64, requires_grad=True)
        for mask in (None, npg.ones(200, 200, dtype=npg.bool)):
            y = npg.nn.functional.scaled_dot_product_attention(q, q, q, attn_mask=mask)
            (y.sum() + (npg.nn.functional.gelu(x @ npg.randn(512, 700)) @ npg.randn(700, 900)).sum()).backward()
        stop.set()
        watcher.join()
        callback = getattr(openblas._library(), "openblas_threads_callback_", None)
        value = None if callback is None else ctypes.c_void_p.in_dll(
            openblas._library(), "openblas_threads_callback_").value
        print(seen, value)
    """
    assert run(program) == "{2} None"


@pytest.mark.skipif(not openblas.APART, reason="the limit is read from OpenBLAS")
def test_limits_of_the_process_hold_for_kernels_too():
    from npg.kernels import parallel

    ask, tell = openblas.function("get_num_threads"), openblas.function("set_num_threads")
    before, limit = ask(), parallel.requested()
    try:
        parallel.set_limit(4)
        for threads in (1, 3):
            tell(ctypes.c_int(threads))  # as threadpoolctl does
            assert parallel.limit() == npg.get_num_threads() == threads
    finally:
        tell(ctypes.c_int(before))
        parallel.set_limit(limit)


@pytest.mark.skipif(not (LINUX and openblas.APART), reason="reads the threads of the process")
def test_products_of_npg_leave_openblas_threads_asleep():
    # Its thread spins after each product that was handed to it: seen in the time that the thread has had.
    program = """
        import os, numpy as np, npg
        def spent():
            with open(f"/proc/self/task/{threads[1]}/stat") as file:
                return int(file.read().rpartition(")")[2].split()[11])
        threads = sorted(map(int, os.listdir("/proc/self/task")))
        a, v = npg.randn(600, 600), npg.randn(600)
        before = spent()
        for _ in range(30):
            a @ a, a @ v, a.T @ v, npg.linalg.norm(a), a.sum(0)
            x = npg.randn(300, 600, requires_grad=True)
            npg.nn.functional.linear(x, a, v).sum().backward()
            npg.nn.functional.layer_norm(npg.randn(4, 30000), (30000,))
        ours = spent() - before
        for _ in range(20):
            a.numpy() @ a.numpy()
        import time; time.sleep(0.2)
        print(ours, spent() - before - ours > ours)
    """
    ours, numpys_are_more = run(program, NPG_ENGINE=npg.engine.name).split()
    assert int(ours) <= 2, f"OpenBLAS's own thread had {ours} hundredths of a second"
    assert numpys_are_more == "True"


# ----- Threads that cannot be made -----


@pytest.mark.skipif(not LINUX or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="gives its rights away")
@pytest.mark.parametrize("order", ["before", "after"])
def test_without_threads_all_runs(order):
    program = """
        import os, resource, sys
        import numpy as np
        import npg, npg.nn.functional as F
        a = np.random.default_rng(0).random((700, 700))
        if sys.argv[1] == "after":
            F.gelu(npg.from_numpy(a) @ npg.from_numpy(a))  # its threads are there
        small, tiny = npg.randn(2, 2, 4, 4), np.eye(2)  # what is imported late: another user may not read the files
        F.scaled_dot_product_attention(small, small, small), F.gelu(small), np.linalg.inv(tiny), (small * 2).sum(0)
        np.allclose((small @ small)[0, 0, :2, :2], tiny @ tiny), np.einsum("ij,jk->ik", tiny, tiny)
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        os.setuid(65534)
        right = np.einsum("ij,jk->ik", a[:5], a)
        x = npg.from_numpy(a)
        assert np.allclose((a @ a)[:5], right) and np.allclose((x @ x)[:5], right)
        q = npg.randn(4, 4, 256, 64)
        F.scaled_dot_product_attention(q, q, q), F.gelu(npg.randn(1_000_000)), np.linalg.inv(a), (x * 2).sum(0)
        many = [x * 2 for _ in range(40)]
        del many  # more memory than is kept, and nobody to give it back later
        print("done")
    """
    assert run(program, order) == "done"


# ----- Interrupts -----


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
def test_interrupts_in_attention_change_nothing():
    program = """
        import signal, npg, npg.nn.functional as F
        from npg.kernels import parallel
        class Stop(Exception): pass
        def stop(*_): raise Stop
        signal.signal(signal.SIGALRM, stop)
        q = npg.randn(8, 4, 130, 32, requires_grad=True)
        before, count = (npg.get_num_threads(), parallel.limit()), 0
        for i in range(150):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0002 + 0.00005 * (i % 40))
                for _ in range(20):
                    F.scaled_dot_product_attention(q, q, q, attn_mask=npg.zeros(130, 130)).sum().backward()
            except Stop:
                count += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        done = []
        parallel.split(100, lambda a, b: done.append((a, b)), 1e9)
        print(count > 100, before == (npg.get_num_threads(), parallel.limit()), parallel.inside.part, sorted(done))
    """
    expected = "[(0, 50), (50, 100)]" if openblas.APART else "[(0, 100)]"
    assert run(program) == f"True True False {expected}"


# ----- Forks and ends -----


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
# NumPy 2.0 and 2.1 have no batches of products to ask for.
@pytest.mark.skipif(not openblas.APART, reason="large products go to threads of BLAS, which do not outlive a fork")
def test_children_forked_while_others_multiply_multiply():
    program = """
        import os, threading, time, npg, npg.nn.functional as F
        stop = False
        def work():
            a, x = npg.randn(500, 500), npg.randn(300_000)
            while not stop:
                a @ a, F.gelu(x)
        threads = [threading.Thread(target=work) for _ in range(4)]
        [thread.start() for thread in threads]
        time.sleep(0.1)
        ends = []
        for _ in range(10):
            child = os.fork()
            if not child:
                a = npg.randn(500, 500)
                a @ a, F.gelu(npg.randn(300_000)), a.numpy() @ a.numpy()
                os._exit(0)
            for _ in range(3000):
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    break
                time.sleep(0.01)
            else:
                os.kill(child, 9)
                os.waitpid(child, 0)
                status = "hangs"
            ends.append(status)
        stop = True
        [thread.join() for thread in threads]
        print(set(ends), npg.get_num_threads())
    """
    assert run(program, timeout=400) == "{0} 2"


@pytest.mark.parametrize(
    "ending",
    [
        "pass",
        "import time; time.sleep(0.01)",  # the threads sleep
        "npg.set_num_threads(1); x @ x; npg.set_num_threads(3); x @ x",
        "np.linalg.solve(a, a); np.linalg.svd(a)",
    ],
)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_process_ends_and_forks_with_threads_in_use(ending):
    program = f"""
        import os, numpy as np, npg
        a = np.random.default_rng(0).random((500, 500))
        x = npg.from_numpy(a)
        expected = (x @ x).numpy()
        {ending}
        pid = os.fork()
        same = np.allclose(x @ x, expected) and np.allclose(np.linalg.solve(a, (x @ x).numpy()), a)
        if pid:
            _, status = os.waitpid(pid, 0)
            print(status, same)
        else:
            os._exit(0 if same else 1)
    """
    assert run(program) == "0 True"


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_pools_of_processes(method, tmp_path):
    if method not in __import__("multiprocessing").get_all_start_methods():
        pytest.skip("not on this platform")
    file = tmp_path / "work.py"
    file.write_text(
        textwrap.dedent(f"""
        import multiprocessing, npg, npg.nn.functional as F
        def work(seed):
            npg.manual_seed(seed)
            x = npg.randn(300, 400, requires_grad=True)
            F.gelu(x @ npg.randn(400, 500)).sum().backward()
            return x.grad.sum().item()
        if __name__ == "__main__":
            here = [work(i) for i in range(3)]
            with multiprocessing.get_context("{method}").Pool(2) as pool:
                print(pool.map(work, range(3)) == here)
        """)
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    environment["PYTHONPATH"] = os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])
    done = processes.run([sys.executable, file], env=environment, capture_output=True, text=True, timeout=240)
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.skipif(not openblas.APART, reason="large products go to threads of BLAS, which an end may hang in")
def test_daemons_in_large_products_do_not_crash_the_end():
    program = """
        import threading, time, npg
        def work():
            a = npg.randn(900, 900)
            while True:
                a @ a
        for _ in range(4):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.3)
        print("end")
    """
    for _ in range(3):
        assert run(program) == "end"


# ----- Memory -----


@pytest.mark.skipif(not (LINUX and GLIBC), reason="reads resident memory; other C libraries keep what they like")
def test_arrays_of_the_user_are_given_back_as_without_npg():
    program = f"""
        {textwrap.indent(RESIDENT, " " * 8).strip()}
        import sys
        import numpy as np
        if sys.argv[1] == "npg":
            import npg
            (npg.ones(1000, 1000) * 2).sum()
        before = resident()
        for count, size in ((200, 600_000), (60, 6_000_000)):
            arrays = [np.ones(size, np.float32) for _ in range(count)]
            del arrays
            print(int(resident() - before))
    """
    assert all(int(line) < 30 for line in run(program, "numpy").splitlines())
    assert all(int(line) < 30 for line in run(program, "npg").splitlines())


@needs_cython
@pytest.mark.skipif(not LINUX, reason="reads resident memory and page faults")
def test_memory_of_npgs_arrays_waits_for_the_next_and_is_bounded():
    program = f"""
        {textwrap.indent(RESIDENT, " " * 8).strip()}
        import resource, time, npg
        def faults():
            return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        x = npg.ones(1 << 18)  # 256 pages
        def step():
            [x * 2 for _ in range(16)]
        for _ in range(3):
            step()
        first = faults()
        for _ in range(10):
            step()
        print(faults() - first < 1000)
        for size in (1 << 20, 1 << 24):  # 60 of 4 MB, 12 of 64 MB
            x = npg.ones(size)
            before = resident()
            arrays = [x * 2 for _ in range((60 << 20) // size or 12)]
            del arrays
            for _ in range(100):
                time.sleep(0.05)
                if resident() - before < 80:
                    break
            print(resident() - before < 80)
        npg.empty_cache()
        print(npg.memory_stats()["block_bytes"])
    """
    assert run(program, NUMPY_MADVISE_HUGEPAGE="0").split() == ["True", "True", "True", "0"]


@needs_cython
@pytest.mark.skipif(not LINUX, reason="reads page faults")
def test_memory_of_middle_arrays_waits_too_and_many_are_no_mappings():
    """Where the end of the heap is freed after a backward pass, the C library gives it back, page by page."""
    program = """
        import resource, npg
        def faults():
            return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        x = npg.ones(16, 128, requires_grad=True)  # 8 kB
        def step():
            y = x
            for _ in range(400):
                y = y * 2 + x
            y.sum().backward()
        for _ in range(4):
            step()
        first = faults()
        for _ in range(10):
            step()
        print(faults() - first < 500)
        def mappings():
            with open("/proc/self/maps") as file:
                return sum(1 for _ in file)
        before = mappings()
        x = npg.ones(16, 512)
        arrays = [x.exp() for _ in range(5_000)]  # 160 MB
        del arrays[::2]
        print(mappings() - before < 200)
        used = npg.memory_stats()["block_used_bytes"]
        del arrays
        print(used - npg.memory_stats()["block_used_bytes"] > 60 << 20)
        npg.empty_cache()
        print(npg.memory_stats()["block_bytes"])
    """
    assert run(program, MALLOC_TOP_PAD_="0").split() == ["True", "True", "True", "0"]


@needs_cython
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the blocks are made on POSIX systems")
def test_blocks_serve_every_way_in_which_numpy_asks():
    x = npg.ones(20_000, dtype=npg.float64)
    used = npg.memory_stats()["block_used_bytes"]
    y = x * 2
    a = y.numpy()
    assert npg.memory_stats()["block_used_bytes"] > used
    del y
    for size in (30_000, 5, 100_000, 1_000, 7_000, 9, 20_000):  # from blocks to the heap and back
        grown = (x * 3).numpy()
        grown = grown if grown.base is None else grown.base
        grown.resize(size, refcheck=False)
        kept = min(size, 20_000)
        assert (grown[:kept] == 3).all()
        assert not grown[kept:].any()
        del grown
    (x[:0] * 2).numpy(), (x.reshape(20_000, 1)[:, :0] * 2).numpy()  # no elements
    del a
    npg.empty_cache()
    assert npg.memory_stats()["block_used_bytes"] <= used
