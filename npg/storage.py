"""Storages under the names of torch.storage."""

import io
from typing import Any

from npg.tensor.legacy_storages import _LegacyStorage as _LegacyStorage
from npg.tensor.storage import TypedStorage as TypedStorage, UntypedStorage as UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]

UntypedStorage.__module__ = TypedStorage.__module__ = _LegacyStorage.__module__ = __name__


def _load_from_bytes(b: bytes) -> Any:
    """Return what torch.save has written; pickles of torch's storages call this."""
    from npg.serialization import load  # only loaded when it is used

    return load(io.BytesIO(b), weights_only=False)
