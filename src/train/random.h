/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers that depend on what they are for, never on which thread draws them: a stream is
 * made from (seed, purpose, epoch, index), so a resumed run and a run on more threads draw the
 * same. Generator: SplitMix64 (Steele, Lea, Flood 2014).
 */
#ifndef R2N_TRAIN_RANDOM_H
#define R2N_TRAIN_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct r2n_random {
    uint64_t state;
} r2n_random;

/* What a stream is for; new ones at the end. */
typedef enum r2n_random_purpose {
    R2N_RANDOM_INITIALISE = 1, /* epoch 0, index: number of the tensor */
    R2N_RANDOM_SHUFFLE,        /* index 0 */
    R2N_RANDOM_PICTURE,        /* index: place in the epoch */
    R2N_RANDOM_BATCH           /* index: number of the batch in the epoch (mixup, cutmix) */
} r2n_random_purpose;

r2n_random r2n_random_stream(uint64_t seed, r2n_random_purpose purpose, uint64_t epoch,
                             uint64_t index);
uint64_t r2n_random_bits(r2n_random *random);
double r2n_random_unit(r2n_random *random); /* [0, 1), 53 bits */
double r2n_random_between(r2n_random *random, double low, double high);
/* 0 .. count - 1, every one as likely; count > 0. */
int64_t r2n_random_below(r2n_random *random, int64_t count);
double r2n_random_normal(r2n_random *random); /* mean 0, deviation 1 */
/* Gamma(alpha, 1) by Marsaglia and Tsang, and Beta(alpha, alpha); alpha > 0. */
double r2n_random_gamma(r2n_random *random, double alpha);
double r2n_random_beta(r2n_random *random, double alpha);

/* Paddle's order of an epoch: numpy.random.RandomState(epoch).shuffle of 0 .. count - 1 (MT19937,
 * spec/paddleclas.md 3). */
void r2n_shuffle_as_paddle(uint32_t epoch, int64_t *order, size_t count);

#endif
