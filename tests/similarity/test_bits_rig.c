/* SPDX-License-Identifier: Apache-2.0 */
/* Search of bit vectors through the CUDA sources on the host rig, with rows in segments as small as they get: the bytes of the CPU. */
#include "similarity/bits.h"
#include "similarity/same_hits.h"

#include "cuda_host/cuda_runtime_api.h"
#include "cuda_host/rig_backend.h"

enum { N = 700, N_Q = 11 };

static void compare(int64_t n_bits, int64_t n_q, int64_t tile_bytes, const nep_search_opts *o)
{
    nep_ctx *cpu = test_ctx(2), *rig = test_ctx(1);
    uint64_t *bits = make_bits(1, N, n_bits), *query = make_bits(2, N_Q, n_bits);
    made_index m = make_index(bits, n_bits, N, 0, 1, n_q % 2);
    nep_hits want = {0}, got = {0};
    assert_ok(rig, rig_choose(rig, tile_bytes));
    assert_ok(cpu, nep_bits_search(cpu, &m.index, query, n_q, o, &want, NULL));
    assert_ok(rig, nep_bits_search(rig, &m.index, query, n_q, o, &got, NULL));
    const size_t n = same_places(&want, &got);
    assert_memory_equal(want.common, got.common, n * sizeof *want.common);
    nep_hits_free(&want);
    nep_hits_free(&got);
    free_index(&m);
    free(bits);
    free(query);
    nep_ctx_free(cpu);
    nep_ctx_free(rig);
    assert_int_equal(rig_blocks(), 0);
}

static void test_rig(void **state)
{
    (void)state;
    static const int64_t widths[] = {2048, 166, 2048, 4160};
    static const nep_search_opts questions[] = {
        {.metric = NEP_METRIC_TANIMOTO, .k = 13},
        {.metric = NEP_METRIC_TANIMOTO, .by_threshold = true, .threshold = {4, 10}},
        {.metric = NEP_METRIC_COSINE, .by_threshold = true, .threshold = {0, 1}, .k = 650},
        {.metric = NEP_METRIC_TVERSKY, .alpha = {1, 10}, .beta = {1, 1}, .k = 3},
    };
    for (int i = 0; i < NEP_LEN(questions); i++)
        for (int many = 0; many < 2; many++) /* streamed one by one, and as matrix products */
            compare(widths[i], many ? N_Q - i % 2 : 1 + i % 2, i % 2 ? 0 : 1 << 16, &questions[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rig)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
