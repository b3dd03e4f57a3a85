/* CRC-32 by carry-less products: what takes zlib most of a second per gigabyte takes a tenth of that.

   A checksum is the remainder of the bytes as a polynomial. Four times 16 bytes are taken as remainders so far; each is
   moved on by 64 bytes, which multiplies its halves by two constants, and what stands there is added. In the end the
   four are one, and 16 bytes are left that have the same checksum, begun at 0, as all the bytes.
   Source: V. Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction, Intel, 2009.

   The instructions of x86-64 since 2010, asked for at run time; GCC and Clang. Elsewhere zlib does all. */

#ifndef NPG_CHECKSUMS_H
#define NPG_CHECKSUMS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

static int checksums_can_fold(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse2");
}

#define CHECKSUMS_MOVED(x, by) _mm_xor_si128(_mm_clmulepi64_si128(x, by, 0x00), _mm_clmulepi64_si128(x, by, 0x11))
#define CHECKSUMS_AT(place) _mm_loadu_si128((const __m128i *)(place))

/* Write 16 bytes to `folded`; count is a multiple of 64 and not 0, crc the checksum of what was before. */
__attribute__((target("pclmul,sse2"))) static void checksums_fold(
    const unsigned char *data, size_t count, uint32_t crc, unsigned char *folded
) {
    /* x^(n + 32) and x^(n - 32) modulo the polynomial, for n bits from one place to the next; the lowest bit of a
       register is the highest power, and a product is one bit off. */
    const __m128i by_64 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4), by_16 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
    const unsigned char *end = data + count;
    __m128i a = _mm_xor_si128(CHECKSUMS_AT(data), _mm_cvtsi32_si128((int)~crc)), b = CHECKSUMS_AT(data + 16);
    __m128i c = CHECKSUMS_AT(data + 32), d = CHECKSUMS_AT(data + 48);
    for (data += 64; data < end; data += 64) {
        a = _mm_xor_si128(CHECKSUMS_MOVED(a, by_64), CHECKSUMS_AT(data));
        b = _mm_xor_si128(CHECKSUMS_MOVED(b, by_64), CHECKSUMS_AT(data + 16));
        c = _mm_xor_si128(CHECKSUMS_MOVED(c, by_64), CHECKSUMS_AT(data + 32));
        d = _mm_xor_si128(CHECKSUMS_MOVED(d, by_64), CHECKSUMS_AT(data + 48));
    }
    b = _mm_xor_si128(CHECKSUMS_MOVED(a, by_16), b);
    c = _mm_xor_si128(CHECKSUMS_MOVED(b, by_16), c);
    d = _mm_xor_si128(CHECKSUMS_MOVED(c, by_16), d);
    _mm_storeu_si128((__m128i *)folded, d);
}

#else

static int checksums_can_fold(void) { return 0; }

static void checksums_fold(const unsigned char *data, size_t count, uint32_t crc, unsigned char *folded) {
    (void)data, (void)count, (void)crc, (void)folded;
}

#endif
#endif
