"""demo/mnist: idx files, the download, pictures; PyTorch's losses, resuming, Ctrl-C, mistakes."""

import gzip
import hashlib
import io
import os
import re
import signal
import sys
import time
import urllib.error

import digits
import numpy as np
import pictures
import pytest
import torch
from common import screen, storing
from common.storing import DemoError

import npg
from tests.as_torch.commands import ROOT, run
from tests.demo import scripts

SCRIPT = scripts.Script("mnist")


def quiet(text):
    pass


@pytest.fixture(scope="module")
def script():
    return SCRIPT.load()


def train(folder, *arguments, library="npg"):
    """Run train.py in a process, and return (its output, the losses in its checkpoint)."""
    said, checkpoint = SCRIPT.train(folder, *arguments, library=library)
    return said, checkpoint["losses"]


# ----- idx files -----


def idx(array):
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def numbers(count, size=8, seed=0):
    """Return (images, labels): random images, and all ten labels in turn."""
    images = np.random.default_rng(seed).integers(0, 256, (count, size, size), dtype=np.uint8)
    return images, (np.arange(count) % 10).astype(np.uint8)


def write(folder, kind, images, labels):
    (folder / f"{kind}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (folder / f"{kind}-labels-idx1-ubyte").write_bytes(idx(labels))


@pytest.fixture
def files(tmp_path):
    """A folder with 40 training images, compressed, their labels, and 20 test images."""
    folder = tmp_path / "files"
    folder.mkdir()
    write(folder, "train", *numbers(40))
    write(folder, "t10k", *numbers(20, seed=1))
    return folder


def test_load_folder_gives_its_training_and_test_images(files):
    said = []
    data = digits.load(str(files), say=said.append)
    for found, expected in zip((*data.train, *data.test), (*numbers(40), *numbers(20, seed=1))):
        np.testing.assert_array_equal(found, expected)
    assert (data.name, data.source, data.white, data.size) == ("files", str(files), 255, (8, 8))
    assert said == ["data: files; 40 images to train on, 20 to test with"]


def test_load_files_as_archives_name_them_are_found(files):
    path = files / "train-labels-idx1-ubyte"
    path.rename(files / "train-labels.idx1-ubyte")
    assert len(digits.load(str(files), say=quiet).train[0]) == 40


@pytest.mark.parametrize(("split", "held"), [(0, 4), (7, 7)])
def test_load_test_images_alone_are_split_evenly_by_digit(files, split, held):
    for path in files.glob("train*"):
        path.unlink()
    data = digits.load(str(files), split, quiet)
    assert data.name == "files (its test images, split)"
    assert (len(data.train[0]), len(data.test[0])) == (20 - held, held)
    together = np.concatenate([data.train[0], data.test[0]])
    assert sorted(map(bytes, together)) == sorted(map(bytes, numbers(20, seed=1)[0]))
    np.testing.assert_array_equal(np.sort(data.test[1]), np.sort(numbers(20)[1])[np.arange(held) * 20 // held])


def test_load_split_holds_training_images_out(files):
    data = digits.load(str(files), 10, quiet)
    assert (data.name, len(data.train[0]), len(data.test[0])) == ("files (split)", 30, 10)
    assert data.sha256 != digits.load(str(files), 0, quiet).sha256


def damage(name, change):
    def apply(folder):
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return apply


IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / LABELS).unlink(), "expected train-labels-idx1-ubyte or train-labels-idx1-ubyte.gz beside"),
        (lambda f: (f / IMAGES).unlink(), "expected train-images-idx3-ubyte or train-images-idx3-ubyte.gz beside"),
        (damage(IMAGES, lambda b: b[: len(b) // 2]), "gz: damaged or truncated (Compressed file ended"),
        (damage(IMAGES, lambda b: b[:40] + b"xxxxxxxx" + b[48:]), "gz: damaged or truncated ("),
        (damage(LABELS, lambda b: b[:-1]), "ubyte: expected 40 bytes after the sizes, got 39"),
        (damage(LABELS, lambda b: b + b"x"), "ubyte: expected 40 bytes after the sizes, got 41"),
        (damage(LABELS, lambda b: b""), "expected the magic number 0x00000801 of an idx file, got 0x"),
        (damage(LABELS, lambda b: b"\0\0\x08\x03" + b[4:]), "expected the magic number 0x00000801 of an idx file, got"),
        (damage(LABELS, lambda b: idx(np.arange(39) % 10)), "expected a label for each of 40 images, got 39"),
        (damage(LABELS, lambda b: idx(np.arange(40) % 11)), "expected labels from 0 to 9, got 10"),
        (damage(IMAGES, lambda b: idx(np.zeros((0, 8, 8)))), "expected images of at least 4 x 4 pixels, got (0, 8, 8)"),
        (damage(IMAGES, lambda b: idx(np.zeros((40, 8, 3)))), "images of at least 4 x 4 pixels, got (40, 8, 3)"),
        (damage(IMAGES, lambda b: idx(np.zeros((40, 9, 9)))), "expected images of one size, got (9, 9) and (8, 8)"),
        (lambda f: [path.unlink() for path in f.iterdir()], "expected train-images-idx3-ubyte or its .gz in"),
    ],
)
def test_load_bad_file_raises_naming_it(files, change, message):
    change(files)
    with pytest.raises(DemoError) as error:
        digits.load(str(files), say=quiet)
    assert message in str(error.value)


def test_load_no_folder_or_too_large_a_split_raises(files):
    with pytest.raises(DemoError, match="expected a folder, got .*nowhere, which does not exist"):
        digits.load(str(files / "nowhere"))
    with pytest.raises(DemoError, match=r"expected a folder, got .*ubyte$"):
        digits.load(str(files / LABELS))
    with pytest.raises(DemoError, match="--split: expected fewer than the 40 images that there are, got 40"):
        digits.load(str(files), 40)


def test_digits_of_mnist_are_read(data_dir):
    data = digits.load(str(data_dir / "mnist"), say=quiet)
    assert (data.train[0].shape, data.test[0].shape, data.epochs) == ((8000, 28, 28), (2000, 28, 28), 5)
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):  # the checksums of the download
        assert digits.checksum(data_dir / "mnist" / f"{name}.gz") == digits.SHA256[name]


# ----- The download -----


class Net:
    """What the mirrors answer, and what they were asked."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def __call__(self, url, timeout):
        self.asked.append((url, timeout))
        answer = self.answers(url)
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)


@pytest.fixture
def published(files, monkeypatch, tmp_path):
    """Bytes of four published files by name, whose checksums digits.py knows; digits.DATA is an empty folder."""
    (files / LABELS).with_suffix(".gz").write_bytes(gzip.compress((files / LABELS).read_bytes()))
    labels = files / "t10k-labels-idx1-ubyte"
    labels.with_suffix(".gz").write_bytes(gzip.compress(labels.read_bytes()))
    content = {path.name: path.read_bytes() for path in files.glob("*.gz")}
    monkeypatch.setattr(digits, "SHA256", {n[:-3]: hashlib.sha256(b).hexdigest() for n, b in content.items()})
    monkeypatch.setattr(digits, "DATA", tmp_path / "data")
    return content


def no_network(url):
    return urllib.error.URLError("Name or service not known")


def test_load_downloads_once_from_the_first_mirror_that_has_the_file(published, monkeypatch):
    def answers(url):
        name = url.rpartition("/")[2]
        return {0: no_network(url), 1: b"<html>a portal</html>", 2: published[name]}[
            [url.startswith(mirror) for mirror in digits.MIRRORS].index(True)
        ]

    net, said = Net(answers), []
    monkeypatch.setattr(digits.urllib.request, "urlopen", net)
    data = digits.load(say=said.append)
    assert (data.name, data.source, len(data.train[0]), len(data.test[0])) == ("MNIST", "", 40, 20)
    assert len(net.asked) == 12 and {timeout for _, timeout in net.asked} == {digits.TIMEOUT}
    assert "no download: Name or service not known" in said
    assert any(line.startswith("no download: expected SHA-256") and "got 21 bytes" in line for line in said)
    assert sorted(path.name for path in digits.DATA.iterdir()) == sorted(published)
    digits.load(say=quiet)
    assert len(net.asked) == 12
    (digits.DATA / IMAGES).write_bytes(b"damaged")
    digits.load(say=quiet)
    assert len(net.asked) == 15 and (digits.DATA / IMAGES).read_bytes() == published[IMAGES]


@pytest.mark.parametrize("answer", [no_network, lambda url: b"", lambda url: TimeoutError("timed out")])
def test_load_without_download_says_so_and_takes_scikit_learns_digits(published, monkeypatch, answer):
    said = []
    monkeypatch.setattr(digits.urllib.request, "urlopen", Net(answer))
    data = digits.load(say=said.append)
    assert (data.source, data.white, data.size, data.epochs) == ("digits", 16, (8, 8), 20)
    assert (len(data.train[0]), len(data.test[0])) == (1438, 359)
    assert sum(line.startswith("no download: ") for line in said) == len(digits.MIRRORS)
    assert any(line.startswith("no MNIST: using the 8x8 digits of scikit-learn instead") for line in said)
    assert list(digits.DATA.iterdir()) == []


def test_load_digits_asks_no_server_and_needs_scikit_learn(monkeypatch):
    monkeypatch.setattr(digits.urllib.request, "urlopen", None)
    assert digits.load("digits", say=quiet).name == "scikit-learn's 8x8 digits (split)"
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DemoError, match=r"no images: give --data=DIR .* or pip install"):
        digits.load("digits", say=quiet)


def test_get_a_server_that_never_ends_is_left(monkeypatch):
    class Slow(io.BytesIO):
        def read1(self, size):
            return b"x"

    monkeypatch.setattr(digits.urllib.request, "urlopen", lambda url, timeout: Slow())
    with pytest.raises(OSError, match="bytes after 0 seconds, and no end"):
        digits.get("https://host/file", limit=0)


# ----- Pictures and files -----


def test_confusion_counts_each_pair():
    matrix = pictures.confusion(np.array([4, 4, 4, 9, 0]), np.array([9, 9, 4, 4, 0]))
    assert matrix.shape == (10, 10) and matrix.sum() == 5
    assert (matrix[4, 9], matrix[4, 4], matrix[9, 4], matrix[0, 0]) == (2, 1, 1, 1)
    assert pictures.most_confused(matrix) == "4 for 9 (2), 9 for 4 (1)"
    assert pictures.most_confused(np.eye(10, dtype=int)) == "none"


@pytest.mark.parametrize("wrong", [0, 3, 50])
def test_draw_writes_a_picture(tmp_path, wrong):
    pytest.importorskip("matplotlib")
    images, labels = numbers(60)
    predicted = np.where(np.arange(60) < wrong, (labels + 1) % 10, labels)
    said = pictures.draw(tmp_path / "test.png", "title", images, labels, predicted, np.full(60, 0.5))
    assert said == f"picture: {tmp_path / 'test.png'}"
    assert (tmp_path / "test.png").read_bytes().startswith(b"\x89PNG")


def test_draw_without_matplotlib_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    said = pictures.draw(tmp_path / "test.png", "title", *numbers(1), np.zeros(1, int), np.ones(1))
    assert said == 'no test.png without matplotlib: pip install "npg-autograd[demo]"'


def test_replacing_leaves_the_old_file_when_writing_fails(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with (
        pytest.raises(DemoError, match=r"cannot write .*file \(No space left on device\)"),
        storing.replacing(path) as f,
    ):
        f.write(b"new")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


# ----- The same on npg and on PyTorch -----


def compare(folder, data):
    """Train 100 iterations with both; their losses must agree in four digits, also as they are printed."""
    arguments = (f"--data={data}", "--max_iters=100", "--log_interval=1")
    results = [train(folder / library, *arguments, library=library) for library in ("npg", "torch")]
    (ours_said, ours), (theirs_said, theirs) = results
    assert len(ours) == 100 and theirs[99] < 0.8 * theirs[0]
    assert scripts.largest_difference(ours, theirs) < 5e-5
    printed = [re.findall(r"^iter \d+/\d+: loss (\d\.\d{4}),", said, re.MULTILINE) for said in (ours_said, theirs_said)]
    assert len(printed[0]) == len(printed[1]) == 100
    assert all(abs(float(a) - float(b)) < 1.5e-4 for a, b in zip(*printed))


def test_train_100_losses_on_the_small_digits_are_pytorchs(tmp_path):
    compare(tmp_path, "digits")


def test_train_100_losses_on_mnist_are_pytorchs(tmp_path, data_dir):
    compare(tmp_path, data_dir / "mnist")


@pytest.mark.skipif(npg.engine.name == "python", reason="takes minutes; the engines agree bit for bit")
def test_train_on_a_split_of_mnists_test_images_gets_97_percent_right(tmp_path, data_dir):
    said, losses = train(tmp_path, f"--data={data_dir / 'mnist'}")
    assert "8,000 images to train on, 2,000 to test with" in said and len(losses) == 625
    right = float(re.search(r"^mnist \(its test images, split\): (\d+\.\d+) % of 2,000 right", said, re.MULTILINE)[1])
    assert right >= 97.0, said


# ----- What a run leaves, and going on from it -----


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(output, losses) of a run of three epochs on npg, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    return *train(folder, "--data=digits", "--epochs=3", "--seed=7"), folder


def test_train_prints_an_accuracy_each_epoch_and_writes_checkpoint_and_picture(whole):
    said, losses, folder = whole
    epochs = re.findall(
        r"^epoch (\d)/3: train loss \d\.\d{4}, test loss \d\.\d{4}, accuracy (\d+\.\d\d) % "
        r"\(\d+ of 359 wrong\), \d+\.\d s$",
        said,
        re.MULTILINE,
    )
    assert [number for number, _ in epochs] == ["1", "2", "3"] and len(losses) == 69
    assert f"{epochs[-1][1]} % of 359 right after 69 iterations, seed 7" in said
    assert re.search(r"^most often taken: \d for \d \(\d+\)", said, re.MULTILINE)
    assert (folder / "test.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in folder.iterdir()) == ["last.pt", "test.png"]


@pytest.mark.parametrize("stops", [(30,), (23, 46), (5, 22)])  # within an epoch, at the ends of epochs, before an end
def test_train_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path, whole, stops):
    arguments = ["--data=digits", "--epochs=3", "--seed=7"]
    for stop in stops:
        said, losses = train(tmp_path, *arguments, f"--max_iters={stop}")
        assert len(losses) == stop and "; --resume goes on from it" in said
        arguments = ["--resume"]
    said, losses = train(tmp_path, "--resume")
    assert losses == whole[1]
    ours, theirs = (torch.load(folder / "last.pt") for folder in (tmp_path, whole[2]))
    assert all(torch.equal(ours["model"][name], theirs["model"][name]) for name in theirs["model"])
    assert said.splitlines()[-4:-2] == whole[0].splitlines()[-4:-2]  # the accuracy and what was mistaken


def test_train_a_run_goes_on_in_the_other_library(tmp_path, whole):
    train(tmp_path, "--data=digits", "--epochs=3", "--seed=7", "--max_iters=30", library="torch")
    assert scripts.largest_difference(train(tmp_path, "--resume", "--max_iters=46")[1], whole[1][:46]) < 5e-5
    assert scripts.largest_difference(train(tmp_path, "--resume", library="torch")[1], whole[1]) < 5e-5


def test_train_resume_of_a_finished_run_tests_it_again(tmp_path, whole):
    (tmp_path / "last.pt").write_bytes((whole[2] / "last.pt").read_bytes())
    said, losses = train(tmp_path, "--resume")
    assert losses == whole[1] and said.splitlines()[-4:-2] == whole[0].splitlines()[-4:-2]
    assert (tmp_path / "last.pt").read_bytes() == (whole[2] / "last.pt").read_bytes()


def test_train_ctrl_c_saves_after_the_iteration_and_resumes(tmp_path, whole):
    stopped = SCRIPT.interrupted(tmp_path, "--data=digits", "--epochs=3", "--seed=7")
    assert 6 <= len(stopped) < 69 and stopped == whole[1][: len(stopped)]
    assert train(tmp_path, "--resume")[1] == whole[1]


def test_interrupt_the_second_ctrl_c_stops_at_once(script):
    before = signal.getsignal(signal.SIGINT)
    with screen.Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        assert interrupt.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
    assert signal.getsignal(signal.SIGINT) is before


# ----- Mistakes -----


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--batch_size=0", "--batch_size: expected an integer of at least 1, got '0'"),
        ("--epochs=2.5", "--epochs: expected an integer of at least 1, got '2.5'"),
        ("--split=-1", "--split: expected an integer of at least 1, got '-1'"),
        ("--lr=nan", "--lr: expected a finite number above 0, got 'nan'"),
        ("--lr=0", "--lr: expected a finite number above 0, got '0'"),
        ("--seed=-1", "--seed: expected an integer in [0, 2**64), got '-1'"),
        ("--max_iters=x", "--max_iters: expected an integer of at least 1, got 'x'"),
        ("--epoch=3", "unrecognized arguments: --epoch=3"),
    ],
)
def test_options_wrong_value_is_refused_with_the_value(script, capsys, argument, message):
    with pytest.raises(SystemExit) as status:
        script.options([argument])
    assert status.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "--resume: there is no .*; train without --resume first"),
        (b"text", "expected a checkpoint of demo/mnist, got a damaged or other file"),
        (b"", "expected a checkpoint of demo/mnist, got a damaged or other file"),
        ("half", "expected a checkpoint of demo/mnist, got a damaged or other file"),
        ({"a": torch.ones(3)}, "expected a checkpoint of demo/mnist, got another file that torch.save wrote"),
        (lambda s: s.pop("rng"), "expected a checkpoint of demo/mnist, got another file that torch.save wrote"),
        (lambda s: s.update(rng=torch.zeros(3)), "expected a checkpoint of this model; "),
        (lambda s: s["model"].pop("fc2.bias"), "expected a checkpoint of this model; .*Missing key.*fc2.bias"),
        (lambda s: s["model"].update({"fc2.bias": torch.ones(3)}), "of this model; .*size mismatch for fc2.bias"),
        (lambda s: s["optimizer"].update(param_groups=[]), "expected a checkpoint of this model; "),
    ],
)
def test_train_resume_from_another_file_raises_and_writes_nothing(script, tmp_path, whole, content, message):
    path = tmp_path / "last.pt"
    if callable(content):
        state = torch.load(whole[2] / "last.pt")
        content(state)
        torch.save(state, path)
    elif isinstance(content, dict):
        torch.save(content, path)
    elif content is not None:
        stored = (whole[2] / "last.pt").read_bytes()
        path.write_bytes(stored[: len(stored) // 2] if content == "half" else content)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(DemoError, match=message):
        script.train(script.options([f"--out_dir={tmp_path}", "--resume"]))
    assert (path.read_bytes() if path.is_file() else None) == before
    assert [p.name for p in tmp_path.iterdir()] in ([], ["last.pt"])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--batch_size=32", "--batch_size: expected 64 as in the checkpoint, got 32"),
        ("--epochs=4", "--epochs: expected 3 as in the checkpoint, got 4"),
        ("--split=9", "--split: expected none as in the checkpoint, got 9"),
        ("--seed=1", "--seed: expected 7 as in the checkpoint, got 1"),
        ("--data=FILES", "--data: expected the images that .*last.pt was trained on, got others"),
    ],
)
def test_train_resume_with_contradicting_option_raises(script, whole, files, argument, message):
    with pytest.raises(DemoError, match=message):
        script.train(script.options([f"--out_dir={whole[2]}", "--resume", argument.replace("FILES", str(files))]))


def test_train_folder_that_cannot_be_made_raises(script, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoError, match="--out_dir: cannot make the folder"):
        script.train(script.options(["--data=digits", f"--out_dir={tmp_path / 'file' / 'out'}"]))


def test_train_loss_that_is_no_longer_finite_ends_in_one_line(tmp_path):
    given = (str(SCRIPT.path), "--data=digits", "--lr=1e30", f"--out_dir={tmp_path}")
    code, _, errors = run(*given, folder=ROOT, npg=True)
    assert code == 1 and re.fullmatch(
        r"train.py: error: the loss became (nan|inf) at iteration \d+; lower --lr\n", errors
    )
    assert not (tmp_path / "last.pt").exists()


def test_run_without_tqdm_on_a_terminal_says_what_to_install(script, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    progress = script.Progress(0, 2, 1)
    progress.update(1.5)
    progress.close()
    said = capsys.readouterr().out
    assert 'no progress bar without tqdm: pip install "npg-autograd[demo]"' in said and "iter 0/2: loss 1.5000" in said
