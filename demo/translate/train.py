"""Train a Transformer to sort or to reverse digits: a plain PyTorch script, which npg runs as it stands.

    npg run demo/translate/train.py                  2,000 batches of 5 to 10 digits a line, made on the way
    python demo/translate/train.py                   the same on PyTorch, with the same losses
    npg run demo/translate/train.py --task=reverse   8235 becomes 5328 instead of 2358
    npg run demo/translate/train.py --max_iters=200  stop early; so does Ctrl-C
    npg run demo/translate/train.py --resume         go on where the last run stopped, with the same numbers

Encoder and decoder, as for the translation of sentences. Prints how many of 500 sequences that are never trained on
come out right, to the last digit, and in the end some of them. Writes to out_dir: last.pt, the checkpoint, and
loss.png, the curve.
"""

import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for what the demos share

import sequences
from common import curves, options as read
from common.screen import finish, iterate
from common.storing import DemoError, load_checkpoint, make_folder, resume, save_checkpoint
from sequences import BEGIN, END, PAD, TOKENS

OUT = Path(__file__).resolve().parent / "out"
DEFAULTS = {
    "task": "sort", "seed": 1, "iters": 2000, "batch_size": 64, "length": 10, "width": 64, "heads": 4, "layers": 2,
    "dropout": 0.0, "lr": 2e-3,
}  # what makes a run  # fmt: skip
KEYS = ("options", "model", "optimizer", "scheduler", "losses", "held", "rng")  # of a checkpoint
HELD = 500


class Translator(nn.Module):
    """A Transformer of an encoder and a decoder (Vaswani et al., 2017; normalised before each part).

    The embedding of the tokens is shared by source, target and output; places are learned.
    """

    def __init__(self, longest, width, heads, layers, dropout):
        super().__init__()
        self.tokens = nn.Embedding(TOKENS, width)
        self.places = nn.Embedding(longest + 2, width)
        part = (width, heads, 4 * width, dropout)
        common = {"batch_first": True, "norm_first": True}
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(*part, **common), layers, nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(*part, **common), layers, nn.LayerNorm(width))
        for table in (self.tokens, self.places):
            nn.init.normal_(table.weight, std=width**-0.5)

    def embed(self, x):
        return self.tokens(x) * self.tokens.embedding_dim**0.5 + self.places.weight[: x.size(1)]  # (B, T, D)

    def encode(self, source):
        """Return what the decoder reads of a source (B, S) int64: its memory (B, S, D), and where that is padding."""
        padding = source == PAD
        return self.encoder(self.embed(source), src_key_padding_mask=padding), padding

    def decode(self, target, memory, padding):
        """Return the logits of the token after each one of a target: (B, T) int64 to (B, T, TOKENS)."""
        mask = torch.ones(2 * target.shape[1:], dtype=torch.bool).triu(1)  # True: hidden, as it comes later
        y = self.decoder(self.embed(target), memory, tgt_mask=mask, memory_key_padding_mask=padding, tgt_is_causal=True)
        return F.linear(y, self.tokens.weight)

    def forward(self, source, target):
        return self.decode(target, *self.encode(source))

    @torch.no_grad()
    def translate(self, source):
        """Return the likeliest token after each one, until all sequences have come to their END: (B, up to S + 1)."""
        memory = self.encode(source)
        target = torch.full((len(source), 1), BEGIN)
        ended = torch.zeros(len(source), dtype=torch.bool)
        for _ in range(source.size(1) + 1):
            token = self.decode(target, *memory)[:, -1].argmax(1)
            token = torch.where(ended, PAD, token)
            target = torch.cat((target, token[:, None]), 1)
            ended |= token == END
            if ended.all():
                break
        return target[:, 1:]


def options(arguments=None):
    """Return the options of the command line; those of DEFAULTS are None where they are not given."""
    parser = read.parser(__doc__, OUT)
    parser.add_argument("--task", choices=sequences.TASKS, help="what becomes of the digits (sort)")
    parser.add_argument("--iters", type=read.count, help="batches to train with (2,000)")
    parser.add_argument("--batch_size", type=read.count, help="sequences of a batch (64)")
    parser.add_argument("--length", type=read.count, help="digits of the longest sequence; the shortest has half (10)")
    parser.add_argument("--width", type=read.count, help="features of a token (64)")
    parser.add_argument("--heads", type=read.count, help="of each attention (4)")
    parser.add_argument("--layers", type=read.count, help="of the encoder, and of the decoder (2)")
    parser.add_argument("--dropout", type=read.part, help="probability of a zero (0)")
    parser.add_argument("--lr", type=read.rate, help="the highest learning rate of the cycle (0.002)")
    parser.add_argument("--eval_interval", type=read.count, default=200, help="iterations between two tests (200)")
    parser.add_argument("--show", type=read.natural, default=5, help="translations to print in the end (5)")
    return parser.parse_args(arguments)


# ----- Training -----


class Run:
    """A model in training: all that a checkpoint holds."""

    def __init__(self, args):
        torch.manual_seed(args.seed)
        self.options = {name: getattr(args, name) for name in DEFAULTS}
        if args.width % args.heads:
            raise DemoError(f"--width: expected a multiple of --heads, {args.heads}, got {args.width}")
        self.source, self.target = sequences.pairs(*sequences.held_out(HELD, args.length), args.task)
        self.model = Translator(args.length, args.width, args.heads, args.layers, args.dropout)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=args.lr, betas=(0.9, 0.98))
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, args.lr, args.iters, pct_start=0.1)
        self.losses = []  # one for each iteration
        self.held = []  # (iteration, percent of the held-out sequences that are right)

    def step(self):
        """Train with a new batch."""
        source, target = sequences.pairs(
            *sequences.training(self.options["batch_size"], self.options["length"]), self.options["task"]
        )
        logits = self.model(source, target[:, :-1])  # (B, T, TOKENS)
        loss = F.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=PAD)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.scheduler.step()
        self.losses.append(loss.item())
        if not math.isfinite(self.losses[-1]):
            raise DemoError(f"the loss became {self.losses[-1]} at iteration {len(self.losses) - 1}; lower --lr")

    def test(self):
        """Return how many percent of the held-out sequences are translated without a mistake."""
        self.model.eval()
        found = self.model.translate(self.source)
        self.model.train()
        right = self.target[:, 1 : 1 + found.size(1)] == found
        # What no sequence of found reaches is padding, unless one has not ended.
        whole = (self.target[:, 1 + found.size(1) :] == PAD).all(1)
        return 100 * (right.all(1) & whole).double().mean().item()

    def save(self, path):
        """Write what restore needs."""
        parts = {name: getattr(self, name).state_dict() for name in ("model", "optimizer", "scheduler")}
        facts = {name: getattr(self, name) for name in ("options", "losses", "held")}
        save_checkpoint(path, {**parts, **facts, "rng": torch.get_rng_state()})

    def restore(self, stored):
        """Go back to where save was called; ValueError and the like when that was another model."""
        for name in ("model", "optimizer", "scheduler"):
            getattr(self, name).load_state_dict(stored[name])
        self.losses, self.held = stored["losses"], stored["held"]
        torch.set_rng_state(stored["rng"])


def set_up(args):
    """Return a Run, new or from the checkpoint.

    Raises: DemoError: for options or a checkpoint that cannot be used; nothing has been written.
    """
    path = Path(args.out_dir) / "last.pt"
    stored = load_checkpoint(path, KEYS, "translate") if args.resume else None
    read.settle(args, DEFAULTS, stored)
    run = Run(args)
    if stored is not None:
        resume(run, stored, path)
    return run


def train(args):
    """Train, test now and then, save, draw, and show some translations; return False after Ctrl-C.

    Raises: DemoError: for what set_up refuses, a full disk, and a loss that is no longer finite.
    """
    run = set_up(args)
    folder = make_folder(args.out_dir, "out_dir")
    print(f"{sum(p.numel() for p in run.model.parameters()):,} parameters, torch {torch.__version__}")

    def test(done):
        run.held.append((done, run.test()))
        return f": {run.held[-1][1]:.1f} % of {HELD} held-out sequences right"

    last = min(args.iters, args.max_iters or args.iters)
    interrupted = iterate(run, last, args.iters, args, folder / "last.pt", test)
    lengths = f"{(args.length + 1) // 2} to {args.length}"
    title = f"{args.task} {lengths} digits: {run.held[-1][1]:.1f} % of held-out sequences right"
    print(f"{title}; {len(run.losses):,} iterations, seed {args.seed}")
    print(f"checkpoint: {folder / 'last.pt'}" + ("" if len(run.losses) == args.iters else "; --resume goes on from it"))
    wrong = {"held-out sequences that are wrong": [[at for at, _ in run.held], [1 - p / 100 for _, p in run.held]]}
    print(curves.draw(folder / "loss.png", title, "cross entropy a token; part that is wrong", run.losses, wrong))
    shown = run.source[: args.show]
    run.model.eval()
    for source, found, target in zip(shown, run.model.translate(shown) if args.show else [], run.target[:, 1:]):
        mark = "right" if sequences.text(found) == sequences.text(target) else f"wrong: {sequences.text(target)}"
        print(f"{sequences.text(source)} -> {sequences.text(found)} {mark}")
    return not interrupted


if __name__ == "__main__":
    finish(train, options)
