"""Processes that are killed while they save: the file is the old one or the new one, whole, each time.

    python -m tests.serialization.killing [kills] [folder]

A process saves a checkpoint to one path again and again, each with a number and tensors filled with it. It is killed
(SIGKILL) at a random moment, and the file is loaded: every checksum is right, every tensor has the number, and the
number is one that was being saved or saved at that moment. What a kill leaves behind in the folder is counted.
"""

import os
import random
import signal
import sys
import tempfile
import time

import numpy as np

import npg


def state(number):
    """Return a checkpoint of about 2 MB."""
    return {f"w{i}": npg.full((250, 1000), float(number)) for i in range(2)} | {"number": number}


def save_for_ever(path, first, report):
    """Save one checkpoint after the other; the number of each is written before and after."""
    number = first
    while True:
        number += 1
        os.write(report, b"%d begun\n" % number)
        npg.save(state(number), path)
        os.write(report, b"%d done\n" % number)


def kill_one(path, first, rng):
    """Kill a process that saves, and check the file. Returns (the number in it, whether another one was begun)."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(read)
            save_for_ever(path, first, write)
        finally:
            os._exit(1)
    os.close(write)
    time.sleep(rng.random() * 0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(read) as lines:
        said = [line.split() for line in lines]
    begun = max((int(n) for n, word in said if word == "begun"), default=first)
    done = max((int(n) for n, word in said if word == "done"), default=first)
    found = npg.load(path)
    number = found["number"]
    assert number in (done, begun), f"{number} is in the file, {done} was saved and {begun} begun"
    for name in ("w0", "w1"):
        assert np.all(found[name].numpy() == number), f"{name} is not all {number}"
    return number, begun > done


def run(kills, folder, seed=0):
    """Kill so many processes. Returns (kills within a save, checkpoints saved, files left behind)."""
    rng, path = random.Random(seed), os.path.join(folder, "checkpoint.pt")
    npg.save(state(0), path)
    number = within = 0
    for _ in range(kills):
        number, was_within = kill_one(path, number, rng)
        within += was_within
    return within, number, len(os.listdir(folder)) - 1


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        within, saved, left = run(kills, folder, int(time.time()))
        print(f"{kills} kills, {within} of them within a save; {saved} checkpoints saved, none lost; {left} files left")


if __name__ == "__main__":
    main()
