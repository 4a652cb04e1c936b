/* SPDX-License-Identifier: Apache-2.0 */
/* Search of dense vectors through the CUDA sources on the host rig, whole and in small tiles: the bytes of the CPU. */
#include "similarity/same_hits.h"

#include "cuda_host/cuda_runtime_api.h"
#include "cuda_host/rig_backend.h"

enum { N = 500, DIMS = 21, MOST = 11 };

static float x[N * DIMS], query[MOST * DIMS];

/* Clusters, every fifth row twice, one zero row, one far too long for float32. */
static void make_rows(void)
{
    for (int64_t i = 0; i < N * DIMS; i++)
        x[i] = (float)(3 * nep_philox_normal(2, 1, (uint64_t)(i / DIMS % 9 * DIMS + i % DIMS)) + 0.2 * nep_philox_normal(2, 2, (uint64_t)i));
    for (int64_t i = 0; i + 1 < N; i += 5)
        memcpy(x + (i + 1) * DIMS, x + i * DIMS, DIMS * sizeof *x);
    memset(x + 7 * DIMS, 0, DIMS * sizeof *x);
    for (int64_t i = 0; i < MOST * DIMS; i++)
        query[i] = x[i % (N * DIMS)] + (float)nep_philox_normal(2, 3, (uint64_t)i);
}

static void compare(nep_ctx *cpu, nep_ctx *rig, const nep_index *index, int64_t n_q, const nep_search_opts *o)
{
    nep_hits want = {0}, got = {0};
    nep_search_report a, b;
    assert_ok(cpu, nep_dense_search(cpu, index, query, n_q, o, &want, &a));
    assert_ok(rig, nep_dense_search(rig, index, query, n_q, o, &got, &b));
    assert_string_equal(a.path, b.path);
    same_places(&want, &got);
    nep_hits_free(&want);
    nep_hits_free(&got);
}

static void test_rig(void **state)
{
    (void)state;
    static const nep_search_opts questions[] = {
        {.metric = NEP_METRIC_COSINE, .k = 13},
        {.metric = NEP_METRIC_INNER, .k = 4, .no_shadow = true},
        {.metric = NEP_METRIC_L2, .by_threshold = true, .threshold = {9, 1}},
        {.metric = NEP_METRIC_COSINE, .k = 40, .no_shadow = true, .first = 30, .last = 400},
    };
    nep_ctx *cpu = test_ctx(2), *rig = test_ctx(1);
    for (int t = NEP_VECTOR_F32; t <= NEP_VECTOR_I8; t++) {
        nep_index index = {0};
        x[11 * DIMS] = t == NEP_VECTOR_F16 ? 6e4f : 3e38f;
        assert_ok(cpu, nep_index_from_vectors(cpu, x, N, DIMS, (nep_vector_type)t, NULL, true, "", &index));
        for (int i = 0; i < NEP_LEN(questions); i++)
            for (int many = 0; many < 2; many++) { /* streamed, and as tiles */
                assert_ok(rig, rig_choose(rig, (i + many) % 2 ? 0 : 1 << 13));
                compare(cpu, rig, &index, many ? MOST : 2, &questions[i]);
            }
        nep_index_free(&index);
    }
    nep_ctx_free(cpu);
    nep_ctx_free(rig);
    assert_int_equal(rig_blocks(), 0);
}

int main(void)
{
    make_rows();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rig)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
