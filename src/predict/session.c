/* SPDX-License-Identifier: Apache-2.0 */
#include "predict/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "kernels/cpu_features.h"
#include "kernels/precision.h"

enum { MAXIMUM_THREADS = 256, MAXIMUM_SIDE = 16384 };

res2net_status r2n_session_choose_isa(const char *name, r2n_isa *isa, res2net_report *report)
{
    const char *from = "";
    *isa = r2n_isa_default();
    if (name == NULL) {
        name = getenv("RES2NET_ISA");
        from = " (the environment's RES2NET_ISA)";
    }
    if (name == NULL || name[0] == '\0')
        return RES2NET_OK;
    switch (r2n_isa_ceiling(name, isa)) {
    case R2N_ISA_UNKNOWN:
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "no ISA is called \"%s\"%s: reference, avx2, avx512, amx or neon", name,
                        from);
    case R2N_ISA_FOREIGN:
        return r2n_fail(report, RES2NET_UNAVAILABLE, NULL, -1,
                        "the ISA \"%s\"%s is another architecture's: this one has up to %s", name,
                        from, r2n_isa_name(*isa));
    default:
        return RES2NET_OK;
    }
}

static res2net_status choose_precision(const char *name, r2n_isa isa, r2n_precision *precision,
                                       res2net_report *report)
{
    *precision = R2N_PRECISION_F32;
    if (name != NULL && !r2n_precision_parse(name, precision))
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "no precision is called \"%s\": f32, bf16x3, bf16 or int8", name);
    const char *missing = r2n_precision_missing(*precision, isa);
    if (missing != NULL)
        return r2n_fail(report, RES2NET_UNAVAILABLE, NULL, -1,
                        "the precision %s needs %s, which this CPU, its system or the ISA's "
                        "ceiling %s does not give: f32 runs everywhere",
                        name, missing, r2n_isa_name(isa));
    return RES2NET_OK;
}

static res2net_status choose_recipe(res2net_session *session,
                                    const res2net_session_options *options, res2net_report *report)
{
    r2n_recipe *recipe = &session->recipe;
    session->has_recipe = options->preset != RES2NET_PRESET_OF_MODEL;
    if (options->preset == RES2NET_PRESET_PADDLE)
        r2n_recipe_paddle(recipe);
    else if (options->preset == RES2NET_PRESET_TORCH)
        r2n_recipe_torch(recipe);
    else
        session->has_recipe = r2n_model_recipe(session->model, recipe);
    if (!session->has_recipe)
        return RES2NET_OK;
    if (options->exif != RES2NET_EXIF_OF_PRESET)
        recipe->apply_exif = options->exif == RES2NET_EXIF_APPLY;
    if (options->resize_short > 0) {
        recipe->resize_short = options->resize_short;
        recipe->resize_width = recipe->resize_height = 0;
    }
    if (options->crop > 0)
        recipe->crop_width = recipe->crop_height = options->crop;
    return r2n_recipe_validate(recipe, NULL, report);
}

/* A picture whose shorter side is at least this is only made smaller; 0: sizes are kept. */
static int32_t resized_side(const r2n_recipe *recipe)
{
    if (recipe->resize_short > 0)
        return recipe->resize_short;
    return recipe->resize_width > recipe->resize_height ? recipe->resize_width
                                                        : recipe->resize_height;
}

/* How pictures are decoded: the recipe's decoder and EXIF rule; what the caller says wins. */
static res2net_status choose_decoding(res2net_session *session,
                                      const res2net_session_options *options,
                                      res2net_report *report)
{
    r2n_image_options *pictures = &session->pictures;
    const res2net_status status =
        r2n_picture_options(options->maximum_pixels, options->truncated, pictures, report);
    if (status != RES2NET_OK)
        return status;
    if (session->has_recipe) {
        pictures->decoder = session->recipe.decoder;
        pictures->exif = session->recipe.apply_exif ? R2N_EXIF_AS_OPENCV : R2N_EXIF_IGNORE;
    }
    if (options->exif == RES2NET_EXIF_APPLY)
        pictures->exif = R2N_EXIF_APPLY;
    pictures->fast = options->fast_decode;
    pictures->fast_side = session->has_recipe ? resized_side(&session->recipe) : 0;
    return RES2NET_OK;
}

res2net_status res2net_session_create(const res2net_model *model,
                                      const res2net_session_options *options, res2net_session **out,
                                      res2net_report *report)
{
    static const res2net_session_options default_options = {0};
    r2n_isa isa;
    *out = NULL;
    if (options == NULL)
        options = &default_options;
    if (options->threads < 0 || options->threads > MAXIMUM_THREADS)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "threads must be 0 (all) to %d, not %d", MAXIMUM_THREADS, options->threads);
    if (options->fast_decode != 0 && options->fast_decode != 1)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "fast_decode must be 0 or 1, not %d", options->fast_decode);
    r2n_precision precision;
    res2net_status status = r2n_session_choose_isa(options->isa, &isa, report);
    if (status == RES2NET_OK)
        status = choose_precision(options->precision, isa, &precision, report);
    if (status != RES2NET_OK)
        return status;
    res2net_session *session = r2n_allocate_zeroed(1, sizeof *session);
    if (session == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for a session");
    session->model = model;
    session->threads = options->threads;
    session->isa = isa;
    session->precision = precision;
    status = choose_recipe(session, options, report);
    if (status == RES2NET_OK)
        status = choose_decoding(session, options, report);
    if (status == RES2NET_OK)
        status = r2n_model_plan(model, precision, isa, &session->plan, report);
    if (status != RES2NET_OK)
        res2net_session_destroy(session);
    else
        *out = session;
    return status;
}

void res2net_session_destroy(res2net_session *session)
{
    if (session == NULL)
        return;
    res2net_session_trim(session);
    r2n_free(session);
}

void res2net_session_trim(res2net_session *session)
{
    r2n_placement_destroy(session->placement);
    session->placement = NULL;
    r2n_free(session->block);
    session->block = NULL;
    session->block_bytes = 0;
}

res2net_status r2n_session_fit(res2net_session *session, int32_t batch, int32_t rows,
                               int32_t columns, res2net_report *report)
{
    r2n_placement *placement;
    if (session->placement != NULL && session->batch == batch && session->rows == rows &&
        session->columns == columns)
        return RES2NET_OK;
    const res2net_status status =
        r2n_placement_create(session->plan, batch, rows, columns, &placement, report);
    if (status != RES2NET_OK)
        return status;
    const int64_t bytes = r2n_placement_block_bytes(placement);
    if (bytes > session->block_bytes) {
        /* Never two blocks at once. When the larger one cannot be had the session holds none, and
         * the next call that needs less finds what it needs. */
        res2net_session_trim(session);
        /* The system grants more than it has and kills the process later: refuse what cannot be. */
        const uint64_t memory = r2n_os_memory_bytes();
        void *block =
            memory == 0 || (uint64_t)bytes < memory ? r2n_allocate((size_t)bytes, 1) : NULL;
        if (block == NULL) {
            r2n_placement_destroy(placement);
            return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                            "no memory for the %lld bytes of activations of %d pictures of %dx%d: "
                            "take a smaller batch or size",
                            (long long)bytes, batch, columns, rows);
        }
        session->block = block;
        session->block_bytes = bytes;
    }
    r2n_placement_destroy(session->placement);
    session->placement = placement;
    session->batch = batch;
    session->rows = rows;
    session->columns = columns;
    r2n_placement_clear(placement, session->block);
    return RES2NET_OK;
}

/* Levels cannot tell of a number that is none; the other precisions carry it into the logits. */
static res2net_status check_input(const res2net_session *session, const float *input, int64_t count,
                                  res2net_report *report)
{
    for (int64_t i = 0; session->precision == R2N_PRECISION_INT8 && i < count; i++)
        if (!isfinite(input[i]))
            return r2n_fail(report, RES2NET_NOT_FINITE, NULL, -1,
                            "the input's number %lld is not a finite number", (long long)i);
    return RES2NET_OK;
}

static res2net_status check_logits(const float *logits, int32_t batch, int32_t classes,
                                   res2net_report *report)
{
    for (int32_t image = 0; image < batch; image++)
        for (int32_t n = 0; n < classes; n++)
            if (!isfinite(logits[(int64_t)image * classes + n]))
                return r2n_fail(report, RES2NET_NOT_FINITE, NULL, -1,
                                "the logit of class %d of picture %d in the batch is not a finite "
                                "number: input or weights are out of range",
                                n, image);
    return RES2NET_OK;
}

res2net_status res2net_session_run(res2net_session *session, const float *input, int32_t batch,
                                   int32_t height, int32_t width, float *logits,
                                   res2net_report *report)
{
    if (height < 1 || width < 1 || height > MAXIMUM_SIDE || width > MAXIMUM_SIDE)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "a picture of %dx%d cannot be run: sides go up to %d", width, height,
                        MAXIMUM_SIDE);
    res2net_status status = r2n_session_fit(session, batch, height, width, report);
    if (status == RES2NET_OK)
        status = check_input(session, input, (int64_t)batch * 3 * height * width, report);
    if (status != RES2NET_OK)
        return status;
    r2n_placement_run(session->placement, session->block, input, logits, session->threads);
    return check_logits(logits, batch, session->model->architecture.classes, report);
}

int64_t res2net_session_memory_bytes(const res2net_session *session)
{
    return session->block_bytes;
}

res2net_status res2net_session_classify(res2net_session *session, const void *bytes, size_t size,
                                        const char *name, int32_t k, res2net_score *scores,
                                        int32_t *count, res2net_report *report)
{
    const int32_t classes = session->model->architecture.classes;
    res2net_tensor picture;
    *count = 0;
    res2net_status status = res2net_session_prepare(session, bytes, size, name, &picture, report);
    if (status != RES2NET_OK)
        return status;
    float *logits = r2n_allocate((size_t)classes, sizeof(float));
    if (logits == NULL)
        status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1, "no memory for the scores");
    else
        status = res2net_session_run(session, picture.data, 1, picture.height, picture.width,
                                     logits, report);
    if (status == RES2NET_OK)
        *count = res2net_top_scores(logits, classes, k, scores);
    r2n_free(logits);
    res2net_tensor_free(&picture);
    return status;
}
