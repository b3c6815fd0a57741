/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs.h"

#include <stdlib.h>
#include <string.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "list_options.h"
#include "platform.h"
#include "verbs.h"

static void add(inputs *all, const char *path, const char *error)
{
    if (all->count == all->room) {
        all->room = all->room == 0 ? 64 : 2 * all->room;
        input *items = platform_allocate(all->room, sizeof *items);
        if (all->count > 0)
            memcpy(items, all->items, all->count * sizeof *items);
        free(all->items);
        all->items = items;
    }
    all->items[all->count++] = (input){.path = platform_copy_text(path),
                                       .error = error == NULL ? NULL : platform_copy_text(error)};
}

/* A folder without pictures is a bad input like an unreadable file. */
static void add_folder(inputs *all, const char *folder)
{
    char **paths = NULL;
    size_t count = 0;
    char error[1024];
    res2net_report *report = res2net_report_create();
    const res2net_status status = res2net_folder_paths(folder, &paths, &count, report);
    first_problem(report, error, sizeof error);
    if (status != RES2NET_OK)
        add(all, folder, error);
    for (size_t i = 0; i < count; i++)
        add(all, paths[i], NULL);
    res2net_paths_free(paths, count);
    res2net_report_destroy(report);
}

/* Its absent files are told at once, before any work, and not again when their turn comes. */
static int add_list(inputs *all, const char *source, const char *root, const char *delimiter)
{
    res2net_report *report = res2net_report_create();
    const res2net_status status = res2net_list_open(source, root, delimiter, &all->list, report);
    print_problems(report);
    for (size_t i = 0; status == RES2NET_OK && i < res2net_list_count(all->list); i++) {
        const int absent = res2net_list_is_absent(all->list, i);
        add(all, res2net_list_name(all->list, i), absent ? "does not exist" : NULL);
        input *added = &all->items[all->count - 1];
        added->told = absent;
        added->in_list = 1;
        added->index = i;
    }
    res2net_report_destroy(report);
    return exit_status_of(status);
}

/* A pattern that the shell did not expand: it was quoted, or nothing matched. */
static void add_pattern(inputs *all, const char *pattern)
{
    size_t count;
    char **paths = platform_match(pattern, &count);
    if (count == 0)
        add(all, pattern, "no file matches this pattern");
    for (size_t i = 0; i < count; i++) {
        if (platform_file_kind(paths[i]) == FILE_FOLDER)
            add_folder(all, paths[i]);
        else /* a file called "-" is not standard input */
            add(all, strcmp(paths[i], "-") == 0 ? "./-" : paths[i], NULL);
        free(paths[i]);
    }
    free(paths);
}

static void add_operand(inputs *all, const char *operand)
{
    const file_kind kind = platform_file_kind(operand);
    if (kind == FILE_FOLDER)
        add_folder(all, operand);
    else if (kind == FILE_MISSING && strpbrk(operand, "*?[") != NULL)
        add_pattern(all, operand);
    else
        add(all, operand, NULL);
}

int inputs_gather(const command_line *line, inputs *all)
{
    const char *list = option_text(line, "list");
    int from_stdin = 0;
    int result = EXIT_DONE;
    *all = (inputs){0};
    for (size_t i = 0; i < line->operand_count; i++)
        from_stdin += strcmp(line->operands[i], "-") == 0;
    from_stdin += list != NULL && strcmp(list, "-") == 0;
    if (from_stdin > 1)
        return usage_error(line->verb, "standard input (-) can be read only once");
    if (option_given(line, "root") && list == NULL)
        return usage_error(line->verb, "--root belongs to --list, which is missing");
    if (option_given(line, "delimiter") && list == NULL)
        return usage_error(line->verb, "--delimiter belongs to --list, which is missing");
    for (size_t i = 0; i < line->operand_count; i++)
        add_operand(all, line->operands[i]);
    if (list != NULL)
        result = add_list(all, list, option_text(line, "root"), list_delimiter(line));
    if (result != EXIT_DONE)
        inputs_free(all);
    return result;
}

void inputs_free(inputs *all)
{
    for (size_t i = 0; i < all->count; i++) {
        free(all->items[i].path);
        free(all->items[i].error);
    }
    free(all->items);
    res2net_list_close(all->list);
    *all = (inputs){0};
}
