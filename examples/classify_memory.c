/* SPDX-License-Identifier: Apache-2.0 */
/* classify_memory <PICTURE: the best class of a picture in memory, by the built-in model. */
#include <res2net/res2net.h>
#include <stdio.h>

int main(void)
{
    static unsigned char bytes[1 << 24];
    const size_t size = fread(bytes, 1, sizeof bytes, stdin);
    res2net_report *report = res2net_report_create();
    res2net_model *model = NULL;
    res2net_session *session = NULL;
    res2net_score best;
    int32_t count = 0;
    if (res2net_model_load_default(NULL, &model, report) == RES2NET_OK &&
        res2net_session_create(model, NULL, &session, report) == RES2NET_OK &&
        res2net_session_classify(session, bytes, size, "stdin", 1, &best, &count, report) ==
            RES2NET_OK)
        printf("%d %s %.9g\n", best.class_id, res2net_model_label(model, best.class_id),
               best.score);
    for (size_t i = 0; i < res2net_report_count(report); i++)
        fprintf(stderr, "%s\n", res2net_report_problem(report, i)->text);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
    res2net_report_destroy(report);
    return count == 1 ? 0 : 3;
}
