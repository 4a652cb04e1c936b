/* SPDX-License-Identifier: Apache-2.0 */
/* golden - reference tables and the Haxby run for the tests of imaging. */
#ifndef NEP_TESTS_IMAGING_GOLDEN_H
#define NEP_TESTS_IMAGING_GOLDEN_H

#include "support.h"

#include <jansson.h>

#include <nepenthe/imaging.h>
#include <nepenthe/io.h>

static inline nep_series golden_series(nep_ctx *ctx, const char *file)
{
    char path[4096];
    nep_series s = {0};
    snprintf(path, sizeof path, "%s/%s", TEST_GOLDEN(""), file);
    assert_ok(ctx, nep_tsv_read_series(ctx, path, &s));
    return s;
}

static inline json_t *golden_json(const char *file)
{
    char path[4096];
    json_error_t error;
    snprintf(path, sizeof path, "%s/%s", TEST_GOLDEN(""), file);
    json_t *doc = json_load_file(path, 0, &error);
    if (!doc)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    return doc;
}

static inline const char *golden_shared(const char *file)
{
    static char path[4][4300];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%.4000s/data/imaging/%s", test_shared(), file);
    return path[turn];
}

/* Six columns of numbers without a header: rot x y z, trans x y z. float32, as the reference rounded them. */
static inline nep_series golden_motion(nep_ctx *ctx)
{
    static const char *const names[6] = {"rot_x", "rot_y", "rot_z", "trans_x", "trans_y", "trans_z"};
    nep_series s = {.n_cols = 6};
    FILE *f = fopen(golden_shared("haxby2001/run001/bold_moest.txt"), "r");
    float row[6];
    assert_non_null(f);
    assert_ok(ctx, nep_alloc(ctx, 6 * 1000, sizeof *s.data, "motion", &s.data));
    assert_ok(ctx, nep_alloc(ctx, 6, sizeof *s.names, "motion", &s.names));
    for (int k = 0; k < 6; k++)
        assert_ok(ctx, nep_alloc_string(ctx, names[k], &s.names[k]));
    while (s.n_t < 1000 && fscanf(f, "%f %f %f %f %f %f", row, row + 1, row + 2, row + 3, row + 4, row + 5) == 6)
        memcpy(s.data + 6 * s.n_t++, row, sizeof row);
    fclose(f);
    return s;
}

#endif
