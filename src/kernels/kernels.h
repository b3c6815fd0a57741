/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between the plan and the arithmetic.
 *
 * Activations live in one block of memory, NHWC; kernels get its start and offsets into it, all in
 * elements of the precision at hand (float, bf16 as uint16_t, uint8_t). Kernels allocate nothing,
 * know no graph and no file, and touch no element outside the ranges that their arguments describe
 * (no over-reads: buffers may end at the end of a page).
 *
 * Zero borders. A tensor that a padded convolution reads is stored with a border of zeros: `border`
 * zero columns stand between two rows (they are the right border of one and the left border of the
 * next) and zero rows above and below, so that a tap's operand is the same strided run of pixels at
 * every place of the picture. The plan clears borders once; no kernel ever writes to them.
 *
 * Rounding. An output element's value depends on the layer, the precision and the ISA only, never
 * on the batch, the range, the number of threads or the tile that computed it: its sum starts at
 * +0, products are added source by source in list order and channel by channel in rising order, one
 * fused multiply-add each (f32), then comes the epilogue in the order written below. AVX2, AVX-512
 * and NEON therefore give the same bits; reference/ adds in double and rounds once. bf16 adds in
 * the order of the CPU's instruction, source by source: on tiles 32 channels at a time, with
 * AVX-512 BF16 two at a time. int8 sums are exact integers and its epilogue is fixed to the
 * operation, so every ISA and reference/ give the same bytes.
 *
 * Precisions.
 *   f32     float
 *   bf16    the upper half of a float, rounded to nearest even; sums and epilogue in f32
 *   bf16x3  a value is the sum of two bf16 terms, high = bf16(v) and low = bf16(v - high),
 * low_pitch elements apart; a product is high*high + high*low + low*high, which the plan writes as
 *           three sources; sums and epilogue in f32
 *   int8    activations are 0 to 127 in uint8_t (real value: q * scale of the tensor; the picture
 *           alone has the zero point R2N_INT8_PICTURE_ZERO), weights -127 to 127 in int8_t. Seven
 *           bits are what lets AVX2 multiply pairs exactly, and nothing but a ReLU's result, or a
 *           pool of such, is ever stored.
 */
#ifndef R2N_KERNELS_KERNELS_H
#define R2N_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Where a tensor's elements are in the activation block. Channel c of a pixel stands
 * (c / group_channels) * group_pitch + c % group_channels elements after its first channel. */
typedef struct r2n_view {
    int64_t offset; /* [image 0][row 0][column 0][channel 0], from the block's start */
    int64_t image_pitch;
    int64_t row_pitch;
    int64_t pixel_pitch;
    int32_t groups;         /* 1 unless the channels are stored in separated groups */
    int32_t group_channels; /* channels of a group; groups * group_channels = channels */
    int64_t group_pitch;
    int64_t low_pitch; /* bf16x3: from a value's high term to its low one; 0 elsewhere */
} r2n_view;

/* A part of a step's work. Whole step: {0, images * rows, 0, ceil(channels / 16)}. */
typedef struct r2n_range {
    int32_t row_first, row_last;     /* output rows, counted over all images: image * rows + row */
    int32_t block_first, block_last; /* blocks of 16 output channels */
    const void *next;                /* what the same thread will read afterwards: a hint, */
    int64_t next_bytes;              /* never loaded from; 0 for none */
} r2n_range;

/* ---- gemm: the batch-reduce matrix product that carries every convolution and the classifier ----
 */

/* One (A, B) pair of the list that a gemm reduces over: a run of `channels` contiguous channels at
 * one tap of one input tensor. Element k of output pixel (image, row, column) is
 *     block[offset + image * image_pitch + row * row_pitch + column * pixel_pitch + k]
 * The convolution's stride is already multiplied into the pitches and the tap's displacement into
 * the offset. Neighbouring taps whose channels follow each other in memory may be one source. */
typedef struct r2n_gemm_source {
    int64_t offset;
    int64_t image_pitch;
    int64_t row_pitch;
    int64_t pixel_pitch;
    int32_t channels; /* K of this pair; a multiple of the precision's v (below) */
    int32_t k_first;  /* its first row in the packed weights; a multiple of v */
} r2n_gemm_source;

/* Applied to every sum s of output channel n at pixel p, in this order. f32, bf16, bf16x3:
 *   1. v = s + bias[n]
 *   2. residual_there: v = v + residual[p][n]
 *   3. relu: v = v > 0 ? v : 0 with NaN kept (NaN in, NaN out)
 *   4. output[p][n] = v (converted to the output's precision)
 *   5. chain_there: chain[p][n] = chain[p][n] + v, in place: the hierarchical add x_(g+1) += y_g;
 *      v is the unconverted value
 *   6. statistics: sums[part][n] += v, squares[part][n] += v * v, in double, part being
 *      (image * rows + row) / statistics_rows; pixels in rising order. For training. A kernel may
 *      refuse arguments with statistics; reference/ takes them (f32 only).
 * int8, every operation in f32 and rounded to nearest even, fma being one rounding:
 *   1. v = fma((float)s, scale[n], bias[n])
 *   2. residual_there: v = fma((float)residual[p][n], residual_scale, v)
 *   3. relu: v = v > 0 ? v : 0
 *   4. output[p][n] = to_byte(v), to_byte(v) = the nearest integer to v held to 0 .. 127
 *   5. chain_there: chain[p][n] = to_byte(fma((float)chain[p][n], chain_scale, v * value_scale))
 * scale and bias are in units of the output's scale. With float_output the output is float in every
 * precision: the view's offset and pitches still count elements of the precision and are multiples
 * of a float's size (the classifier's scores; relu, residual and chain are absent then). */
typedef struct r2n_epilogue {
    const float *bias; /* [ceil(channels / 16) * 16], zeros after the last channel; never NULL */
    int32_t residual_there;
    int32_t chain_there;
    int32_t relu;
    int32_t float_output;
    r2n_view residual;
    r2n_view chain;
    const float *scale;   /* int8: as bias; NULL elsewhere */
    float residual_scale; /* int8 */
    float chain_scale;    /* int8: of what is in the chain */
    float value_scale;    /* int8: of v on its way into the chain */
    double *sums;         /* [parts][channels], or NULL for none */
    double *squares;
    int32_t statistics_rows;
} r2n_epilogue;

/* output[image][row][column][n] = epilogue(sum over sources i, k: A_i[...][k] * B[n][k_first_i +
 * k])
 *
 * Packed weights depend on the precision, not on the ISA: [ceil(channels / 16)][k_total /
 * v][16][v], v = 1 (f32), 2 (bf16), 4 (int8), zeros in the lanes after the last channel; 64-byte
 * aligned. */
typedef struct r2n_gemm_arguments {
    int32_t images, rows, columns; /* of the output */
    int32_t channels;              /* output channels: N */
    int32_t k_total;               /* rows of packed weights: at least the sum of the sources' K */
    int32_t source_count;
    const r2n_gemm_source *sources;
    const void *weights;
    r2n_view output;
    r2n_epilogue epilogue;
} r2n_gemm_arguments;

/* ---- winograd: a 3x3 convolution of stride 1 with half the multiplications, f32 only ---- */

/* Winograd's F(4, 3) along rows. An output row is cut into tiles of four pixels from column 0 on.
 * A tile takes six input pixels d0 .. d5 of each of three rows, d1 being the one above, at or below
 * its first pixel; cells outside the picture are 0. Per row and input channel, f32, fma being one
 * rounding:
 *     v0 = fma(4, d0, fma(-5, d2, d4))    a = fma(-4, d2, d4)    v1 = a + b    v3 = fma(2, f, e)
 *     v5 = fma(4, d1, fma(-5, d3, d5))    b = fma(-4, d1, d3)    v2 = a - b    v4 = fma(-2, f, e)
 *                                         e = d4 - d2            f = d3 - d1
 * Sums m0 .. m5 per output channel: each starts at +0, products v_p * weight are added row by row
 * and channel by channel in rising order, one fma each. With s = m1 + m2, t = m1 - m2, u = m3 + m4,
 * w = m3 - m4 the tile's pixels are
 *     y0 = (m0 + s) + u    y1 = fma(2, w, t)    y2 = fma(4, u, s)    y3 = fma(8, w, t) + m5
 * and go into the epilogue as a gemm's sums do; those right of the picture are dropped. A number
 * that is not finite spoils the whole tile.
 *
 * Packed weights: [ceil(channels / 16)][6 points][3 rows][input channels][16], zeros in the lanes
 * after the last channel: row r's three weights g as
 *     g0 / 4, -(g0 + g1 + g2) / 6, -(g0 - g1 + g2) / 6,
 *     (g0 + 2 g1 + 4 g2) / 24, (g0 - 2 g1 + 4 g2) / 24, g2 */
enum { R2N_WINOGRAD_PIXELS = 4, R2N_WINOGRAD_POINTS = 6, R2N_WINOGRAD_ROWS = 3 };

typedef struct r2n_winograd_arguments {
    int32_t images, rows, columns; /* of the input and of the output */
    int32_t input_channels;
    int32_t channels;
    r2n_view input; /* channels in one group; has a border of one zero cell */
    const float *weights;
    r2n_view output;       /* channels in one group, as the chain's */
    r2n_epilogue epilogue; /* no residual, no float_output, no statistics */
} r2n_winograd_arguments;

/* ---- pools ---- */

enum { R2N_POOL_MAXIMUM, R2N_POOL_AVERAGE };

/* A window of `kernel` x `kernel` at row * stride - padding, column * stride - padding. Cells
 * outside the picture never win a maximum and add nothing to an average; the average divides by
 * kernel * kernel where `count_padding`, else by the cells inside the picture (ceil-mode overhang
 * is never counted). Cells are taken row by row from the top left: the maximum keeps the first of
 * equal values and a NaN wins; the average adds in that order in f32 and multiplies by 1/count
 * rounded to f32; bf16 and bf16x3 do the same on the values as floats and convert the result. int8:
 * the average is to_byte((float)sum * (scale / (float)count)), sum an integer; a maximum is taken
 * of the bytes. Global pooling: kernel_rows x kernel_columns = the picture, stride 1, padding 0,
 * output 1x1. */
typedef struct r2n_pool_arguments {
    int32_t kind; /* R2N_POOL_... */
    int32_t images;
    int32_t input_rows, input_columns;
    int32_t rows, columns; /* of the output */
    int32_t channels;      /* block_first/last of a range count 16 of them */
    int32_t kernel_rows, kernel_columns, stride, padding;
    int32_t count_padding;
    float scale; /* int8 averages: input's scale / output's scale; not read elsewhere */
    r2n_view input;
    r2n_view output;
} r2n_pool_arguments;

/* ---- elementwise steps that no epilogue could take
 * ------------------------------------------------- */

/* output = relu?(a * scale[n] + shift[n] + b?) with scale, shift NULL for 1 and 0. The plan needs
 * it for a batch norm or an add that follows no convolution, and in training mode: f32 and bf16. */
typedef struct r2n_elementwise_arguments {
    int32_t images, rows, columns, channels;
    const float *scale; /* [channels] or NULL */
    const float *shift; /* [channels] or NULL */
    int32_t b_there;
    int32_t relu;
    r2n_view a;
    r2n_view b;
    r2n_view output;
} r2n_elementwise_arguments;

/* ---- training, f32 and bf16 --------------------------------------------------------------------
 *
 * In bf16 everything in the block is bf16: values become floats as they are read and are rounded
 * once, as they are stored; vectors of channels, sums and gradients by weights are float or double
 * as in f32, and so is all arithmetic.
 *
 * The gradient by an input is a gemm of its own, over transposed weights. Sums over pixels are
 * taken in parts: part i holds rows [i * part_rows, (i + 1) * part_rows), counted over all images,
 * and is computed by one call; a range covers whole parts (its rows are multiples of part_rows, but
 * for the end). The caller adds the parts in order, so that no sum depends on threads. Kernels
 * store sums, they never add to what stands there. reference/ adds in double. */

/* sums[part][n] = sum of the input's channel n over the part's pixels, squares[part][n] of v * v.
 * In every row a sum starts at +0 in f32 and takes the columns in rising order (squares by fma);
 * rows are added in double, in rising order. For batch statistics and the classifier's bias. */
typedef struct r2n_statistics_arguments {
    int32_t images, rows, columns, channels;
    int32_t part_rows;
    r2n_view input;
    double *sums;    /* [parts][channels] */
    double *squares; /* likewise, or NULL */
} r2n_statistics_arguments;

/* Batch norm backwards, y = x * scale + shift and perhaps a ReLU after it. First the sums, by rows
 * as above: with g the gradient of y where the ReLU let it through, else 0,
 *     sums[part][n] = sum of g    products[part][n] = sum of g * (x - mean[n]), by fma
 * R2N_MASK_OF_INPUT: g = gradient where fma(x, scale, shift) > 0. R2N_MASK_OF_RESULT: g = gradient
 * where `result` > 0 (a ReLU after an addition), and the gradient is overwritten by g. */
enum { R2N_MASK_NONE, R2N_MASK_OF_INPUT, R2N_MASK_OF_RESULT };

typedef struct r2n_norm_sums_arguments {
    int32_t images, rows, columns, channels;
    int32_t part_rows;
    int32_t mask;
    const float *scale, *shift; /* [channels]: R2N_MASK_OF_INPUT */
    const float *mean;          /* [channels] */
    r2n_view gradient;
    r2n_view input; /* x */
    r2n_view result;
    double *sums, *products; /* [parts][channels] */
} r2n_norm_sums_arguments;

/* Then output = fma(g, by_gradient[n], fma(x - mean[n], by_input[n], constant[n])). The mask is
 * R2N_MASK_NONE or R2N_MASK_OF_INPUT. The output may be the gradient in place. */
typedef struct r2n_norm_gradient_arguments {
    int32_t images, rows, columns, channels;
    int32_t mask;
    const float *scale, *shift, *mean;
    const float *by_gradient, *by_input, *constant; /* [channels] */
    r2n_view gradient;
    r2n_view input;
    r2n_view output;
} r2n_norm_gradient_arguments;

/* The gradient of a pool by its input, from that of its output: an average spreads gradient *
 * (1 / count), a maximum gives all to the first of the largest cells of the forward pool's input (a
 * NaN counts as the largest). Cells no window covers get 0. With `add`, it is added to what is
 * there. A range's rows count input rows and are whole images. A cell starts at +0, or at what is
 * there, and takes its windows in rising order: one f32 addition each, an average's gradient *
 * (1 / count) being rounded to f32 before. In bf16 a cell is rounded and stored after each
 * addition, in reference/ too; a cell that gets nothing keeps its value. */
typedef struct r2n_pool_gradient_arguments {
    r2n_pool_arguments pool; /* its output is not read, nor an average's input */
    int32_t add;
    r2n_view gradient;       /* of the pool's output */
    r2n_view input_gradient; /* written */
} r2n_pool_gradient_arguments;

/* The gradient by a gemm's weights, in the packed layout:
 *     part[block][k_first_i + k][lane] = sum over the part's pixels p of A_i[p][k] * gradient[p][n]
 * with n = block * 16 + lane, 0 in the lanes after the last channel; rows of the packed weights
 * that no source covers are not written. Part i begins i * part_pitch floats after `output`. A part
 * is taken chunk_rows rows at a time: a chunk's sum starts at +0 and takes its pixels in rising
 * order, one fma each; the first chunk is stored and the others are added to it; the last one of a
 * part may be shorter. Kernels are at their best with chunks of about 256 pixels, and a third
 * slower above 512. bf16 sums two neighbouring pixels at a time in the CPU's own order, tiles 32 at
 * a time, and chunks of more than 512 pixels 512 at a time, each of these sums beginning at +0. A
 * source's K may be odd here in bf16 too. */
typedef struct r2n_weights_gradient_arguments {
    int32_t images, rows, columns; /* of the gradient */
    int32_t channels;              /* N */
    int32_t k_total;
    int32_t source_count;
    const r2n_gemm_source *sources; /* as in the gemm */
    r2n_view gradient;              /* channels in one group */
    int32_t part_rows, chunk_rows;
    int64_t part_pitch; /* floats */
    float *output;      /* [parts][ceil(channels / 16)][k_total][16], 64-byte aligned */
} r2n_weights_gradient_arguments;

/* ---- one line a kernel
 * ------------------------------------------------------------------------------ */

typedef enum r2n_operation {
    R2N_OPERATION_GEMM,
    R2N_OPERATION_POOL,
    R2N_OPERATION_ELEMENTWISE,
    R2N_OPERATION_WINOGRAD,
    R2N_OPERATION_STATISTICS,
    R2N_OPERATION_NORM_SUMS,
    R2N_OPERATION_NORM_GRADIENT,
    R2N_OPERATION_POOL_GRADIENT,
    R2N_OPERATION_WEIGHTS_GRADIENT
} r2n_operation;

typedef enum r2n_precision {
    R2N_PRECISION_F32,
    R2N_PRECISION_BF16,
    R2N_PRECISION_BF16X3,
    R2N_PRECISION_INT8,
    R2N_PRECISION_COUNT
} r2n_precision;

enum { R2N_INT8_MAXIMUM = 127, R2N_INT8_PICTURE_ZERO = 64 };

/* Rising: a mask names a ceiling, each kernel checks its own features below it. */
typedef enum r2n_isa {
    R2N_ISA_REFERENCE,
    R2N_ISA_AVX2,
    R2N_ISA_AVX512,
    R2N_ISA_AMX,
    R2N_ISA_NEON,
    R2N_ISA_COUNT
} r2n_isa;

/* `arguments` is the operation's struct; `block` the activation block. */
typedef void r2n_kernel_function(const void *arguments, void *block, r2n_range range);
/* NULL when the kernel takes these arguments, else a short reason why not. */
typedef const char *r2n_accepts_function(const void *arguments);

typedef struct r2n_kernel {
    const char *name; /* "gemm_f32_avx512" */
    r2n_operation operation;
    r2n_precision precision;
    r2n_isa isa;
    uint32_t features; /* R2N_FEATURE_... it needs (cpu_features.h) */
    r2n_kernel_function *run;
    r2n_accepts_function *accepts;
} r2n_kernel;

/* Every kernel of this build, best first within an operation and precision, reference last. */
extern const r2n_kernel r2n_kernels[];
extern const size_t r2n_kernel_count;

/* The first kernel of the list that this CPU runs, that the ceiling `isa` allows and that accepts
 * the arguments. Never NULL: reference/ takes all. `refused` (NULL allowed) gets "name: reason;
 * ..." for the better ones, cut to its size. */
const r2n_kernel *r2n_choose_kernel(r2n_operation operation, r2n_precision precision, r2n_isa isa,
                                    const void *arguments, char *refused, size_t refused_bytes);

/* ---- packing
 * ---------------------------------------------------------------------------------------- */

/* Elements in packed weights of `channels` x `k_total`: ceil(channels / 16) * 16 * k_total. */
size_t r2n_packed_elements(int32_t channels, int32_t k_total);
/* Packs rows k_first .. k_first + k_count - 1: weights[channel][k_count], row major with
 * `row_pitch` floats from channel to channel; channel n's values are multiplied by scale[n] (NULL
 * for 1). Lanes after the last channel become zero; other rows are left alone. */
void r2n_pack_f32(float *packed, int32_t channels, int32_t k_total, int32_t k_first,
                  int32_t k_count, const float *weights, int64_t row_pitch, const float *scale);
/* The packed weights of a winograd step, from weights[channel][3][3][input channel]. */
void r2n_pack_winograd(float *packed, int32_t channels, int32_t input_channels,
                       const float *weights);
/* The high terms, or with `low` the low ones. k_total is even. */
void r2n_pack_bf16(uint16_t *packed, int32_t channels, int32_t k_total, int32_t k_first,
                   int32_t k_count, const float *weights, int64_t row_pitch, const float *scale,
                   int low);
/* value / step to the nearest integer, held to -127 .. 127. */
int32_t r2n_int8_level(float value, float step);
/* Channel n's values as levels of step[n]. k_total is a multiple of 4. */
void r2n_pack_int8(int8_t *packed, int32_t channels, int32_t k_total, int32_t k_first,
                   int32_t k_count, const float *weights, int64_t row_pitch, const float *step);

#endif
