/* SPDX-License-Identifier: Apache-2.0 */
/* What the library sees of the machine, and a self-test: the verb `doctor`. */
#ifndef RES2NET_SYSTEM_H
#define RES2NET_SYSTEM_H

#include "res2net/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct res2net_system {
    const char *version; /* of the library */
    const char *cpu;
    const char *isa;              /* the default ceiling: "avx512" */
    int online, affinity, usable; /* processors: the machine's, allowed, what a session uses */
    double quota;                 /* cgroup quota in processors, 0 for none */
    uint64_t memory_limit_bytes;  /* cgroup limit, 0 for none */
    int has_jpeg, has_png, has_webp, has_yaml, has_embedded_model;
} res2net_system;

RES2NET_API void res2net_system_describe(res2net_system *system);

/* ISA levels, from "reference" up: name, and NULL when this CPU has it, else what is missing.
 * Returns 0 after the last. */
RES2NET_API int res2net_system_isa(int index, const char **name, const char **missing);

/* Precisions, from "f32" on: name, and NULL when this CPU runs it, else what is missing. Returns 0
 * after the last. int8 also needs a calibrated model. */
RES2NET_API int res2net_system_precision(int index, const char **name, const char **missing);

/* Runs a small network on every ISA this CPU has, in f32 and what else it has of bf16 and bf16x3,
 * and compares with the reference kernels: RES2NET_OK, or INTERNAL with what differed. */
RES2NET_API res2net_status res2net_self_test(res2net_report *report);

/* Peak resident memory of this process. */
RES2NET_API uint64_t res2net_peak_memory_bytes(void);
/* A monotonic clock in seconds. */
RES2NET_API double res2net_seconds(void);

#ifdef __cplusplus
}
#endif
#endif
