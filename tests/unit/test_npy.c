/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include <stdlib.h>
#include <unistd.h>

#include "formats/npy.h"

static res2net_report *report;

static int set_up(void **state)
{
    (void)state;
    report = res2net_report_create();
    return report == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    res2net_report_destroy(report);
    return 0;
}

/* A file of version `major` with this header text and `data_bytes` bytes of data. */
static size_t build(uint8_t *file, int major, const char *header, const void *data,
                    size_t data_bytes)
{
    const size_t length = strlen(header), head = major == 1 ? 10 : 12;
    memcpy(file, "\x93NUMPY", 6);
    file[6] = (uint8_t)major;
    file[7] = 0;
    file[8] = (uint8_t)(length & 0xFF);
    file[9] = (uint8_t)(length >> 8);
    file[10] = file[11] = 0;
    memcpy(file + head, header, length);
    memcpy(file + head + length, data, data_bytes);
    return head + length + data_bytes;
}

static void types_and_versions_are_read(void **state)
{
    (void)state;
    static const float singles[] = {1.5f, -2.0f, 3.25f, 4.0f, 5.0f, 6.0f};
    static const double doubles[] = {0.1, 1e300};
    static const uint8_t bytes[] = {0, 255, 7};
    uint8_t file[512];
    r2n_npy npy;
    size_t size = build(file, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n",
                        singles, sizeof singles);
    assert_int_equal(r2n_npy_parse(file, size, "a.npy", &npy, report), RES2NET_OK);
    assert_int_equal(npy.rank, 2);
    assert_int_equal(npy.shape[0], 2);
    assert_int_equal(npy.shape[1], 3);
    assert_memory_equal(npy.data, singles, sizeof singles);
    r2n_free(npy.data);
    size = build(file, 2, "{'shape': (2,), \"descr\": \"<f8\", 'fortran_order': False}\n", doubles,
                 sizeof doubles);
    assert_int_equal(r2n_npy_parse(file, size, "a.npy", &npy, report), RES2NET_OK);
    assert_true(npy.data[0] == 0.1f);
    r2n_free(npy.data);
    size = build(file, 3, "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}\n", bytes, 3);
    assert_int_equal(r2n_npy_parse(file, size, "a.npy", &npy, report), RES2NET_OK);
    assert_true(npy.data[1] == 255.0f);
    r2n_free(npy.data);
    size = build(file, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': ()}\n", singles, 4);
    assert_int_equal(r2n_npy_parse(file, size, "a.npy", &npy, report), RES2NET_OK);
    assert_int_equal(npy.rank, 0);
    assert_int_equal(npy.count, 1);
    r2n_free(npy.data);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        int major;
        const char *header;
        res2net_status status;
        const char *problem;
    } cases[] = {
        {1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}", RES2NET_UNSUPPORTED,
         "Fortran"},
        {1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}", RES2NET_UNSUPPORTED, ">f4"},
        {1, "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", RES2NET_UNSUPPORTED, "|O"},
        {1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", RES2NET_DAMAGED,
         "several fields"},
        {4, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", RES2NET_UNSUPPORTED,
         "version 4"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", RES2NET_DAMAGED,
         "3 elements"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", RES2NET_DAMAGED,
         "1 elements"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 3)}",
         RES2NET_DAMAGED, "too large"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}",
         RES2NET_DAMAGED, "elements"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", RES2NET_DAMAGED, "shape"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2)}",
         RES2NET_LIMIT_EXCEEDED, "dimensions"},
        {1, "{'descr': '<f4', 'fortran_order': False}", RES2NET_DAMAGED, "missing"},
        {1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
         RES2NET_DAMAGED, "twice"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,", RES2NET_DAMAGED, "shape"},
        {1, "", RES2NET_DAMAGED, "'{'"},
    };
    static const float data[] = {1, 2};
    uint8_t file[512];
    r2n_npy npy;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t size = build(file, cases[i].major, cases[i].header, data, sizeof data);
        if (r2n_npy_parse(file, size, "a.npy", &npy, report) != cases[i].status)
            print_error("case %zu\n", i);
        expect_problem(report, cases[i].status, cases[i].problem);
        assert_null(npy.data);
    }
    const size_t size =
        build(file, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", data, 8);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(r2n_npy_parse(file, cut, "a.npy", &npy, report), RES2NET_DAMAGED);
        assert_null(npy.data);
    }
    res2net_report_clear(report);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    static const float data[] = {1, -2, 3, 4.5f, 5, 6};
    static const int64_t shapes[][3] = {{6, 0, 0}, {2, 3, 0}, {1, 2, 3}};
    for (int32_t rank = 1; rank <= 3; rank++) {
        char path[] = "/tmp/r2n_npy_XXXXXX";
        const int descriptor = mkstemp(path);
        assert_true(descriptor >= 0);
        close(descriptor);
        assert_int_equal(r2n_npy_write(path, rank, shapes[rank - 1], data, report), RES2NET_OK);
        r2n_file_bytes file = expect_file(path);
        r2n_npy npy;
        assert_int_equal((file.size - sizeof data) % 64, 0);
        assert_int_equal(r2n_npy_parse(file.data, file.size, path, &npy, report), RES2NET_OK);
        assert_int_equal(npy.rank, rank);
        assert_memory_equal(npy.shape, shapes[rank - 1], (size_t)rank * sizeof(int64_t));
        assert_memory_equal(npy.data, data, sizeof data);
        r2n_free(npy.data);
        r2n_file_release(&file);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_versions_are_read),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
