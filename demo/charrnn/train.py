"""Train an LSTM to write text, character by character: a plain PyTorch script, which npg runs as it stands.

    npg run demo/charrnn/train.py                    5 passes over Tiny Shakespeare, which it downloads
    python demo/charrnn/train.py                     the same on PyTorch, with the same losses
    npg run demo/charrnn/train.py --input=FILE       any text in UTF-8: a book, names one a line, a program
    npg run demo/charrnn/train.py --max_iters=200    stop early; so does Ctrl-C
    npg run demo/charrnn/train.py --resume           go on where the last run stopped, with the same numbers

Without a network it takes the prose that comes with every Python. Prints the bits per character of text that it was not
trained on, beside those of a bigram model, and in the end some text of its own. Writes to out_dir: last.pt, the
checkpoint, and loss.png, the curve.
"""

import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for what the demos share

import texts
from common import curves, options as read
from common.screen import finish, iterate
from common.storing import DemoError, load_checkpoint, make_folder, resume, save_checkpoint

OUT = Path(__file__).resolve().parent / "out"
DEFAULTS = {
    "input": "", "seed": 1, "epochs": 5, "batch_size": 32, "block_size": 64, "hidden": 128, "layers": 2,
    "dropout": 0.1, "lr": 5e-3,
}  # what makes a run  # fmt: skip
KEYS = ("options", "sha256", "model", "optimizer", "scheduler", "losses", "held", "state", "rng")  # of a checkpoint


class CharRNN(nn.Module):
    """Which character comes next: an embedding, an LSTM, and a linear layer, (B, T) int64 to logits (B, T, V)."""

    def __init__(self, characters, hidden, layers, dropout):
        super().__init__()
        self.embedding = nn.Embedding(characters, hidden)
        self.lstm = nn.LSTM(hidden, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, characters)

    def forward(self, x, state=None):
        y, state = self.lstm(self.embedding(x), state)  # (B, T, H), ((L, B, H), (L, B, H))
        return self.head(self.dropout(y)), state


def options(arguments=None):
    """Return the options of the command line; those of DEFAULTS are None where they are not given."""
    parser = read.parser(__doc__, OUT)
    parser.add_argument("--input", metavar="FILE", help="a text file in UTF-8")
    parser.add_argument("--epochs", type=read.count, help="passes over the text (5)")
    parser.add_argument("--batch_size", type=read.count, help="parts of the text that are read at once (32)")
    parser.add_argument("--block_size", type=read.count, help="characters of each part in an iteration (64)")
    parser.add_argument("--hidden", type=read.count, help="size of the LSTM's state (128)")
    parser.add_argument("--layers", type=read.count, help="of the LSTM (2)")
    parser.add_argument("--dropout", type=read.part, help="probability of a zero between layers (0.1)")
    parser.add_argument("--lr", type=read.rate, help="the highest learning rate of the cycle (0.005)")
    parser.add_argument("--eval_interval", type=read.count, default=200, help="iterations between two tests (200)")
    parser.add_argument("--sample", type=read.natural, default=500, help="characters to write in the end (500)")
    parser.add_argument("--prompt", default="", help="how that text begins")
    parser.add_argument("--temperature", type=read.rate, default=0.8, help="below 1: likelier characters (0.8)")
    return parser.parse_args(arguments)


# ----- Training -----


def streams(numbers, batch_size):
    """Return a text cut into parts of equal length, and for each character the next one: (B, N) int64 each."""
    length = (len(numbers) - 1) // batch_size
    cut = [torch.from_numpy(numbers[i : i + batch_size * length].copy()) for i in (0, 1)]
    return [part.view(batch_size, length) for part in cut]


class Run:
    """A model in training: all that a checkpoint holds.

    The parts of the text are read from their beginnings to their ends, a block in each iteration; the LSTM's state goes
    from block to block, the gradient does not.
    """

    def __init__(self, args, text):
        torch.manual_seed(args.seed)
        self.options = {name: getattr(args, name) for name in DEFAULTS} | {"input": args.input and text.source}
        self.sha256, self.block = text.sha256, args.block_size
        self.x, self.y = streams(text.train, args.batch_size)
        self.each = self.x.size(1) // self.block  # iterations of an epoch
        if not self.each or len(text.held) < 2:
            few = f"{len(text.train):,} characters to train on and {len(text.held):,} held out"
            raise DemoError(f"--block_size: expected a longer text than {few}; take a smaller block or batch")
        self.model = CharRNN(len(text.vocabulary), args.hidden, args.layers, args.dropout)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=args.lr)
        total = self.total = args.epochs * self.each
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, args.lr, total, pct_start=0.1)
        self.losses = []  # one for each iteration
        self.held = []  # (iteration, bits per character of the held-out text)
        self.state = None  # of the LSTM

    def step(self):
        """Train with the next block."""
        at = len(self.losses) % self.each * self.block
        x, y = self.x[:, at : at + self.block], self.y[:, at : at + self.block]  # (B, T)
        logits, state = self.model(x, self.state if at else None)  # (B, T, V)
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.scheduler.step()
        self.state = tuple(s.detach() for s in state)
        self.losses.append(loss.item())
        if not math.isfinite(self.losses[-1]):
            raise DemoError(f"the loss became {self.losses[-1]} at iteration {len(self.losses) - 1}; lower --lr")

    @torch.no_grad()
    def test(self, numbers):
        """Return the bits per character of a text."""
        self.model.eval()
        x, y = streams(numbers, min(len(self.x), len(numbers) - 1))
        total, state = 0.0, None
        for at in range(0, x.size(1), self.block):
            logits, state = self.model(x[:, at : at + self.block], state)
            part = y[:, at : at + self.block].flatten()
            total += F.cross_entropy(logits.flatten(0, 1), part, reduction="sum").item()
        self.model.train()
        return total / y.numel() / math.log(2)

    def save(self, path):
        """Write what restore needs."""
        parts = {name: getattr(self, name).state_dict() for name in ("model", "optimizer", "scheduler")}
        facts = {name: getattr(self, name) for name in ("options", "sha256", "losses", "held", "state")}
        save_checkpoint(path, {**parts, **facts, "rng": torch.get_rng_state()})

    def restore(self, stored):
        """Go back to where save was called; ValueError and the like when that was another model."""
        for name in ("model", "optimizer", "scheduler"):
            getattr(self, name).load_state_dict(stored[name])
        self.losses, self.held, self.state = stored["losses"], stored["held"], stored["state"]
        torch.set_rng_state(stored["rng"])


@torch.no_grad()
def write(model, begin, count, temperature):
    """Return `count` numbers that a model writes after `begin`, a list of numbers."""
    model.eval()
    x, state, written = torch.tensor([begin]), None, []
    for _ in range(count):
        logits, state = model(x, state)
        x = torch.multinomial(F.softmax(logits[:, -1] / temperature, dim=-1), 1)  # (1, 1)
        written.append(int(x))
    return written


def set_up(args):
    """Return (text, run), new or from the checkpoint.

    Raises: DemoError: for a text or a checkpoint that cannot be used; nothing has been written.
    """
    path = Path(args.out_dir) / "last.pt"
    stored = load_checkpoint(path, KEYS, "charrnn") if args.resume else None
    read.settle(args, DEFAULTS, stored, later=("input",))  # the text is compared when it is there
    text = texts.load(args.input)
    args.begin = text.encode(args.prompt) or [text.vocabulary.find("\n") % len(text.vocabulary)]
    run = Run(args, text)
    if stored is not None:
        if stored["sha256"] != run.sha256:
            raise DemoError(f"--input: expected the text that {path} was trained on, got another one")
        resume(run, stored, path)
    return text, run


def train(args):
    """Train, test now and then, save, draw, and write some text; return False after Ctrl-C.

    Raises: DemoError: for what set_up refuses, a full disk, and a loss that is no longer finite.
    """
    text, run = set_up(args)
    folder = make_folder(args.out_dir, "out_dir")
    bigram = texts.bigram_bits(text.train, text.held, len(text.vocabulary))
    print(f"{sum(p.numel() for p in run.model.parameters()):,} parameters, torch {torch.__version__}")

    def test(done):
        run.held.append((done, run.test(text.held)))
        bits = f"{run.held[-1][1]:.4f} bits per character held out (a bigram model: {bigram:.4f})"
        return f", epoch {done / run.each:.1f}/{args.epochs}: {bits}"

    last = min(run.total, args.max_iters or run.total)
    interrupted = iterate(run, last, run.total, args, folder / "last.pt", test)
    bits = run.held[-1][1]
    title = f"{Path(text.source).name}: {bits:.3f} bits per character held out, a bigram model {bigram:.3f}"
    print(f"{title}; {len(run.losses):,} iterations, seed {args.seed}")
    print(f"checkpoint: {folder / 'last.pt'}" + ("" if len(run.losses) == run.total else "; --resume goes on from it"))
    losses, held = np.array(run.losses) / math.log(2), {"held-out text": list(zip(*run.held))}
    print(curves.draw(folder / "loss.png", title, "bits per character", losses, held, {"a bigram model": bigram}))
    if args.sample:
        written = write(run.model, args.begin, args.sample, args.temperature)
        print(f"a sample:\n{args.prompt}{text.decode(written)}")
    return not interrupted


if __name__ == "__main__":
    finish(train, options)
