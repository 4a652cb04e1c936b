/* SPDX-License-Identifier: Apache-2.0 */
/* Dominance against the published table of 13 disorders x 19 receptors (Hansen et al. 2022,
 * doi:10.1038/s41593-022-01186-3). */
#include <nepenthe/brainmap.h>

#include "support.h"

/* A whitespace- or comma-separated matrix of numbers. */
static double *matrix_read(const char *path, int count)
{
    FILE *f = fopen(path, "r");
    double *x = calloc((size_t)count, sizeof *x);
    int got = 0;
    while (f && got < count && fscanf(f, "%lf%*[, \t]", &x[got]) >= 1)
        got++;
    if (f)
        fclose(f);
    if (got != count)
        fail_msg("%s: %d numbers of %d", path, got, count);
    return x;
}

static void test_published_table(void **state)
{
    (void)state;
    const char *shared = test_shared();
    char path[4400];
    double want[13 * 19], out[13 * 19], y[13 * 68], r2[13], worst = 0.0;
    nep_dominance *d = NULL;
    nep_ctx *ctx = test_ctx(2);
    snprintf(path, sizeof path, "%s/data/brainmaps/hansen_receptors/receptor_data_scale033.csv", shared);
    double *x = matrix_read(path, 68 * 19);
    snprintf(path, sizeof path, "%s/data/brainmaps/hansen_receptors/enigma_atrophy.csv", shared);
    double *maps = matrix_read(path, 68 * 13);
    for (int i = 0; i < 68; i++)
        for (int m = 0; m < 13; m++)
            y[m * 68 + i] = maps[i * 13 + m];
    snprintf(path, sizeof path, "%s/data/brainmaps/hansen_receptors/dominance_enigma.npy", shared);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, -(long)sizeof want, SEEK_END), 0); /* C order, '<f8' */
    assert_int_equal(fread(want, sizeof want, 1, f), 1);
    fclose(f);
    assert_ok(ctx, nep_dominance_create(ctx, x, 68, 19, NULL, &d));
    assert_ok(ctx, nep_dominance_score(ctx, d, y, 13, out, r2));
    for (int i = 0; i < 13 * 19; i++)
        worst = fmax(worst, fabs(out[i] - want[i]));
    print_message("largest difference from the published table: %.2g\n", worst);
    assert_true(worst < 1e-9);
    nep_dominance_free(d);
    free(x);
    free(maps);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_published_table)};
    if (!test_shared()) {
        puts("no shared data: the published table is not checked");
        return NEP_TEST_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
