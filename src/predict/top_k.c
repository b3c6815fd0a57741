/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "res2net/session.h"

int32_t res2net_top_scores(const float *logits, int32_t classes, int32_t k, res2net_score *scores)
{
    double sum = 0;
    int32_t count = 0;
    if (k > classes)
        k = classes;
    if (k < 1)
        return 0;
    /* Insertion into the list of the k best so far; the first of equal logits stays in front. */
    for (int32_t n = 0; n < classes; n++) {
        int32_t at = count < k ? count : k;
        while (at > 0 && logits[scores[at - 1].class_id] < logits[n]) {
            if (at < k)
                scores[at] = scores[at - 1];
            at--;
        }
        if (at < k) {
            scores[at].class_id = n;
            if (count < k)
                count++;
        }
    }
    const double largest = (double)logits[scores[0].class_id];
    for (int32_t n = 0; n < classes; n++)
        sum += exp((double)logits[n] - largest);
    for (int32_t i = 0; i < count; i++)
        scores[i].score = (float)(exp((double)logits[scores[i].class_id] - largest) / sum);
    return count;
}
