"""Time and memory of npg.save and npg.load beside torch's, on a checkpoint like GPT-2's (124M parameters, 498 MB), and
the time for 5,000 tensors of three numbers.

    python -m tests.serialization.measured [folder]

Each figure is of a process of its own, the two libraries in turn; medians of 7. The memory of a load is the highest
resident size above that before the call, less what was mapped; of a save likewise.
"""

import os
import statistics
import subprocess
import sys
import tempfile

PROGRAM = """
import sys, time
library, action, path = sys.argv[1:]
lib = __import__(library)
D, V, T, L = 768, 50257, 1024, 12
shapes = [(V, D), (T, D)] + [s for _ in range(L) for s in
    [(D,), (D,), (3 * D, D), (3 * D,), (D, D), (D,), (D,), (D,), (4 * D, D), (4 * D,), (D, 4 * D), (D,)]] + [(D,), (D,)]
if "small" in action:
    shapes = [(3,)] * 5000
if "save" in action:
    state = {f"transformer.h.{i}.weight": lib.ones(s) for i, s in enumerate(shapes)}
def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096
lib.save({"a": lib.ones(3)}, path + ".small")
lib.load(path + ".small")
with open("/proc/self/clear_refs", "w") as f:
    f.write("5")  # the highest size starts anew
before, start, cpu = resident(), time.perf_counter(), time.process_time()
if "save" in action:
    lib.save(state, path)
else:
    state = lib.load(path, mmap=action == "map")
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
with open("/proc/self/status") as f:
    peak = next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))
print(seconds, cpu, peak - before)
"""


def run(library: str, action: str, path: str) -> tuple[float, float, int]:
    """Return (seconds, seconds of the processors, bytes of memory) of one call in a process of its own."""
    words = subprocess.run(
        [sys.executable, "-c", PROGRAM, library, action, path], check=True, capture_output=True, text=True
    ).stdout.split()
    return float(words[0]), float(words[1]), int(words[2])


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        path = os.path.join(folder, "gpt2.pt")
        for action in ("save", "load", "map", "save small", "load small"):
            if action.startswith("save"):
                run("npg", action, path)
                size = os.path.getsize(path)
            found: dict[str, list[tuple[float, float, int]]] = {"npg": [], "torch": []}
            for _ in range(7):
                for library, runs in found.items():
                    runs.append(run(library, action, path))
            (wall, cpu, _), (torchs_wall, torchs_cpu, _) = (
                [statistics.median(column) for column in zip(*runs)] for runs in found.values()
            )
            peak, torchs_peak = (max(m for _, _, m in runs) / size for runs in found.values())
            print(
                f"{action}, {size / 1e6:.1f} MB: npg {wall:.3f} s, torch {torchs_wall:.3f} s, ratio "
                f"{wall / torchs_wall:.2f}; of the processors npg {cpu:.3f} s, torch {torchs_cpu:.3f} s, ratio "
                f"{cpu / torchs_cpu:.2f}; memory as a part of the file npg {peak:.2f}, torch {torchs_peak:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
