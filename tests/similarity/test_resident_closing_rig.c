/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that stay on the device, on the host rig: device memory that is refused, whichever of index and backend is closed first, and no
 * rows of an index that is gone. The rig knows its blocks; leaks and use after release are ASan's. */
#include "similarity/resident.h"

/* Memory that the device does not give although the budget has it: rows are sent instead, or the search fails whole. */
static void test_refused_memory(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(2);
    nep_index index[2] = {vectors(cpu, NEP_VECTOR_F32, true), fingerprints(cpu, true)};
    bool passed = false;
    for (int kind = 0; kind < 2; kind++)
        for (long k = 0; k < 40; k++) {
            nep_ctx *rig = rig_ctx(0, 1 << 18);
            nep_hits hits = {0};
            rig_fail_malloc_at(k);
            const nep_status st = kind ? nep_bits_search(rig, &index[kind], bit_query, N_Q, &bits_best, &hits, NULL)
                                       : nep_dense_search(rig, &index[kind], query, N_Q, &dense_best, &hits, NULL);
            rig_fail_malloc_at(-1);
            assert_true(st == NEP_OK || (st == NEP_E_NOMEM && nep_ctx_error(rig)[0]));
            assert_true(st != NEP_OK || !nep_ctx_error(rig)[0]);
            passed = passed || st == NEP_OK;
            nep_hits_free(&hits);
            nep_ctx_clear(rig);
            agree(cpu, rig, &index[kind], N_Q, kind ? &bits_best : &dense_best);
            nep_ctx_free(rig);
            assert_int_equal(rig_blocks(), 0);
        }
    assert_true(passed);
    nep_index_free(&index[0]);
    nep_index_free(&index[1]);
    nep_ctx_free(cpu);
}

static void test_any_order_of_closing(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(2), *a = rig_ctx(0, TILE), *b = rig_ctx(0, TILE);
    nep_index one = vectors(cpu, NEP_VECTOR_F32, true), two = fingerprints(cpu, true);
    nep_index view = one;
    agree(cpu, a, &one, 2, &dense_best);
    agree(cpu, a, &two, 2, &bits_best);
    agree(cpu, b, &view, 2, &dense_best);
    agree(cpu, b, &two, 2, &bits_best);
    const long all = rig_blocks();
    nep_ctx_free(a); /* a backend before its indexes */
    assert_true(rig_blocks() > 0 && rig_blocks() < all);
    nep_index_free(&one); /* an index before the backend */
    const long left = rig_blocks();
    assert_true(left > 0);
    agree(cpu, b, &two, 2, &bits_best);
    assert_int_equal(rig_blocks(), left);
    assert_ok(b, rig_choose(b, TILE)); /* another backend in the place of the first */
    assert_int_equal(rig_blocks(), 0);
    agree(cpu, b, &two, 2, &bits_best);
    assert_int_equal(rig_blocks(), left);
    nep_index_free(&two);
    assert_int_equal(rig_blocks(), 0);
    nep_ctx_free(b);
    nep_ctx_free(cpu);
}

/* Another index, maybe where the first one lay, is not taken for it. */
static void test_no_stale_rows(void **state)
{
    (void)state;
    nep_ctx *cpu = test_ctx(2), *rig = rig_ctx(0, TILE);
    for (int round = 0; round < 4; round++) {
        nep_index index = vectors(cpu, NEP_VECTOR_F32, false), fps = fingerprints(cpu, false);
        agree(cpu, rig, &index, N_Q, &dense_best);
        agree(cpu, rig, &fps, N_Q, &bits_best);
        nep_index_free(&index);
        nep_index_free(&fps);
        for (int64_t i = 0; i < N * DIMS; i++)
            x[i] = -x[i] + (float)round;
        for (int64_t i = 0; i < N * BITS / 64; i++)
            bits[i] = bits[i] << 1 | bits[i] >> 63;
    }
    /* made by hand, without a life: sent each time */
    made_index m = make_index(bits, BITS, N, 0, 1, true);
    agree(cpu, rig, &m.index, N_Q, &bits_best);
    assert_int_equal(rig_blocks(), 0);
    free_index(&m);
    nep_ctx_free(rig);
    nep_ctx_free(cpu);
}

int main(void)
{
    make_rows();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_memory),
        cmocka_unit_test(test_any_order_of_closing),
        cmocka_unit_test(test_no_stale_rows),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(bits);
    free(bit_query);
    return failed;
}
