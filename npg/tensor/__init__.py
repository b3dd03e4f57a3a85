"""Tensor: what an array with a place in the graph can do.

`tensor.py` holds the class: constructor, attributes, what it is to Python. Operators stand in `operators.py`, methods
that are functions of npg.functional come from `methods.py`; conversions, copies and subclasses, exchange with
other libraries, memory, gradients and printing each have a file; `_numpy/protocol.py` and its tables make NumPy's
functions work on tensors.
"""

from npg.tensor.tensor import Tensor as Tensor
