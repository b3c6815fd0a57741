/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scalars in the event files of VisualDL and TensorBoard: protocol-buffer messages, each with its
 * length before it; TensorBoard's with checksums. Bytes are appended to a text, whose `failed` says
 * that memory was short. spec: shared/spec/paddleclas.md 2.10; shared/spec/ecosystem.md.
 *
 * A tag is UTF-8 without '%', which VisualDL's own writer refuses.
 */
#ifndef R2N_FORMATS_EVENT_LOG_H
#define R2N_FORMATS_EVENT_LOG_H

#include <stdint.h>

#include "formats/json_writer.h"

/* The first record of a file; times are milliseconds since 1970. File name:
 * "vdlrecords.<10 digits: seconds since 1970>.log". */
void r2n_visualdl_put_start(r2n_text *out, int64_t milliseconds);
void r2n_visualdl_put_scalar(r2n_text *out, int64_t milliseconds, const char *tag, int64_t step,
                             double value);

/* The first record of a file; times are seconds since 1970. File name:
 * "events.out.tfevents.<seconds since 1970>.<host>". */
void r2n_tensorboard_put_start(r2n_text *out, double seconds);
void r2n_tensorboard_put_scalar(r2n_text *out, double seconds, const char *tag, int64_t step,
                                double value);

#endif
