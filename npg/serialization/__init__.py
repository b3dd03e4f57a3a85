"""Saving and loading in torch's formats: what npg.save writes torch.load opens, and the other way round.

Files are read safely by default: nothing that a file says is run, and every number in it is checked.
Source: torch.serialization.
"""

from npg.serialization._legacy import MAGIC_NUMBER as MAGIC_NUMBER, PROTOCOL_VERSION as PROTOCOL_VERSION
from npg.serialization._loading import get_unsafe_globals_in_checkpoint, load
from npg.serialization._locations import (
    MAP_LOCATION as MAP_LOCATION,
    default_restore_location,
    location_tag,
    register_package,
    validate_cuda_device,
    validate_hpu_device,
)
from npg.serialization._names import StorageType, layout_named as _get_layout
from npg.serialization._options import (
    LoadEndianness,
    get_crc32_options,
    get_default_load_endianness,
    get_default_mmap_options,
    set_crc32_options,
    set_default_load_endianness,
    set_default_mmap_options,
    skip_data,
)
from npg.serialization._safe_globals import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
from npg.serialization._saving import DEFAULT_PROTOCOL as DEFAULT_PROTOCOL, save

__all__ = [
    "LoadEndianness",
    "StorageType",
    "add_safe_globals",
    "clear_safe_globals",
    "default_restore_location",
    "get_crc32_options",
    "get_default_load_endianness",
    "get_default_mmap_options",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "location_tag",
    "register_package",
    "safe_globals",
    "save",
    "set_crc32_options",
    "set_default_load_endianness",
    "set_default_mmap_options",
    "skip_data",
    "validate_cuda_device",
    "validate_hpu_device",
]

for _name in __all__:
    globals()[_name].__module__ = __name__
_get_layout.__module__, _get_layout.__name__ = __name__, "_get_layout"
_get_layout.__qualname__ = "_get_layout"
