"""Train a CNN on MNIST: a PyTorch script as people write them, which npg runs as it stands.

    npg run demo/mnist/train.py                      5 epochs of MNIST's 60,000 images, which it downloads
    python demo/mnist/train.py                       the same on PyTorch, with the same losses
    npg run demo/mnist/train.py --data=DIR           a folder with MNIST's files; test images alone are split
    npg run demo/mnist/train.py --data=digits        the 8x8 digits of scikit-learn; nothing is downloaded
    npg run demo/mnist/train.py --max_iters=200      stop early; so does Ctrl-C
    npg run demo/mnist/train.py --resume             go on where the last run stopped, with the same numbers

Writes to out_dir: last.pt, the checkpoint, and test.png, the confusion matrix and the digits that it gets wrong.
"""

import contextlib
import math
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for what the demos share

import digits
import pictures
from common import options as read
from common.screen import Interrupt, Progress, finish
from common.storing import DemoError, load_checkpoint, make_folder, resume, save_checkpoint

MEAN, STD = 0.1307, 0.3081  # of MNIST's training images
OUT = Path(__file__).resolve().parent / "out"
DEFAULTS = {"data": "", "split": 0, "seed": 1, "epochs": 0, "batch_size": 64, "lr": 5e-3}  # what makes a run
KEYS = ("options", "sha256", "model", "optimizer", "scheduler", "losses", "rng_epoch", "rng")  # of a checkpoint


class Net(nn.Module):
    """Two convolutions with pools, two linear layers: 215,370 parameters for images of 28 x 28.

    It is smooth. With ReLU and the largest of four, rounding decides where two numbers nearly tie; from there two runs
    part, also two of PyTorch with another number of threads, and the accuracy is not better.
    """

    def __init__(self, height, width):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=5, padding=2)
        self.dropout = nn.Dropout(0.25)
        self.fc1 = nn.Linear(32 * (height // 4) * (width // 4), 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.avg_pool2d(F.gelu(self.conv1(x)), 2)  # (B, 16, H / 2, W / 2)
        x = F.avg_pool2d(F.gelu(self.conv2(x)), 2)  # (B, 32, H / 4, W / 4)
        x = self.dropout(x.flatten(1))  # (B, 32 H W / 16)
        x = self.dropout(F.gelu(self.fc1(x)))  # (B, 128)
        return self.fc2(x)  # (B, 10)


def options(arguments=None):
    """Return the options of the command line; those of DEFAULTS are None where they are not given."""
    parser = read.parser(__doc__, OUT)
    parser.add_argument("--data", metavar="DIR", help="folder with idx files, .gz or not; or digits")
    parser.add_argument("--split", type=read.count, help="images held out for the test (a fifth, where there are none)")
    parser.add_argument("--epochs", type=read.count, help="passes over the images (5; 20 where they are few)")
    parser.add_argument("--batch_size", type=read.count, help="(64)")
    parser.add_argument("--lr", type=read.rate, help="the highest learning rate of the cycle (0.005)")
    return parser.parse_args(arguments)


# ----- Training and testing -----


class Run:
    """A model in training: all that a checkpoint holds."""

    def __init__(self, args, data):
        torch.manual_seed(args.seed)
        self.options = {name: getattr(args, name) for name in DEFAULTS} | {"data": data.source}
        self.sha256 = data.sha256
        self.loader = DataLoader(dataset(*data.train, data.white), batch_size=args.batch_size, shuffle=True)
        self.model = Net(*data.size)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=args.lr)
        self.total = args.epochs * len(self.loader)
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, max_lr=args.lr, total_steps=self.total)
        self.losses = []  # one for each iteration
        self.rng_epoch = torch.get_rng_state()  # the random stream when the epoch began

    def batches(self):
        """Return an iterator over what is left of the epoch."""
        done, now = len(self.losses) % len(self.loader), torch.get_rng_state()
        if not done:
            self.rng_epoch = now
            return iter(self.loader)
        torch.set_rng_state(self.rng_epoch)  # draws the order of the interrupted epoch again
        batches = iter(self.loader)
        for _ in range(done):
            next(batches)
        torch.set_rng_state(now)
        return batches

    def step(self, x, y):
        """Train with a batch."""
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        self.scheduler.step()
        self.losses.append(loss.item())
        if not math.isfinite(self.losses[-1]):
            raise DemoError(f"the loss became {self.losses[-1]} at iteration {len(self.losses) - 1}; lower --lr")

    def state(self):
        """Return what restore needs."""
        parts = {name: getattr(self, name).state_dict() for name in ("model", "optimizer", "scheduler")}
        facts = {name: getattr(self, name) for name in ("options", "sha256", "losses", "rng_epoch")}
        return {**parts, **facts, "rng": torch.get_rng_state()}

    def restore(self, state):
        """Go back to where state was called; ValueError and the like when that was another model."""
        for name in ("model", "optimizer", "scheduler"):
            getattr(self, name).load_state_dict(state[name])
        self.losses, self.rng_epoch = state["losses"], state["rng_epoch"]
        torch.set_rng_state(state["rng"])


def dataset(images, labels, white):
    """Return images (N, H, W) and labels as a data set of (1, H, W) float32, normalised, and int64."""
    x = torch.from_numpy(images).float().div(white).sub(MEAN).div(STD).unsqueeze(1)  # (N, 1, H, W)
    return TensorDataset(x, torch.from_numpy(labels).long())


@torch.no_grad()
def test(model, loader):
    """Return (mean loss, predictions, their probabilities) for all images of a loader."""
    model.eval()
    losses, guesses, probabilities = [], [], []
    for x, y in loader:
        logits = model(x)  # (B, 10)
        losses.append(F.cross_entropy(logits, y, reduction="sum").item())
        probability, guess = logits.softmax(1).max(1)  # (B,) each
        guesses.append(guess)
        probabilities.append(probability)
    model.train()
    return sum(losses) / len(loader.dataset), torch.cat(guesses).numpy(), torch.cat(probabilities).numpy()


def set_up(args):
    """Return (data, run), new or from the checkpoint.

    Raises: DemoError: for images or a checkpoint that cannot be used; nothing but downloaded files has been written.
    """
    path = Path(args.out_dir) / "last.pt"
    stored = load_checkpoint(path, KEYS, "mnist") if args.resume else None
    read.settle(args, DEFAULTS, stored, later=("data",))  # the images are compared when they are there
    data = digits.load(args.data, args.split)
    args.epochs = args.epochs or data.epochs
    run = Run(args, data)
    if stored is not None:
        if stored["sha256"] != run.sha256:
            raise DemoError(f"--data: expected the images that {path} was trained on, got others")
        resume(run, stored, path)
    return data, run


def train(args):
    """Train, test after each epoch, save, and draw; return False after Ctrl-C.

    Raises: DemoError: for what set_up refuses, a full disk, and a loss that is no longer finite.
    """
    data, run = set_up(args)
    folder = make_folder(args.out_dir, "out_dir")
    loader = DataLoader(dataset(*data.test, data.white), batch_size=500)
    print(f"{sum(p.numel() for p in run.model.parameters()):,} parameters, torch {torch.__version__}")
    last, each, tested = min(run.total, args.max_iters or run.total), len(run.loader), None
    progress = Progress(len(run.losses), run.total, args.log_interval)
    with contextlib.closing(progress), Interrupt() as interrupt:
        while len(run.losses) < last and not interrupt.asked:
            began, tested = time.perf_counter(), None
            for x, y in run.batches():
                run.step(x, y)
                progress.update(run.losses[-1])
                if interrupt.asked or len(run.losses) == last:
                    break
            seconds = time.perf_counter() - began
            if len(run.losses) % each == 0:
                tested = test(run.model, loader)
                wrong, mean = int((tested[1] != data.test[1]).sum()), sum(run.losses[-each:]) / each
                progress.note(
                    f"epoch {len(run.losses) // each}/{args.epochs}: train loss {mean:.4f}, test loss {tested[0]:.4f}, "
                    f"accuracy {100 - 100 * wrong / len(loader.dataset):.2f} % ({wrong} of {len(loader.dataset):,} "
                    f"wrong), {seconds:.1f} s"
                )
            save_checkpoint(folder / "last.pt", run.state())

    _, guess, probability = tested or test(run.model, loader)
    right = f"{100 * (guess == data.test[1]).mean():.2f} % of {len(guess):,} right"
    title = f"{data.name}: {right} after {len(run.losses):,} iterations, seed {args.seed}"
    print(f"{title}\nmost often taken: {pictures.most_confused(pictures.confusion(data.test[1], guess))}")
    print(f"checkpoint: {folder / 'last.pt'}" + ("" if len(run.losses) == run.total else "; --resume goes on from it"))
    print(pictures.draw(folder / "test.png", title, *data.test, guess, probability))
    return not interrupt.asked


if __name__ == "__main__":
    finish(train, options)
