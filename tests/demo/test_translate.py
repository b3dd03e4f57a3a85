"""demo/translate: the digits and their translations; PyTorch's losses, learning, resuming, Ctrl-C, mistakes."""

import re

import pytest
import sequences
import torch
from common.storing import DemoError

from tests.demo import scripts

SCRIPT = scripts.Script("translate")
SMALL = ("--batch_size=16", "--length=5", "--width=16", "--heads=2", "--iters=120", "--eval_interval=50")


@pytest.fixture(scope="module")
def script():
    return SCRIPT.load()


train = SCRIPT.train


# ----- The digits -----


@pytest.mark.parametrize("longest", [1, 2, 7])
@pytest.mark.parametrize("task", ["sort", "reverse"])
def test_pairs_are_what_python_makes_of_the_digits(task, longest):
    torch.manual_seed(0)
    drawn, lengths = sequences.training(200, longest)
    source, target = sequences.pairs(drawn, lengths, task)
    assert source.shape == (200, longest) and target.shape == (200, longest + 2)
    assert set(lengths.flatten().tolist()) == set(range((longest + 1) // 2, longest + 1))
    for line, length, given, expected in zip(drawn.tolist(), lengths.flatten().tolist(), source, target, strict=True):
        known = line[:length]
        answer = sorted(known) if task == "sort" else known[::-1]
        padding = [sequences.PAD] * (longest - length)
        assert given.tolist() == known + padding
        assert expected.tolist() == [sequences.BEGIN, *answer, sequences.END, *padding]
        assert sequences.text(given) == "".join(map(str, known))
        assert sequences.text(expected) == ">" + "".join(map(str, answer)) + "."


@pytest.mark.parametrize("longest", [1, 3, 8])
def test_what_is_held_out_is_never_trained_on(longest):
    torch.manual_seed(0)

    def sums(drawn, lengths):
        return [
            sum(d * (i + 1) for i, d in enumerate(line[:length])) % 13
            for line, length in zip(drawn.tolist(), lengths.flatten().tolist(), strict=True)
        ]

    assert 0 not in sums(*sequences.training(3000, longest))
    held = sequences.held_out(100, longest)
    assert sums(*held) == [0] * 100 and held[0].shape == (100, longest) and held[1].shape == (100, 1)


# ----- The model -----


def test_translate_is_the_likeliest_token_after_each_one(script):
    torch.manual_seed(0)
    model = script.Translator(5, 16, 2, 1, 0.0).eval()
    source, _ = sequences.pairs(*sequences.training(30, 5), "sort")
    found = model.translate(source)
    for given, tokens in zip(source, found.tolist(), strict=True):
        alone = given[given != sequences.PAD][None]  # the padding is not read
        target = [sequences.BEGIN]
        while len(target) <= found.size(1) and sequences.END not in target:
            with torch.no_grad():
                target.append(int(model(alone, torch.tensor([target]))[0, -1].argmax()))
        assert tokens == target[1:] + [sequences.PAD] * (found.size(1) - len(target) + 1)


def test_the_decoder_does_not_see_what_comes_later(script):
    torch.manual_seed(0)
    model = script.Translator(6, 16, 2, 2, 0.0).eval()
    source, target = sequences.pairs(*sequences.training(8, 6), "reverse")
    before = model(source, target)
    target[:, 4:] = sequences.PAD
    assert torch.allclose(model(source, target)[:, :4], before[:, :4], atol=1e-6)
    assert not torch.allclose(model(source, target)[:, 4:], before[:, 4:], atol=1e-3)


def test_test_counts_what_is_right_to_the_last_digit(script, tmp_path, monkeypatch):
    run = script.set_up(script.options([f"--out_dir={tmp_path}", *SMALL]))
    answers = run.target[:, 1:].clone()

    def share(found):
        monkeypatch.setattr(run.model, "translate", lambda source: found)
        return run.test()

    assert share(answers) == 100
    assert share(answers[:, :-1]) == pytest.approx(100 * (answers[:, -1] == sequences.PAD).double().mean().item())
    answers[:50, 0] = (answers[:50, 0] + 1) % 10
    answers[50:75][answers[50:75] == sequences.END] = 0  # it never ends
    assert share(answers) == 85


# ----- The same on npg and on PyTorch -----


@pytest.mark.parametrize("task", ["sort", "reverse"])
def test_train_100_losses_and_the_translations_are_pytorchs(tmp_path, task):
    arguments = (*SMALL, f"--task={task}", "--dropout=0.1", "--max_iters=100", "--log_interval=1")
    results = [train(tmp_path / library, *arguments, library=library) for library in ("npg", "torch")]
    (ours_said, ours), (theirs_said, theirs) = results
    assert len(ours["losses"]) == 100 and theirs["losses"][99] < 0.8 * theirs["losses"][0]
    assert scripts.largest_difference(ours["losses"], theirs["losses"]) < 5e-5
    printed = [re.findall(r"^iter \d+/\d+: loss (\d\.\d{4}),", said, re.MULTILINE) for said in (ours_said, theirs_said)]
    assert len(printed[0]) == len(printed[1]) == 100
    assert all(abs(float(a) - float(b)) < 1.5e-4 for a, b in zip(*printed))
    assert [at for at, _ in ours["held"]] == [50, 100] and ours["held"] == theirs["held"]
    shown = [re.findall(r"^(\d+ -> .*)$", said, re.MULTILINE) for said in (ours_said, theirs_said)]
    assert shown[0] == shown[1] and len(shown[0]) == 5


def test_train_learns_to_sort_what_it_never_saw(tmp_path):
    said, checkpoint = train(tmp_path, "--length=4", "--width=32", "--heads=2", "--layers=1", "--iters=400")
    found = re.search(r"^sort 2 to 4 digits: (\d+\.\d) % of held-out sequences right; 400 ", said, re.MULTILINE)
    right = [percent for _, percent in checkpoint["held"]]
    assert float(found[1]) == pytest.approx(right[-1], abs=0.06) and right[0] < right[-1] > 90, said
    pairs = re.findall(r"^(\d+) -> (\d+)\. right$", said, re.MULTILINE)
    assert len(pairs) >= 3 and all(answer == "".join(sorted(source)) for source, answer in pairs)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt", "loss.png"]


# ----- What a run leaves, and going on from it -----


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(output, checkpoint) of a run of 120 iterations on npg, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    return *train(folder, *SMALL, "--dropout=0.1", "--seed=7"), folder


@pytest.mark.parametrize("stops", [(60,), (33, 119)])
def test_train_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path, whole, stops):
    arguments = [*SMALL, "--dropout=0.1", "--seed=7"]
    for stop in stops:
        said, found = train(tmp_path, *arguments, f"--max_iters={stop}")
        assert len(found["losses"]) == stop and "; --resume goes on from it" in said
        arguments = ["--resume", "--eval_interval=50"]
    said, found = train(tmp_path, *arguments)
    assert found["losses"] == whole[1]["losses"] and found["held"][-1] == whole[1]["held"][-1]
    assert all(torch.equal(found["model"][name], value) for name, value in whole[1]["model"].items())
    assert re.findall(r" -> .*", said) == re.findall(r" -> .*", whole[0])


def test_train_a_run_goes_on_in_the_other_library(tmp_path, whole):
    train(tmp_path, *SMALL, "--dropout=0.1", "--seed=7", "--max_iters=60", library="torch")
    losses = train(tmp_path, "--resume", "--max_iters=90")[1]["losses"]
    assert scripts.largest_difference(losses, whole[1]["losses"][:90]) < 5e-5
    losses = train(tmp_path, "--resume", library="torch")[1]["losses"]
    assert scripts.largest_difference(losses, whole[1]["losses"]) < 1e-4


def test_train_ctrl_c_saves_after_the_iteration_and_resumes(tmp_path, whole):
    stopped = SCRIPT.interrupted(tmp_path, *SMALL, "--dropout=0.1", "--seed=7")
    assert 6 <= len(stopped) < 120 and stopped == whole[1]["losses"][: len(stopped)]
    assert train(tmp_path, "--resume")[1]["losses"] == whole[1]["losses"]


# ----- Mistakes -----


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--length=0", "--length: expected an integer of at least 1, got '0'"),
        ("--show=-1", "--show: expected an integer of at least 0, got '-1'"),
        ("--task=add", "--task: invalid choice: 'add'"),
        ("--lr=nan", "--lr: expected a finite number above 0, got 'nan'"),
    ],
)
def test_options_wrong_value_is_refused_with_the_value(script, capsys, argument, message):
    with pytest.raises(SystemExit) as status:
        script.options([argument])
    assert status.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--resume", "--task=reverse"), "--task: expected sort as in the checkpoint, got reverse"),
        (("--resume", "--width=32"), "--width: expected 16 as in the checkpoint, got 32"),
        (("--heads=5",), "--width: expected a multiple of --heads, 5, got 64"),
    ],
)
def test_train_refuses_what_does_not_fit(script, whole, arguments, message):
    folder = whole[2]
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(DemoError, match=message):
        script.train(script.options([f"--out_dir={folder}", *arguments]))
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("rng"), "expected a checkpoint of demo/translate, got another file that torch.save wrote"),
        (lambda s: s["model"].pop("places.weight"), "of this model; .*Missing key.*places.weight"),
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
