/* SPDX-License-Identifier: Apache-2.0 */
/* Saves read back to the bit; files that do not belong together, or that no save could be. Killed
 * runs: test_train_checkpoint_kill.c. Real Paddle: tests/oracle/train_saves.py. */
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#include "unit/checkpoint_fixture.h"

#include "formats/pickle_opcodes.h"
#include "formats/pickle_writer.h"
#include "train/checkpoint_internal.h"

static int files_in_folder(void)
{
    int count = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (const struct dirent *item; (item = readdir(directory)) != NULL;)
        count += item->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void test_read_back(void **state)
{
    (void)state;
    const char *prefix = in_folder("latest");
    assert_int_equal(fixture_write(prefix, 1, 1, 0, NULL), RES2NET_OK);
    assert_int_equal(files_in_folder(), 4);
    assert_int_equal(expect_save(prefix, 1, 0), 1);
    assert_int_equal(fixture_write(prefix, 2, 2, 1, NULL), RES2NET_OK);
    assert_int_equal(files_in_folder(), 5);
    assert_int_equal(expect_save(prefix, 2, 1), 2);
    assert_int_equal(fixture_write(prefix, 3, 0, 0, NULL), RES2NET_OK); /* SGD; no averages now */
    assert_int_equal(files_in_folder(), 4);
    assert_int_equal(expect_save(prefix, 0, 0), 3);
    r2n_tensor_set *set;
    assert_int_equal(r2n_weights_read(in_folder("latest.r2n"), &set, NULL), RES2NET_OK);
    fixture *f = fixture_make(3, 1, 0);
    expect_tensors(f->sets[0], set, 0);
    fixture_free(f);
    r2n_tensor_set_destroy(set);
}

/* Weights of torch's family stay such ones in Paddle's format. AdamW before its first step has no
 * moments. */
static void test_torch_family_at_the_start(void **state)
{
    (void)state;
    r2n_loaded_checkpoint loaded;
    fixture *f = fixture_make(1, 2, 0);
    f->checkpoint.family = R2N_FAMILY_TORCH;
    f->checkpoint.run.beta1_power = f->checkpoint.run.beta2_power = 1;
    assert_int_equal(r2n_checkpoint_write(in_folder("save"), &f->checkpoint, NULL), RES2NET_OK);
    assert_int_equal(r2n_checkpoint_read(in_folder("save"), &f->architecture, &loaded, NULL),
                     RES2NET_OK);
    assert_int_equal(loaded.family, R2N_FAMILY_TORCH);
    assert_null(loaded.states[0]);
    assert_null(loaded.states[1]);
    assert_true(loaded.run.beta1_power == 1);
    r2n_loaded_checkpoint_free(&loaded);
    fixture_free(f);
}

static void expect_refused(res2net_status status, const char *words)
{
    r2n_loaded_checkpoint loaded;
    res2net_report *report = res2net_report_create();
    assert_int_equal(r2n_checkpoint_read(in_folder("save"), NULL, &loaded, report), status);
    expect_problem(report, status, words);
    assert_null(loaded.weights);
    res2net_report_destroy(report);
}

static void change_byte(const char *name)
{
    FILE *file = fopen(in_folder(name), "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -900, SEEK_END), 0);
    const int byte = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void test_files_of_other_saves(void **state)
{
    (void)state;
    static const char *const needed[] = {"save.pdparams", "save.pdopt", "save.ema.pdparams"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fixture_write(in_folder("save"), 1, 1, 1, NULL), RES2NET_OK);
        change_byte(needed[i]);
        expect_refused(RES2NET_DAMAGED, "is not the file that was saved");
        change_byte(needed[i]);
        assert_int_equal(expect_save(in_folder("save"), 1, 1), 1);
        unlink(in_folder(needed[i]));
        expect_refused(RES2NET_NOT_FOUND, i < 2 ? "are needed" : "cannot open");
    }
    assert_int_equal(fixture_write(in_folder("save"), 1, 1, 0, NULL), RES2NET_OK);
    change_byte("save.r2n"); /* nobody needs it to go on */
    assert_int_equal(expect_save(in_folder("save"), 1, 0), 1);
    unlink(in_folder("save.pdstates"));
    expect_refused(RES2NET_NOT_FOUND, "needed");
}

/* ---- saves that fail ------------------------------------------------------------------------- */

static void test_no_folder(void **state)
{
    (void)state;
    res2net_report *report = res2net_report_create();
    assert_int_equal(fixture_write(in_folder("none/latest"), 1, 1, 0, report),
                     RES2NET_WRITE_FAILED);
    expect_problem(report, RES2NET_WRITE_FAILED, "cannot create the file");
    assert_int_equal(files_in_folder(), 0);
    res2net_report_destroy(report);
}

/* A file that may not become larger is as good as a full disk. */
static void test_full_disk(void **state)
{
    (void)state;
    res2net_report *report = res2net_report_create();
    struct rlimit old, small;
    assert_int_equal(fixture_write(in_folder("save"), 1, 1, 1, NULL), RES2NET_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t limit = 100; limit < 40000; limit = limit * 3 + 7) {
        small = old;
        small.rlim_cur = limit;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        const res2net_status status = fixture_write(in_folder("save"), 2, 1, 1, report);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(status, RES2NET_WRITE_FAILED);
        expect_problem(report, RES2NET_WRITE_FAILED, "cannot write");
        assert_int_equal(files_in_folder(), 5);
        assert_int_equal(expect_save(in_folder("save"), 1, 1), 1);
    }
    assert_int_equal(fixture_write(in_folder("save"), 2, 1, 1, NULL), RES2NET_OK);
    assert_int_equal(expect_save(in_folder("save"), 1, 1), 2);
    res2net_report_destroy(report);
}

/* A folder in the place of a file. */
static void test_a_folder_is_in_the_way(void **state)
{
    (void)state;
    res2net_report *report = res2net_report_create();
    assert_int_equal(fixture_write(in_folder("save"), 1, 1, 0, NULL), RES2NET_OK);
    assert_int_equal(mkdir(in_folder("save.ema.pdparams"), 0777), 0);
    assert_int_equal(fixture_write(in_folder("save"), 2, 1, 1, report), RES2NET_WRITE_FAILED);
    assert_int_equal(rmdir(in_folder("save.ema.pdparams")), 0);
    assert_int_equal(files_in_folder(), 4);
    assert_int_equal(expect_save(in_folder("save"), 1, 0), 1);
    assert_int_equal(mkdir(in_folder("first.r2n"), 0777), 0);
    assert_int_equal(fixture_write(in_folder("first"), 2, 1, 0, report), RES2NET_WRITE_FAILED);
    assert_int_equal(files_in_folder(), 5);
    res2net_report_destroy(report);
}

/* What a killed run left is swept away; other files stay. */
static void test_leftovers(void **state)
{
    (void)state;
    write_text("save.new.pdparams", "half");
    write_text("save.new.pdopt.res2net-12-0", "half");
    write_text("save.previous.pdopt.res2net-12-0", "half");
    write_text("save.newer.pdparams", "somebody's");
    write_text("other.new.pdparams", "another run's");
    assert_int_equal(fixture_write(in_folder("save"), 1, 1, 0, NULL), RES2NET_OK);
    assert_int_equal(files_in_folder(), 6);
    assert_true(r2n_os_exists(in_folder("save.newer.pdparams")));
    assert_true(r2n_os_exists(in_folder("other.new.pdparams")));
}

/* ---- files that no save could be ------------------------------------------------------------- */

static r2n_pickle_writer begin(const char *name)
{
    r2n_pickle_writer pickle = {0};
    assert_int_equal(r2n_writer_open(in_folder(name), &pickle.file, NULL), RES2NET_OK);
    r2n_pickle_put_start(&pickle);
    return pickle;
}

static void end(r2n_pickle_writer *pickle)
{
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_STOP);
    assert_int_equal(r2n_writer_close(pickle->file, NULL), RES2NET_OK);
}

static void item(r2n_pickle_writer *pickle, const char *key, int64_t number)
{
    r2n_pickle_put_text(pickle, key);
    r2n_pickle_put_integer(pickle, number);
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_SETITEM);
}

/* metric and epoch, where they are not negative. */
static void write_states(int64_t metric, int64_t epoch)
{
    r2n_pickle_writer pickle = begin("save.pdstates");
    r2n_pickle_put_opcode(&pickle, R2N_PICKLE_EMPTY_DICT);
    if (metric >= 0)
        item(&pickle, "metric", metric);
    if (epoch >= 0)
        item(&pickle, "epoch", epoch);
    end(&pickle);
}

static void test_strange_states(void **state)
{
    (void)state;
    assert_int_equal(fixture_write(in_folder("save"), 1, 1, 0, NULL), RES2NET_OK);
    write_text("save.pdstates", "no pickle");
    expect_refused(RES2NET_DAMAGED, "pickle");
    write_states(-1, 3);
    expect_refused(RES2NET_DAMAGED, "metric");
    write_states(1, -1);
    expect_refused(RES2NET_DAMAGED, "epoch");
    r2n_pickle_writer pickle = begin("save.pdstates");
    r2n_pickle_put_integer(&pickle, 5);
    end(&pickle);
    expect_refused(RES2NET_DAMAGED, "not the dict of a .pdstates");
    for (int version = 1; version <= 2; version++) {
        pickle = begin("save.pdstates");
        r2n_pickle_put_opcode(&pickle, R2N_PICKLE_EMPTY_DICT);
        item(&pickle, "metric", 1);
        item(&pickle, "epoch", 1);
        r2n_pickle_put_text(&pickle, "res2net");
        r2n_pickle_put_opcode(&pickle, R2N_PICKLE_EMPTY_DICT);
        item(&pickle, "version", version);
        r2n_pickle_put_opcode(&pickle, R2N_PICKLE_SETITEM);
        end(&pickle);
        if (version == 1)
            expect_refused(RES2NET_DAMAGED, "iteration");
        else
            expect_refused(RES2NET_UNSUPPORTED, "version 2");
    }
}

/* PaddleClas' own has two numbers and knows nothing of the other files. */
static void test_states_of_paddle(void **state)
{
    (void)state;
    r2n_loaded_checkpoint loaded;
    assert_int_equal(fixture_write(in_folder("save"), 4, 2, 1, NULL), RES2NET_OK);
    write_states(1, 4);
    assert_int_equal(r2n_checkpoint_read(in_folder("save"), NULL, &loaded, NULL), RES2NET_OK);
    assert_false(loaded.run.has_ours);
    assert_true(loaded.run.best_metric == 1 && loaded.run.epoch == 4);
    assert_int_equal(loaded.run.steps, 31); /* of the schedule */
    assert_true(loaded.run.beta1_power == (double)(0.9F * 0.9F));
    assert_true(loaded.run.beta2_power == (double)0.999F);
    assert_non_null(loaded.averaged);
    r2n_loaded_checkpoint_free(&loaded);
}

/* paddle.save of a number of Python's and of numpy's, in two protocols; and ours. */
static void test_numbers_of_numpy(void **state)
{
    (void)state;
    static const char *const names[] = {"paddle", "numpy", "numpy2", "ours"};
    for (int i = 0; i < 4; i++) {
        char path[256];
        r2n_run_state run;
        r2n_save_marks marks;
        snprintf(path, sizeof path, R2N_SOURCE_DIR "/tests/fuzz/corpus/pdstates/%s.pdstates",
                 names[i]);
        assert_int_equal(r2n_states_read(path, &run, &marks, NULL), RES2NET_OK);
        assert_true(run.best_metric == (i == 3 ? 0.1 * 2 : 0.5));
        assert_int_equal(run.epoch, i == 3 ? 2 : 3);
        assert_int_equal(run.has_ours, i == 3);
        assert_true(marks.files[R2N_SAVE_WEIGHTS].hash == (i == 3 ? UINT64_MAX : 0));
    }
}

static void test_strange_optimisers(void **state)
{
    (void)state;
    assert_int_equal(fixture_write(in_folder("save"), 1, 1, 0, NULL), RES2NET_OK);
    write_states(1, 1);
    write_text("save.pdopt", "no pickle");
    expect_refused(RES2NET_DAMAGED, "pickle");
    for (int dicts = 0; dicts <= 2; dicts++) {
        r2n_pickle_writer pickle = begin("save.pdopt");
        r2n_pickle_put_opcode(&pickle, R2N_PICKLE_EMPTY_LIST);
        for (int i = 0; i < dicts; i++) {
            r2n_pickle_put_opcode(&pickle, R2N_PICKLE_EMPTY_DICT);
            r2n_pickle_put_opcode(&pickle, R2N_PICKLE_APPEND);
        }
        end(&pickle);
        if (dicts == 1) /* SGD under a rate that does not change */
            continue;
        expect_refused(RES2NET_UNSUPPORTED, "optimisers; that of one is taken");
    }
    r2n_pickle_writer pickle = begin("save.pdopt");
    r2n_pickle_put_integer(&pickle, 5);
    end(&pickle);
    expect_refused(RES2NET_DAMAGED, "an optimiser's state");
    r2n_file_bytes weights = expect_file(in_folder("save.pdparams"));
    write_file("save.pdopt", weights.data, weights.size);
    r2n_file_release(&weights);
    expect_refused(RES2NET_MISMATCH, "the first is \"conv1._conv.weight\"");
}

/* The state of another network: names or shapes tell. */
static void test_optimiser_of_another_network(void **state)
{
    (void)state;
    r2n_architecture other;
    fixture *f = fixture_make(1, 1, 0);
    assert_int_equal(r2n_architecture_find("cifar:planes=8,depths=1-1-1,width=32,scale=2,classes=6",
                                           &other, NULL),
                     RES2NET_OK);
    r2n_tensor_set *weights = fixture_set(&other, 1, 0), *velocity = fixture_set(&other, 1, 2);
    f->checkpoint.architecture = &other;
    f->checkpoint.weights = weights;
    f->checkpoint.states[0].tensors = velocity;
    assert_int_equal(r2n_checkpoint_write(in_folder("other"), &f->checkpoint, NULL), RES2NET_OK);
    assert_int_equal(fixture_write(in_folder("save"), 1, 1, 0, NULL), RES2NET_OK);
    write_states(1, 1);
    assert_int_equal(rename(in_folder("other.pdopt"), in_folder("save.pdopt")), 0);
    expect_refused(RES2NET_MISMATCH, "fc_weights_velocity_0 has another shape");
    r2n_tensor_set_destroy(weights);
    r2n_tensor_set_destroy(velocity);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {FOLDER_TEST(test_read_back),
                                       FOLDER_TEST(test_torch_family_at_the_start),
                                       FOLDER_TEST(test_files_of_other_saves),
                                       FOLDER_TEST(test_no_folder),
                                       FOLDER_TEST(test_full_disk),
                                       FOLDER_TEST(test_a_folder_is_in_the_way),
                                       FOLDER_TEST(test_leftovers),
                                       FOLDER_TEST(test_strange_states),
                                       FOLDER_TEST(test_states_of_paddle),
                                       FOLDER_TEST(test_strange_optimisers),
                                       cmocka_unit_test(test_numbers_of_numpy),
                                       FOLDER_TEST(test_optimiser_of_another_network)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
