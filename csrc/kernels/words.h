/* Words of MT19937 and what is made of them, many at once: NumPy hands out one a call.

   The state is that of NumPy's MT19937, which stays the generator: seeds, states and single numbers are its own.
   Source: M. Matsumoto, T. Nishimura, "Mersenne Twister", 1998. */

#ifndef NPG_WORDS_H
#define NPG_WORDS_H

#include <stddef.h>
#include <stdint.h>

#define WORDS_COUNT 624
#define WORDS_APART 397
#define WORDS_BLOCK 1024 /* words at a time, an even number */

typedef struct {
    uint32_t key[WORDS_COUNT];
    int place; /* of the next word in key; WORDS_COUNT: all of them are used up */
} words_state;

/* What follows is compiled twice, for any processor and for those with AVX2, which takes half of the time: compilers make
   vectors of these loops. The words are the same. */
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define WORDS_INLINE static inline __attribute__((always_inline))
#define WORDS_WIDE __attribute__((target("avx2")))
#elif defined(_MSC_VER)
#define WORDS_INLINE static __forceinline
#else
#define WORDS_INLINE static inline
#endif

WORDS_INLINE uint32_t words_mixed(uint32_t upper, uint32_t lower) {
    uint32_t y = (upper & 0x80000000u) | (lower & 0x7fffffffu);
    return (y >> 1) ^ ((0u - (y & 1u)) & 0x9908b0dfu);
}

/* Replace all words of the key by the next ones. */
WORDS_INLINE void words_renew(uint32_t *key) {
    int i;
    for (i = 0; i < WORDS_COUNT - WORDS_APART; i++) key[i] = key[i + WORDS_APART] ^ words_mixed(key[i], key[i + 1]);
    for (; i < WORDS_COUNT - 1; i++) key[i] = key[i + WORDS_APART - WORDS_COUNT] ^ words_mixed(key[i], key[i + 1]);
    key[i] = key[WORDS_APART - 1] ^ words_mixed(key[i], key[0]);
}

WORDS_INLINE void words_take_by(words_state *state, uint32_t *out, size_t count) {
    while (count) {
        size_t i, part;
        const uint32_t *key;
        if (state->place == WORDS_COUNT) {
            words_renew(state->key);
            state->place = 0;
        }
        part = (size_t)(WORDS_COUNT - state->place);
        if (part > count) part = count;
        key = state->key + state->place;
        for (i = 0; i < part; i++) {
            uint32_t y = key[i];
            y ^= y >> 11;
            y ^= (y << 7) & 0x9d2c5680u;
            y ^= (y << 15) & 0xefc60000u;
            out[i] = y ^ (y >> 18);
        }
        state->place += (int)part;
        out += part;
        count -= part;
    }
}

/* Numbers of two words each, the first in the upper half. */
WORDS_INLINE void words_take_long_by(words_state *state, uint64_t *out, size_t count) {
    uint32_t words[WORDS_BLOCK];
    while (count) {
        size_t i, part = count < WORDS_BLOCK / 2 ? count : WORDS_BLOCK / 2;
        words_take_by(state, words, 2 * part);
        for (i = 0; i < part; i++) out[i] = (uint64_t)words[2 * i] << 32 | words[2 * i + 1];
        out += part;
        count -= part;
    }
}

/* Whether numbers of 53 bits, in two words each, are less than upper * 2**32 + lower. */
WORDS_INLINE void words_compare_by(words_state *state, uint8_t *out, size_t count, uint32_t upper, uint32_t lower) {
    uint32_t words[WORDS_BLOCK];
    while (count) {
        size_t i, part = count < WORDS_BLOCK / 2 ? count : WORDS_BLOCK / 2;
        words_take_by(state, words, 2 * part);
        for (i = 0; i < part; i++) {
            uint32_t high = words[2 * i] & 0x1fffffu;
            out[i] = (uint8_t)((high < upper) | ((high == upper) & (words[2 * i + 1] < lower)));
        }
        out += part;
        count -= part;
    }
}

#ifdef WORDS_WIDE

static int words_are_wide(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") != 0;
}

WORDS_WIDE static void words_take_wide(words_state *state, uint32_t *out, size_t count) {
    words_take_by(state, out, count);
}

WORDS_WIDE static void words_take_long_wide(words_state *state, uint64_t *out, size_t count) {
    words_take_long_by(state, out, count);
}

WORDS_WIDE static void words_compare_wide(
    words_state *state, uint8_t *out, size_t count, uint32_t upper, uint32_t lower
) {
    words_compare_by(state, out, count, upper, lower);
}

#define WORDS_CALL(name, ...) (words_are_wide() ? name##_wide(__VA_ARGS__) : name##_by(__VA_ARGS__))
#else
#define WORDS_CALL(name, ...) name##_by(__VA_ARGS__)
#endif

static void words_take(words_state *state, uint32_t *out, size_t count) { WORDS_CALL(words_take, state, out, count); }

static void words_take_long(words_state *state, uint64_t *out, size_t count) {
    WORDS_CALL(words_take_long, state, out, count);
}

static void words_compare(words_state *state, uint8_t *out, size_t count, uint32_t upper, uint32_t lower) {
    WORDS_CALL(words_compare, state, out, count, upper, lower);
}

#endif
