"""Checkpoints: weights, AdamW's moments, the random stream and facts about the run, in one safetensors file.

There are two files in out_dir: best.safetensors, at the lowest validation loss so far, and last.safetensors, where the
run ended or was interrupted. Each is written atomically, and a file is fully checked before anything is read from it.
"""

import contextlib
import dataclasses
import json
from pathlib import Path

import numpy as np

import npg
from config import DemoError
from files import listed, load_safetensors, save_safetensors
from model import GPT, GPTConfig

FORMAT = "npg nanogpt checkpoint"
TIED = "lm_head.weight"  # the same Parameter as transformer.wte.weight: stored once


# ----- Writing -----


def save(path, model, optimizer, rng_state, facts):
    """Write a checkpoint.

    Args:
        path: the file; its folder must exist.
        model, optimizer: their states are stored.
        rng_state: the uint8 Tensor of npg.get_rng_state from before the next batch was drawn.
        facts: JSON values: iter_num, best_val_loss, config, vocabulary, sha256, source, and run, the starting time of
            the run, which all its checkpoints share.
    """
    arrays = {f"model.{name}": value.detach().numpy() for name, value in model.state_dict().items() if name != TIED}
    state = optimizer.state_dict()
    numbers = {}
    for index, slots in state["state"].items():
        for slot, value in slots.items():
            if isinstance(value, npg.Tensor):
                arrays[f"optimizer.{index}.{slot}"] = value.detach().numpy()
            else:
                numbers[f"{index}.{slot}"] = value
    arrays["rng_state"] = rng_state.numpy()
    facts = {
        "format": FORMAT,
        "version": 1,
        "model": dataclasses.asdict(model.config),
        "optimizer": {"param_groups": state["param_groups"], "numbers": numbers},
        **facts,
    }
    save_safetensors(path, arrays, {"nanogpt": json.dumps(facts)})


# ----- Reading -----


class Checkpoint:
    """A checkpoint in memory, checked to be complete and consistent.

    Args:
        path: a file written by save.
    Raises: DemoError: when it is missing, truncated, or no checkpoint of this program.
    """

    def __init__(self, path):
        self.path = path
        self.arrays, metadata = load_safetensors(path)
        try:
            facts = json.loads(metadata["nanogpt"])
            if (facts["format"], facts["version"]) != (FORMAT, 1):
                raise ValueError(f"format {facts['format']!r}, version {facts['version']!r}")
            self.model_config = GPTConfig(**facts["model"])
            self.config = dict(facts["config"])
            self.iter_num = int(facts["iter_num"])
            self.best_val_loss = float(facts["best_val_loss"])
            self.vocabulary = str(facts["vocabulary"])
            self.sha256, self.source = facts["sha256"], facts["source"]
            self.run = float(facts.get("run", 0.0))
            self._groups = list(facts["optimizer"]["param_groups"])
            self._numbers = dict(facts["optimizer"]["numbers"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DemoError(
                f"{path}: expected a checkpoint of train.py, got a safetensors file without its facts ({error!r}); "
                "GPT-2 weights are read by GPT.from_pretrained"
            ) from error
        if len(self.vocabulary) != self.model_config.vocab_size:
            raise DemoError(
                f"{path}: expected a vocabulary of vocab_size = {self.model_config.vocab_size} characters, "
                f"got {len(self.vocabulary)}"
            )

    def model(self):
        """Return a new GPT with the stored weights; DemoError for a missing, unknown or misshapen weight."""
        model = GPT(self.model_config)
        state = {name: value for name, value in model.state_dict().items() if name != TIED}
        stored = {name.removeprefix("model."): a for name, a in self.arrays.items() if name.startswith("model.")}
        missing, unknown = sorted(state.keys() - stored.keys()), sorted(stored.keys() - state.keys())
        if missing or unknown:
            raise DemoError(
                f"{self.path}: expected the weights of {self.model_config}; missing {listed(missing)}, "
                f"unknown {listed(unknown)}"
            )
        for name, value in state.items():
            self._check(name, stored[name], value)
            if not np.isfinite(stored[name]).all():
                raise DemoError(
                    f"{self.path}: expected finite numbers in {name}, got nan or inf; take another checkpoint"
                )
        weights = {name: npg.from_numpy(array) for name, array in stored.items()}
        model.load_state_dict({**weights, TIED: weights["transformer.wte.weight"]})
        return model

    def restore(self, optimizer):
        """Restore the optimizer's moments and the random stream.

        Raises: DemoError: when they do not fit the optimizer's parameters; nothing is changed then.
        """
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        own = [group["params"] for group in optimizer.state_dict()["param_groups"]]
        rule = f"{self.path}: expected an optimizer state of groups with {[len(group) for group in own]} parameters"
        if "rng_state" not in self.arrays:
            raise DemoError(f"{self.path}: expected the array rng_state, got none")
        try:
            groups = [{**group, "betas": tuple(group["betas"])} for group in self._groups]
            if own != [group["params"] for group in groups]:
                raise DemoError(f"{rule}, got {[len(group['params']) for group in groups]}")
            state = {}
            for name, array in self.arrays.items():
                if not name.startswith("optimizer."):
                    continue
                _, index, slot = name.split(".")
                if int(index) >= len(parameters):
                    raise DemoError(f"{rule}, got {name!r}")
                if array.ndim:  # a 0-d array is the step count
                    self._check(name, array, parameters[int(index)])
                state.setdefault(int(index), {})[slot] = npg.from_numpy(array)
            for name, number in self._numbers.items():
                index, slot = name.split(".")
                state.setdefault(int(index), {})[slot] = number + 0
            optimizer.load_state_dict({"state": state, "param_groups": groups})
            npg.set_rng_state(npg.from_numpy(self.arrays["rng_state"]))
        except DemoError:
            raise
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            raise DemoError(f"{rule} and a random stream, got {error!r}") from error

    def check_vocabulary(self, data):
        """Raise DemoError unless a dataset has the vocabulary that the model was trained with."""
        if data.vocabulary != self.vocabulary:
            raise DemoError(
                f"vocabulary mismatch: {self.path} was trained on {len(self.vocabulary)} characters, "
                f"{self.vocabulary!r}; {data.path} has {data.vocab_size}, {data.vocabulary!r}; "
                f"give the text it was trained on ({self.source})"
            )

    def _check(self, name, array, tensor):
        if array.shape != tuple(tensor.shape):
            raise DemoError(f"{self.path}: expected {name} of shape {tuple(tensor.shape)}, got {array.shape}")
        if array.dtype != np.float32:
            raise DemoError(f"{self.path}: expected {name} in float32, got {array.dtype}")


# ----- Which file -----


def find(out_dir, which):
    """Return the path of a checkpoint.

    A run stopped before its first evaluation leaves last.safetensors beside an earlier run's best in the same folder:
    "best" and "newest" are those of the run that began later.

    Args:
        out_dir: the folder of a run.
        which: "best", "last", "newest" (whichever of the two got further) or a file.
    Raises: DemoError: when there is none.
    """
    if which not in ("best", "last", "newest"):
        return Path(which)
    best, last = (Path(out_dir) / f"{name}.safetensors" for name in ("best", "last"))
    candidates = [path for path in ((last, best) if which != "best" else (best, last)) if path.is_file()]
    if not candidates:
        raise DemoError(f"{out_dir}: expected best.safetensors or last.safetensors, got neither; run train.py first")
    if which == "last" or len(candidates) == 1:
        return candidates[0]
    if which == "newest":
        return max(candidates, key=lambda path: ((stored := Checkpoint(path)).run, stored.iter_num))
    with contextlib.suppress(DemoError):  # with a damaged last, best can still be used
        if Checkpoint(last).run > Checkpoint(best).run:
            return last
    return best
