"""Progress on the screen, Ctrl-C, and how a script ends."""

import contextlib
import signal
import sys
import time

from common.storing import DemoError


class Progress:
    """A bar on a terminal that has tqdm, lines everywhere else."""

    def __init__(self, start, total, interval):
        self.done, self.total, self.interval, self.bar = start, total, interval, None
        self.began = time.perf_counter(), start  # of the iterations since the last line
        if sys.stdout.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                print('no progress bar without tqdm: pip install "npg-autograd[demo]"')
            else:
                self.bar = tqdm(initial=start, total=total, unit="it", file=sys.stdout, dynamic_ncols=True)

    def update(self, loss):
        """Report an iteration."""
        if self.bar is not None:
            self.bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            self.bar.update()
        elif self.done % self.interval == 0:
            now, (then, first) = time.perf_counter(), self.began
            each = 1e3 * (now - then) / (self.done + 1 - first)
            print(f"iter {self.done}/{self.total}: loss {loss:.4f}, {each:.1f} ms/iter", flush=True)
            self.began = now, self.done + 1
        self.done += 1

    def note(self, text):
        """Print a line, above the bar if there is one."""
        if self.bar is None:
            print(text, flush=True)
        else:
            self.bar.write(text, file=sys.stdout)

    def close(self):
        """Leave the bar as it is."""
        if self.bar is not None:
            self.bar.close()


class Interrupt:
    """The first Ctrl-C asks the loop to stop after its iteration, so that it can save; the second stops at once."""

    def __init__(self):
        self.asked = False

    def __enter__(self):
        self.before = signal.signal(signal.SIGINT, self)
        return self

    def __exit__(self, *error):
        signal.signal(signal.SIGINT, self.before)

    def __call__(self, number, frame):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def iterate(run, last, total, args, path, test):
    """Train until `last` iterations are done, or until Ctrl-C; test and save now and then, and in the end.

    Args:
        run: has step(), save(path) and losses, one for each iteration.
        total: iterations of the whole training, for the bar.
        args: the options, of which log_interval and eval_interval are read.
        path: the checkpoint.
        test: returns what to print, after so many iterations.
    Returns: whether Ctrl-C has come.
    """
    began, ended = time.perf_counter(), len(run.losses) >= last
    progress = Progress(len(run.losses), total, args.log_interval)
    with contextlib.closing(progress), Interrupt() as interrupt:
        while not ended:
            run.step()
            progress.update(run.losses[-1])
            done = len(run.losses)
            ended = done == last or interrupt.asked  # asked once, so that the last iteration is saved
            if ended or done % args.eval_interval == 0:
                text = test(done)
                run.save(path)
                progress.note(f"iteration {done}{text}, {time.perf_counter() - began:.1f} s")
    return interrupt.asked


def finish(train, options):
    """Run train(options()), which returns False after Ctrl-C, and exit as a script should: mistakes are one line."""
    try:
        finished = train(options())
    except DemoError as error:
        sys.exit(f"train.py: error: {error}")
    except KeyboardInterrupt:
        finished = False
    if not finished:
        sys.exit(128 + signal.SIGINT)
