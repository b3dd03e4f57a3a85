"""Sequences of digits and what they are translated into: sorted, or reversed. Nothing is downloaded.

A thirteenth of all sequences is never trained on: those whose digits, each times its place (1, 2, ...), add up to a
multiple of 13. So the model cannot know an answer by heart.
"""

import torch

PAD, BEGIN, END = 10, 11, 12  # after the digits 0 to 9; PAD is larger than they are, so that it is sorted behind them
TOKENS = 13
TASKS = ("sort", "reverse")
_HELD = 13


def _draw(count, longest):
    """Return (count, longest) int64 digits, and how many of each line count: (count, 1), half of longest or more."""
    return torch.randint(10, (count, longest)), torch.randint((longest + 1) // 2, longest + 1, (count, 1))


def _is_held(digits, lengths):
    places = torch.arange(1, digits.size(1) + 1)
    return (digits * places * (places <= lengths)).sum(1) % _HELD == 0


def training(count, longest):
    """Draw sequences to train on; see _draw."""
    digits, lengths = _draw(count, longest)
    first = digits[:, 0]
    digits[:, 0] = torch.where(_is_held(digits, lengths), (first + 1) % 10, first)  # 1 more or 9 fewer: no multiple
    return digits, lengths


def held_out(count, longest):
    """Draw sequences that are never trained on; see _draw."""
    drawn = [torch.empty(0, longest, dtype=torch.int64), torch.empty(0, 1, dtype=torch.int64)]
    while len(drawn[0]) < count:
        more = _draw(2 * _HELD * count, longest)
        is_held = _is_held(*more)
        drawn = [torch.cat((old, new[is_held]))[:count] for old, new in zip(drawn, more)]
    return drawn


def pairs(digits, lengths, task):
    """Return the source (B, S) and the target (B, S + 2) of a batch, int64.

    The source is padded with PAD; the target is BEGIN, the answer, END, and PAD.
    """
    count, longest = digits.shape
    places = torch.arange(longest)
    source = torch.where(places < lengths, digits, PAD)
    if task == "sort":
        answer = source.sort(1).values
    else:
        answer = source.gather(1, (lengths - 1 - places) % longest)  # negative places are behind the end: padding
        answer = torch.where(places < lengths, answer, PAD)
    edge = torch.full((count, 1), PAD)
    target = torch.cat((edge, answer, edge), 1)
    target[:, 0] = BEGIN
    target.scatter_(1, lengths + 1, END)
    return source, target


def text(tokens):
    """Return tokens as text: digits as they are, END as ".", PAD as nothing, BEGIN as ">"."""
    return "".join("0123456789 >."[token] for token in tokens).rstrip()
