/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of activations, of any precision, in which every element has a role. Elements that no
 * argument describes hold a canary: it is a NaN (in int8 a number above the largest activation), so
 * that a kernel that reads one shows it, and its bits are known, so that a kernel that writes one
 * shows that too.
 */
#ifndef R2N_KERNELCHECK_SCENE_H
#define R2N_KERNELCHECK_SCENE_H

#include "kernelcheck/kernelcheck.h"
#include "kernelcheck/random.h"
#include "kernels/kernels.h"
#include "res2net/status.h"

typedef enum fill { FILL_INTEGER, FILL_REAL, FILL_EDGE, FILL_COUNT } fill;
const char *fill_name(fill f);
float fill_value(random_state *random, fill f);
/* An int8 activation, 0 to 127: small ones, any, or the largest more often than not. */
uint8_t fill_byte(random_state *random, fill f);

enum { ROLE_CANARY, ROLE_READ, ROLE_WRITTEN };

typedef struct scene {
    r2n_precision precision;
    int32_t element_bytes;
    union { /* before the kernel runs */
        float *values;
        uint16_t *bf16;
        uint8_t *int8;
        void *any;
    };
    unsigned char *roles; /* ROLE_... of each */
    int64_t elements;
    int64_t used;    /* elements that views took so far */
    int32_t granule; /* elements that offsets of the trimmed scene are multiples of */
} scene;

typedef struct extent {
    int32_t images, rows, columns, channels;
} extent;

/* Room for `elements`; ends the program when memory cannot be had. */
void scene_begin(scene *s, r2n_precision precision, int64_t elements);
void scene_release(scene *s);

/* A view behind all others, with random gaps between pixels, rows and images, or none.
 * `may_group`: its channels may lie in separated groups. In bf16x3 all low terms lie behind. */
r2n_view scene_view(scene *s, random_state *random, extent e, int may_group);

/* Floats in a scene of any precision: pitches are multiples of a float's size. */
r2n_view scene_float_view(scene *s, random_state *random, extent e);

/* Doubles behind all views, to be written; the offset is in elements. */
int64_t scene_doubles(scene *s, random_state *random, int64_t count);

/* A value of a view, of both its terms in bf16x3, in a block like the scene's. */
double value_in(const scene *s, const void *block, const r2n_view *view, int64_t index);
/* What is left of a value that is stored in this precision. */
double stored_value(r2n_precision precision, float value);

int64_t view_index(const r2n_view *view, int32_t image, int32_t row, int32_t column,
                   int32_t channel);
/* Gives an element a role (the strongest wins) and, where it had none, a value. */
void scene_mark(scene *s, random_state *random, fill f, int64_t index, int role);
void scene_mark_view(scene *s, random_state *random, fill f, const r2n_view *view, extent e,
                     int role);
/* Cuts what lies before the first and behind the last described element. Returns how many elements
 * went at the front: to be taken from every offset. */
int64_t scene_trim(scene *s);

/* ---- running and comparing ---- */

/* Counts what was tried, and tells of the first failures. */
typedef struct tally {
    int64_t passed, failed;
} tally;
void tally_count(tally *t, int good, const char *format, ...) RES2NET_PRINTF(3, 4);

/* Same bits, or both NaN (whose payload depends on the order of operands). */
int same_value(float a, float b);
/* A value of any precision in a block like the scene's. */
double value_at(const scene *s, const void *block, int64_t index);

typedef struct trial {
    const r2n_kernel *kernel;
    const void *arguments;
    r2n_range whole;
    const scene *before;
    const char *text;     /* of the case, for messages */
    int32_t granule_rows; /* ranges begin at multiples of it; 0 for 1 */
    /* Puts addresses inside the block into arguments that have such; NULL for none. */
    void (*bind)(void *context, void *block);
    void *context;
} trial;

/* Runs on a guarded copy of the scene and returns the values afterwards (r2n_free them). With
 * `random` not NULL the range is cut in pieces that run in any order. */
void *run_guarded(const trial *t, random_state *random);

/* The kernel's result, run whole: canaries and inputs kept, split ranges give the same bits, and
 * the same values as `other` where that is not NULL. Returns the result (r2n_free it). */
void *check_kernel(tally *t, const trial *one, random_state *random, const void *other,
                   const char *other_name);

#endif
