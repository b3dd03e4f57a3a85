"""What `import npg` does to the code beside it: NumPy and scikit-learn in processes that have imported it, and others.

python -m tests.benchmarks.guest                 print the table: some three minutes, with nothing else running
python -m tests.benchmarks.guest svd "@ 500"     works whose names contain one of these

Both processes do the same work in turn, with two threads; the one with npg has used it before each (its threads are
there, and wait). Scikit-learn's works are left out where it is not installed. Memory is what stays resident after
arrays have been freed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

ROUNDS = 25
PART = 0.02  # seconds that a part of a round takes, or one call
QUIET = 0.15  # seconds before a round: OpenBLAS's threads spin for 0.1 after a product


# ----- Works -----


def works() -> dict[str, Callable[[], Any]]:
    """Return what is done, by name."""
    import threading

    import numpy as np

    draw = np.random.default_rng(0)
    la = np.linalg

    def square(n: int) -> Any:
        return draw.standard_normal((n, n))

    a, b, tall = square(300), square(500), draw.standard_normal((600, 100))
    unit = b / 500**0.5  # its determinant is no overflow
    symmetric, definite = b + b.T, b @ b.T + 500 * np.eye(500)
    found: dict[str, Callable[[], Any]] = {
        "inv 300": lambda: la.inv(a),
        "solve 500": lambda: la.solve(b, b),
        "det 500": lambda: la.det(unit),
        "slogdet 500": lambda: la.slogdet(b),
        "cholesky 500": lambda: la.cholesky(definite),
        "qr 300": lambda: la.qr(a),
        "svd 300": lambda: la.svd(a),
        "svdvals 300": lambda: la.svd(a, compute_uv=False),
        "eigh 300": lambda: la.eigh(a + a.T),
        "eigvalsh 500": lambda: la.eigvalsh(symmetric),
        "eig 150": lambda: la.eig(a[:150, :150]),
        "lstsq 600 x 100": lambda: la.lstsq(tall, tall[:, :5], rcond=None),
        "pinv 600 x 100": lambda: la.pinv(tall),
        "matrix_power 300, 5": lambda: la.matrix_power(a, 5),
        "cond 300": lambda: la.cond(a),
    }
    for n in (64, 128, 256, 500, 1000, 1500, 2000):
        x = square(n).astype(np.float32)
        found[f"a @ a {n}"] = lambda x=x: x @ x
    v = draw.standard_normal(2000)
    m = square(2000)
    found["a @ v 2000"] = lambda: m @ v
    four = [square(400) for _ in range(4)]

    def at_once() -> None:
        threads = [threading.Thread(target=lambda x=x: [x @ x for _ in range(5)]) for x in four]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    found["4 threads, 5 products of 400 each"] = at_once
    if importlib.util.find_spec("sklearn"):
        from sklearn.cluster import KMeans
        from sklearn.decomposition import PCA
        from sklearn.linear_model import LinearRegression

        x, y = draw.standard_normal((2000, 100)), draw.standard_normal(2000)
        found["PCA of 2000 x 100"] = lambda: PCA(10).fit(x)
        found["LinearRegression 2000 x 100"] = lambda: LinearRegression().fit(x, y)
        found["KMeans of 2000 x 100"] = lambda: KMeans(8, n_init=1, max_iter=20, random_state=0).fit(x)
    return found


def memory() -> dict[str, float]:
    """Return the MB that stay resident after arrays of the user have been made and freed."""
    import numpy as np

    def resident() -> float:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    found = {}
    for name, count, size in (("200 arrays of 2.4 MB", 200, 600_000), ("60 arrays of 24 MB", 60, 6_000_000)):
        before = resident()
        arrays = [np.ones(size, np.float32) for _ in range(count)]
        del arrays
        found[f"resident after {name}, MB"] = resident() - before
    return found


# ----- Processes -----


def serve(name: str) -> None:
    """Be one process, with npg or without: tell what stays resident, then time a work for each line of input."""
    use = None
    if name == "npg":
        import npg

        x = npg.randn(256, 256, requires_grad=True)

        def use() -> None:
            npg.nn.functional.gelu(x @ x).sum().backward()

        use()
    kept = memory() if sys.platform.startswith("linux") else {}
    all_works = works()
    print(json.dumps({"works": list(all_works), "memory": kept}), flush=True)
    for line in sys.stdin:
        work = all_works[line.strip()]
        if use is not None:
            use()
        work()
        started = time.perf_counter()
        work()
        calls = max(1, int(PART / (time.perf_counter() - started)))
        times = []
        for _ in range(3):
            started = time.perf_counter()
            for _ in range(calls):
                work()
            times.append((time.perf_counter() - started) / calls)
        print(json.dumps(statistics.median(times)), flush=True)


class Process:
    def __init__(self, name: str) -> None:
        threads = {f"{library}_NUM_THREADS": "2" for library in ("OMP", "OPENBLAS", "MKL")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.guest", f"--serve={name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **threads},
            text=True,
        )

    def read(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, work: str) -> float:
        assert self.process.stdin is not None
        time.sleep(QUIET)
        self.process.stdin.write(work + "\n")
        self.process.stdin.flush()
        return float(self.read())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def rows(chosen: list[str] | None = None, rounds: int = ROUNDS) -> Iterator[str]:
    """Yield the lines of the table."""
    both = {name: Process(name) for name in ("numpy", "npg")}
    try:
        first = {name: process.read() for name, process in both.items()}
        yield from ("| work | NumPy alone | after `import npg` | ratio |", "|---|---|---|---|")
        for work in first["numpy"]["works"]:
            if chosen and not any(part in work for part in chosen):
                continue
            times: dict[str, list[float]] = {name: [] for name in both}
            for turn in range(rounds):
                for name in sorted(both, reverse=bool(turn % 2)):
                    times[name].append(both[name].ask(work))
            ratio = statistics.median(b / a for a, b in zip(times["numpy"], times["npg"], strict=True))
            alone, after = (1e3 * statistics.median(times[name]) for name in ("numpy", "npg"))
            yield f"| {work} | {alone:.3g} ms | {after:.3g} ms | {ratio:.2f} |"
        for what, alone in first["numpy"]["memory"].items():
            yield f"| {what} | {alone:.0f} | {first['npg']['memory'][what]:.0f} | |"
    finally:
        for process in both.values():
            process.close()


def main(arguments: list[str]) -> None:
    if arguments and arguments[0].startswith("--serve="):
        serve(arguments[0].partition("=")[2])
        return
    from tests.benchmarks.judge import machine

    print(machine(), "", sep="\n", flush=True)
    for line in rows(arguments):
        print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
