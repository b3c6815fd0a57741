/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_options.h"

#include "res2net/res2net.h"

int truncated_option(const command_line *line)
{
    return option_is(line, "truncated", "tolerate") ? RES2NET_TRUNCATED_TOLERATE
                                                    : RES2NET_TRUNCATED_REFUSE;
}

int64_t maximum_pixels_option(const command_line *line)
{
    return option_given(line, "max-pixels") ? option_integer(line, "max-pixels") : 0;
}
