/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/ceiling.h"

#include "base/os.h"
#include "base/thread_pool.h"
#include "kernels/cpu_features.h"

enum { MAXIMUM_THREADS = 256, REPEATS = 20, ROUNDS = 20000 };

/* One room's loop: `rounds` times a fixed number of independent multiply-adds in registers. Returns
 * how many multiply-accumulates that was. */
typedef int64_t ceiling_loop(int64_t rounds);

int64_t r2n_ceiling_f32_reference(int64_t rounds);
#if defined(__x86_64__)
int64_t r2n_ceiling_f32_avx2(int64_t rounds);
int64_t r2n_ceiling_f32_avx512(int64_t rounds);
int64_t r2n_ceiling_int8_avx2(int64_t rounds);
int64_t r2n_ceiling_int8_avx512(int64_t rounds);
int64_t r2n_ceiling_int8_amx(int64_t rounds);
int64_t r2n_ceiling_bf16_avx512(int64_t rounds);
int64_t r2n_ceiling_bf16_amx(int64_t rounds);
int64_t r2n_ceiling_bf16x3_amx(int64_t rounds);
#endif

#if defined(__x86_64__)
static ceiling_loop *choose_int8(r2n_isa isa)
{
    const uint32_t features = r2n_cpu_features();
    if (isa == R2N_ISA_AMX && (features & R2N_FEATURE_AMX_INT8) != 0)
        return r2n_ceiling_int8_amx;
    if (isa >= R2N_ISA_AVX512 && isa <= R2N_ISA_AMX && (features & R2N_FEATURE_AVX512_VNNI) != 0)
        return r2n_ceiling_int8_avx512;
    if (isa >= R2N_ISA_AVX2 && isa <= R2N_ISA_AMX && (features & R2N_FEATURE_AVX2_FMA) != 0)
        return r2n_ceiling_int8_avx2;
    return r2n_ceiling_f32_reference;
}

static ceiling_loop *choose_bf16(r2n_precision precision, r2n_isa isa)
{
    const uint32_t features = r2n_cpu_features();
    if (isa == R2N_ISA_AMX && (features & R2N_FEATURE_AMX_BF16) != 0)
        return precision == R2N_PRECISION_BF16 ? r2n_ceiling_bf16_amx : r2n_ceiling_bf16x3_amx;
    if (precision == R2N_PRECISION_BF16 && isa >= R2N_ISA_AVX512 && isa <= R2N_ISA_AMX &&
        (features & R2N_FEATURE_AVX512_BF16) != 0)
        return r2n_ceiling_bf16_avx512;
    return r2n_ceiling_f32_reference;
}
#endif

static ceiling_loop *choose(r2n_precision precision, r2n_isa isa)
{
#if defined(__x86_64__)
    const uint32_t features = r2n_cpu_features();
    if (precision == R2N_PRECISION_INT8)
        return choose_int8(isa);
    if (precision == R2N_PRECISION_BF16 || precision == R2N_PRECISION_BF16X3)
        return choose_bf16(precision, isa);
    if (isa >= R2N_ISA_AVX512 && isa <= R2N_ISA_AMX && (features & R2N_FEATURE_AVX512) != 0)
        return r2n_ceiling_f32_avx512;
    if (isa >= R2N_ISA_AVX2 && isa <= R2N_ISA_AMX && (features & R2N_FEATURE_AVX2_FMA) != 0)
        return r2n_ceiling_f32_avx2;
#endif
    (void)precision;
    (void)isa;
    return r2n_ceiling_f32_reference;
}

int64_t r2n_ceiling_f32_reference(int64_t rounds)
{
    volatile double sink;
    double a = 1, b = 1, c = 1, d = 1;
    for (int64_t i = 0; i < rounds; i++) {
        a = a * 0.999 + 1;
        b = b * 0.998 + 1;
        c = c * 0.997 + 1;
        d = d * 0.996 + 1;
    }
    sink = a + b + c + d;
    (void)sink;
    return rounds * 4;
}

typedef struct measurement {
    ceiling_loop *loop;
    double rates[MAXIMUM_THREADS];
    int threads;
} measurement;

static void measure(void *context, r2n_team *team, int thread, int threads)
{
    measurement *m = context;
    m->rates[thread] = 0;
    if (thread == 0)
        m->threads = threads;
    for (int i = 0; i < REPEATS; i++) {
        r2n_team_barrier(team);
        const double start = r2n_seconds();
        const int64_t macs = m->loop(ROUNDS);
        const double rate = (double)macs / (r2n_seconds() - start);
        if (rate > m->rates[thread])
            m->rates[thread] = rate;
    }
}

double r2n_measure_ceiling(r2n_precision precision, r2n_isa isa, int threads)
{
    measurement m = {.loop = choose(precision, isa)};
    double sum = 0;
    r2n_thread_pool_run(threads, measure, &m);
    for (int i = 0; i < m.threads; i++)
        sum += m.rates[i];
    return sum;
}
