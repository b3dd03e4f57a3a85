"""Storages under the names of torch.storage."""

from npg.tensor.storage import TypedStorage as TypedStorage, UntypedStorage as UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]

UntypedStorage.__module__ = TypedStorage.__module__ = __name__
