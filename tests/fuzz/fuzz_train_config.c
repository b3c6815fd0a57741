/* SPDX-License-Identifier: Apache-2.0 */
/* Training configurations from foreign text: lines that begin with "-o " before the YAML are
 * overrides. What is accepted has good values, and prints. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/config.h"

enum { MOST_OVERRIDES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_data(const r2n_data_config *data)
{
    require(data->list != NULL && data->list[0] != '\0' && data->transforms != NULL);
    require(data->batch > 0 && data->workers >= 0 && data->cache_bytes >= 0);
    require(data->delimiter == NULL || data->delimiter[0] != '\0');
}

static void check_schedule(const r2n_schedule *s)
{
    require(s->rate >= 0 && s->warmup_epochs >= 0 && s->epochs > 0);
    require(s->points >= 0 && s->points <= R2N_SCHEDULE_POINTS);
    require(s->kind != R2N_SCHEDULE_STEP || s->step_epochs > 0);
}

static void check(const r2n_train_config *c)
{
    require(c->epochs > 0 && c->eval_interval > 0 && c->update_freq > 0 && c->output_dir != NULL);
    require(c->seed >= 0 && c->save_iterations >= 0 && c->stop_after_bad_steps > 0);
    require(c->freeze_stages >= 0 && c->freeze_stages <= c->architecture.stages);
    require(r2n_architecture_validate(&c->architecture, "fuzz", NULL) == RES2NET_OK);
    require(c->train_loss.epsilon >= 0 && c->train_loss.epsilon < 1);
    require(c->class_weights == c->train_loss.class_weights);
    require(c->optimiser.momentum >= 0 && c->optimiser.momentum < 1 && c->optimiser.decay >= 0);
    require(c->ema_decay >= 0 && c->ema_decay < 1);
    require(c->no_decay_count == 0 || c->no_decay_names != NULL);
    check_schedule(&c->schedule);
    check_data(&c->train);
    require((c->eval.list == NULL) == (c->eval_transforms_yaml == NULL));
    require(c->eval.list != NULL || !c->eval_during_train);
    if (c->eval.list != NULL)
        check_data(&c->eval);
}

static void check_printing(const char *text, size_t size, const char *const *overrides,
                           size_t count)
{
    char *printed = r2n_train_config_print(text, size, "fuzz", overrides, count, NULL);
    require(printed != NULL);
    for (const char *line = printed; *line != '\0';) {
        const char *end = strchr(line, '\n');
        require(end != NULL && strstr(line, "  # ") != NULL && strstr(line, "  # ") < end);
        line = end + 1;
    }
    r2n_free(printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
#ifdef R2N_HAVE_YAML
    char *overrides[MOST_OVERRIDES];
    size_t count = 0;
    const uint8_t *end;
    while (count < MOST_OVERRIDES && size > 3 && memcmp(data, "-o ", 3) == 0 &&
           (end = memchr(data, '\n', size)) != NULL) {
        overrides[count] = r2n_copy_bytes(data + 3, (size_t)(end - data) - 3);
        if (overrides[count] == NULL)
            break;
        count++;
        size -= (size_t)(end + 1 - data);
        data = end + 1;
    }
    r2n_train_config config;
    res2net_report *report = res2net_report_create();
    const res2net_status status = r2n_train_config_parse(
        (const char *)data, size, "fuzz", (const char *const *)overrides, count, &config, report);
    require((status == RES2NET_OK) == (res2net_report_count(report) == 0));
    if (status == RES2NET_OK) {
        check(&config);
        check_printing((const char *)data, size, (const char *const *)overrides, count);
    }
    r2n_train_config_free(&config);
    res2net_report_destroy(report);
    while (count > 0)
        r2n_free(overrides[--count]);
#else
    (void)data;
    (void)size;
    (void)check;
    (void)check_printing;
#endif
    return 0;
}
