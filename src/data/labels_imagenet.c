/* SPDX-License-Identifier: Apache-2.0 */
/* The names of ImageNet-1k's classes, built in: numbers and names are facts. */
#include "data/dataset.h"

static const char names[] =
#include "data/labels_imagenet.inc"
    ;

const char *r2n_labels_imagenet(void)
{
    return names;
}
