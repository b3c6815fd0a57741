/* SPDX-License-Identifier: Apache-2.0 */
/* For train_parts.py and train_saves.py: answers each line of standard input with a line of
 * numbers. The lines of tests/unit/train_parts.h, and
 *     resave from=PREFIX to=PREFIX averaged=0 kind=cosine rate=0.1 ...
 * which reads a save, writes it again under the schedule and says what was read:
 * status has_ours epoch metric steps beta1_power beta2_power saved_rate saved_last_epoch states */
#include <stdio.h>

#include "train/checkpoint.h"
#include "unit/train_parts.h"

static void put_loaded(const r2n_loaded_checkpoint *loaded, train_answer *answer)
{
    answer_put(answer, loaded->run.has_ours);
    answer_put(answer, (double)loaded->run.epoch);
    answer_put(answer, loaded->run.best_metric);
    answer_put(answer, (double)loaded->run.steps);
    answer_put(answer, loaded->run.beta1_power);
    answer_put(answer, loaded->run.beta2_power);
    answer_put(answer, loaded->saved_rate);
    answer_put(answer, (double)loaded->saved_last_epoch);
    answer_put(answer, (loaded->states[0] != NULL) + (loaded->states[1] != NULL));
}

static res2net_status write_again(const char *to, const char *line,
                                  const r2n_loaded_checkpoint *loaded, res2net_report *report)
{
    const r2n_schedule schedule = part_schedule(line);
    r2n_checkpoint checkpoint = {.architecture = &loaded->architecture,
                                 .family = loaded->family,
                                 .weights = loaded->weights,
                                 .averaged = loaded->averaged,
                                 .schedule = &schedule,
                                 .rate_factor = 1,
                                 .run = loaded->run};
    if (schedule.by_epoch) /* Paddle has counted epochs */
        checkpoint.run.steps *= schedule.iterations;
    for (int i = 0; i < 2; i++)
        if (loaded->states[i] != NULL)
            checkpoint.states[checkpoint.state_count++] =
                (r2n_optimiser_state){loaded->kinds[i], loaded->states[i]};
    return r2n_checkpoint_write(to, &checkpoint, report);
}

static void answer_resave(const char *line, train_answer *answer)
{
    char from[1024], to[1024];
    r2n_loaded_checkpoint loaded;
    if (sscanf(line, "resave from=%1023s to=%1023s", from, to) != 2)
        abort();
    res2net_report *report = res2net_report_create();
    res2net_status status = r2n_checkpoint_read(from, NULL, &loaded, report);
    const int read = status == RES2NET_OK;
    if (read)
        status = write_again(to, line, &loaded, report);
    for (size_t i = 0; i < res2net_report_count(report); i++)
        fprintf(stderr, "%s: %s\n", res2net_report_problem(report, i)->file,
                res2net_report_problem(report, i)->text);
    answer_put(answer, (double)status);
    if (read)
        put_loaded(&loaded, answer);
    if (read)
        r2n_loaded_checkpoint_free(&loaded);
    res2net_report_destroy(report);
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        train_answer answer = {0};
        if (strncmp(line, "resave ", 7) == 0)
            answer_resave(line, &answer);
        else
            answer = train_parts_answer(line);
        for (size_t i = 0; i < answer.count; i++)
            printf("%s%.17g", i == 0 ? "" : " ", answer.numbers[i]);
        putchar('\n');
        r2n_free(answer.numbers);
    }
    free(line);
    return 0;
}
