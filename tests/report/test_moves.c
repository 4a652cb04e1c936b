/* SPDX-License-Identifier: Apache-2.0 */
/* test_moves - which evidence would move a candidate, which way and how far, and the ends of its probability, by hand. */
#include "report/fixture.h"

#include "report/doc.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* The move of a list whose evidence has these words, or NULL. */
static const json_t *move_about(const json_t *moves, const char *words)
{
    size_t i;
    const json_t *x;
    json_array_foreach(moves, i, x) if (strstr(nep_doc_get_text(x, "evidence"), words)) return x;
    return NULL;
}

static int64_t rank_by_hand(const fixture *f, int d, int64_t drug, double score)
{
    int64_t rank = 1;
    for (int k = 0; k < FIX_DRUGS; k++)
        rank += f->candidates[d][k].drug != drug && f->candidates[d][k].score > score;
    return rank;
}

/* A drug's silent channel: the score could go where the channel puts 5 % and 95 % of the drugs it speaks of. Drug 9 lacks engagement. */
static void test_silent_channel_moves(void **state)
{
    fixture *f = *state;
    nep_gather_scale *scales = NULL;
    double sorted[FIX_DRUGS];
    int n = 0;
    assert_ok(f->ctx, nep_gather_scales(f->ctx, &f->ranking, 0, &scales));
    for (int i = 0; i < FIX_DRUGS; i++)
        if (!isnan(f->part[0][i * FIX_CHANNELS]))
            sorted[n++] = f->part[0][i * FIX_CHANNELS];
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && sorted[j] < sorted[j - 1]; j--) {
            const double swap = sorted[j];
            sorted[j] = sorted[j - 1];
            sorted[j - 1] = swap;
        }
    json_t *moves = nep_gather_moves(&f->ranking, 0, 9, 1.0, scales, NULL);
    const json_t *move = move_about(moves, "is silent on this drug");
    assert_string_equal(nep_doc_get_text(move, "channel"), "engagement");
    assert_near(nep_doc_get_number(move, "low"), 1.0 + fmin(0, sorted[(n - 1) / 20]), 1e-12);
    assert_near(nep_doc_get_number(move, "high"), 1.0 + fmax(0, sorted[n - 1 - (n - 1) / 20]), 1e-12);
    assert_string_equal(nep_doc_get_text(move, "direction"), "either");
    assert_int_equal(json_integer_value(json_object_get(move, "rank_at_low")), rank_by_hand(f, 0, 9, nep_doc_get_number(move, "low")));
    assert_int_equal(json_integer_value(json_object_get(move, "rank_at_high")), rank_by_hand(f, 0, 9, nep_doc_get_number(move, "high")));
    assert_int_equal(json_array_size(nep_gather_moves(&f->ranking, 0, 9, NAN, scales, NULL)), 0);
    json_decref(moves);
    nep_alloc_free(scales);
}

/* The row on which most rests is taken off the score, once for a label that stands twice; a later row is never told as larger. */
static void test_the_largest_row_moves(void **state)
{
    fixture *f = *state;
    json_t *doc = NULL, *row;
    size_t k, i, j;
    int told = 0;
    assert_ok(f->ctx, nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc));
    json_array_foreach(json_object_get(json_array_get(json_object_get(doc, "disorders"), 0), "candidates"), k, row)
    {
        const json_t *rows = json_object_get(json_object_get(row, "reasons"), "engagement"), *moves = json_object_get(row, "moves");
        const json_t *move = move_about(moves, "the row '");
        double most = 0, before = INFINITY;
        for (i = 0; i < json_array_size(rows); i++) {
            const char *label = nep_doc_get_text(json_array_get(rows, i), "label");
            double sum = 0;
            for (j = 0; j < json_array_size(rows); j++)
                if (strcmp(nep_doc_get_text(json_array_get(rows, j), "label"), label) == 0)
                    sum += nep_doc_get_number(json_array_get(rows, j), "part");
            most = strcmp(label, "all others") != 0 && fabs(sum) > fabs(most) ? sum : most;
        }
        for (i = 0; i < json_array_size(moves); i++) {
            const double reach = nep_doc_get_number(json_array_get(moves, i), "high") - nep_doc_get_number(json_array_get(moves, i), "low");
            assert_true(reach <= before);
            before = reach;
        }
        if (!move)
            continue;
        assert_near(nep_doc_get_number(move, most > 0 ? "low" : "high"), nep_doc_get_number(row, "score") - most, 1e-9);
        assert_near(nep_doc_get_number(move, most > 0 ? "high" : "low"), nep_doc_get_number(row, "score"), 1e-9);
        assert_string_equal(nep_doc_get_text(move, "direction"), most > 0 ? "down" : "up");
        assert_true(json_is_true(json_object_get(move, "obtainable")));
        told++;
    }
    assert_true(told > 50);
    json_decref(doc);
}

/* The gate of direction by hand: unknown actions could cost all of the penalty, opposite ones could give back what they took; a Stouffer score
 * has no such gate. Drug 9 lacks engagement. */
static void test_direction_moves(void **state)
{
    static const nep_channel direction = {.name = "direction", .role = NEP_ROLE_GATE};
    fixture *f = *state;
    nep_gather_scale *scales = NULL;
    assert_ok(f->ctx, nep_gather_scales(f->ctx, &f->ranking, 0, &scales));
    fix_channel_list[2] = &direction;
    f->value[0][9 * FIX_CHANNELS + 2] = NAN;
    json_t *none = nep_gather_moves(&f->ranking, 0, 9, 1.0, scales, NULL);
    f->ranking.fusion = NEP_FUSION_HIERARCHICAL;
    json_t *unknown = nep_gather_moves(&f->ranking, 0, 9, 1.0, scales, NULL);
    f->value[0][9 * FIX_CHANNELS + 2] = -0.5;
    json_t *opposite = nep_gather_moves(&f->ranking, 0, 9, 1.0, scales, NULL);
    f->ranking.fusion = NEP_FUSION_STOUFFER;
    fix_channel_list[2] = &fix_channels[2];
    assert_null(move_about(none, "its actions"));
    assert_near(nep_doc_get_number(move_about(unknown, "found to be opposite"), "low"), 1 - 2.3, 1e-12);
    assert_near(nep_doc_get_number(move_about(opposite, "its opposite actions"), "high"), 1 + 1.15, 1e-12);
    assert_string_equal(nep_doc_get_text(move_about(opposite, "its opposite actions"), "direction"), "up");
    json_decref(opposite);
    json_decref(unknown);
    json_decref(none);
    nep_alloc_free(scales);
}

/* The probability at the ends of the score's interval: its logit moves by as much as the score. No such ends for another fusion's curve. */
static void test_probability_has_ends(void **state)
{
    fixture *f = *state;
    json_t *doc = NULL;
    assert_ok(f->ctx, nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc));
    const json_t *row = json_array_get(json_object_get(json_array_get(json_object_get(doc, "disorders"), 0), "candidates"), 3);
    assert_true(json_is_null(json_object_get(row, "p_recorded_low")));
    json_decref(doc);
    f->ranking.fusion = NEP_FUSION_HIERARCHICAL;
    assert_ok(f->ctx, nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc));
    f->ranking.fusion = NEP_FUSION_STOUFFER;
    row = json_array_get(json_object_get(json_array_get(json_object_get(doc, "disorders"), 0), "candidates"), 3);
    const double odds = 0.02 / 0.98;
    assert_near(nep_doc_get_number(row, "p_recorded_low"), odds * exp(-0.6) / (1 + odds * exp(-0.6)), 1e-6);
    assert_near(nep_doc_get_number(row, "p_recorded_high"), odds * exp(0.7) / (1 + odds * exp(0.7)), 1e-6);
    json_decref(doc);
}

/* The document inside report.html. */
static json_t *page_data(const fixture *f, const char *path)
{
    static const char before[] = "<script type=\"application/json\" id=\"data\">";
    char *text = NULL;
    int64_t n = 0;
    assert_ok(f->ctx, nep_file_read(f->ctx, path, 1 << 26, &text, &n));
    const char *from = strstr(text, before);
    assert_non_null(from);
    from += strlen(before);
    json_t *data = json_loadb(from, (size_t)(strstr(from, "</script>") - from), 0, NULL);
    nep_alloc_free(text);
    assert_non_null(data);
    return data;
}

/* On the page rows too small to see stand together, and still sum to their channel; texts told once are those of the document. */
static void test_page_keeps_sums_and_texts(void **state)
{
    fixture *f = *state;
    char path[] = "/tmp/nep_moves_XXXXXX";
    const int file = mkstemp(path);
    json_t *doc = NULL, *row;
    size_t k, i;
    int together = 0, told = 0;
    assert_true(file >= 0);
    close(file);
    assert_ok(f->ctx, nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc));
    assert_ok(f->ctx, nep_html_write_report(f->ctx, doc, &f->ranking, path));
    json_t *page = page_data(f, path);
    const json_t *strings = json_object_get(page, "strings"),
                 *details = json_object_get(json_array_get(json_object_get(page, "disorders"), 0), "details");
    json_array_foreach(json_object_get(json_array_get(json_object_get(doc, "disorders"), 0), "candidates"), k, row)
    {
        char key[24];
        snprintf(key, sizeof key, "%lld", (long long)json_integer_value(json_object_get(row, "drug")));
        const json_t *detail = json_object_get(details, key), *rows = json_object_get(json_object_get(detail, "reasons"), "engagement");
        const json_t *moves = json_object_get(row, "moves"), *shown = json_object_get(detail, "moves");
        const double all = nep_doc_get_number(json_object_get(row, "contribution"), "engagement");
        double sum = nep_doc_get_number(json_object_get(detail, "level"), "engagement");
        if (!detail)
            continue;
        assert_int_equal(json_array_size(shown), json_array_size(moves));
        for (i = 0; i < json_array_size(moves); i++, told++)
            assert_string_equal(
                json_string_value(json_array_get(strings, (size_t)json_integer_value(json_array_get(json_array_get(shown, i), 0)))),
                nep_doc_get_text(json_array_get(moves, i), "evidence"));
        if (isnan(all) || isnan(nep_doc_get_number(row, "score")))
            continue;
        for (i = 0; i < json_array_size(rows); i++) {
            const double part = nep_doc_get_number(json_array_get(rows, i), "part");
            const char *label = nep_doc_get_text(json_array_get(rows, i), "label");
            if (strcmp(label, "all others") != 0)
                assert_true(i < 3 || fabs(part) >= 0.0049);
            together += strstr(nep_doc_get_text(json_array_get(rows, i), "detail"), "in candidates.json") != NULL;
            sum += part;
        }
        assert_near(sum, all, 1e-3);
    }
    assert_true(together > 0 && told > 50);
    json_decref(page);
    json_decref(doc);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_silent_channel_moves), WITH_FIXTURE(test_the_largest_row_moves),     WITH_FIXTURE(test_direction_moves),
        WITH_FIXTURE(test_probability_has_ends), WITH_FIXTURE(test_page_keeps_sums_and_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
