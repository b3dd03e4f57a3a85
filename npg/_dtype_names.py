"""PyTorch's dtypes of which npg has no tensors: names to compare with, to look up and to pass on.

`x.dtype == torch.bfloat16` is False, `torch.complex64.is_complex` is True; a tensor of such a dtype cannot be made, and
what asks for one gets a TypeError that says so.
"""

from __future__ import annotations

from npg.dtypes import NAMES_ONLY

__all__ = [
    "bfloat16",
    "bit",
    "bits16",
    "bits1x8",
    "bits2x4",
    "bits4x2",
    "bits8",
    "cdouble",
    "cfloat",
    "chalf",
    "complex128",
    "complex32",
    "complex64",
    "float4_e2m1fn_x2",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "int1",
    "int2",
    "int3",
    "int4",
    "int5",
    "int6",
    "int7",
    "qint32",
    "qint8",
    "quint2x4",
    "quint4x2",
    "quint8",
    "uint1",
    "uint2",
    "uint3",
    "uint4",
    "uint5",
    "uint6",
    "uint7",
]

bfloat16 = NAMES_ONLY["bfloat16"]
complex32 = chalf = NAMES_ONLY["complex32"]
complex64 = cfloat = NAMES_ONLY["complex64"]
complex128 = cdouble = NAMES_ONLY["complex128"]
float8_e4m3fn = NAMES_ONLY["float8_e4m3fn"]
float8_e4m3fnuz = NAMES_ONLY["float8_e4m3fnuz"]
float8_e5m2 = NAMES_ONLY["float8_e5m2"]
float8_e5m2fnuz = NAMES_ONLY["float8_e5m2fnuz"]
float8_e8m0fnu = NAMES_ONLY["float8_e8m0fnu"]
float4_e2m1fn_x2 = NAMES_ONLY["float4_e2m1fn_x2"]
qint8, qint32 = NAMES_ONLY["qint8"], NAMES_ONLY["qint32"]
quint8, quint4x2, quint2x4 = NAMES_ONLY["quint8"], NAMES_ONLY["quint4x2"], NAMES_ONLY["quint2x4"]
bits1x8, bits2x4, bits4x2 = NAMES_ONLY["bits1x8"], NAMES_ONLY["bits2x4"], NAMES_ONLY["bits4x2"]
bits8, bits16 = NAMES_ONLY["bits8"], NAMES_ONLY["bits16"]
int1, int2, int3, int4, int5, int6, int7 = (NAMES_ONLY[f"int{n}"] for n in range(1, 8))
uint1, uint2, uint3, uint4, uint5, uint6, uint7 = (NAMES_ONLY[f"uint{n}"] for n in range(1, 8))
bit = uint1
