"""CRC-32 of bytes that several threads have read: the checksums of the parts give that of the whole."""

from __future__ import annotations

from collections.abc import Iterable

_POLYNOMIAL = 0xEDB88320  # of zip archives, the highest power in the lowest bit
_ONE, _X = 1 << 31, 1 << 30


def joined(parts: Iterable[tuple[int, int]]) -> int:
    """Return the checksum of parts that follow each other, of the (checksum, number of bytes) of each.

    A checksum is the bytes as a polynomial, modulo another one: to append n bytes multiplies it by x^(8n).
    Source: M. Adler, crc32_combine in zlib.
    """
    whole = 0
    for crc, count in parts:
        whole = _product(_power(8 * count), whole) ^ crc if whole else crc
    return whole


def _product(a: int, b: int) -> int:
    """Return a * b modulo the polynomial."""
    result = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            result ^= b
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return result


def _power(n: int) -> int:
    """Return x^n modulo the polynomial."""
    result, square = _ONE, _X
    while n:
        if n & 1:
            result = _product(square, result)
        square = _product(square, square)
        n >>= 1
    return result
