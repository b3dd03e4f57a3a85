"""The images: MNIST's four files, downloaded and checked; a folder with such files; or the 8x8 digits of scikit-learn.

The format (idx) is a magic number, one big-endian size for each dimension, and the bytes. LeCun, Cortes and Burges,
"The MNIST database of handwritten digits".
"""

import dataclasses
import gzip
import hashlib
import http.client
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path

import numpy as np

from common.storing import DemoError, make_folder, replacing

DATA = Path(__file__).resolve().parent / "data"
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
SHA256 = {
    "train-images-idx3-ubyte": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}  # of name.gz
TIMEOUT = 10.0  # seconds without an answer
LIMIT = 120.0  # seconds in total for one file
MOST = 1 << 24  # bytes; the largest file has 9,912,422
IMAGES, LABELS = 0x0803, 0x0801  # magic numbers: unsigned bytes, three dimensions or one
CLASSES = 10


@dataclasses.dataclass
class Digits:
    """Images (N, H, W) of uint8 from 0 to `white`, and their labels (N,) from 0 to 9, to train on and to test with."""

    name: str  # for titles
    source: str  # load's `data` that gives them again
    white: int
    train: tuple
    test: tuple

    @property
    def size(self):
        """(H, W)."""
        return self.train[0].shape[1:]

    @property
    def epochs(self):
        """How many passes are enough; a small set needs more."""
        return 5 if len(self.train[0]) >= 5000 else 20

    @property
    def sha256(self):
        """A checksum of the training images, which tells one training set from another."""
        return hashlib.sha256(self.train[0].tobytes() + self.train[1].tobytes()).hexdigest()


def load(data="", split=0, say=print):
    """Return Digits.

    Args:
        data: a folder with idx files; "digits" for scikit-learn's; "" downloads MNIST, or without a network takes
            scikit-learn's digits too.
        split: how many images are held out of the training images for the test; 0 takes the test images, and a fifth
            where there are no others.
        say: takes lines about where the images come from.
    Raises: DemoError: when there are no such images, or a file is damaged.
    """
    if data and data != "digits":
        folder = Path(data).resolve()
        name, source, white, sets = folder.name, str(folder), 255, read_folder(folder)
    elif not data and download(DATA, say):
        name, source, white, sets = "MNIST", "", 255, read_folder(DATA)
    else:
        name, source, white, sets = "scikit-learn's 8x8 digits", "digits", 16, {"train": small_digits()}
    if split or len(sets) == 1:
        kind, whole = next(iter(sets.items()))
        train, test = hold_out(*whole, split or len(whole[0]) // 5)
        name += " (its test images, split)" if kind == "t10k" else " (split)"
    else:
        train, test = sets["train"], sets["t10k"]
    if train[0].shape[1:] != test[0].shape[1:]:
        raise DemoError(f"{name}: expected images of one size, got {train[0].shape[1:]} and {test[0].shape[1:]}")
    say(f"data: {name}; {len(train[0]):,} images to train on, {len(test[0]):,} to test with")
    return Digits(name, source, white, train, test)


def hold_out(images, labels, count):
    """Return ((images, labels), (images, labels)): `count` of them, of each digit its share, are the second."""
    if not 0 < count < len(images):
        raise DemoError(f"--split: expected fewer than the {len(images)} images that there are, got {count}")
    held = np.zeros(len(images), bool)
    held[np.argsort(labels, kind="stable")[np.arange(count) * len(images) // count]] = True  # evenly spaced by digit
    return (images[~held], labels[~held]), (images[held], labels[held])


# ----- scikit-learn's -----


def small_digits():
    """Return (images, labels) of scikit-learn: (1797, 8, 8) uint8 from 0 to 16."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DemoError(
            'no images: give --data=DIR with the files of MNIST, or pip install "npg-autograd[demo]" for the 8x8 '
            "digits of scikit-learn"
        ) from error
    found = load_digits()
    return found.images.astype(np.uint8), found.target.astype(np.uint8)


# ----- Files in a folder -----


def read_folder(folder):
    """Return {"train": (images, labels), "t10k": (images, labels)}, or one of them where the folder has only that.

    Raises: DemoError: when there is neither, one file of a pair is missing, or one is damaged.
    """
    if not folder.is_dir():
        raise DemoError(f"--data: expected a folder, got {folder}{'' if folder.exists() else ', which does not exist'}")
    sets = {}
    for kind in ("train", "t10k"):
        names = f"{kind}-images-idx3-ubyte", f"{kind}-labels-idx1-ubyte"
        images, labels = (find(folder, name) for name in names)
        if images is None and labels is None:
            continue
        if images is None or labels is None:
            there, missing = (labels, names[0]) if images is None else (images, names[1])
            raise DemoError(f"--data: expected {missing} or {missing}.gz beside {there}, got none")
        sets[kind] = read_idx(images, IMAGES), read_idx(labels, LABELS)
        check(images, labels, *sets[kind])
    if not sets:
        raise DemoError(f"--data: expected train-images-idx3-ubyte or its .gz in {folder}, and the like; got none")
    return sets


def find(folder, name):
    """Return the path of an idx file in a folder, compressed or not, or None."""
    dotted = name.replace("-idx", ".idx")  # as some archives unpack it
    paths = [folder / f"{stem}{end}" for stem in (name, dotted) for end in ("", ".gz")]
    return next((path for path in paths if path.is_file()), None)


def read_idx(path, magic):
    """Return the array of an idx file, compressed or not.

    Raises: DemoError: when it cannot be read, is truncated, or has another magic number.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:  # gzip's own error is an OSError
        raise DemoError(f"{path}: damaged or truncated ({error}); get it anew") from error
    dimensions = magic & 0xFF
    start = 4 + 4 * dimensions
    if len(content) < start or int.from_bytes(content[:4], "big") != magic:
        raise DemoError(f"{path}: expected the magic number {magic:#010x} of an idx file, got 0x{content[:4].hex()}")
    sizes = [int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)]
    if len(content) - start != np.prod(sizes, dtype=object):
        shape = " x ".join(map(str, sizes))
        raise DemoError(f"{path}: expected {shape} bytes after the sizes, got {len(content) - start}; get it anew")
    return np.frombuffer(content, np.uint8, offset=start).reshape(sizes).copy()  # writable, as PyTorch asks


def check(images_path, labels_path, images, labels):
    """Raise DemoError unless there are images, as many labels, and these are digits."""
    if not len(images) or min(images.shape[1:]) < 4:
        raise DemoError(f"{images_path}: expected images of at least 4 x 4 pixels, got {images.shape}")
    if len(images) != len(labels):
        raise DemoError(f"{labels_path}: expected a label for each of {len(images)} images, got {len(labels)}")
    if labels.max() >= CLASSES:
        raise DemoError(f"{labels_path}: expected labels from 0 to {CLASSES - 1}, got {labels.max()}")


# ----- The download -----


def download(folder, say=print):
    """Bring MNIST's four files into a folder, where they are missing or damaged; return whether they are there now."""
    missing = {name: sha for name, sha in SHA256.items() if checksum(folder / f"{name}.gz") != sha}
    if missing:
        make_folder(folder, "data")
    for name, expected in missing.items():
        content = fetch(f"{name}.gz", expected, say)
        if content is None:
            say(
                "no MNIST: using the 8x8 digits of scikit-learn instead, 1,797 small images; if you have its files: "
                "--data=DIR; without trying to download: --data=digits"
            )
            return False
        with replacing(folder / f"{name}.gz") as file:
            file.write(content)
    return True


def checksum(path):
    """Return the SHA-256 of a file; None where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def fetch(name, expected, say):
    """Return a file from the first mirror that has it with this SHA-256; None, having said why, if there is none."""
    for mirror in MIRRORS:
        say(f"downloading {mirror}{name}")
        try:
            content = get(mirror + name)
        except OSError as error:
            say(f"no download: {error}")
            continue
        found = hashlib.sha256(content).hexdigest()
        if found == expected:
            return content
        say(f"no download: expected SHA-256 {expected}, got {len(content)} bytes with {found}")
    return None


def get(url, timeout=TIMEOUT, limit=LIMIT):
    """Return what a server answers.

    Raises: OSError: when there is no network, no answer within `timeout` seconds or no end within `limit` seconds.
    """
    content, ends = bytearray(), time.monotonic() + limit
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            while len(content) <= MOST and (piece := answer.read1(1 << 16)):
                content += piece
                if time.monotonic() > ends:
                    raise TimeoutError(f"{len(content)} bytes after {limit:g} seconds, and no end")
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"the server answered {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise OSError(str(getattr(reason, "strerror", None) or reason or type(reason).__name__)) from error
    return bytes(content)
