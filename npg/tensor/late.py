"""The files of methods that few programs call: each loads when one of its methods is first used.

Type checkers see the files themselves, in late.pyi.
"""

from npg import _lazy

casts = _lazy.LateModule("npg.tensor.casts")
copies = _lazy.LateModule("npg.tensor.copies")
exchange = _lazy.LateModule("npg.tensor.exchange")
layouts = _lazy.LateModule("npg.tensor.layouts")
memory = _lazy.LateModule("npg.tensor.memory")
printing = _lazy.LateModule("npg.tensor.printing")
