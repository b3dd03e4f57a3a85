"""Damaged and hostile checkpoints, as many as wanted: npg.load opens or refuses each, and does nothing else.

    python -m tests.serialization.fuzzing [cases] [seed]

A case is a real file (written by npg.save, and by torch.save where torch is installed, in both formats), mutated: its
bytes, the numbers of its archive, its pickle by opcodes with the checksums set right again. For each case is watched:

* what is raised is one of the errors that npg.load documents;
* nothing is run: no import, exec, process or opened file (audit events);
* no memory beyond the bound: the process may not grow by more than 256 MB, and some cases are traced one by one;
* every tensor that is returned lies within memory of its own, all of which can be read;
* no case takes longer than ten seconds of the processor.
"""

import collections
import io
import pickle
import pickletools
import random
import resource
import signal
import struct
import sys
import time
import tracemalloc
import warnings
import zipfile
import zlib

from numpy.lib.array_utils import byte_bounds

import npg
from npg.ops.strided import root
from npg.serialization._scanning import opcodes_of
from npg.serialization._zip_writing import ZipWriter

ERRORS = (pickle.UnpicklingError, RuntimeError, TypeError, ValueError, EOFError)
FORBIDDEN = ("import", "exec", "compile", "os.", "subprocess.", "socket.", "pickle.find_class", "ctypes.", "shutil.")
GROWTH = 256 << 20
_watching = False
_events: list[str] = []


def _audit(event: str, args: tuple) -> None:
    if _watching and (event == "open" or event.startswith(FORBIDDEN)):
        _events.append(f"{event} {args!r:.200}")


# ----- Files to start from -----


def objects(lib):
    """Return what the files hold: everything that checkpoints hold."""
    lib.manual_seed(0)
    model = lib.nn.Sequential(lib.nn.Linear(3, 2), lib.nn.LayerNorm(2))
    optimizer = lib.optim.Adam(model.parameters(), lr=0.1)
    model(lib.ones(2, 3)).sum().backward()
    optimizer.step()
    x = lib.arange(12.0).reshape(3, 4)
    yield x
    yield {"x": x, "part": x[1:], "turned": x.t(), "wide": x[:1].expand(3, 4), "none": x[:0]}
    yield {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": 3, "state": lib.get_rng_state()}
    yield [lib.ones(2).to(getattr(lib, kind)) for kind in "float16 float64 int8 int16 int32 int64 uint8 bool".split()]
    yield [lib.ones(2).to(lib.int64).to(lib.uint16), lib.float32, x.shape, lib.device("cpu"), lib.nn.Parameter(x)]
    yield {"list": [1, 2**40, -1, 2.5, None, True, "text"], "set": {1, 2}, "bytes": b"abc", (1, 2): {}, "c": 1j}
    yield collections.OrderedDict(a=collections.Counter("abca"), b=bytearray(b"xyz"))


def seeds():
    """Return files in both formats."""
    libraries = [npg]
    try:
        import torch
    except ImportError:
        pass
    else:
        libraries.append(torch)
    files = []
    for lib in libraries:
        for obj in objects(lib):
            for new in (True, False):
                buffer = io.BytesIO()
                lib.save(obj, buffer, _use_new_zipfile_serialization=new)
                files.append(buffer.getvalue())
    return files


# ----- Mutations -----

NUMBERS = [0, 1, 2, 7, 8, 63, 64, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1]
PIECES = [
    b"(", b")", b"]", b"}", b"\x8f", b"N", b"\x88", b"t", b"\x85", b"\x86", b"\x87", b"R", b"b", b"a", b"e", b"s", b"u",
    b"Q", b".", b"0", b"2", b"\x81", b"K\x01", b"K\xff", b"M\xff\xff", b"J\xff\xff\xff\xff", b"J\xff\xff\xff\x7f",
    b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x8a\x09\0\0\0\0\0\0\0\0\x01", b"X\x01\0\0\0a", b"X\xff\xff\xff\x7f",
    b"h\0", b"h\x01", b"h\x05", b"q\0", b"q\x05", b"r\xff\xff\xff\x7f", b"G" + struct.pack(">d", float("nan")),
    b"cos\nsystem\n", b"cposix\nsystem\n", b"cbuiltins\neval\n", b"c__builtin__\ngetattr\n", b"c__builtin__\nset\n",
    b"ccollections\nOrderedDict\n", b"ccollections\nCounter\n", b"ccollections\ndefaultdict\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch._utils\n_rebuild_tensor_v3\n", b"ctorch\nSize\n",
    b"ctorch._utils\n_rebuild_parameter\n", b"ctorch._utils\n_rebuild_parameter_with_state\n", b"ctorch\nTensor\n",
    b"ctorch._tensor\n_rebuild_from_type_v2\n", b"ctorch\nfloat64\n", b"ctorch\nbfloat16\n", b"ctorch\ndevice\n",
    b"ctorch\nDoubleStorage\n", b"ctorch.storage\nUntypedStorage\n", b"ctorch\nBFloat16Storage\n",
    b"ctorch.nn.parameter\nParameter\n",
    b"c_codecs\nencode\n", b"c__builtin__\nbytearray\n", b"c__builtin__\ncomplex\n",
    b"ctorch.serialization\n_get_layout\n", b"ctorch._utils\n_rebuild_device_tensor_from_cpu_tensor\n", b"K\x01\x85R",
    b"cnpg\nload\n", b"ctorch\nload\n", b"cnumpy.core.multiarray\nscalar\n", b"\x93", b"\x80\x04", b"i", b"V12\n",
]  # fmt: skip


def mutated_bytes(rng, data):
    """Return bytes with some of them changed, taken out, repeated or put in."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        if not data:
            break
        at = rng.randrange(len(data))
        kind = rng.randrange(7)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            del data[at : at + rng.choice((1, 2, 4, 16, 64))]
        elif kind == 3:
            data[at:at] = data[at : at + rng.choice((1, 2, 4, 16, 64))]
        elif kind == 4:
            width = rng.choice((1, 2, 4, 8))
            data[at : at + width] = (rng.choice(NUMBERS) % 2 ** (8 * width)).to_bytes(width, "little")
        elif kind == 5:
            del data[at:]
        else:
            data[at : at + rng.choice((0, 0, 2, 8))] = rng.choice(PIECES)
    return bytes(data)


def mutated_pickle(rng, pickled):
    """Return a pickle with some opcodes changed, taken out, repeated, exchanged or put in."""
    try:
        places = [at for _, _, at in pickletools.genops(pickled)]
    except Exception:
        return mutated_bytes(rng, pickled)
    steps = [pickled[a:b] for a, b in zip(places, [*places[1:], len(pickled)])]
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        at = rng.randrange(len(steps))
        kind = rng.randrange(6)
        if kind == 0:
            steps[at:at] = [rng.choice(PIECES) for _ in range(rng.choice((1, 1, 2, 4)))]
        elif kind == 1:
            steps[at] = rng.choice(PIECES)
        elif kind == 2 and len(steps) > 1:
            del steps[at]
        elif kind == 3:
            steps[at:at] = steps[at : at + rng.choice((1, 2, 5))]
        elif kind == 4:
            other = rng.randrange(len(steps))
            steps[at], steps[other] = steps[other], steps[at]
        else:
            number = rng.choice(NUMBERS) * rng.choice((1, 1, -1))
            steps[at] = pickle.dumps(number, 2)[2:-1]
    return b"".join(steps)


def repacked(rng, data, change):
    """Return a checkpoint with its pickle, or a record, changed and the checksums right."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        records = [(info.filename, archive.read(info)) for info in archive.infolist()]
    which = next(i for i, (name, _) in enumerate(records) if name.endswith("/data.pkl"))
    if rng.random() < 0.1:
        which = rng.randrange(len(records))
    name, old = records[which]
    records[which] = name, change(rng, old)
    buffer = io.BytesIO()
    writer = ZipWriter(buffer.write, lambda count: buffer.write(bytes(count)), name.partition("/")[0])
    for name, content in records:
        if not name.endswith(("/version", "serialization_id")):
            writer.add(name.partition("/")[2], content)
    writer.finish()
    return buffer.getvalue()


def with_pickle(rng, data):
    """Return a file with its pickle changed, in the format it has."""
    if data[:2] == b"PK":
        return repacked(rng, data, mutated_pickle)
    ends, at = [0], 0
    for _ in range(5):
        *_, (_, _, at) = opcodes_of(data, at)
        ends.append(at)
    which = rng.choice((3, 3, 3, 4, 2))
    return data[: ends[which]] + mutated_pickle(rng, data[ends[which] : ends[which + 1]]) + data[ends[which + 1] :]


def with_numbers(rng, data):
    """Return an archive with a number of its directory or of a header changed."""
    if data[:2] != b"PK":
        return mutated_bytes(rng, data)
    marks = []
    for mark in (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7"):
        at = data.find(mark)
        while at >= 0:
            marks.append(at)
            at = data.find(mark, at + 1)
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2))):
        at, width = rng.choice(marks) + rng.randrange(4, 56), rng.choice((2, 4, 8))
        number = rng.choice([*NUMBERS, rng.randrange(len(data) + 100)]) % 2 ** (8 * width)
        if at + width <= len(changed):
            changed[at : at + width] = number.to_bytes(width, "little")
    return bytes(changed)


def case(rng, files):
    """Return a mutated file."""
    data = rng.choice(files)
    kind = rng.random()
    if kind < 0.55:
        return with_pickle(rng, data)
    if kind < 0.8:
        return with_numbers(rng, data)
    return mutated_bytes(rng, data)


# ----- Watching -----


class Failure(AssertionError):
    """A case that npg.load did not open or refuse as it should."""


def _check(value, depth=0):
    """Read every tensor in a result; raise Failure for one that reaches beyond its memory."""
    if isinstance(value, npg.Tensor):
        array = value._array
        if array.size:
            low, high = byte_bounds(array)
            start, end = byte_bounds(root(array))
            if not start <= low <= high <= end:
                raise Failure(f"a tensor at {low}-{high} leaves its memory {start}-{end}")
            if array.size < 1_000_000:
                array.copy()
        if value.is_floating_point() is False and value.requires_grad:
            raise Failure("an integer tensor that requires grad")
    elif depth < 20 and isinstance(value, dict):
        for part in value.values():
            _check(part, depth + 1)
    elif depth < 20 and isinstance(value, (list, tuple)):
        for part in value:
            _check(part, depth + 1)


def _too_long(*args):
    raise Failure("a case took more than ten seconds")


def tried(data, **options):
    """Load a case. Returns the error's type, or None. Raises Failure when anything else happens."""
    global _watching
    _events.clear()
    try:
        _watching = True
        try:
            value = npg.load(io.BytesIO(data), **options)
        finally:
            _watching = False
        _check(value)
        found = None
    except Failure:
        raise
    except ERRORS as error:
        found = type(error)
        if len(str(error)) > 5000:
            raise Failure(f"a message of {len(str(error))} characters") from error
    except BaseException as error:
        raise Failure(f"{type(error).__name__}: {error}") from error
    if _events:
        raise Failure(f"something ran: {_events[:3]}")
    return found


def run(cases, seed=0, files=None):
    """Try so many cases. Returns how many ended in which way. Raises Failure at the first that should not.

    Args:
        files: what to start from; seeds() without it.
    """
    sys.addaudithook(_audit)
    signal.signal(signal.SIGPROF, _too_long)
    rng, files, ways = random.Random(seed), files or seeds(), collections.Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for data in files:
            if tried(data) is not None:
                raise Failure("a file that is not mutated is refused")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        for i in range(cases):
            data = case(rng, files)
            try:
                if i % 200 == 0:
                    tracemalloc.start()
                signal.setitimer(signal.ITIMER_PROF, 10)
                ways[tried(data)] += 1
                signal.setitimer(signal.ITIMER_PROF, 0)
                if i % 200 == 0:
                    peak = tracemalloc.get_traced_memory()[1]
                    tracemalloc.stop()
                    if peak > 2 * len(data) + (1 << 20):
                        raise Failure(f"{peak} bytes for a file of {len(data)}")
                grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
                if grown > GROWTH:
                    raise Failure(f"the process grew by {grown} bytes")
            except Failure:
                with open("/tmp/npg-fuzz-case.pt", "wb") as file:
                    file.write(data)
                print(f"case {i} of seed {seed}, written to /tmp/npg-fuzz-case.pt", file=sys.stderr)
                raise
    return ways


def main():
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else zlib.crc32(struct.pack("d", time.time()))
    start = time.perf_counter()
    ways = run(cases, seed)
    print(f"{cases} cases of seed {seed} in {time.perf_counter() - start:.0f} s, none failed:")
    for kind, count in ways.most_common():
        print(f"  {count} {'opened' if kind is None else kind.__name__}")


if __name__ == "__main__":
    main()
