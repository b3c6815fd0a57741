/* SPDX-License-Identifier: Apache-2.0 */
#include "train/random.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t r2n_random_bits(r2n_random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(random->state);
}

r2n_random r2n_random_stream(uint64_t seed, r2n_random_purpose purpose, uint64_t epoch,
                             uint64_t index)
{
    r2n_random random = {mix(seed + UINT64_C(0x9e3779b97f4a7c15))};
    const uint64_t parts[] = {(uint64_t)purpose, epoch, index};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        random.state = mix(r2n_random_bits(&random) ^ parts[i]);
    return random;
}

double r2n_random_unit(r2n_random *random)
{
    return (double)(r2n_random_bits(random) >> 11) * 0x1p-53;
}

double r2n_random_between(r2n_random *random, double low, double high)
{
    return low + (high - low) * r2n_random_unit(random);
}

int64_t r2n_random_below(r2n_random *random, int64_t count)
{
    const uint64_t range = (uint64_t)count;
    const uint64_t limit =
        UINT64_MAX - UINT64_MAX % range; /* above it some would come more often */
    uint64_t bits = r2n_random_bits(random);
    while (bits >= limit)
        bits = r2n_random_bits(random);
    return (int64_t)(bits % range);
}

double r2n_random_normal(r2n_random *random)
{
    const double pi = 3.14159265358979323846;
    const double radius = sqrt(-2 * log(1 - r2n_random_unit(random)));
    return radius * cos(2 * pi * r2n_random_unit(random));
}

double r2n_random_gamma(r2n_random *random, double alpha)
{
    if (alpha < 1) {
        const double boost = pow(1 - r2n_random_unit(random), 1 / alpha);
        return r2n_random_gamma(random, alpha + 1) * boost;
    }
    const double d = alpha - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        const double x = r2n_random_normal(random);
        const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
        if (v <= 0)
            continue;
        if (log(1 - r2n_random_unit(random)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

double r2n_random_beta(r2n_random *random, double alpha)
{
    const double a = r2n_random_gamma(random, alpha), b = r2n_random_gamma(random, alpha);
    return a + b > 0 ? a / (a + b) : 0.5;
}

/* ---- numpy's RandomState ---- */

enum { WORDS = 624, MIDDLE = 397 };

typedef struct mersenne {
    uint32_t words[WORDS];
    int next;
} mersenne;

static void seed_mersenne(mersenne *m, uint32_t seed)
{
    m->words[0] = seed;
    for (uint32_t i = 1; i < WORDS; i++)
        m->words[i] = UINT32_C(1812433253) * (m->words[i - 1] ^ (m->words[i - 1] >> 30)) + i;
    m->next = WORDS;
}

static void refill(mersenne *m)
{
    for (int i = 0; i < WORDS; i++) {
        const uint32_t y = (m->words[i] & UINT32_C(0x80000000)) |
                           (m->words[(i + 1) % WORDS] & UINT32_C(0x7fffffff));
        m->words[i] =
            m->words[(i + MIDDLE) % WORDS] ^ (y >> 1) ^ ((y & 1) != 0 ? UINT32_C(0x9908b0df) : 0);
    }
    m->next = 0;
}

static uint32_t mersenne_bits(mersenne *m)
{
    if (m->next == WORDS)
        refill(m);
    uint32_t y = m->words[m->next++];
    y ^= y >> 11;
    y ^= (y << 7) & UINT32_C(0x9d2c5680);
    y ^= (y << 15) & UINT32_C(0xefc60000);
    return y ^ (y >> 18);
}

/* 0 .. most, as numpy's legacy random_interval: masked bits, drawn again while too large. */
static uint64_t interval(mersenne *m, uint64_t most)
{
    uint64_t mask = most, value;
    for (int shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    do {
        value = mersenne_bits(m);
        if (most > UINT32_MAX)
            value = value << 32 | mersenne_bits(m);
        value &= mask;
    } while (value > most);
    return value;
}

void r2n_shuffle_as_paddle(uint32_t epoch, int64_t *order, size_t count)
{
    mersenne m;
    seed_mersenne(&m, epoch);
    for (size_t i = 0; i < count; i++)
        order[i] = (int64_t)i;
    for (size_t i = count; i-- > 1;) {
        const size_t j = (size_t)interval(&m, i);
        const int64_t other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
}
