"""Written by tools/stubs.py."""

from npg.creation.data import (
    as_tensor as as_tensor,
    asarray as asarray,
    from_file as from_file,
    from_numpy as from_numpy,
    frombuffer as frombuffer,
    scalar_tensor as scalar_tensor,
    set_default_tensor_type as set_default_tensor_type,
    tensor as tensor,
)
from npg.creation.filled import (
    empty as empty,
    empty_like as empty_like,
    empty_permuted as empty_permuted,
    empty_strided as empty_strided,
    eye as eye,
    full as full,
    full_like as full_like,
    ones as ones,
    ones_like as ones_like,
    tril_indices as tril_indices,
    triu_indices as triu_indices,
    zeros as zeros,
    zeros_like as zeros_like,
)
from npg.creation.predicates import (
    is_complex as is_complex,
    is_conj as is_conj,
    is_floating_point as is_floating_point,
    is_inference as is_inference,
    is_neg as is_neg,
    is_nonzero as is_nonzero,
    is_same_size as is_same_size,
    is_signed as is_signed,
    is_storage as is_storage,
    is_tensor as is_tensor,
    result_type as result_type,
)
from npg.creation.random import (
    normal as normal,
    rand as rand,
    rand_like as rand_like,
    randint as randint,
    randint_like as randint_like,
    randn as randn,
    randn_like as randn_like,
    randperm as randperm,
)
from npg.creation.ranges import arange as arange, linspace as linspace, logspace as logspace, range as range
