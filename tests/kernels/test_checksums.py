"""Checksums are zlib's, of any bytes at any place, however they are cut."""

import random
import zlib

import pytest

from npg.kernels import core
from npg.kernels.checksums import crc32

LENGTHS = [0, 1, 15, 16, 63, 64, 65, 127, 128, 1023, 1024, 1025, 1087, 1088, 4096, 70_001]
DATA = random.Random(0).randbytes(max(LENGTHS) + 64)


@pytest.mark.parametrize("before", [0, 1, 0x12345678, 0xFFFFFFFF])
def test_crc32_is_zlibs(before):
    for length in LENGTHS:
        for start in (0, 1, 13, 63):
            part = memoryview(DATA)[start : start + length]
            expected = zlib.crc32(part, before)
            assert crc32(part, before) == crc32(bytes(part), before) == expected
            if core.can_fold and length >= 64:  # also what is left to zlib because it is short
                folded = core.fold(part, before)
                assert zlib.crc32(part[length & ~63 :], zlib.crc32(folded, 0xFFFFFFFF)) == expected


def test_crc32_in_parts():
    whole = zlib.crc32(DATA)
    for cut in (1, 1000, 2048, 50_001):
        assert crc32(DATA[cut:], crc32(DATA[:cut])) == whole
    for fill in (0, 0xFF):
        assert crc32(bytes([fill]) * 5000) == zlib.crc32(bytes([fill]) * 5000)


@pytest.mark.skipif(not core.can_fold, reason="zlib does all")
def test_what_cannot_be_folded_is_refused():
    with pytest.raises(ValueError, match="expected at least 64 bytes, got 63"):
        core.fold(bytes(63), 0)
    with pytest.raises(BufferError):
        core.fold(memoryview(bytes(1000))[::2], 0)
    with pytest.raises(TypeError):
        core.fold("text", 0)
