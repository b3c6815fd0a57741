/* SPDX-License-Identifier: Apache-2.0 */
/* The .r2n container's fixed numbers: docs/format-r2n.md. Only for src/weights. */
#ifndef R2N_WEIGHTS_R2N_FORMAT_H
#define R2N_WEIGHTS_R2N_FORMAT_H

/* As PNG's: no text, shows 7-bit and line-end damage at once. */
#define R2N_FORMAT_MAGIC "\x89R2N\r\n\x1a\n"

enum {
    R2N_FORMAT_VERSION = 1,
    R2N_FORMAT_HEADER_BYTES = 64,
    R2N_FORMAT_ALIGNMENT = 64,
    R2N_FORMAT_MAXIMUM_METADATA = 100 * 1000 * 1000,
    R2N_FORMAT_MAXIMUM_SCALES = 100 * 1000,
    R2N_FORMAT_HEADER_CRC_AT = 60 /* of the 60 bytes before it */
};

#endif
