/* SPDX-License-Identifier: Apache-2.0 */
/* What the CPU has, the operating system saves, and the user did not mask. */
#ifndef R2N_KERNELS_CPU_FEATURES_H
#define R2N_KERNELS_CPU_FEATURES_H

#include "kernels/kernels.h"

enum {
    R2N_FEATURE_AVX2_FMA = 1 << 0,
    R2N_FEATURE_AVX512 = 1 << 1, /* F, BW, DQ, VL */
    R2N_FEATURE_AVX512_VNNI = 1 << 2,
    R2N_FEATURE_AMX_BF16 = 1 << 3,
    R2N_FEATURE_AMX_INT8 = 1 << 4,
    R2N_FEATURE_NEON = 1 << 5,
    R2N_FEATURE_AVX512_BF16 = 1 << 6
};

/* CPUID and XCR0, asked once. */
uint32_t r2n_cpu_features(void);
/* The brand string, "unknown" where there is none. */
const char *r2n_cpu_name(void);

/* "reference", "avx2", "avx512", "amx", "neon". */
const char *r2n_isa_name(r2n_isa isa);
/* 1 and *isa when `name` is one of them. */
int r2n_isa_parse(const char *name, r2n_isa *isa);
/* A name is a ceiling: *isa is the best level of this CPU up to it. */
typedef enum r2n_isa_choice {
    R2N_ISA_CHOSEN,
    R2N_ISA_UNKNOWN, /* nothing is called so; *isa is left alone */
    R2N_ISA_FOREIGN  /* another architecture's, as "neon" on x86; *isa is left alone */
} r2n_isa_choice;
r2n_isa_choice r2n_isa_ceiling(const char *name, r2n_isa *isa);
/* The level under the ceiling that the environment's RES2NET_ISA names, or the best where it names
 * none (programs and sessions refuse such a name). */
r2n_isa r2n_isa_default(void);
/* NULL when the CPU has the level, else what is missing ("AVX-512 BW"). */
const char *r2n_isa_missing(r2n_isa isa);
const char *r2n_feature_name(uint32_t feature);

#endif
