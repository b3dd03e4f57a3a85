"""Elementwise functions."""

from npg.functional._public import public
from npg.ops import elementwise as ops

neg = negative = public(ops.neg)
mul = multiply = public(ops.mul)
exp = public(ops.exp)
log = public(ops.log)
