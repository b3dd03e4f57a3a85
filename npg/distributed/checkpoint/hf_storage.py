"""Names that libraries look for, and that refuse. Source: torch.distributed.checkpoint.hf_storage."""

from npg._refusal import refusing_class
from npg.distributed.checkpoint import TEXT

HuggingFaceStorageReader = refusing_class("HuggingFaceStorageReader", __name__, RuntimeError, TEXT)
HuggingFaceStorageWriter = refusing_class("HuggingFaceStorageWriter", __name__, RuntimeError, TEXT)
