/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation over a labelled set: a list file, a folder of class folders, or a CIFAR binary. */
#ifndef RES2NET_EVALUATE_H
#define RES2NET_EVALUATE_H

#include "res2net/session.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an unreadable picture means. Another picture is never put in its place. */
typedef enum res2net_on_bad_image {
    RES2NET_BAD_IMAGE_STOP = 0, /* the evaluation fails */
    RES2NET_BAD_IMAGE_SKIP = 1, /* left out, counted in `skipped` */
    RES2NET_BAD_IMAGE_WRONG = 2 /* counted in `images` and `skipped`, right in nothing, no loss */
} res2net_on_bad_image;

typedef struct res2net_class_result {
    int64_t images; /* with this label */
    int64_t top1_correct;
    int64_t top5_correct;
    int64_t predicted; /* pictures whose first answer was this class */
    /* Not a number where there is nothing to share: no answer, no picture, neither. */
    double precision; /* of `predicted` */
    double recall;    /* of `images` */
    double f1;        /* the harmonic mean of both: 2 right / (images + predicted) */
} res2net_class_result;

enum { RES2NET_CALIBRATION_BINS = 15, RES2NET_MAXIMUM_WORST = 10000 };

/* The pictures whose first answer had a confidence (its softmax) in one of the equal parts of 0 to
 * 1; a part has its upper end. Unreadable pictures are in none. */
typedef struct res2net_calibration_bin {
    int64_t images;
    int64_t correct;
    double confidence; /* the mean; 0 without pictures */
} res2net_calibration_bin;

typedef struct res2net_worst_picture {
    char *name;   /* the path, or "test.bin[12]" for a record of a CIFAR binary */
    int64_t item; /* its place in the set, from 0 */
    int32_t label, answer;
    double loss;
    double confidence, label_confidence; /* the softmax of the answer and of the label */
    int32_t width, height;
    uint8_t *pixels; /* RGB, of a CIFAR record; NULL, and no size, of a file */
} res2net_worst_picture;

typedef struct res2net_evaluation {
    int64_t images; /* that count: without skipped ones, with "wrong" ones */
    int64_t skipped;
    int64_t top1_correct, top5_correct; /* top-5 of fewer than five classes is top-n */
    double loss; /* mean cross entropy (natural logarithm) over the pictures that ran */
    double seconds;
    int32_t classes;
    res2net_class_result *per_class; /* [classes] */
    int64_t *confusion; /* [label][answer], classes x classes; NULL for over 4096 classes */
    /* Means over the classes that have pictures; a class that was never answered has precision 0.
     * Not a number without pictures. */
    double macro_precision, macro_recall, macro_f1;
    /* The expected calibration error: how far confidence is from the share that is right, the mean
     * over the pictures that ran. Not a number without them. */
    double calibration_error;
    res2net_calibration_bin calibration[RES2NET_CALIBRATION_BINS];
    int32_t worst_count;
    res2net_worst_picture *worst; /* [worst_count], the highest loss first */
} res2net_evaluation;

/* Called after each batch; anything but 0 stops the evaluation with INTERRUPTED. */
typedef int res2net_progress(void *context, int64_t done, int64_t total);

typedef struct res2net_evaluate_options {
    const char *root;      /* put before relative paths; NULL: the list's folder */
    const char *delimiter; /* between path and label; NULL or " ": the last run of blanks */
    int32_t batch;         /* 0: 32 */
    res2net_on_bad_image on_bad_image;
    res2net_progress *progress; /* or NULL */
    void *progress_context;
    int32_t worst; /* how many pictures of the highest loss are kept; to RES2NET_MAXIMUM_WORST */
} res2net_evaluate_options;

/* Every bad line of a list is reported before anything runs (BAD_LIST), and so is every file that
 * does not exist (NOT_FOUND where bad pictures stop the run). A path that is listed again with
 * another label is reported and counts each time. Class folders are looked up by name among the
 * model's labels; where no name is a label, byte order counts. Pictures of equal tensor
 * size are batched; the order of the list is kept. `out` is the caller's:
 * `res2net_evaluation_free`. */
RES2NET_API res2net_status res2net_evaluate(res2net_session *session, const char *list,
                                            const res2net_evaluate_options *options,
                                            res2net_evaluation *out, res2net_report *report);
RES2NET_API void res2net_evaluation_free(res2net_evaluation *evaluation);

/* Where a value begins in a file, from 1; -1 where an override gave it. */
typedef struct res2net_place {
    int64_t line, column;
} res2net_place;

/* What a PaddleClas configuration says of an evaluation. Strings are the config's, NULL where the
 * file says nothing; numbers are then 0. Paths are as in the file. */
typedef struct res2net_evaluate_config {
    char *architecture; /* Arch.name */
    char *weights;   /* Global.pretrained_model, else Arch.pretrained; ".pdparams" is added where no
                        ending of a weights file is */
    int32_t classes; /* Arch.class_num */
    char *list, *root;         /* DataLoader.Eval.dataset's cls_label_path, image_root */
    char *delimiter;           /* and delimiter; NULL also where it is the usual blank */
    int32_t batch;             /* DataLoader.Eval.sampler.batch_size */
    char *transforms;          /* transform_ops as res2net_load_options takes a `recipe` */
    char *file;                /* the configuration's own path */
    res2net_place name_place;  /* of Arch.name */
    res2net_place class_place; /* of Arch.class_num */
} res2net_evaluate_config;

/* Reads `path` after `count` overrides ("Arch.class_num=10": PaddleClas' -o; may be NULL for none).
 * INVALID_ARGUMENT names line and column, with the nearest known key; UNSUPPORTED for what an
 * evaluation here would do otherwise than PaddleClas, and where the library was built without
 * libyaml. The config is given back with `res2net_evaluate_config_free`. */
RES2NET_API res2net_status res2net_evaluate_config_read(const char *path,
                                                        const char *const *overrides, size_t count,
                                                        res2net_evaluate_config *out,
                                                        res2net_report *report);
/* MISMATCH, at the config's line, where the model has another number of classes. */
RES2NET_API res2net_status res2net_evaluate_config_check(const res2net_evaluate_config *config,
                                                         const res2net_model *model,
                                                         res2net_report *report);
RES2NET_API void res2net_evaluate_config_free(res2net_evaluate_config *config);

/* The pictures of a list file, of class folders or of a CIFAR binary, for predict: in order; labels
 * may be missing and are not read. */
typedef struct res2net_list res2net_list;
/* Files that do not exist are reported, their number first, and are items all the same. BAD_LIST,
 * NOT_FOUND, OUT_OF_MEMORY. */
RES2NET_API res2net_status res2net_list_open(const char *source, const char *root,
                                             const char *delimiter, res2net_list **out,
                                             res2net_report *report);
RES2NET_API void res2net_list_close(res2net_list *list); /* NULL is allowed */
RES2NET_API size_t res2net_list_count(const res2net_list *list);
/* The path, or "test.bin[12]" for a record of a CIFAR binary; `index` < count. Lives as long as the
 * list. */
RES2NET_API const char *res2net_list_name(const res2net_list *list, size_t index);
RES2NET_API int res2net_list_is_absent(const res2net_list *list, size_t index);
/* As res2net_session_prepare_file does for a file. */
RES2NET_API res2net_status res2net_list_prepare(const res2net_list *list, size_t index,
                                                const res2net_session *session, res2net_tensor *out,
                                                res2net_report *report);
/* The pictures in a folder (by extension, any case: jpg, jpeg, png, webp, bmp, pbm, pgm, ppm, pnm),
 * sorted by name, not recursive. */
RES2NET_API res2net_status res2net_folder_paths(const char *folder, char ***paths, size_t *count,
                                                res2net_report *report);
RES2NET_API void res2net_paths_free(char **paths, size_t count);

typedef struct res2net_check_options {
    const char *root, *delimiter; /* as for an evaluation */
    int32_t classes;              /* > 0: labels at or above it are bad lines */
    int threads;                  /* 0: RES2NET_THREADS, else what affinity and cgroup allow */
    int truncated;                /* as in res2net_session_options */
    int64_t maximum_pixels;       /* likewise */
    res2net_progress *progress;   /* or NULL */
    void *progress_context;
} res2net_check_options;

typedef struct res2net_picture_size {
    int32_t width, height;
} res2net_picture_size;

/* What `data check` tells of a labelled set. */
typedef struct res2net_data_check {
    int64_t items, readable, unreadable; /* items = readable + unreadable */
    int64_t absent;                      /* of the unreadable ones: no such file */
    int64_t bad_lines;                   /* of the list; they are no items */
    int64_t duplicates;                  /* items whose path is listed before */
    int64_t contradictions;              /* of these: with another label */
    int64_t same_bytes;           /* readable items whose bytes are those of another path's */
    int64_t same_bytes_relabeled; /* of these: with another label */
    int32_t smallest_label, largest_label, labels_used;
    int64_t smallest_class, largest_class;  /* pictures in the rarest and the commonest label */
    int64_t empty_classes;                  /* class folders without a file */
    int64_t with_exif_orientation;          /* files whose orientation tag is not 1 */
    res2net_picture_size smallest, largest; /* readable pictures, by their number of pixels */
    int32_t classes;                        /* largest label + 1, or the class folders */
    int64_t *per_class;                     /* [classes] items with this label */
    char **class_names;                     /* [classes]: the class folders' names; else NULL */
} res2net_data_check;

/* Decodes every picture. Each bad line, absent file, unreadable picture, path listed twice, picture
 * with the bytes of another and empty class folder is a problem in the report. RES2NET_OK also when
 * there are some; BAD_LIST when there is no item at all, INTERRUPTED when the progress function
 * said so. `out` is the caller's: `res2net_data_check_free`. */
RES2NET_API res2net_status res2net_check_data(const char *list,
                                              const res2net_check_options *options,
                                              res2net_data_check *out, res2net_report *report);
RES2NET_API void res2net_data_check_free(res2net_data_check *check);

typedef struct res2net_split_options {
    const char *root, *delimiter; /* as for an evaluation */
    double share;                 /* of each class for training, over 0 and below 1; 0: 0.8 */
    uint64_t seed;                /* the same seed, the same split */
} res2net_split_options;

typedef struct res2net_split {
    int64_t train, validation; /* items */
    int32_t classes;
} res2net_split;

/* Writes train_list.txt and val_list.txt into `folder`, which exists, and label_list.txt of class
 * folders. Each class is split by the share, and has an item in both where it has two. Paths are
 * relative to the folder of class folders, or to the list's root. WRITE_FAILED also where one of
 * the files is there; NOT_FOUND where listed files do not exist; INVALID_ARGUMENT for CIFAR
 * binaries. Paths that are listed twice are reported. */
RES2NET_API res2net_status res2net_split_data(const char *list, const char *folder,
                                              const res2net_split_options *options,
                                              res2net_split *out, res2net_report *report);

#ifdef __cplusplus
}
#endif
#endif
