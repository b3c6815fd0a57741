/* SPDX-License-Identifier: Apache-2.0 */
/* CPU says yes, and the operating system says yes: CPUID, then XCR0. */
#include "kernels/cpu_features.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

#include "base/os.h"
#endif

enum { NAME_BYTES = 49 }; /* CPUID's brand string is 48 bytes, not always terminated */

typedef struct cpu_facts {
    uint32_t features;
    const char *missing[R2N_ISA_COUNT]; /* NULL: there */
    char name[NAME_BYTES];
} cpu_facts;

static cpu_facts facts;
static pthread_once_t facts_once = PTHREAD_ONCE_INIT;

static const char *const isa_names[R2N_ISA_COUNT] = {"reference", "avx2", "avx512", "amx", "neon"};

#if defined(__x86_64__)
/* One thing a level needs: a bit of a CPUID register, or bits of XCR0. */
typedef struct need {
    r2n_isa isa;
    int register_index; /* index into cpuid_registers, below */
    uint32_t bits;
    const char *name;
} need;

enum { LEAF1_ECX, LEAF7_EBX, LEAF7_ECX, LEAF7_EDX, LEAF7_1_EAX, XCR0_LOW, REGISTERS };

enum {
    XCR0_YMM = 0x6,       /* SSE and AVX state */
    XCR0_ZMM = 0xe6,      /* and mask, upper ZMM and the high sixteen ZMM */
    XCR0_TILES = 0x60000, /* tile configuration and tile data */
    LEAF7_ECX_VNNI = 1 << 11,
    LEAF7_1_EAX_BF16 = 1 << 5,
    LEAF7_EDX_AMX_BF16 = 1 << 22,
    LEAF7_EDX_AMX_INT8 = 1 << 25
};

/* In rising order: a level also needs everything before it. The CPU is asked before the operating
 * system, which saves no state of what is not there. */
static const need needs[] = {
    {R2N_ISA_AVX2, LEAF1_ECX, 1u << 28, "AVX"},
    {R2N_ISA_AVX2, LEAF7_EBX, 1u << 5, "AVX2"},
    {R2N_ISA_AVX2, LEAF1_ECX, 1u << 12, "FMA"},
    {R2N_ISA_AVX2, LEAF1_ECX, 1u << 27, "the operating system's XSAVE"},
    {R2N_ISA_AVX2, XCR0_LOW, XCR0_YMM, "the operating system's support for AVX"},
    {R2N_ISA_AVX512, LEAF7_EBX, 1u << 16, "AVX-512 F"},
    {R2N_ISA_AVX512, LEAF7_EBX, 1u << 30, "AVX-512 BW"},
    {R2N_ISA_AVX512, LEAF7_EBX, 1u << 17, "AVX-512 DQ"},
    {R2N_ISA_AVX512, LEAF7_EBX, 1u << 31, "AVX-512 VL"},
    {R2N_ISA_AVX512, XCR0_LOW, XCR0_ZMM, "the operating system's support for AVX-512"},
    {R2N_ISA_AMX, LEAF7_EDX, 1u << 24, "AMX"},
    {R2N_ISA_AMX, LEAF7_EDX, LEAF7_EDX_AMX_BF16, "AMX BF16"},
    {R2N_ISA_AMX, LEAF7_EDX, LEAF7_EDX_AMX_INT8, "AMX INT8"},
    /* Every CPU with tiles has it; the room's epilogues use it. */
    {R2N_ISA_AMX, LEAF7_1_EAX, LEAF7_1_EAX_BF16, "AVX-512 BF16"},
    {R2N_ISA_AMX, XCR0_LOW, XCR0_TILES, "the operating system's support for AMX"},
};

static void read_registers(uint32_t registers[REGISTERS])
{
    unsigned a, b, c, d;
    memset(registers, 0, REGISTERS * sizeof *registers);
    if (__get_cpuid(1, &a, &b, &c, &d))
        registers[LEAF1_ECX] = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        registers[LEAF7_EBX] = b;
        registers[LEAF7_ECX] = c;
        registers[LEAF7_EDX] = d;
        if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
            registers[LEAF7_1_EAX] = a;
    }
    if (registers[LEAF1_ECX] & (1u << 27)) { /* else XGETBV is an illegal instruction */
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        registers[XCR0_LOW] = low;
    }
}

static void read_name(char name[NAME_BYTES])
{
    unsigned words[12];
    for (unsigned leaf = 0; leaf < 3; leaf++)
        if (!__get_cpuid(0x80000002u + leaf, &words[4 * leaf], &words[4 * leaf + 1],
                         &words[4 * leaf + 2], &words[4 * leaf + 3]))
            return;
    memcpy(name, words, sizeof words);
    name[NAME_BYTES - 1] = '\0';
}

static void ask_cpu(void)
{
    uint32_t registers[REGISTERS];
    read_registers(registers);
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        if ((registers[needs[i].register_index] & needs[i].bits) != needs[i].bits)
            for (int isa = needs[i].isa; isa <= R2N_ISA_AMX; isa++)
                if (facts.missing[isa] == NULL)
                    facts.missing[isa] = needs[i].name;
    if (facts.missing[R2N_ISA_AMX] == NULL && !r2n_os_allow_tiles())
        facts.missing[R2N_ISA_AMX] = "the operating system's permission to use AMX";
    facts.missing[R2N_ISA_NEON] = "an ARM CPU";
    if (facts.missing[R2N_ISA_AVX2] == NULL)
        facts.features |= R2N_FEATURE_AVX2_FMA;
    if (facts.missing[R2N_ISA_AVX512] == NULL) {
        facts.features |= R2N_FEATURE_AVX512;
        if (registers[LEAF7_ECX] & LEAF7_ECX_VNNI)
            facts.features |= R2N_FEATURE_AVX512_VNNI;
        if (registers[LEAF7_1_EAX] & LEAF7_1_EAX_BF16)
            facts.features |= R2N_FEATURE_AVX512_BF16;
    }
    if (facts.missing[R2N_ISA_AMX] == NULL)
        facts.features |= R2N_FEATURE_AMX_BF16 | R2N_FEATURE_AMX_INT8;
    read_name(facts.name);
}
#else
static void ask_cpu(void)
{
    for (int isa = R2N_ISA_AVX2; isa <= R2N_ISA_AMX; isa++)
        facts.missing[isa] = "an x86-64 CPU";
#if defined(__aarch64__)
    facts.features |= R2N_FEATURE_NEON; /* part of every 64-bit ARM */
#else
    facts.missing[R2N_ISA_NEON] = "a 64-bit ARM CPU";
#endif
}
#endif

static void find_facts(void)
{
    ask_cpu();
    /* Some brand strings are padded on the left. */
    const char *start = facts.name + strspn(facts.name, " ");
    memmove(facts.name, start, strlen(start) + 1);
    if (facts.name[0] == '\0')
        memcpy(facts.name, "unknown", sizeof "unknown");
}

static const cpu_facts *get_facts(void)
{
    pthread_once(&facts_once, find_facts);
    return &facts;
}

uint32_t r2n_cpu_features(void)
{
    return get_facts()->features;
}

const char *r2n_cpu_name(void)
{
    return get_facts()->name;
}

const char *r2n_isa_name(r2n_isa isa)
{
    return (unsigned)isa < R2N_ISA_COUNT ? isa_names[isa] : "unknown";
}

int r2n_isa_parse(const char *name, r2n_isa *isa)
{
    for (int i = 0; i < R2N_ISA_COUNT; i++)
        if (strcmp(name, isa_names[i]) == 0) {
            *isa = (r2n_isa)i;
            return 1;
        }
    return 0;
}

const char *r2n_isa_missing(r2n_isa isa)
{
    return (unsigned)isa < R2N_ISA_COUNT ? get_facts()->missing[isa] : "an instruction set we know";
}

static r2n_isa best_up_to(r2n_isa ceiling)
{
    r2n_isa best = R2N_ISA_REFERENCE;
    for (int i = 0; i <= (int)ceiling; i++)
        if (r2n_isa_missing((r2n_isa)i) == NULL)
            best = (r2n_isa)i;
    return best;
}

/* Levels of this processor's family, whether this one has them or not. */
static int is_of_this_architecture(r2n_isa isa)
{
#if defined(__x86_64__)
    return isa != R2N_ISA_NEON;
#elif defined(__aarch64__)
    return isa == R2N_ISA_REFERENCE || isa == R2N_ISA_NEON;
#else
    return isa == R2N_ISA_REFERENCE;
#endif
}

r2n_isa_choice r2n_isa_ceiling(const char *name, r2n_isa *isa)
{
    r2n_isa ceiling;
    if (!r2n_isa_parse(name, &ceiling))
        return R2N_ISA_UNKNOWN;
    if (!is_of_this_architecture(ceiling))
        return R2N_ISA_FOREIGN;
    *isa = best_up_to(ceiling);
    return R2N_ISA_CHOSEN;
}

r2n_isa r2n_isa_default(void)
{
    r2n_isa isa = best_up_to(R2N_ISA_COUNT - 1);
    const char *name = getenv("RES2NET_ISA");
    if (name != NULL)
        r2n_isa_ceiling(name, &isa);
    return isa;
}

const char *r2n_feature_name(uint32_t feature)
{
    switch (feature) {
    case R2N_FEATURE_AVX2_FMA:
        return "AVX2 and FMA";
    case R2N_FEATURE_AVX512:
        return "AVX-512 F, BW, DQ, VL";
    case R2N_FEATURE_AVX512_VNNI:
        return "AVX-512 VNNI";
    case R2N_FEATURE_AVX512_BF16:
        return "AVX-512 BF16";
    case R2N_FEATURE_AMX_BF16:
        return "AMX BF16";
    case R2N_FEATURE_AMX_INT8:
        return "AMX INT8";
    case R2N_FEATURE_NEON:
        return "NEON";
    default:
        return "unknown";
    }
}
