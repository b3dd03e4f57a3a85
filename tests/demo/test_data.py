"""prepare.py and dataset.py: token files, the way without a network, damaged files, batches."""

import errno
import hashlib
import http.server
import io
import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
from pathlib import Path

import numpy as np
import pytest
from config import DemoError
from data import prepare
from dataset import Dataset, decode, encode, first_prompt, open_dataset

import npg
from tests import processes

DEMO = Path(prepare.__file__).parent.parent


def quiet(text):
    pass


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def no_network(*args, **kwargs):
    raise urllib.error.URLError("Name or service not known")


# ----- prepare -----


def test_prepare_input_writes_tokens_that_decode_to_the_text(tmp_path, text_file):
    folder = prepare.prepare(tmp_path / "data", text_file, quiet)
    text = text_file.read_text()
    meta = json.loads((folder / "meta.json").read_bytes())
    train, val = (np.fromfile(folder / f"{name}.bin", np.uint16) for name in ("train", "val"))
    assert decode([*train, *val], meta["vocabulary"]) == text
    assert len(train) == int(0.9 * len(text))
    assert meta["vocabulary"] == "".join(sorted(set(text)))
    assert (meta["vocab_size"], meta["characters"]) == (len(set(text)), len(text))
    assert meta["sha256"] == hashlib.sha256(text_file.read_bytes()).hexdigest()
    assert sorted(path.name for path in folder.iterdir()) == ["meta.json", "train.bin", "val.bin"]


def test_prepare_characters_outside_the_bmp_and_a_byte_order_mark_are_one_token_and_none(tmp_path):
    (tmp_path / "t").write_bytes("\ufeffaé漢😀\r\n".encode())
    data = Dataset(prepare.prepare(tmp_path / "d", tmp_path / "t", quiet))
    assert data.vocabulary == "\n\raé漢😀"


def test_prepare_without_network_says_so_and_uses_pythons_prose(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(prepare.urllib.request, "urlopen", no_network)
    data = Dataset(prepare.prepare(tmp_path / "data", "", said.append))
    assert data.source == "pydoc_data.topics"
    assert data.meta["characters"] > 300_000
    assert any("no download: Name or service not known" in line for line in said)
    assert any("pydoc_data.topics" in line and "--input=FILE" in line for line in said)


def test_prepare_without_network_and_without_pythons_prose_raises_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare.urllib.request, "urlopen", no_network)
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(DemoError, match=r"this Python has no pydoc_data\.topics .*; give --input=FILE"):
        prepare.prepare(tmp_path / "data", "", quiet)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("content", [b"", b"<html>a captive portal</html>"])
def test_prepare_download_of_something_else_falls_back_naming_the_checksum(content, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(prepare.urllib.request, "urlopen", lambda *args, **kwargs: io.BytesIO(content))
    data = Dataset(prepare.prepare(tmp_path / "data", "", said.append))
    assert data.source == "pydoc_data.topics"
    assert any(hashlib.sha256(content).hexdigest() in line and prepare.SHA256 in line for line in said)


def test_prepare_download_with_the_right_checksum_is_used(tmp_path, monkeypatch):
    content, asked = b"All the world's a stage", []

    def answer(url, timeout):
        asked.append((url, timeout))
        return io.BytesIO(content)

    monkeypatch.setattr(prepare, "SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(prepare.urllib.request, "urlopen", answer)
    data = Dataset(prepare.prepare(tmp_path / "data", "", quiet))
    assert (data.source, data.meta["characters"]) == (prepare.URL, len(content))
    assert asked == [(prepare.URL, prepare.TIMEOUT)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected at least 2 characters (one to train, one to validate), got 0"),
        (b"x", "expected at least 2 characters (one to train, one to validate), got 1"),
        (b"abc\xff", "expected text in UTF-8, got byte 0xff at 3; save it as text in UTF-8"),
        ("abc".encode("utf-16-le"), "expected text, got a zero byte at 1; save it as text in UTF-8"),
        ("".join(map(chr, range(0x20000, 0x30001))).encode(), "expected at most 65536 distinct characters"),
        (None, "cannot read"),
    ],
)
def test_prepare_bad_input_raises_and_writes_nothing(content, message, tmp_path):
    path = tmp_path / "text"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DemoError) as error:
        prepare.prepare(tmp_path / "data", path, quiet)
    assert message in str(error.value)
    assert not (tmp_path / "data").exists()


def test_prepare_script_takes_input_and_ends_mistakes_in_one_line(tmp_path, text_file):
    command = [sys.executable, prepare.__file__, f"--dataset={tmp_path / 'data'}"]
    done = processes.run([*command, f"--input={text_file}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Dataset(tmp_path / "data").source == str(text_file)
    failed = processes.run([*command, f"--input={tmp_path / 'none'}"], capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith("prepare.py: error: --input: cannot read") and failed.stderr.count("\n") == 1


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers by the path asked for; /slow never ends."""

    def do_GET(self):
        name = self.path.removeprefix("/")
        if name == "garbage":
            self.wfile.write(b"no HTTP at all\r\n\r\n")
            return
        if name in ("404", "503"):
            self.send_error(int(name))
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(SHORT) + (10 if name in ("cut", "slow", "drip") else 0)))
        self.end_headers()
        self.wfile.write(SHORT[:7] if name in ("cut", "slow", "drip") else SHORT)
        while name == "slow" and not self.server.ended.wait(0.05):
            pass
        while name == "drip" and not self.server.ended.wait(0.05):
            self.wfile.write(b".")

    def log_message(self, *args):
        pass


SHORT = b"All the world's a stage"


@pytest.fixture
def server(monkeypatch):
    """The address of a server on this machine whose /text has the checksum that is expected."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(prepare, "SHA256", hashlib.sha256(SHORT).hexdigest())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.handle_error = lambda *args: None  # a reader that hangs up is what the tests are about
    server.ended = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.ended.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_download_from_a_server_is_prepared(server, tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "URL", f"{server}/text")
    data = Dataset(prepare.prepare(tmp_path / "data", "", quiet))
    assert (data.source, data.meta["characters"]) == (f"{server}/text", len(SHORT))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("404", "the server answered 404 Not Found"),
        ("503", "the server answered 503 Service Unavailable"),
        ("cut", "got 7 with"),
        ("slow", "timed out"),
        ("drip", "bytes after 0.2 seconds"),
        ("garbage", "no HTTP at all"),
    ],
)
def test_download_that_fails_raises_oserror_that_says_why(server, name, message):
    with pytest.raises(OSError, match=message):
        prepare.download(f"{server}/{name}", timeout=0.3, limit=0.2)


def test_download_without_a_server_says_why():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: refused
        with pytest.raises(OSError, match="Connection refused"):
            prepare.download(f"http://127.0.0.1:{closed.getsockname()[1]}/", timeout=5)


def test_folder_name_is_under_data_and_a_path_is_itself(tmp_path):
    assert prepare.folder("poems") == prepare.DATA / "poems"
    assert prepare.folder(str(tmp_path / "poems")) == tmp_path / "poems"


# ----- All of the files or none -----


@pytest.mark.parametrize(
    ("error", "raised"), [(OSError(errno.ENOSPC, "No space left on device"), DemoError), (KeyboardInterrupt(), None)]
)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_prepare_that_stops_while_writing_leaves_what_was_there(tmp_path, text_file, monkeypatch, error, raised, at):
    folder = prepare.prepare(tmp_path / "data", text_file, quiet)
    before, calls = contents(folder), []

    def full(file):
        calls.append(file)
        if len(calls) > at:
            raise error

    monkeypatch.setattr(prepare, "sync", full)
    text_file.write_text("another text")
    with pytest.raises(raised or type(error)) as caught:
        prepare.prepare(folder, text_file, quiet)
    assert contents(folder) == before
    if raised:
        name = ("meta.json", "train.bin", "val.bin")[at]
        assert f"{name} (No space left on device); the file that was there is unchanged; make room" in str(caught.value)
    with pytest.raises(raised or type(error)):
        prepare.prepare(tmp_path / "new", text_file, quiet)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "found"),
    [("text.txt", "the file {0}/text.txt"), ("text.txt/d", "{0}/text.txt/d below the file {0}/text.txt")],
)
def test_prepare_folder_that_is_a_file_raises_before_the_download(tmp_path, text_file, name, found):
    with pytest.raises(DemoError) as error:
        prepare.prepare(tmp_path / name, "", quiet)
    assert str(error.value) == f"--dataset: expected a folder, got {found.format(tmp_path)}; give another --dataset"


def test_prepare_ctrl_c_during_the_download_ends_in_one_line_and_writes_nothing(server, tmp_path):
    script = (
        f"import sys; sys.path.insert(0, {str(DEMO)!r}); import train; from data import prepare\n"
        f"prepare.URL = {server + '/slow'!r}\n"
        f"train.main(['--dataset={tmp_path / 'data'}', '--out_dir={tmp_path / 'out'}'])\n"
    )
    with processes.running(
        [sys.executable, "-u", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        said = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert said.startswith("downloading http://127.0.0.1"), errors
    assert (process.returncode, errors) == (130, "\ntrain.py: interrupted\n")
    assert list(tmp_path.iterdir()) == []


# ----- open_dataset -----


def test_open_dataset_missing_is_prepared_and_the_second_time_reused(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare.urllib.request, "urlopen", no_network)
    open_dataset(tmp_path / "data", say=quiet).save(quiet)
    stamp = (tmp_path / "data" / "meta.json").stat().st_mtime_ns
    open_dataset(tmp_path / "data", say=quiet).save(quiet)
    assert (tmp_path / "data" / "meta.json").stat().st_mtime_ns == stamp


def test_open_dataset_other_input_is_written_by_save_and_not_before(tmp_path, text_file):
    open_dataset(tmp_path / "data", text_file, quiet).save(quiet)
    before = contents(tmp_path / "data")
    text_file.write_text("another text")
    data = open_dataset(tmp_path / "data", text_file, quiet)
    assert data.meta["characters"] == 12 and contents(tmp_path / "data") == before
    data.save(quiet)
    read = Dataset(tmp_path / "data")
    assert read.meta == data.meta and read.splits["val"].tolist() == data.splits["val"].tolist()


# ----- Damaged files -----


@pytest.fixture
def folder(tmp_path, text_file):
    return prepare.prepare(tmp_path / "data", text_file, quiet)


def test_dataset_truncated_tokens_raises_with_the_checksums(folder):
    path = folder / "val.bin"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(
        DemoError, match=r"val\.bin: expected SHA-256 [0-9a-f]{64} as in meta\.json, got [0-9a-f]{64}; make it"
    ):
        Dataset(folder)


@pytest.mark.parametrize("name", ["train.bin", "val.bin", "meta.json"])
def test_dataset_missing_file_raises_with_the_remedy(folder, name):
    (folder / name).unlink()
    with pytest.raises(DemoError) as error:
        Dataset(folder)
    assert name in str(error.value) and "prepare.py --dataset=" in str(error.value)


def test_dataset_empty_tokens_raises(folder):
    (folder / "train.bin").write_bytes(b"")
    with pytest.raises(DemoError, match=r"train\.bin: expected tokens of two bytes each, got 0 bytes"):
        Dataset(folder)


def test_dataset_odd_number_of_bytes_raises_even_with_the_right_checksum(folder):
    (folder / "val.bin").write_bytes(b"abc")
    meta = json.loads((folder / "meta.json").read_bytes())
    meta["splits"]["val"]["sha256"] = hashlib.sha256(b"abc").hexdigest()
    (folder / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(DemoError, match=r"val\.bin: expected tokens of two bytes each, got 3 bytes"):
        Dataset(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [("dtype", "uint8"), ("version", 2), ("format", "x"), ("vocabulary", ["a"]), ("source", None), ("characters", "9")],
)
def test_dataset_meta_of_another_kind_raises(folder, key, value):
    meta = json.loads((folder / "meta.json").read_bytes())
    (folder / "meta.json").write_text(json.dumps({**meta, key: value}))
    with pytest.raises(DemoError, match=r"meta\.json: expected the file of prepare\.py, got .*; make it anew with"):
        Dataset(folder)


def test_dataset_vocabulary_smaller_than_the_tokens_raises_with_both(folder):
    meta = json.loads((folder / "meta.json").read_bytes())
    size = meta["vocab_size"]
    meta["vocabulary"], meta["vocab_size"] = meta["vocabulary"][:-1], size - 1
    (folder / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(
        DemoError, match=rf"expected tokens below {size - 1}, the size of the vocabulary, got {size - 1}"
    ):
        Dataset(folder)


def test_dataset_vocab_size_other_than_the_vocabulary_raises(folder):
    meta = json.loads((folder / "meta.json").read_bytes())
    (folder / "meta.json").write_text(json.dumps({**meta, "vocab_size": 7}))
    with pytest.raises(DemoError, match=rf"expected vocab_size {meta['vocab_size']}, .* got 7"):
        Dataset(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"source": 1'])
def test_dataset_foreign_meta_raises(folder, content):
    (folder / "meta.json").write_text(content)
    with pytest.raises(DemoError, match=r"meta\.json: expected the file of prepare\.py"):
        Dataset(folder)


# ----- Batches -----


def test_batch_targets_are_the_tokens_after_and_places_come_from_npgs_stream(folder):
    data = Dataset(folder)
    npg.manual_seed(7)
    x, y = data.batch("train", 5, 8)
    npg.manual_seed(7)
    starts = npg.randint(len(data.splits["train"]) - 8, (5,)).tolist()
    assert tuple(x.shape) == tuple(y.shape) == (5, 8)
    assert x.dtype == npg.int64 and y.dtype == npg.int64
    for row, start in enumerate(starts):
        assert x[row].tolist() == data.splits["train"][start : start + 8].tolist()
        assert y[row].tolist() == data.splits["train"][start + 1 : start + 9].tolist()


def test_batch_block_of_all_but_one_token_is_the_longest(folder):
    data = Dataset(folder)
    length = len(data.splits["val"])
    data.check_block(length - 1)
    _, y = data.batch("val", 3, length - 1)
    assert y[:, -1].tolist() == [data.splits["val"][-1]] * 3
    with pytest.raises(
        DemoError, match=rf"--block_size: expected less than the {length} tokens of .*val\.bin, got {length};"
    ):
        data.check_block(length)


def test_encode_unknown_characters_raises_naming_them():
    assert encode("abba", "ab") == [0, 1, 1, 0]
    with pytest.raises(DemoError, match="expected characters of the vocabulary 'ab', got 'xy'; leave them out"):
        encode("yaxy", "ab")


def test_first_prompt_is_a_line_break_where_there_is_one():
    assert (first_prompt("\n a"), first_prompt("ab")) == ("\n", "a")
