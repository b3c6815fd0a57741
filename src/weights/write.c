/* SPDX-License-Identifier: Apache-2.0 */
#include "weights/weights.h"

#include <string.h>

#include "base/memory.h"
#include "weights/diagnose.h"
#include "weights/metadata.h"
#include "weights/writer.h"

static res2net_status check_set(const r2n_weights_writer *w, size_t spec_count)
{
    char held[R2N_SHAPE_TEXT_BYTES], wanted[R2N_SHAPE_TEXT_BYTES];
    if (w->set->count != spec_count)
        return r2n_fail(w->report, RES2NET_MISMATCH, w->path, -1,
                        "%s has %zu tensors, the set to write has %zu", w->architecture->name,
                        spec_count, w->set->count);
    for (size_t i = 0; i < spec_count; i++) {
        const r2n_tensor *tensor = &w->set->tensors[i];
        const r2n_tensor_spec *spec = &w->specs[i];
        if (strcmp(tensor->name, spec->name) == 0 && tensor->rank == spec->rank &&
            memcmp(tensor->shape, spec->shape, (size_t)spec->rank * sizeof *spec->shape) == 0)
            continue;
        r2n_shape_text(tensor->rank, tensor->shape, held);
        r2n_shape_text(spec->rank, spec->shape, wanted);
        return r2n_fail(w->report, RES2NET_MISMATCH, w->path, -1,
                        "tensor %zu of the set to write is %s %s; %s has %s %s there", i,
                        tensor->name, held, w->architecture->name, spec->name, wanted);
    }
    return RES2NET_OK;
}

/* .pdparams speak of Paddle's family and safetensors of torch's: another needs the caller's word.
 */
static res2net_status check_family(r2n_weights_writer *w, r2n_weights_format format,
                                   int keep_family)
{
    const r2n_family spoken = format == R2N_WEIGHTS_PDPARAMS      ? R2N_FAMILY_PADDLE
                              : format == R2N_WEIGHTS_SAFETENSORS ? R2N_FAMILY_TORCH
                                                                  : w->family;
    if (w->family != R2N_FAMILY_PADDLE && w->family != R2N_FAMILY_TORCH)
        return r2n_fail(w->report, RES2NET_INVALID_ARGUMENT, w->path, -1,
                        "the family of the weights is not known");
    w->tell_family = spoken != w->family;
    if (w->tell_family && !keep_family)
        return r2n_fail(w->report, RES2NET_MISMATCH, w->path, -1,
                        "weights of the %s family would be taken for %s ones in this format and "
                        "give other answers there; write .r2n, or insist with --keep-family "
                        "(only res2net reads the file rightly then)",
                        r2n_family_name(w->family), r2n_family_name(spoken));
    return RES2NET_OK;
}

static res2net_status put_all(r2n_weights_writer *w, r2n_weights_format format)
{
    res2net_status status = r2n_writer_open(w->path, &w->file, w->report);
    if (status != RES2NET_OK)
        return status;
    if (format == R2N_WEIGHTS_PDPARAMS)
        status = r2n_write_pdparams(w);
    else if (format == R2N_WEIGHTS_SAFETENSORS)
        status = r2n_write_safetensors(w);
    else
        status = r2n_write_r2n(w);
    if (status == RES2NET_OK)
        return r2n_writer_close(w->file, w->report);
    r2n_writer_discard(w->file);
    return status;
}

res2net_status r2n_weights_write(const char *path, r2n_weights_format format,
                                 const r2n_tensor_set *set, const r2n_architecture *architecture,
                                 r2n_family family, int keep_family, res2net_report *report)
{
    r2n_weights_writer w = {
        .path = path, .report = report, .set = set, .architecture = architecture, .family = family};
    size_t count = 0;
    if (format != R2N_WEIGHTS_PDPARAMS && format != R2N_WEIGHTS_SAFETENSORS &&
        format != R2N_WEIGHTS_R2N)
        return r2n_fail(report, RES2NET_UNSUPPORTED, path, -1,
                        "weights can be written as .pdparams, .safetensors and .r2n");
    r2n_tensor_spec *specs = r2n_architecture_tensors(architecture, &count);
    if (specs == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory to write the weights");
    w.specs = specs;
    res2net_status status = check_set(&w, count);
    if (status == RES2NET_OK)
        status = check_family(&w, format, keep_family);
    if (status == RES2NET_OK)
        status = put_all(&w, format);
    r2n_free(specs);
    return status;
}
