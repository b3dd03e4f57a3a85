"""Read the token files of data/prepare.py, and draw batches from them."""

import hashlib
import json
from pathlib import Path

import numpy as np

import npg
from config import DemoError
from data import prepare
from files import check_folder


class Dataset:
    """Two splits of tokens, and their vocabulary of characters.

    Args:
        path: a folder with train.bin, val.bin and meta.json.
        fresh: (meta, splits) of prepare.tokenize, which `save` writes there; None: read the files there.
    Raises: DemoError: when a file is missing, damaged, or does not fit the others.
    """

    def __init__(self, path, fresh=None):
        self.path = path
        self._fresh = fresh
        self.meta, self.splits = fresh or self._read()
        self.source = self.meta["source"]
        self.sha256 = self.meta["sha256"]
        self.vocabulary = self.meta["vocabulary"]

    def _read(self):
        """Return (meta, splits) from the files, checked to be complete and consistent."""
        path = self.path
        command = f"python demo/nanogpt/data/prepare.py --dataset={path}"
        remedy = f"make it anew with {command} (and --input=FILE for a text of your own)"
        try:
            meta = json.loads((path / "meta.json").read_bytes())
            layout = tuple(meta[key] for key in ("format", "version", "dtype"))
            if layout != (prepare.FORMAT, 1, "uint16"):
                raise ValueError(f"format, version and dtype {layout}")
            if not all(isinstance(meta[key], str) for key in ("source", "sha256", "vocabulary")):
                raise ValueError("source, sha256 or vocabulary that is no text")
            size, distinct = meta["vocab_size"], len(set(meta["vocabulary"]))
            if not isinstance(meta["characters"], int):
                raise ValueError(f"characters = {meta['characters']!r}")
            expected = {name: meta["splits"][name]["sha256"] for name in ("train", "val")}
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DemoError(
                f"{path / 'meta.json'}: expected the file of prepare.py, got {error!r}; {remedy}"
            ) from error
        if size != distinct or size != len(meta["vocabulary"]):
            raise DemoError(
                f"{path / 'meta.json'}: expected vocab_size {distinct}, the number of characters in "
                f"the vocabulary, got {size}; {remedy}"
            )
        splits = {}
        for name, digest in expected.items():
            file = path / f"{name}.bin"
            try:
                content = file.read_bytes()
            except OSError as error:
                raise DemoError(f"{file}: expected tokens, got {error.strerror}; {remedy}") from error
            if not content or len(content) % 2:
                raise DemoError(f"{file}: expected tokens of two bytes each, got {len(content)} bytes; {remedy}")
            checksum = hashlib.sha256(content).hexdigest()
            if checksum != digest:
                raise DemoError(f"{file}: expected SHA-256 {digest} as in meta.json, got {checksum}; {remedy}")
            tokens = np.frombuffer(content, "<u2")
            if int(tokens.max()) >= size:
                raise DemoError(
                    f"{file}: expected tokens below {size}, the size of the vocabulary, got {tokens.max()}; {remedy}"
                )
            splits[name] = tokens
        return meta, splits

    def save(self, say=print):
        """Write the files if they are new; on failure raise DemoError and leave the old ones unchanged."""
        if self._fresh is not None:
            prepare.write(self.path, *self._fresh, say)
            self._fresh = None

    @property
    def vocab_size(self):
        """The number of distinct tokens."""
        return len(self.vocabulary)

    def check_block(self, block_size):
        """Raise DemoError unless each split has room for a block and the token after it."""
        for name, tokens in self.splits.items():
            if len(tokens) <= block_size:
                raise DemoError(
                    f"--block_size: expected less than the {len(tokens)} tokens of {self.path / name}.bin, "
                    f"got {block_size}; take a smaller block or a longer text"
                )

    def batch(self, split, batch_size, block_size):
        """Draw blocks at random positions.

        The positions come from npg.randint, one call per batch, as a PyTorch program with the same seed draws them.

        Args:
            split: "train" or "val".
            batch_size: the number of blocks, B.
            block_size: the number of tokens in a block, T.
        Returns: (x, y): (B, T) int64 each; y[b, t] is the token that follows x[b, t].
        """
        tokens = self.splits[split]
        starts = npg.randint(len(tokens) - block_size, (batch_size,)).numpy()  # (B,)
        windows = tokens[starts[:, None] + np.arange(block_size + 1)].astype(np.int64)  # (B, T + 1)
        x, y = np.ascontiguousarray(windows[:, :-1]), np.ascontiguousarray(windows[:, 1:])  # (B, T) each
        return npg.from_numpy(x), npg.from_numpy(y)


def open_dataset(name, input="", say=print):
    """Return the dataset, made anew if it is missing or was made from another text than `input`.

    A new one is in memory only: the caller checks that it fits, then calls `save`.

    Raises: DemoError: when the text cannot be used or the files are damaged. Nothing has been written.
    """
    path = prepare.folder(name)
    if input:
        content = prepare.read(input)
        data = _made_from(path, content)
        if data is None:
            data = Dataset(path, prepare.tokenize(content, str(Path(input).resolve())))
    elif not (path / "meta.json").is_file():
        check_folder(path, "dataset")
        data = Dataset(path, prepare.tokenize(*prepare.fetch(say)))
    else:
        data = Dataset(path)
    say(f"data: {data.source}, {data.meta['characters']:,} characters, {data.vocab_size} distinct ({path})")
    return data


def _made_from(path, content):
    """Return the dataset in a folder if it is complete and was made from this text, else None."""
    try:
        data = Dataset(path)
    except DemoError:
        return None
    return data if data.sha256 == hashlib.sha256(content).hexdigest() else None


# ----- Text and tokens -----


def encode(text, vocabulary):
    """Return the tokens of a text, a list of int; DemoError names characters that are not in the vocabulary."""
    token = {character: number for number, character in enumerate(vocabulary)}
    unknown = sorted(set(text) - set(token))
    if unknown:
        raise DemoError(
            f"expected characters of the vocabulary {vocabulary!r}, got {''.join(unknown)!r}; leave them out, or train "
            "on a text that has them"
        )
    return [token[character] for character in text]


def first_prompt(vocabulary):
    """Return the prompt of a text without a prompt: a line break, or else the vocabulary's first character."""
    return "\n" if "\n" in vocabulary else vocabulary[0]


def decode(tokens, vocabulary):
    """Return the text of a sequence of tokens."""
    return "".join(vocabulary[token] for token in tokens)
