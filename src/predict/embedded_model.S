/* SPDX-License-Identifier: Apache-2.0 */
/* The default model as it is in models/, in read-only memory. */
    .section .rodata
    .balign 4096
    .global r2n_embedded_model
    .global r2n_embedded_model_end
    .hidden r2n_embedded_model
    .hidden r2n_embedded_model_end
r2n_embedded_model:
    .incbin R2N_EMBEDDED_PATH
r2n_embedded_model_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
