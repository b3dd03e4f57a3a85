"""train.py and sample.py: losses of the twin, checkpoints, resuming, Ctrl-C, mistakes."""

import csv
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import checkpoint
import dataset
import files
import numpy as np
import pytest
import train
from compare_with_torch import compare, largest_difference
from config import DemoError, SampleConfig, TrainConfig
from files import load_safetensors, save_safetensors
from sample import sample

import npg
from tests import processes

DEMO = Path(train.__file__).parent


def losses(rows):
    return [float(row["train_loss"]) for row in rows if row["train_loss"]]


# ----- The same numbers as PyTorch -----


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"bias": True, "gelu": "tanh", "gradient_accumulation_steps": 2},
        {"dropout": 0.2},
        {"decay_lr": False, "grad_clip": 0.0},
    ],
    ids=["default", "bias-tanh-accumulation", "dropout", "constant-rate"],
)
def test_train_losses_are_those_of_the_twin_in_pytorch(arguments, keys):
    given = [a for a in arguments(**keys) if not a.startswith(("--out_dir", "--max_iters", "--sample_tokens"))]
    (ours, our_val), (theirs, their_val) = compare(given, 20)
    assert len(ours) == 20 and len(our_val) == 6
    assert largest_difference(ours, theirs)[0] < 1e-3
    assert largest_difference(our_val, their_val)[0] < 1e-3
    assert theirs[-1] < theirs[0]


def test_learning_rate_rises_decays_and_stays():
    config = TrainConfig(warmup_iters=4, lr_decay_iters=10, learning_rate=1.0, min_lr=0.1)
    rates = [train.learning_rate_at(i, config) for i in range(13)]
    assert rates[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert rates[4] == 1.0 and rates[7] == pytest.approx(0.55) and rates[10:] == [0.1] * 3
    config.lr_decay_iters = 4  # no room for the cosine: no division by zero
    assert train.learning_rate_at(4, config) == 0.1


# ----- What a run leaves behind -----


def test_train_writes_checkpoints_curve_and_sample(run, tmp_path, capsys):
    rows = run(sample_tokens=30)
    said = capsys.readouterr().out
    assert [row["iter"] for row in rows] == [str(i) for i in range(9)]
    assert [row["iter"] for row in rows if row["eval_val_loss"]] == ["0", "4", "8"]
    assert rows[-1]["train_loss"] == ""
    stored = checkpoint.Checkpoint(tmp_path / "out" / "last.safetensors")
    assert stored.iter_num == 8
    assert stored.best_val_loss == min(float(row["eval_val_loss"]) for row in rows if row["eval_val_loss"])
    assert "iter 0/8: loss" in said and "tokens/s" in said and "step 8: train loss" in said
    text = said.split("-" * 20 + "\n")[1]
    assert len(text.rstrip("\n")) <= 32 and set(text) <= set(stored.vocabulary)
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"best.safetensors", "last.safetensors", "loss.csv"}


def test_train_best_is_the_checkpoint_of_the_lowest_validation_loss(run, tmp_path):
    rows = run(learning_rate=0.05, max_iters=12)
    after = {int(r["iter"]): float(r["eval_val_loss"]) for r in rows if r["eval_val_loss"] and r["iter"] != "0"}
    best = checkpoint.Checkpoint(tmp_path / "out" / "best.safetensors")
    assert best.iter_num == min(after, key=after.get)
    assert best.best_val_loss == after[best.iter_num]


def test_train_eval_only_prints_the_losses_and_writes_nothing(trained, arguments, tmp_path, capsys):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in trained.iterdir()}
    train.main(arguments(eval_only=True, init_from="resume", eval_iters=5, always_save_checkpoint=True))
    said = capsys.readouterr().out
    assert "step 8: train loss" in said and "val loss: mean of 5 batches, standard error 0." in said
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in trained.iterdir()} == before
    train.main(arguments(eval_only=True, out_dir=tmp_path / "new", eval_iters=1))
    assert "standard error nan" in capsys.readouterr().out and not (tmp_path / "new").exists()


def test_train_eval_only_evaluates_where_the_checkpoint_stands(run, arguments, capsys):
    run(max_iters=3)
    train.main(arguments(eval_only=True, init_from="resume", max_iters=8))  # 3 is no multiple of eval_interval
    assert "step 3: train loss" in capsys.readouterr().out.split("resumed at iteration 3")[1]


def test_standard_error_is_that_of_the_mean():
    values = [1.0, 2.0, 4.0, 5.0]
    assert train.standard_error(values) == pytest.approx(np.std(values, ddof=1) / 2)


def test_train_says_how_many_iterations_took_how_long(run, capsys):
    run()
    assert re.search(r"^8 iterations in \d+:\d\d, best val loss \d\.\d{4}$", capsys.readouterr().out, re.MULTILINE)


def test_train_always_save_checkpoint_saves_at_each_evaluation(run, monkeypatch):
    saved = []
    monkeypatch.setattr(checkpoint, "save", lambda path, *rest: saved.append((path.stem, rest[-1]["iter_num"])))
    run(always_save_checkpoint=True)
    assert [at for name, at in saved if name == "last"] == [4, 8, 8]


# ----- Resuming -----


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("stop", [4, 6])  # at an evaluation and between two
def test_train_resumed_run_equals_the_uninterrupted_one_bit_for_bit(run, tmp_path, stop, dropout):
    whole = run(out_dir=tmp_path / "whole", max_iters=10, dropout=dropout, eval_interval=4)
    run(max_iters=stop, dropout=dropout)
    resumed = run(init_from="resume", max_iters=10, dropout=dropout)
    assert losses(resumed) == losses(whole)
    wanted = {row["iter"]: row["eval_val_loss"] for row in whole}
    assert all(row["eval_val_loss"] in ("", wanted[row["iter"]]) for row in resumed)
    ours, theirs = (load_safetensors(tmp_path / name / "last.safetensors")[0] for name in ("out", "whole"))
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_train_resumed_run_takes_its_keys_from_the_checkpoint(run, arguments, tmp_path):
    run(batch_size=3, learning_rate=0.002)
    train.main([f"--out_dir={tmp_path / 'out'}", "--init_from=resume", "--max_iters=9"])
    config = checkpoint.Checkpoint(tmp_path / "out" / "last.safetensors").config
    assert (config["batch_size"], config["learning_rate"], config["max_iters"], config["n_embd"]) == (3, 0.002, 9, 16)


def refused(capsys, arguments):
    """Run train.py's main, which must end in one line on standard error; return that line."""
    with pytest.raises(SystemExit) as status:
        train.main(arguments)
    assert isinstance(status.value.code, str) and "\n" not in status.value.code
    return status.value.code


def test_train_resume_with_other_vocabulary_raises_and_changes_nothing(trained, arguments, tmp_path, capsys):
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "other").write_text("abc" * 100)
    message = refused(
        capsys,
        arguments(init_from="resume", max_iters=20, input=tmp_path / "other", dataset=tmp_path / "other data"),
    )
    assert "vocabulary mismatch" in message and "has 3, 'abc'" in message
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"n_embd": 32}, "--n_embd: expected 16 as in"),
        ({"block_size": 16}, "--block_size: expected 8 as in"),
        ({"max_iters": 8}, "--max_iters: expected more than the 8 iterations of"),
    ],
)
def test_train_resume_with_contradicting_key_raises(trained, arguments, capsys, keys, message):
    assert message in refused(capsys, arguments(**{"init_from": "resume", "max_iters": 20, **keys}))


def test_train_resume_without_checkpoint_raises(arguments, tmp_path, capsys):
    assert "expected best.safetensors or last.safetensors, got neither" in refused(
        capsys, arguments(init_from="resume")
    )
    assert not (tmp_path / "out").exists()


# ----- Damaged checkpoints -----


def rewrite(path, change):
    arrays, metadata = load_safetensors(path)
    facts = json.loads(metadata["nanogpt"])
    change(arrays, facts)
    save_safetensors(path, arrays, {"nanogpt": json.dumps(facts)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, f: a.pop("model.transformer.ln_f.weight"), "missing ['transformer.ln_f.weight']"),
        (lambda a, f: a.update({"model.x": np.zeros(2)}), "unknown ['x']"),
        (lambda a, f: a.update({"model.transformer.ln_f.weight": np.zeros(3)}), "of shape (16,), got (3,)"),
        (lambda a, f: a.update({"optimizer.0.exp_avg": np.zeros((3, 2))}), "optimizer.0.exp_avg of shape"),
        (lambda a, f: a.update({"optimizer.99.exp_avg": np.zeros(2)}), "got 'optimizer.99.exp_avg'"),
        (lambda a, f: f["optimizer"].update(param_groups=[]), "expected an optimizer state of groups with"),
        (lambda a, f: a.pop("rng_state"), "expected the array rng_state, got none"),
        (lambda a, f: a.update(rng_state=np.zeros(3, np.uint8)), "and a random stream, got"),
        (lambda a, f: a.update(rng_state=np.zeros(3)), "and a random stream, got"),
        (lambda a, f: a.update({"optimizer.x": np.zeros(3)}), "and a random stream, got ValueError"),
        (lambda a, f: f["optimizer"].update(numbers={"0.step": "8"}), "and a random stream, got TypeError"),
        (lambda a, f: f["optimizer"].update(param_groups=[{}, {}]), "and a random stream, got KeyError('betas')"),
        (
            lambda a, f: a.update({"model.transformer.ln_f.weight": np.ones(16)}),
            "expected transformer.ln_f.weight in float32, got float64",
        ),
        (
            lambda a, f: a["model.transformer.ln_f.weight"].fill(math.nan),
            "expected finite numbers in transformer.ln_f.weight, got nan or inf",
        ),
        (lambda a, f: f.update(vocabulary="ab"), "expected a vocabulary of vocab_size ="),
        (lambda a, f: f.update(version=2), "version 2"),
        (lambda a, f: f.pop("iter_num"), "'iter_num'"),
        (lambda a, f: f["model"].update(n_embd=15), "expected a multiple of n_head, got 15 and 2"),
    ],
)
def test_train_resume_from_damaged_checkpoint_raises_naming_the_damage(
    trained, arguments, tmp_path, capsys, change, message
):
    (tmp_path / "out" / "best.safetensors").unlink(missing_ok=True)
    rewrite(tmp_path / "out" / "last.safetensors", change)
    assert message in refused(capsys, arguments(init_from="resume", max_iters=20))


def test_train_resume_from_truncated_or_foreign_file_raises(trained, arguments, tmp_path, capsys):
    path = tmp_path / "out" / "last.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "truncated" in refused(capsys, arguments(init_from="resume", max_iters=20))
    save_safetensors(path, {"wte.weight": np.zeros((3, 3), np.float32)}, {})
    assert "expected a checkpoint of train.py" in refused(capsys, arguments(init_from="resume", max_iters=20))


# ----- Refused before anything is written -----


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"learning_rate": "nan"}, "--learning_rate: expected a finite number above 0, got nan"),
        ({"block_size": 100000}, "--block_size: expected less than the"),
        ({"n_head": 3}, "--n_embd: expected a multiple of --n_head, got 16 and 3"),
        ({"input": "/nowhere/text"}, "--input: cannot read /nowhere/text"),
    ],
)
def test_train_bad_value_raises_and_makes_no_output(arguments, tmp_path, capsys, keys, message):
    assert message in refused(capsys, arguments(**keys))
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


def test_train_refused_text_leaves_the_dataset_of_another(trained, arguments, tmp_path, capsys):
    train.main(arguments())
    before = {path: path.read_bytes() for path in tmp_path.glob("*/*")}
    (tmp_path / "short").write_text("ab\n")
    assert "take a smaller block or a longer text" in refused(capsys, arguments(input=tmp_path / "short"))
    (tmp_path / "other").write_text("abc" * 100)
    again = {"init_from": "resume", "max_iters": 20, "input": tmp_path / "other"}
    assert "vocabulary mismatch" in refused(capsys, arguments(**again))
    (tmp_path / "file").write_text("")
    assert "got the file" in refused(capsys, arguments(input=tmp_path / "other", out_dir=tmp_path / "file"))
    assert "not enough memory" in refused(capsys, arguments(input=tmp_path / "other", n_embd=10**12))
    assert {path: path.read_bytes() for path in tmp_path.glob("*/*")} == before


def test_train_empty_text_raises_and_writes_nothing(arguments, tmp_path, text_file, capsys):
    text_file.write_text("")
    assert "expected at least 2 characters" in refused(capsys, arguments())
    assert not (tmp_path / "out").exists() and not (tmp_path / "data").exists()


def test_train_out_dir_that_is_a_file_raises(arguments, tmp_path, text_file, capsys):
    assert f"--out_dir: expected a folder, got the file {text_file}" in refused(capsys, arguments(out_dir=text_file))
    assert not (tmp_path / "data").exists()


def test_train_loss_no_longer_finite_stops_and_keeps_the_best_checkpoint(run, arguments, tmp_path, monkeypatch):
    real, calls = train.GPT.forward, []

    def forward(self, idx, targets=None):
        logits, loss = real(self, idx, targets)
        calls.append(self.training)
        return logits, loss * (math.nan if sum(calls) > 6 else 1.0)

    monkeypatch.setattr(train.GPT, "forward", forward)
    with pytest.raises(DemoError, match="the training loss became nan at iteration 6"):
        run()
    assert checkpoint.Checkpoint(tmp_path / "out" / "best.safetensors").iter_num == 4
    assert not (tmp_path / "out" / "last.safetensors").exists()


def test_train_disk_full_at_a_checkpoint_ends_in_one_line_and_keeps_the_one_before(
    trained, arguments, monkeypatch, capsys
):
    before = {path.name: path.read_bytes() for path in trained.glob("*.safetensors")}

    def full(path, arrays, metadata):
        with files.replacing(path) as file:
            file.write(b"half")
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_safetensors", full)
    message = refused(capsys, arguments(init_from="resume", max_iters=9))
    assert "safetensors (No space left on device); the file that was there is unchanged; make room" in message
    assert {path.name: path.read_bytes() for path in trained.glob("*.safetensors")} == before
    assert not list(trained.glob(".*"))


# ----- Ctrl-C -----


def interrupted(arguments, line):
    """Start train.py, send Ctrl-C when it prints a line that begins so; return (the rest it said, its errors)."""
    with processes.running(
        [sys.executable, "-u", str(DEMO / "train.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for said in process.stdout:
            if said.startswith(line):
                break
        time.sleep(0.3)  # what comes after that line has begun
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    return said, errors


def test_train_ctrl_c_in_the_first_evaluation_says_that_nothing_is_saved(arguments, tmp_path):
    said, errors = interrupted(arguments(eval_iters=10**7, sample_tokens=3), "0.01M parameters")
    assert "interrupted; no iteration was done, nothing saved" in said and errors == ""
    assert not list((tmp_path / "out").glob("*.safetensors"))


def test_train_ctrl_c_in_a_later_evaluation_saves_and_the_resumed_run_is_the_uninterrupted_one(
    arguments, tmp_path, monkeypatch
):
    real, calls = dataset.Dataset.batch, []

    def batch(self, split, *sizes):
        calls.append(split)
        if split == "val" and calls.count("val") == 3:  # the first of the second evaluation
            os.kill(os.getpid(), signal.SIGINT)
        return real(self, split, *sizes)

    monkeypatch.setattr(dataset.Dataset, "batch", batch)
    with pytest.raises(SystemExit) as status:
        train.main(arguments(eval_iters=2))
    monkeypatch.undo()
    assert status.value.code == 130
    assert checkpoint.Checkpoint(tmp_path / "out" / "last.safetensors").iter_num == 4
    assert not (tmp_path / "out" / "best.safetensors").exists()
    train.main([f"--out_dir={tmp_path / 'out'}", "--init_from=resume"])
    train.main(arguments(eval_iters=2, out_dir=tmp_path / "whole"))
    ours, theirs = (load_safetensors(tmp_path / name / "last.safetensors")[0] for name in ("out", "whole"))
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_train_ctrl_c_in_the_final_sample_ends_in_one_line_after_the_checkpoint(arguments, tmp_path):
    said, errors = interrupted(arguments(sample_tokens=10**7), ("curve:", "no loss.png"))
    assert (said, errors) == ("", "\ntrain.py: interrupted\n")
    assert checkpoint.Checkpoint(tmp_path / "out" / "last.safetensors").iter_num == 8


def test_train_ctrl_c_saves_prints_a_sample_and_can_be_resumed(arguments, tmp_path):
    command = [sys.executable, str(DEMO / "train.py")]
    given = arguments(max_iters=100000, lr_decay_iters=100000, sample_tokens=20, log_interval=1)
    with processes.running([*command, *given], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("iter 5/"):
                break
        os.kill(process.pid, signal.SIGINT)
        said, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "interrupted; --init_from=resume goes on from here" in said and "-" * 20 in said and errors == ""
    stopped = checkpoint.Checkpoint(tmp_path / "out" / "last.safetensors").iter_num
    assert stopped >= 6
    with open(tmp_path / "out" / "loss.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) in (stopped, stopped + 1)  # + 1: stopped right after an evaluation
    train.main([f"--out_dir={tmp_path / 'out'}", "--init_from=resume", f"--max_iters={stopped + 2}"])
    assert checkpoint.Checkpoint(tmp_path / "out" / "last.safetensors").iter_num == stopped + 2


def test_interrupt_the_second_ctrl_c_stops_at_once_and_the_handler_is_restored():
    before = signal.getsignal(signal.SIGINT)
    with train.Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        assert interrupt.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
    assert signal.getsignal(signal.SIGINT) is before


# ----- Which checkpoint -----


def test_find_a_run_begun_later_goes_before_the_best_of_an_earlier_one(trained, arguments, monkeypatch):
    best, last = trained / "best.safetensors", trained / "last.safetensors"
    assert (checkpoint.find(trained, "best"), checkpoint.find(trained, "newest")) == (best, last)
    monkeypatch.setattr(train, "estimate_loss", lambda *args: None)  # stopped before it could save a best of its own
    train.main(arguments(max_iters=2))
    assert checkpoint.Checkpoint(last).iter_num == 2 and checkpoint.Checkpoint(best).iter_num > 2
    assert (checkpoint.find(trained, "best"), checkpoint.find(trained, "newest")) == (last, last)
    last.write_bytes(b"damaged")
    assert checkpoint.find(trained, "best") == best


# ----- sample.py -----


def test_sample_continues_the_prompt_repeatably(trained, tmp_path):
    config = SampleConfig(out_dir=str(tmp_path / "out"), start="3 fleas", num_samples=2, max_new_tokens=12)
    first, second = list(sample(config)), list(sample(config))
    assert first == second and len(first) == 2
    assert all(text.startswith("3 fleas") and len(text) == 19 for text in first)


def test_sample_prompt_from_a_file_and_a_checkpoint_by_path(trained, tmp_path):
    (tmp_path / "prompt").write_text("dogs")
    path = tmp_path / "out" / "last.safetensors"
    config = SampleConfig(checkpoint=str(path), start=f"FILE:{tmp_path / 'prompt'}", num_samples=1, max_new_tokens=3)
    assert next(sample(config)).startswith("dogs")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"start": "fleas €"}, "--start: expected characters of the vocabulary .*, got '€'; leave them out"),
        ({"start": "FILE:/nowhere"}, "--start: cannot read /nowhere"),
        ({"start": f"FILE:{sys.executable}"}, "--start: expected text in UTF-8, got /"),
        ({"start": f"FILE:{os.devnull}"}, "--start: expected a prompt of at least one character, got the empty file"),
        ({"checkpoint": "/nowhere/x"}, "/nowhere/x: no such file"),
        ({"temperature": 0.0}, "--temperature"),
    ],
)
def test_sample_bad_value_raises(trained, tmp_path, keys, message):
    with pytest.raises(DemoError, match=message):
        next(sample(SampleConfig(**{"out_dir": str(tmp_path / "out"), **keys})))


def test_sample_model_that_knows_no_line_break_starts_with_its_first_character(arguments, tmp_path):
    (tmp_path / "line").write_text("to be or not to be " * 20)
    train.main(arguments(input=tmp_path / "line", max_iters=1, sample_tokens=4))
    config = SampleConfig(out_dir=str(tmp_path / "out"), num_samples=1, max_new_tokens=3)
    assert next(sample(config)).startswith(" ")


def test_sample_a_reader_that_leaves_is_no_error(trained):
    command = [sys.executable, str(DEMO / "sample.py"), f"--out_dir={trained}", "--num_samples=500"]
    command += ["--max_new_tokens=5"]
    with processes.running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait(60) == 1


def test_sample_does_not_change_with_the_state_of_the_global_stream(trained, tmp_path):
    config = SampleConfig(out_dir=str(tmp_path / "out"), start="1", num_samples=1, max_new_tokens=8)
    first = next(sample(config))
    npg.rand(5)
    assert next(sample(config)) == first
