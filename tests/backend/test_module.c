/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA module as it was built: it loads on any machine, and says in one sentence why there is no device. */
#include "support.h"

#include <unistd.h>

#include <nepenthe/backend.h>

#include "backend/module.h"

static void test_loads_anywhere(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    const nep_module *m = NULL;
    void *device = NULL;
    assert_ok(ctx, nep_module_load(ctx, &m)); /* needs no driver and no cuBLAS */
    assert_string_equal(m->backend->name, "cuda");
#define NEP_X(op, parity) assert_non_null(m->backend->ops.op);
    NEP_OP_LIST(NEP_X)
#undef NEP_X
    const nep_status st = m->open(ctx, 0, &device);
    if (st == NEP_OK) {
        m->close(ctx, device);
    } else {
        assert_int_equal(st, NEP_E_DEVICE);
        assert_non_null(strstr(nep_ctx_error(ctx), "--device cpu"));
        assert_null(nep_ctx_backend(ctx)); /* no fallback in silence */
    }
    nep_ctx_clear(ctx);
    assert_fails(m->open(ctx, 1000, &device), NEP_E_DEVICE);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_loads_anywhere)};
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);
    path[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return 1;
    strcpy(slash, "/" NEP_MODULE_FILE);
    if (access(path, R_OK) != 0) {
        puts("the CUDA module is not part of this build");
        return NEP_TEST_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
