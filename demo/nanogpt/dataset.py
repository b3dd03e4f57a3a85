"""Read the token files that data/prepare.py made, and draw batches from them."""

import hashlib
import json

import numpy as np

import npg
from config import DemoError
from data import prepare


class Dataset:
    """Two splits of tokens and the characters they stand for.

    Args:
        path: a folder with train.bin, val.bin and meta.json.
    Raises: DemoError: when a file is missing, damaged, or does not fit the others.
    """

    def __init__(self, path):
        self.path = path
        remedy = f"make it anew with python demo/nanogpt/data/prepare.py --dataset={path}"
        try:
            self.meta = json.loads((path / "meta.json").read_bytes())
            self.source = self.meta["source"]
            self.sha256 = self.meta["sha256"]
            self.vocabulary = self.meta["vocabulary"]
            expected = {name: self.meta["splits"][name]["sha256"] for name in ("train", "val")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DemoError(
                f"{path / 'meta.json'}: expected the file of prepare.py, got {error!r}; {remedy}"
            ) from error
        if len(set(self.vocabulary)) != self.meta.get("vocab_size"):
            raise DemoError(
                f"{path / 'meta.json'}: expected vocab_size {len(set(self.vocabulary))}, the number of characters in "
                f"the vocabulary, got {self.meta.get('vocab_size')}; {remedy}"
            )
        self.splits = {}
        for name, digest in expected.items():
            file = path / f"{name}.bin"
            content = file.read_bytes() if file.is_file() else b""
            if not content:
                raise DemoError(f"{file}: expected tokens, got {'an empty' if file.is_file() else 'no'} file; {remedy}")
            found = hashlib.sha256(content).hexdigest()
            if found != digest:
                raise DemoError(f"{file}: expected SHA-256 {digest} as in meta.json, got {found}; {remedy}")
            tokens = np.frombuffer(content, "<u2")
            if int(tokens.max()) >= self.vocab_size:
                raise DemoError(
                    f"{file}: expected tokens below {self.vocab_size}, the size of the vocabulary, "
                    f"got {tokens.max()}; {remedy}"
                )
            self.splits[name] = tokens

    @property
    def vocab_size(self):
        """The number of distinct tokens."""
        return len(self.vocabulary)

    def check_block(self, block_size):
        """Raise DemoError unless each split holds a block and the token after it."""
        for name, tokens in self.splits.items():
            if len(tokens) <= block_size:
                raise DemoError(
                    f"--block_size: expected less than the {len(tokens)} tokens of {self.path / name}.bin, "
                    f"got {block_size}; take a smaller block or a longer text"
                )

    def batch(self, split, batch_size, block_size):
        """Draw blocks at random places.

        The places come from npg.randint, one call a batch, so a PyTorch program with the same seed draws the same ones.

        Args:
            split: "train" or "val".
            batch_size: blocks to draw, B.
            block_size: tokens a block, T.
        Returns: (x, y): (B, T) int64 each; y[b, t] is the token that follows x[b, t].
        """
        tokens = self.splits[split]
        starts = npg.randint(len(tokens) - block_size, (batch_size,)).numpy()  # (B,)
        windows = tokens[starts[:, None] + np.arange(block_size + 1)].astype(np.int64)  # (B, T + 1)
        x, y = np.ascontiguousarray(windows[:, :-1]), np.ascontiguousarray(windows[:, 1:])  # (B, T) each
        return npg.from_numpy(x), npg.from_numpy(y)


def open_dataset(name, input="", say=print):
    """Return the dataset, made first when it is missing or when `input` is another text than the one it was made from.

    Raises: DemoError: when the text cannot be used or the files are damaged.
    """
    path = prepare.folder(name)
    if input:
        if not _made_from(path, input):
            prepare.prepare(name, input, say)
    elif not (path / "meta.json").is_file():
        prepare.prepare(name, "", say)
    data = Dataset(path)
    say(f"data: {data.source}, {data.meta['characters']:,} characters, {data.vocab_size} distinct ({path})")
    return data


def _made_from(path, input):
    """Return whether the folder holds an undamaged dataset made from this text."""
    wanted = hashlib.sha256(prepare.read(input)).hexdigest()
    try:
        return Dataset(path).sha256 == wanted
    except DemoError:
        return False


# ----- Text and tokens -----


def encode(text, vocabulary):
    """Return the tokens of a text, a list of int; DemoError names the characters that the vocabulary lacks."""
    token = {character: number for number, character in enumerate(vocabulary)}
    unknown = sorted(set(text) - set(token))
    if unknown:
        raise DemoError(f"expected characters of the vocabulary {vocabulary!r}, got {''.join(unknown)!r}")
    return [token[character] for character in text]


def decode(tokens, vocabulary):
    """Return the text of a sequence of tokens."""
    return "".join(vocabulary[token] for token in tokens)
