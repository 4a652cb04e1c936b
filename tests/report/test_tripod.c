/* SPDX-License-Identifier: Apache-2.0 */
/* test_tripod - the points of TRIPOD+AI are all there once, say numbers of the run, and never claim what only authors know. */
#include "synthetic_study.h"

#include <nepenthe/io.h>
#include <nepenthe/report.h>

#include <unistd.h>

static synthetic s;
static char path[] = "/tmp/nep_tripod_XXXXXX";

/* The numbering of the guideline, Collins et al. (2024), doi:10.1136/bmj-2023-078378, checked against public transcriptions of its table 2
 * (PMC11019967) and of the form to fill in (11 January 2024): 27 items, 52 points, of which 8 concern development and 4 evaluation alone. */
static const char *const items[] = {"1",   "2",   "3a",  "3b",  "3c",  "4",   "5a",  "5b",  "6a",  "6b",  "6c",  "7",   "8a",
                                    "8b",  "8c",  "9a",  "9b",  "9c",  "10",  "11",  "12a", "12b", "12c", "12d", "12e", "12f",
                                    "12g", "13",  "14",  "15",  "16",  "17",  "18a", "18b", "18c", "18d", "18e", "18f", "19",
                                    "20a", "20b", "20c", "21",  "22",  "23a", "23b", "24",  "25",  "26",  "27a", "27b", "27c"};

static const char development[] = " 9a 12a 12b 12c 15 22 27a 27b ", evaluation[] = " 12f 12g 20c 24 ";

static bool stands_in(const char *item, const char *list)
{
    char word[8];
    snprintf(word, sizeof word, " %s ", item);
    return strstr(list, word) != NULL;
}

static const char *text_of(const json_t *points, const char *item)
{
    size_t i;
    json_t *o;
    json_array_foreach(points, i, o) if (strcmp(json_string_value(json_object_get(o, "item")), item) == 0)
        return json_string_value(json_object_get(o, "text"));
    fail_msg("no point %s", item);
    return "";
}

static void test_points(void **state)
{
    nep_ctx *ctx = *state;
    const nep_ranking_opts o = {.n_streams = 20, .n_bootstrap = 20, .null_maps = 20, .study_name = "synthetic"};
    const nep_evaluation_opts how = {.n_bootstrap = 25};
    nep_ranking *r = NULL;
    nep_evaluation *e = NULL;
    json_t *doc = NULL, *point;
    char want[128], *written = NULL;
    size_t i;
    int64_t n, lines = 0, tabs = 0;
    assert_ok(ctx, nep_ranking_create(ctx, &s.in, &o, &r));
    assert_ok(ctx, nep_evaluation_create(ctx, r, &how, &e));
    assert_ok(ctx, nep_evaluation_json(ctx, e, &doc));
    const json_t *points = json_object_get(doc, "tripod_ai");
    assert_int_equal(json_array_size(points), NEP_LEN(items));
    json_array_foreach(points, i, point)
    {
        const char *status = json_string_value(json_object_get(point, "status")), *text = json_string_value(json_object_get(point, "text"));
        assert_string_equal(json_string_value(json_object_get(point, "item")), items[i]);
        if (!(strlen(text) > 5 && strlen(text) < 4000 && text[strlen(text) - 1] == '.'))
            fail_msg("%s: %s", items[i], text);
        assert_null(strpbrk(text, "\t\n"));
        assert_string_equal(json_string_value(json_object_get(point, "applies")), stands_in(items[i], development) ? "development" : stands_in(items[i], evaluation) ? "evaluation" : "both");
        if (strstr(text, " nan"))
            fail_msg("%s: %s", items[i], text);
        assert_int_equal(strstr(text, "Authors") != NULL, strncmp(status, "partly", 6) == 0 || strncmp(status, "authors", 7) == 0);
    }
    snprintf(want, sizeof want, "masked: average precision %.3f (90 %% interval %.3f to %.3f;", e->fused.macro[NEP_PROTOCOL_MASKED].ap.value,
             e->fused.macro[NEP_PROTOCOL_MASKED].ap.low, e->fused.macro[NEP_PROTOCOL_MASKED].ap.high);
    assert_non_null(strstr(text_of(points, "23a"), want));
    assert_non_null(strstr(text_of(points, "12e"), "25 two-way bootstrap samples"));
    snprintf(want, sizeof want, "All %d drugs of the drug table. Ranked disorders: %d;", S_DRUGS, S_DISORDERS);
    assert_non_null(strstr(text_of(points, "6b"), want));
    int64_t treatments = 0;
    for (int j = 0; j < S_DISORDERS; j++)
        treatments += e->fused.disorders[NEP_PROTOCOL_MASKED][j].n_pos;
    snprintf(want, sizeof want, "All that is recorded: %lld treatments", (long long)treatments);
    assert_non_null(strstr(text_of(points, "10"), want));
    int64_t scored = treatments;
    for (int j = 0; j < S_DISORDERS; j++)
        scored += e->fused.disorders[NEP_PROTOCOL_MASKED][j].n_neg;
    snprintf(want, sizeof want, "make %d pairs; %lld are evaluated (masked protocol), %lld of them recorded treatments", S_DRUGS * S_DISORDERS, (long long)scored,
             (long long)treatments);
    assert_non_null(strstr(text_of(points, "20a"), want));
    assert_non_null(strstr(text_of(points, "22"), "No weights")); /* Stouffer's fusion */
    assert_ok(ctx, nep_tripod_write(ctx, doc, path));
    assert_ok(ctx, nep_file_read(ctx, path, 1 << 20, &written, &n));
    for (int64_t k = 0; k < n; k++) {
        lines += written[k] == '\n';
        tabs += written[k] == '\t';
    }
    assert_int_equal(lines, 1 + NEP_LEN(items));
    assert_int_equal(tabs, 5 * lines);
    nep_alloc_free(written);
    assert_fails(nep_tripod_write(ctx, NULL, path), NEP_E_ARG);
    json_decref(doc);
    nep_evaluation_free(e);
    nep_ranking_free(r);
}

static int open_study(void **state)
{
    nep_ctx *ctx = NULL;
    if (nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 1;
    synthetic_make(&s);
    *state = ctx;
    return nep_backend_choose(ctx, "cpu") != NEP_OK || nep_inputs_prepare(ctx, &s.in, NULL) != NEP_OK;
}

static int close_study(void **state)
{
    nep_inputs_release(&s.in);
    nep_ctx_free(*state);
    return 0;
}

int main(void)
{
    const int f = mkstemp(path);
    if (f < 0)
        return 1;
    close(f);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_points)};
    const int failed = cmocka_run_group_tests(tests, open_study, close_study);
    unlink(path);
    return failed;
}
