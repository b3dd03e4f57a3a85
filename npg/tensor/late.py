"""The files of methods that few programs call: each loads when one of its methods is first used.

Type checkers see the files themselves, in late.pyi.
"""

from npg import _lazy

casts, copies, exchange, layouts, memory, printing = [
    _lazy.LateModule(f"npg.tensor.{name}") for name in ("casts", "copies", "exchange", "layouts", "memory", "printing")
]
