/* SPDX-License-Identifier: Apache-2.0 */
#include "list_options.h"

#include <string.h>

const char *list_delimiter(const command_line *line)
{
    const char *text = option_text(line, "delimiter");
    return text != NULL && strcmp(text, "\\t") == 0 ? "\t" : text;
}
