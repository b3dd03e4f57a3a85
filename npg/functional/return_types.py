"""The results of functions that return several: tuples whose items have names, as torch.return_types."""

from __future__ import annotations

import operator
from typing import Any

from npg import _naming

__all__ = ["aminmax", "cummax", "cummin", "kthvalue", "max", "median", "min", "mode", "nanmedian", "sort", "topk"]


def named(name: str, *fields: str) -> type[Any]:
    """Return a class of tuples whose items are also attributes, and whose repr is PyTorch's.

    `topk = named("topk", "values", "indices")`; `topk((v, i)).values`.
    """

    def represent(self: Any) -> str:
        items = ",\n".join(f"{f}={v!r}" for f, v in zip(fields, self, strict=True))
        return f"{_naming.library}.return_types.{name}(\n{items})"

    def reduce(self: Any) -> Any:
        return _restore, (name, tuple(self))

    body: dict[str, Any] = {f: property(operator.itemgetter(i)) for i, f in enumerate(fields)}
    body.update(__slots__=(), __match_args__=fields, __repr__=represent, __reduce__=reduce)
    body.update(__module__="npg.return_types", __doc__=f"The results of {name}: ({', '.join(fields)}).")
    cls = _types[name] = type(name, (tuple,), body)
    return cls


_types: dict[str, Any] = {}


def _restore(name: str, items: Any) -> Any:
    return _types[name](items)


aminmax = named("aminmax", "min", "max")
cummax = named("cummax", "values", "indices")
cummin = named("cummin", "values", "indices")
kthvalue = named("kthvalue", "values", "indices")
max = named("max", "values", "indices")
median = named("median", "values", "indices")
min = named("min", "values", "indices")
mode = named("mode", "values", "indices")
nanmedian = named("nanmedian", "values", "indices")
sort = named("sort", "values", "indices")
topk = named("topk", "values", "indices")

geqrf = named("geqrf", "a", "tau")
linalg_eigh = named("linalg_eigh", "eigenvalues", "eigenvectors")
linalg_lstsq = named("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
linalg_qr = named("linalg_qr", "Q", "R")
linalg_slogdet = named("linalg_slogdet", "sign", "logabsdet")
linalg_svd = named("linalg_svd", "U", "S", "Vh")
slogdet = named("slogdet", "sign", "logabsdet")
