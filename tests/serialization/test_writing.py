"""Files are replaced at once: an error or a kill leaves the old one, and nothing beside it."""

import errno
import io
import os
import pickle
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

import npg
from npg.serialization import _files
from tests import processes
from tests.conftest import ROOT

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes, links and signals of POSIX")


def content(path):
    return npg.load(path).tolist()


@pytest.fixture(params=["unnamed", "named"])
def path(request, tmp_path, monkeypatch):
    """A path in an empty folder; new files are made without a name first where that can be, or with one."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("the system has no files without a name")
    return tmp_path / "file.pt"


def test_paths_of_all_kinds(path):
    names = ["plain.pt", "no suffix", "ümlaut-日本.pt", "a" * 250 + ".pt", ".hidden", "two.dots.pt", "new\nline.pt"]
    for name in names:
        target = path.parent / name
        for kind in (target, str(target)):
            npg.save(npg.arange(3), kind)
            assert content(kind) == [0, 1, 2]
    assert sorted(os.listdir(path.parent)) == sorted(names)


def test_relative_paths(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    npg.save(npg.arange(3), "here.pt")
    assert content("here.pt") == [0, 1, 2] and os.listdir() == ["here.pt"]


@POSIX
def test_the_mode_is_that_of_a_plain_write(path):
    before = os.umask(0o027)
    try:
        npg.save(npg.arange(3), path)
        with open(path.parent / "plain", "wb"):
            pass
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((path.parent / "plain").stat().st_mode) == 0o640
    finally:
        os.umask(before)
    for mode in (0o600, 0o666, 0o755):
        path.chmod(mode)
        npg.save(npg.arange(2), path)
        assert stat.S_IMODE(path.stat().st_mode) == mode and content(path) == [0, 1]


@POSIX
def test_symlinks_stay(path):
    real = path.parent / "real"
    real.mkdir()
    link = path.parent / "link.pt"
    link.symlink_to("real/target.pt")  # to nothing yet, as open() would make it
    for values in (3, 2):
        npg.save(npg.arange(values), link)
        assert link.is_symlink() and content(real / "target.pt") == [*range(values)]
    assert os.listdir(real) == ["target.pt"]
    lost, loop = path.parent / "lost.pt", path.parent / "loop.pt"
    lost.symlink_to("missing/target.pt")
    loop.symlink_to("loop.pt")
    with pytest.raises(RuntimeError, match="Parent directory .*missing does not exist."):
        npg.save(1, lost)
    with pytest.raises(OSError, match=r"symbolic links: '.*loop.pt'"):
        npg.save(1, loop)


@POSIX
def test_pipes_and_devices_are_written_through(path):
    npg.save(npg.arange(3), "/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    os.mkfifo(path)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    npg.save(npg.arange(3), path)
    reader.join(10)
    assert npg.load(io.BytesIO(read[0])).tolist() == [0, 1, 2] and stat.S_ISFIFO(path.stat().st_mode)


class Refusing:
    def __reduce__(self):
        raise ValueError("no pickle of me")


@pytest.mark.parametrize(
    ("obj", "error"),
    [(lambda: 1, (pickle.PicklingError, AttributeError)), (Refusing(), ValueError), (threading.Lock(), TypeError)],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_what_cannot_be_pickled_changes_nothing(path, obj, error, zipped):
    for _ in range(2):
        with pytest.raises(error):
            npg.save({"a": npg.ones(3), "b": obj}, path, _use_new_zipfile_serialization=zipped)
        assert not path.exists() and os.listdir(path.parent) == []
    npg.save(npg.arange(3), path)
    with pytest.raises(error):
        npg.save([obj], path, _use_new_zipfile_serialization=zipped)
    assert content(path) == [0, 1, 2] and os.listdir(path.parent) == ["file.pt"]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), MemoryError()]
)
@pytest.mark.parametrize("calls", [0, 1, 3])
def test_an_error_while_writing_leaves_the_old_file(path, error, calls, monkeypatch):
    npg.save(npg.arange(3), path)
    write, count = _files.Output._write, [0]

    def fail(self, data):
        count[0] += 1
        if count[0] > calls:
            raise error
        write(self, data)

    monkeypatch.setattr(_files.Output, "_write", fail)
    with pytest.raises(type(error)):
        npg.save([npg.ones(100_000) for _ in range(5)], path)
    monkeypatch.undo()
    assert content(path) == [0, 1, 2] and os.listdir(path.parent) == ["file.pt"]


@pytest.mark.parametrize("step", ["fsync", "replace", "link"])
def test_an_error_at_the_end_leaves_the_old_file(path, step, monkeypatch):
    npg.save(npg.arange(3), path)
    unnamed = hasattr(os, "O_TMPFILE")

    def fail(*args, **kwargs):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, step, fail)
    if step == "link" and not unnamed:
        npg.save(npg.arange(2), path)
        expected = [0, 1]
    else:
        with pytest.raises(OSError, match="Input/output error"):
            npg.save(npg.arange(2), path)
        expected = [0, 1, 2]
    assert content(path) == expected and os.listdir(path.parent) == ["file.pt"]


@POSIX
def test_a_full_disk(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("the system has no /dev/full")
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        npg.save(npg.ones(100_000), "/dev/full")
    program = (
        "import resource, npg, os, sys\n"
        "npg.save(npg.arange(3), 'a.pt')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try: npg.save(npg.ones(100_000), 'a.pt')\n"
        "except OSError as error: print(error.strerror, os.path.basename(error.filename))\n"
        "print(npg.load('a.pt').tolist(), os.listdir())\n"
    )
    found = processes.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert found.stdout.splitlines() == ["File too large a.pt", "[0, 1, 2] ['a.pt']"]


@POSIX
def test_a_pipe_that_is_full_is_an_error():
    """It takes nothing, and says so by None."""
    end, start = os.pipe()
    os.set_blocking(start, False)
    with open(end, "rb"), open(start, "wb", buffering=0) as file, pytest.raises(BlockingIOError):
        npg.save(npg.zeros(1_000_000), file)


def test_tensors_that_change_while_they_are_saved():
    """Another thread may train; the file has values of before and after, and can be loaded."""
    x = npg.zeros(500_000)

    class Changing(io.BytesIO):
        def write(self, data):
            x.add_(1)
            return super().write(data)

    file = Changing()
    npg.save(x, file)
    file.seek(0)
    assert len(npg.load(file).unique()) == 2


@POSIX
def test_threads_read_one_file(path):
    npg.save({str(i): npg.full((5000,), float(i)) for i in range(9)}, path)
    wrong = []

    def work():
        for mapped in (False, True, False):
            state = npg.load(path, mmap=mapped)
            wrong.extend(key for key, x in state.items() if not np.all(x.numpy() == int(key)))
        wrong.append(None)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [None] * 4


@POSIX
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write everything")
def test_what_may_not_be_written(path):
    npg.save(npg.arange(3), path)
    path.chmod(0o400)
    with pytest.raises(PermissionError):  # as a plain write
        npg.save(npg.arange(2), path)
    path.chmod(0o600)
    path.parent.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match="needs a folder that can be written"):
            npg.save(npg.arange(2), path)
    finally:
        path.parent.chmod(0o700)
    assert content(path) == [0, 1, 2] and os.listdir(path.parent) == ["file.pt"]


def test_folders(path):
    with pytest.raises(IsADirectoryError if os.name == "posix" else OSError):
        npg.save(npg.arange(2), path.parent)
    with pytest.raises(RuntimeError, match="Parent directory .* does not exist."):
        npg.save(npg.arange(2), path / "missing" / "x.pt")
    with pytest.raises(FileNotFoundError):
        npg.save(npg.arange(2), "")


@POSIX
def test_many_at_once(path):
    """Threads that save to one path: the file is one of theirs."""

    def work(i):
        for _ in range(5):
            npg.save(npg.full((10_000,), float(i)), path)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    found = set()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            found |= {len(set(content(path)))}
    for thread in threads:
        thread.join()
    assert found <= {1} and len(set(content(path))) == 1 and os.listdir(path.parent) == ["file.pt"]


@POSIX
@pytest.mark.parametrize("mapped", [False, True])
def test_a_forked_process_has_a_copy(path, mapped):
    npg.save(npg.zeros(2_000_000), path)
    found = npg.load(path, mmap=mapped)
    child = os.fork()
    if not child:
        found._array[:] = 1
        os._exit(0)
    os.waitpid(child, 0)
    assert found._array.max() == 0


@POSIX
def test_no_descriptor_is_left_open(path):
    def count():
        return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0

    npg.save(npg.arange(3), path)
    npg.load(path)
    before = count()
    for _ in range(5):
        npg.save(npg.arange(3), path)
        npg.load(path)
        npg.load(path, mmap=True)
        with pytest.raises(pickle.UnpicklingError):
            npg.load(io.BytesIO(b"x"))
        (path.parent / "bad").write_bytes(b"PK\3\4")
        with pytest.raises(RuntimeError):
            npg.load(path.parent / "bad")
    assert count() == before


@POSIX
def test_a_kill_at_any_moment_leaves_the_old_file_or_the_new_one(tmp_path):
    program = f"from tests.serialization.killing import run; print(*run(25, {str(tmp_path)!r}, 1))"
    found = processes.run(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    within, saved, left = map(int, found.stdout.split())
    assert within > 5 and saved > 5 and left <= 2
