/* SPDX-License-Identifier: Apache-2.0 */
/* Modes of a graph and surrogates of the voxels of a box on the CPU and on the CUDA sources on the host rig: the same bits. */
#include "brainmap/subspace.h"
#include "cuda_host/cuda_runtime_api.h"
#include "cuda_host/rig_backend.h"
#include "support.h"

enum { SIDE = 6, VOXELS = SIDE * SIDE * SIDE, K = 5, ROOM = K + 20 };

typedef struct {
    double lambda[K], vectors[ROOM * VOXELS], draw[4 * VOXELS];
} result;

static void work(nep_ctx *ctx, result *r)
{
    static bool mask[VOXELS];
    static double map[VOXELS], weight[3 * VOXELS];
    static int32_t column[3 * VOXELS];
    static int64_t start[VOXELS + 1];
    const nep_grid g = {.nx = SIDE, .ny = SIDE, .nz = SIDE, .affine = {{2, 0, 0, 0}, {0, 3, 0, 0}, {0, 0, 2.5, 0}}};
    nep_nulls *nulls = NULL;
    int64_t e = 0;
    for (int v = 0; v < VOXELS; v++) { /* a path, whose eigenvalues are known */
        mask[v] = true;
        map[v] = nep_philox_normal(9, 2, (uint64_t)v);
        for (int k = -1; k <= 1; k++) {
            if (v + k < 0 || v + k >= VOXELS)
                continue;
            column[e] = v + k;
            weight[e++] = k == 0 ? (v == 0 || v == VOXELS - 1 ? 1 : 2) : -1;
        }
        start[v + 1] = e;
    }
    const nulls_graph l = {VOXELS, start, column, weight};
    assert_int_equal(nep_subspace_room(K), ROOM);
    assert_ok(ctx, nep_subspace_smallest(ctx, &l, K, 0.1, r->lambda, r->vectors, NULL));
    assert_ok(ctx, nep_nulls_create_voxels(ctx, &g, mask, NEP_NULLS_EIGENMODES, NULL, &nulls));
    assert_ok(ctx, nep_nulls_draw(ctx, nulls, map, 0, 3, 4, r->draw));
    nep_nulls_free(nulls);
}

static void test_same_bits(void **state)
{
    (void)state;
    static result host, device;
    nep_ctx *ctx = test_ctx(2);
    work(ctx, &host);
    assert_ok(ctx, rig_choose(ctx, 4096));
    work(ctx, &device);
    assert_memory_equal(host.lambda, device.lambda, sizeof host.lambda);
    assert_memory_equal(host.vectors, device.vectors, K * VOXELS * sizeof(double));
    assert_memory_equal(host.draw, device.draw, sizeof host.draw);
    for (int k = 0; k < K; k++)
        assert_near(host.lambda[k], 2.0 - 2.0 * cos(M_PI * (k + 1) / VOXELS), 1e-10);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
