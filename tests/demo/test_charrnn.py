"""demo/charrnn: the text, the bigram model; PyTorch's losses and samples, learning, resuming, Ctrl-C, mistakes."""

import math
import re
import sys

import numpy as np
import pytest
import texts
import torch
from common import curves
from common.storing import DemoError

from tests.demo import scripts

SCRIPT = scripts.Script("charrnn")
SMALL = ("--batch_size=8", "--block_size=16", "--hidden=24", "--epochs=6", "--sample=40", "--eval_interval=50")


def quiet(text):
    pass


@pytest.fixture(scope="module")
def script():
    return SCRIPT.load()


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """A text of 20,000 characters: 30 words of five letters in any order. After a letter there come many others."""
    rng = np.random.default_rng(0)
    known = ["".join(rng.choice(list("abcde"), 6)) for _ in range(30)]
    path = tmp_path_factory.mktemp("words") / "words.txt"
    path.write_text(" ".join(rng.choice(known, 20_000 // 7)), encoding="utf-8")
    return path


train = SCRIPT.train


# ----- The text, and the bigram model -----


def test_load_cuts_a_file_into_what_is_trained_on_and_what_is_held_out(tmp_path):
    path = tmp_path / "some.txt"
    path.write_text("abca" * 25, encoding="utf-8")
    said = []
    text = texts.load(str(path), said.append)
    assert (text.vocabulary, len(text.train), len(text.held), text.source) == ("abc", 90, 10, str(path))
    assert text.decode(text.train) + text.decode(text.held) == "abca" * 25
    assert text.encode("cab") == [2, 0, 1] and said == [f"text: {path}, 100 characters, 3 distinct"]
    with pytest.raises(DemoError, match="--prompt: expected characters of the text, got 'xy'; leave them out"):
        text.encode("axby")


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """What prepare.py has made of a text, in the place of its default."""
    folder = tmp_path / "stored"
    monkeypatch.setattr(texts.prepare, "folder", lambda name: folder)
    monkeypatch.setattr(texts.prepare, "fetch", lambda say: (b"to be or not to be, " * 10, "a play"))
    return folder


def test_load_takes_what_prepare_makes_once(stored, monkeypatch):
    text = texts.load(say=quiet)
    assert text.source == "a play" and sorted(p.name for p in stored.iterdir()) == ["meta.json", "train.bin", "val.bin"]
    monkeypatch.setattr(texts.prepare, "fetch", None)
    again = texts.load(say=quiet)
    assert again.sha256 == text.sha256 and np.array_equal(again.train, text.train) and again.held.dtype == np.int64


@pytest.mark.parametrize("name", ["meta.json", "train.bin", "val.bin"])
def test_load_refuses_damaged_files(stored, name):
    texts.load(say=quiet)
    (stored / name).write_bytes(b"x")
    with pytest.raises(DemoError, match=r"expected the files of prepare.py, .*; make them anew with python demo/nano"):
        texts.load(say=quiet)


def test_load_refuses_what_prepare_refuses(tmp_path):
    with pytest.raises(DemoError, match="--input: cannot read .*nothing"):
        texts.load(str(tmp_path / "nothing"))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(DemoError, match="expected text in UTF-8"):
        texts.load(str(tmp_path / "bytes"))


def test_bigram_bits_are_those_of_counting():
    rng = np.random.default_rng(0)
    a, b = (rng.choice(5, n, p=[0.5, 0.2, 0.2, 0.1, 0]) for n in (300, 80))
    best = math.inf
    for s in texts.SMOOTHINGS:
        total = 0.0
        for first, second in zip(b, b[1:]):
            pair = sum(x == first and y == second for x, y in zip(a, a[1:]))
            total -= math.log2((pair + s) / (sum(x == first for x in a[:-1]) + 6 * s))
        best = min(best, total / (len(b) - 1))
    assert texts.bigram_bits(a, b, 6) == pytest.approx(best)
    assert texts.bigram_bits(np.tile([0, 1], 500), np.tile([0, 1], 50), 2) < 0.001
    assert texts.bigram_bits(a, np.full(9, 5), 6) == pytest.approx(math.log2(6))  # a letter that it never saw


@pytest.mark.parametrize("count", [1, 60])
def test_draw_writes_a_picture(tmp_path, count):
    pytest.importorskip("matplotlib")
    path, held = tmp_path / "loss.png", {"held-out text": [(count,), (2.0,)]}
    assert curves.draw(path, "title", "bits", np.linspace(4, 2, count), held, {"a bigram model": 3}) == f"curve: {path}"
    assert path.read_bytes().startswith(b"\x89PNG")


def test_draw_without_matplotlib_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    said = curves.draw(tmp_path / "loss.png", "title", "bits", [1.0], {})
    assert said == 'no loss.png without matplotlib: pip install "npg-autograd[demo]"'


# ----- The same on npg and on PyTorch -----


def test_train_100_losses_and_the_sample_are_pytorchs(tmp_path, words):
    arguments = (f"--input={words}", *SMALL, "--max_iters=100", "--log_interval=1")
    results = [train(tmp_path / library, *arguments, library=library) for library in ("npg", "torch")]
    (ours_said, ours), (theirs_said, theirs) = results
    assert len(ours["losses"]) == 100 and theirs["losses"][99] < 0.95 * theirs["losses"][0]
    assert scripts.largest_difference(ours["losses"], theirs["losses"]) < 5e-5
    printed = [re.findall(r"^iter \d+/\d+: loss (\d\.\d{4}),", said, re.MULTILINE) for said in (ours_said, theirs_said)]
    assert len(printed[0]) == len(printed[1]) == 100
    assert all(abs(float(a) - float(b)) < 1.5e-4 for a, b in zip(*printed))
    assert [at for at, _ in ours["held"]] == [50, 100]
    assert scripts.largest_difference(*([bits for _, bits in result["held"]] for result in (ours, theirs))) < 5e-5
    assert ours_said.partition("a sample:")[2] == theirs_said.partition("a sample:")[2] != ""


def test_train_learns_more_than_a_bigram_model_knows(tmp_path, words):
    said, checkpoint = train(tmp_path, f"--input={words}", *SMALL, "--hidden=64", "--epochs=4", "--prompt=abc")
    found = re.search(
        r"^words.txt: (\d\.\d+) bits per character held out, a bigram model (\d\.\d+); ", said, re.MULTILINE
    )
    bits, bigram = float(found[1]), float(found[2])
    assert bits == pytest.approx(checkpoint["held"][-1][1], abs=6e-4) and bits < 0.9 * bigram, said
    falling = [value for _, value in checkpoint["held"]]
    assert falling[-1] == min(falling) and falling[0] > bits
    sample = said.partition("a sample:\n")[2].rstrip("\n")
    assert sample.startswith("abc") and len(sample) <= 43 and set(sample) <= set("abcde ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt", "loss.png"]


# ----- What a run leaves, and going on from it -----


@pytest.fixture(scope="module")
def whole(tmp_path_factory, words):
    """(output, checkpoint) of a run of 120 iterations on npg, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    return *train(folder, f"--input={words}", *SMALL, "--seed=7", "--max_iters=170"), folder


@pytest.mark.parametrize("stops", [(60,), (33, 140), (139,)])  # within an epoch of 139, after it, at its end
def test_train_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path, words, whole, stops):
    arguments = [f"--input={words}", *SMALL, "--seed=7"]
    for stop in stops:
        said, found = train(tmp_path, *arguments, f"--max_iters={stop}")
        assert len(found["losses"]) == stop and "; --resume goes on from it" in said
        arguments = ["--resume", "--sample=40", "--eval_interval=50"]
    said, found = train(tmp_path, *arguments, "--max_iters=170")
    assert found["losses"] == whole[1]["losses"] and found["held"][-1] == whole[1]["held"][-1]
    assert all(torch.equal(found["model"][name], value) for name, value in whole[1]["model"].items())
    assert said.partition("a sample:")[2] == whole[0].partition("a sample:")[2]


def test_train_a_run_goes_on_in_the_other_library(tmp_path, words, whole):
    train(tmp_path, f"--input={words}", *SMALL, "--seed=7", "--max_iters=60", library="torch")
    losses = train(tmp_path, "--resume", "--max_iters=100")[1]["losses"]
    assert scripts.largest_difference(losses, whole[1]["losses"][:100]) < 5e-5
    losses = train(tmp_path, "--resume", "--max_iters=130", library="torch")[1]["losses"]
    assert scripts.largest_difference(losses, whole[1]["losses"][:130]) < 1e-4


def test_train_ctrl_c_saves_after_the_iteration_and_resumes(tmp_path, words, whole):
    stopped = SCRIPT.interrupted(tmp_path, f"--input={words}", *SMALL, "--seed=7")
    assert 6 <= len(stopped) < 170 and stopped == whole[1]["losses"][: len(stopped)]
    assert train(tmp_path, "--resume", "--max_iters=170")[1]["losses"] == whole[1]["losses"]


# ----- Mistakes -----


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--hidden=0", "--hidden: expected an integer of at least 1, got '0'"),
        ("--sample=-1", "--sample: expected an integer of at least 0, got '-1'"),
        ("--dropout=1", "--dropout: expected a number in [0, 1), got '1'"),
        ("--temperature=0", "--temperature: expected a finite number above 0, got '0'"),
        ("--seed=-1", "--seed: expected an integer in [0, 2**64), got '-1'"),
        ("--layer=3", "unrecognized arguments: --layer=3"),
    ],
)
def test_options_wrong_value_is_refused_with_the_value(script, capsys, argument, message):
    with pytest.raises(SystemExit) as status:
        script.options([argument])
    assert status.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("rng"), "expected a checkpoint of demo/charrnn, got another file that torch.save wrote"),
        (lambda s: s.update(rng=torch.zeros(3)), "expected a checkpoint of this model; "),
        (lambda s: s["model"].pop("lstm.weight_hh_l1"), "of this model; .*Missing key.*lstm.weight_hh_l1"),
        (lambda s: s.update(sha256="0"), "--input: expected the text that .*last.pt was trained on, got another one"),
    ],
)
def test_train_resume_from_another_file_raises_and_writes_nothing(script, tmp_path, whole, change, message):
    state = torch.load(whole[2] / "last.pt")
    change(state)
    torch.save(state, tmp_path / "last.pt")
    before = (tmp_path / "last.pt").read_bytes()
    with pytest.raises(DemoError, match=message):
        script.train(script.options([f"--out_dir={tmp_path}", "--resume"]))
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"] and (tmp_path / "last.pt").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--resume", "--hidden=32"), "--hidden: expected 24 as in the checkpoint, got 32"),
        (("--resume", "--dropout=0.5"), "--dropout: expected 0.1 as in the checkpoint, got 0.5"),
        (("--block_size=4000",), "--block_size: expected a longer text than 17,.* characters to train on and 2,0"),
        (("--prompt=z",), "--prompt: expected characters of the text, got 'z'"),
    ],
)
def test_train_refuses_what_does_not_fit(script, words, whole, arguments, message):
    folder = whole[2]
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(DemoError, match=message):
        script.train(script.options([f"--out_dir={folder}", f"--input={words}", *arguments]))
    assert sorted(path.name for path in folder.iterdir()) == before


def test_train_loss_that_is_not_finite_is_told(script, tmp_path, words):
    with pytest.raises(DemoError, match="the loss became (nan|inf) at iteration .*; lower --lr"):
        script.train(script.options([f"--out_dir={tmp_path}", f"--input={words}", *SMALL, "--lr=3e38"]))
