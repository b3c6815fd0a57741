/* SPDX-License-Identifier: Apache-2.0 */
/* kernelcheck: the tool that all kernels live under. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernelcheck/kernelcheck.h"
#include "kernels/cpu_features.h"

static const uint64_t default_seed = 20240229;

static int usage(FILE *to, int status)
{
    fprintf(to,
            "usage: kernelcheck check|grad|bench|list [--isa X] [--seed N] [--filter TEXT]\n"
            "  check  compare every kernel this CPU runs with the reference; exit 1 on a failure\n"
            "  grad   hold gradients to finite differences; exit 1 on a failure\n"
            "  bench  GMAC/s of the matrix products and %% of the measured ceiling, one thread\n"
            "  list   table of the kernels of this build\n"
            "  --isa     ceiling: reference, avx2, avx512, amx, neon (also RES2NET_ISA)\n"
            "  --seed    of the random cases of check and grad (default %llu)\n"
            "  --filter  only kernels (bench: or shapes; not grad) whose name has TEXT in it\n",
            (unsigned long long)default_seed);
    return status;
}

static int parse_seed(const char *text, uint64_t *seed)
{
    char *end;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-';
}

/* A ceiling, like --isa of the other programs; what runs below it is told. */
static int parse_isa(const char *name, r2n_isa *isa)
{
    switch (r2n_isa_ceiling(name, isa)) {
    case R2N_ISA_UNKNOWN:
        fprintf(stderr, "kernelcheck: \"%s\" is no instruction set\n", name);
        return 0;
    case R2N_ISA_FOREIGN:
        fprintf(stderr, "kernelcheck: %s is another architecture's\n", name);
        return 0;
    default:
        if (strcmp(name, r2n_isa_name(*isa)) != 0)
            fprintf(stderr, "kernelcheck: %s is not here, %s is the best below it\n", name,
                    r2n_isa_name(*isa));
        return 1;
    }
}

static int parse_options(int count, char **arguments, options *o)
{
    const char *masked = getenv("RES2NET_ISA");
    if (masked != NULL && masked[0] != '\0' && !parse_isa(masked, &o->isa))
        return 0;
    for (int i = 0; i < count; i += 2) {
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (value == NULL)
            return 0;
        if (strcmp(arguments[i], "--isa") == 0) {
            if (!parse_isa(value, &o->isa))
                return 0;
        } else if (strcmp(arguments[i], "--seed") == 0) {
            if (!parse_seed(value, &o->seed))
                return 0;
        } else if (strcmp(arguments[i], "--filter") == 0) {
            o->filter = value;
        } else {
            return 0;
        }
    }
    return 1;
}

int main(int count, char **arguments)
{
    options o = {.isa = r2n_isa_default(), .seed = default_seed};
    if (count < 2)
        return usage(stderr, 2);
    if (strcmp(arguments[1], "--help") == 0)
        return usage(stdout, 0);
    if (!parse_options(count - 2, arguments + 2, &o))
        return usage(stderr, 2);
    if (strcmp(arguments[1], "check") == 0)
        return run_check(&o);
    if (strcmp(arguments[1], "grad") == 0)
        return run_grad(&o);
    if (strcmp(arguments[1], "bench") == 0)
        return run_bench(&o);
    if (strcmp(arguments[1], "list") == 0)
        return run_list(&o);
    return usage(stderr, 2);
}
