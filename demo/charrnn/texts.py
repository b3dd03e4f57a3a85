"""Texts as numbers, one a character: a file, or what demo/nanogpt/data/prepare.py makes. The bigram model of one."""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent / "nanogpt"))

from common.storing import DemoError
from config import DemoError as NanogptError
from data import prepare

DATASET = "shakespeare_char"
SMOOTHINGS = (1.0, 0.1, 0.01)


class Text:
    """A text, the first 90 % to train on and the rest held out.

    Attributes:
        source: where it comes from.
        sha256: its checksum.
        vocabulary: its characters, in the order of their numbers.
        train, held: (N,) int64, the numbers of both parts.
    """

    def __init__(self, meta, splits):
        self.source, self.sha256, self.vocabulary = meta["source"], meta["sha256"], meta["vocabulary"]
        self.train, self.held = (np.asarray(splits[name], np.int64) for name in ("train", "val"))

    def decode(self, numbers):
        """Return the characters of numbers as text."""
        return "".join(self.vocabulary[i] for i in numbers)

    def encode(self, text):
        """Return the numbers of characters; DemoError names those that the text does not have."""
        if unknown := sorted(set(text) - set(self.vocabulary)):
            raise DemoError(f"--prompt: expected characters of the text, got {''.join(unknown)!r}; leave them out")
        return [self.vocabulary.index(character) for character in text]


def load(input="", say=print):
    """Return a Text: that of a file, or Tiny Shakespeare, or the prose that every Python has where there is no network.

    Raises: DemoError: when the file cannot be used, or what prepare.py has made is damaged.
    """
    try:
        if input:
            text = Text(*prepare.tokenize(prepare.read(input), str(Path(input).resolve())))
        else:
            folder = prepare.folder(DATASET)
            if not (folder / "meta.json").is_file():
                prepare.prepare(DATASET, say=say)
            text = _stored(folder)
    except NanogptError as error:
        raise DemoError(str(error)) from error
    size = len(text.train) + len(text.held)
    say(f"text: {text.source}, {size:,} characters, {len(text.vocabulary)} distinct")
    return text


def _stored(folder):
    try:
        meta = json.loads((folder / "meta.json").read_bytes())
        splits = {name: np.fromfile(folder / f"{name}.bin", "<u2") for name in ("train", "val")}
        whole = all(len(splits[name]) == meta["splits"][name]["tokens"] for name in splits)
        if not whole or max(part.max() for part in splits.values()) >= len(meta["vocabulary"]):
            raise ValueError("files of another text")
        return Text(meta, splits)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DemoError(
            f"{folder}: expected the files of prepare.py, got {error!r}; make them anew with python "
            "demo/nanogpt/data/prepare.py"
        ) from error


# ----- The bigram model -----


def bigram_bits(train, held, characters):
    """Return the bits per character of the bigram model of a text on another one.

    p(b after a) = (how often b is after a in train + s) / (how often a is + s * characters), with that s of SMOOTHINGS
    that is best for held: no other bigram model of this kind does better there.
    Args:
        train, held: (N,) int64.
        characters: the number of different ones.
    """
    pairs, counts = np.unique(train[:-1] * characters + train[1:], return_counts=True)
    of_first = np.bincount(train[:-1], minlength=characters)
    asked = held[:-1] * characters + held[1:]
    at = np.minimum(np.searchsorted(pairs, asked), len(pairs) - 1)
    seen = np.where(pairs[at] == asked, counts[at], 0)
    bits = [-np.log2((seen + s) / (of_first[held[:-1]] + s * characters)).mean() for s in SMOOTHINGS]
    return float(min(bits))
