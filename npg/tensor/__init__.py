"""Tensor: an array with a place in the graph.

`tensor.py` holds the class: constructor, attributes, Python's protocols. Operators are in `operators.py`; methods that
are functions of npg.functional come from `methods.py`; conversions, copies and subclasses, exchange with other
libraries, memory, gradients and printing each have a file; `_numpy/protocol.py` and its tables make NumPy's functions
work on tensors.
"""

from npg.tensor.tensor import Tensor as Tensor
