/* SPDX-License-Identifier: Apache-2.0 */
/* test_report - every file is written, says the same, survives hostile names, and is the same bytes twice. */
#include "report/fixture.h"
#include "report/doc.h"

#include <unistd.h>

static const char *const files[] = {"report.html", "candidates.csv", "candidates.tsv", "candidates.xlsx", "candidates.json", "results.h5"};
static char folder[] = "/tmp/nep_report_XXXXXX";

static char *read_file(nep_ctx *ctx, const char *where, const char *name, int64_t *n)
{
    char path[512], *text = NULL;
    snprintf(path, sizeof path, "%s/%s", where, name);
    assert_ok(ctx, nep_file_read(ctx, path, 1 << 26, &text, n));
    return text;
}

static void write_all(fixture *f, const char *where)
{
    json_t *evaluation = fix_evaluation(), *provenance = fix_provenance();
    assert_ok(f->ctx, nep_report_write_all(f->ctx, &f->ranking, evaluation, provenance, where));
    json_decref(provenance);
    json_decref(evaluation);
}

/* FIPS 180-4 examples, and the lengths around the padding's edge. */
static void test_sha256_known_answers(void **state)
{
    static const struct {
        const char *text, *hex;
    } known[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    (void)state;
    for (int i = 0; i < NEP_LEN(known); i++) {
        unsigned char digest[32];
        char hex[65];
        nep_sha256_bytes(known[i].text, strlen(known[i].text), digest);
        for (int b = 0; b < 32; b++)
            snprintf(hex + 2 * b, 3, "%02x", digest[b]);
        assert_string_equal(hex, known[i].hex);
    }
}

/* RFC 4648, section 10. */
static void test_base64_known_answers(void **state)
{
    static const char *const known[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
    char out[16];
    (void)state;
    for (int i = 0; i < NEP_LEN(known); i++) {
        nep_base64_encode((const unsigned char *)known[i][0], strlen(known[i][0]), out);
        assert_string_equal(out, known[i][1]);
    }
}

static void test_same_bytes_twice(void **state)
{
    fixture *f = *state;
    char other[64];
    snprintf(other, sizeof other, "%s/again", folder);
    write_all(f, folder);
    write_all(f, other);
    for (int i = 0; i < NEP_LEN(files); i++) {
        int64_t n, m;
        char *a = read_file(f->ctx, folder, files[i], &n), *b = read_file(f->ctx, other, files[i], &m);
        assert_int_equal(n, m);
        assert_memory_equal(a, b, (size_t)n);
        nep_alloc_free(b);
        nep_alloc_free(a);
    }
}

/* The page keeps its own script closed, states its policy, and names neither paths nor addresses to load from. */
static void test_page_is_closed(void **state)
{
    fixture *f = *state;
    int64_t n;
    write_all(f, folder);
    char *page = read_file(f->ctx, folder, "report.html", &n);
    int scripts = 0;
    for (const char *c = page; (c = strstr(c, "</script>")) != NULL; c++)
        scripts++;
    assert_int_equal(scripts, 2);
    assert_non_null(strstr(page, "default-src 'none'"));
    assert_null(strstr(page, "{{"));
    assert_null(strstr(page, "/secret/home"));
    assert_null(strstr(page, "\xE2\x80\xA8"));
    assert_null(strstr(page, "http://www.w3.org/1999")); /* no other address than the SVG name and the links to DOIs */
    for (const char *c = page; (c = strstr(c, "http")) != NULL; c += 4)
        assert_true(strncmp(c, "http://www.w3.org/2000/svg", 26) == 0 || strncmp(c, "https://doi.org/", 16) == 0 || strncmp(c, "http-equiv", 10) == 0);
    assert_true(n < 5000000);
    nep_alloc_free(page);
}

/* What one channel saw of the drug's own label, and the rows that were too many to list. */
static void test_reasons_are_gathered(void **state)
{
    fixture *f = *state;
    json_t *doc = NULL, *row;
    size_t k;
    int explained = 0;
    assert_ok(f->ctx, nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc));
    const json_t *first = json_array_get(json_object_get(doc, "disorders"), 0);
    json_array_foreach(json_object_get(first, "candidates"), k, row)
    {
        const json_t *reasons = json_object_get(json_object_get(row, "reasons"), "engagement");
        if (!json_object_get(row, "reasons"))
            continue;
        explained++;
        assert_int_equal(json_array_size(reasons), NEP_DOC_REASONS + 1);
        assert_non_null(strstr(nep_doc_get_text(json_array_get(reasons, 0), "detail"), "own label none"));
        for (size_t i = 0; i < NEP_DOC_REASONS; i++) { /* the fixture's rows rest on the label of the drug before it */
            const int64_t before = json_integer_value(json_object_get(row, "drug")) - 1;
            assert_string_equal(nep_doc_get_text(json_array_get(reasons, i), "source"),
                                before < 0 ? "" : f->sources[before] ? f->sources[before] : "source not recorded");
        }
        double sum = 0.0, want = 0.0;
        for (size_t i = 0; i < json_array_size(reasons); i++)
            sum += nep_doc_get_number(json_array_get(reasons, i), "share");
        for (int i = 0; i < 12; i++)
            want += fix_share(json_integer_value(json_object_get(row, "drug")), i);
        assert_near(sum, want, 1e-12);
    }
    assert_true(explained >= NEP_DOC_EXPLAINED);
    json_decref(doc);
}

/* Channel to row: what the rows add, what is left of their channel, and the gate sum to the score; and as the fixture's engagement adds a
 * fixed multiple of its value, every row must be worth that multiple of its share, with nothing to take off. */
static void test_decomposition_is_exact(void **state)
{
    fixture *f = *state;
    json_t *doc = NULL, *row, *rows, *one, *part;
    const char *name;
    size_t d, k, i;
    int seen = 0;
    assert_ok(f->ctx, nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc));
    json_array_foreach(json_object_get(doc, "disorders"), d, one)
        json_array_foreach(json_object_get(one, "candidates"), k, row)
        {
            double sum = 0;
            if (!json_object_get(row, "reasons") || json_is_null(json_object_get(row, "score")))
                continue;
            json_object_foreach(json_object_get(row, "reasons"), name, rows)
                json_array_foreach(rows, i, part)
                {
                    if (json_is_null(json_object_get(json_object_get(row, "contribution"), name)))
                        continue;
                    assert_near(nep_doc_get_number(part, "part"), nep_doc_get_number(part, "share") / 1.4, 1e-9);
                    sum += nep_doc_get_number(part, "part");
                    seen++;
                }
            json_object_foreach(json_object_get(row, "level"), name, part) sum += json_number_value(part);
            double want = 0;
            json_object_foreach(json_object_get(row, "contribution"), name, part) want += json_is_null(part) ? 0 : json_number_value(part);
            assert_near(sum, want, 1e-12);
        }
    assert_true(seen > 500);
    json_decref(doc);
}

/* One line of what speaks against a drug, worst first; and no score moves by less than nothing. */
static void test_doubts_are_told(void **state)
{
    fixture *f = *state;
    json_t *doc = NULL, *row, *one;
    size_t d, k;
    int contraindicated = 0, failed = 0, none = 0, moved = 0;
    for (int i = 0; i < FIX_DRUGS; i++)
        f->value[0][i * FIX_CHANNELS + 2] = 5; /* exposure is no doubt */
    assert_ok(f->ctx, nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc));
    json_array_foreach(json_object_get(doc, "disorders"), d, one)
        json_array_foreach(json_object_get(one, "candidates"), k, row)
        {
            const char *label = nep_doc_get_text(row, "label"), *counter = nep_doc_get_text(row, "counter");
            const json_t *move;
            size_t m;
            if (!json_object_get(row, "reasons"))
                continue;
            assert_true(strlen(counter) > 10);
            if (strcmp(label, "contraindicated") == 0) {
                assert_true(strncmp(counter, "recorded as contraindicated (", 29) == 0);
                contraindicated++;
            } else if (strcmp(label, "failed") == 0) {
                assert_true(strncmp(counter, "recorded as failed (", 20) == 0);
                failed++;
            } else {
                assert_null(strstr(counter, "recorded as"));
                none += strncmp(counter, "none found among 3 contraindications, 3 failed drugs, entry into the brain", 74) == 0 &&
                        strstr(counter, "records none for this disorder: drugs known to worsen it, directions of action");
            }
            json_array_foreach(json_object_get(row, "moves"), m, move)
            {
                assert_true(nep_doc_get_number(move, "low") <= nep_doc_get_number(row, "score") + 1e-9);
                assert_true(nep_doc_get_number(move, "high") >= nep_doc_get_number(row, "score") - 1e-9);
                assert_true(strlen(nep_doc_get_text(move, "evidence")) > 10 && strlen(nep_doc_get_text(move, "how")) > 5);
                moved++;
            }
        }
    assert_true(contraindicated > 2 && failed > 2 && none > 2 && moved > 50);
    json_decref(doc);
}

/* A second opinion that is the ranking itself agrees; one that swaps the first and the fortieth is called out by name. */
static void test_disagreement_is_called_out(void **state)
{
    fixture *f = *state;
    double opinion[NEP_OPINION_COUNT * FIX_DRUGS];
    const nep_candidate *c = f->ranking.disorders[0].candidates;
    for (int i = 0; i < NEP_OPINION_COUNT * FIX_DRUGS; i++)
        opinion[i] = NAN;
    for (int i = 0; i < FIX_DRUGS; i++) {
        opinion[NEP_OPINION_MEAN * FIX_DRUGS + c[i].drug] = i + 1;
        opinion[NEP_OPINION_AGGREGATION * FIX_DRUGS + c[i].drug] = i == 0 ? 40 : i == 39 ? 1 : i + 1;
    }
    f->ranking.disorders[0].opinion = opinion;
    json_t *list = nep_gather_disagreement(&f->ranking, 0);
    f->ranking.disorders[0].opinion = NULL; /* on this stack */
    assert_int_equal(json_array_size(list), 2); /* the elastic net says nothing */
    const json_t *same = json_array_get(list, 0), *other = json_array_get(list, 1), *apart = json_object_get(other, "furthest");
    assert_near(nep_doc_get_number(same, "spearman"), 1, 1e-12);
    assert_int_equal(json_integer_value(json_object_get(same, "shared")), 20);
    assert_int_equal(json_array_size(json_object_get(same, "furthest")), 0);
    assert_int_equal(json_integer_value(json_object_get(other, "shared")), 19);
    assert_int_equal(json_array_size(apart), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(apart, 0), "rank")) + json_integer_value(json_object_get(json_array_get(apart, 1), "rank")), 41);
    json_decref(list);
}

/* Percentiles by counting; what was left out is in no file. */
static void test_percentiles_and_left_out(void **state)
{
    fixture *f = *state;
    json_t *doc = NULL, *row;
    size_t k;
    f->ranking.disorders[1].left_out = true;
    assert_ok(f->ctx, nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc));
    f->ranking.disorders[1].left_out = false;
    assert_int_equal(json_array_size(json_object_get(doc, "disorders")), 1);
    assert_ok(f->ctx, nep_html_percentiles(f->ctx, doc));
    json_array_foreach(json_object_get(json_array_get(json_object_get(doc, "disorders"), 0), "candidates"), k, row)
    {
        const double v = nep_doc_get_number(json_object_get(row, "value"), "popularity");
        double below = 0, n = 0;
        for (int i = 0; i < FIX_DRUGS; i++) {
            const double x = f->value[0][i * FIX_CHANNELS + 3];
            below += x < v;
            n += !isnan(x);
        }
        if (!isnan(v))
            assert_near(nep_doc_get_number(json_object_get(row, "percentile"), "popularity"), below / (n - 1), 6e-4);
    }
    json_decref(doc);
}

static bool has_paragraph(const json_t *doc, const char *heading)
{
    size_t i;
    json_t *m;
    json_array_foreach(json_object_get(doc, "methods"), i, m) if (strcmp(nep_doc_get_text(m, "heading"), heading) == 0) return true;
    return false;
}

/* The methods are those of the run: no occupancy without maps, no Stouffer beside a model, and the bound that was applied. */
static void test_methods_follow_the_run(void **state)
{
    fixture *f = *state;
    double weight[FIX_DISORDERS * 2] = {1.25, 0, 0.5, 0.25}, spread[FIX_DISORDERS * 2] = {0.1, 0.2, 0.3, 0.4};
    json_t *doc = NULL;
    assert_ok(f->ctx, nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc));
    assert_true(has_paragraph(doc, "Occupancy") && has_paragraph(doc, "Fusion") && has_paragraph(doc, "Whether the image adds anything"));
    assert_false(has_paragraph(doc, "Model"));
    assert_near(nep_doc_get_number(json_object_get(doc, "rules"), "score"), NEP_VERDICT_SCORE, 0);
    json_decref(doc);
    f->ranking.fusion = NEP_FUSION_HIERARCHICAL;
    f->ranking.weight = weight;
    f->ranking.spread = spread;
    f->in.effect = NULL;
    assert_ok(f->ctx, nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc));
    assert_false(has_paragraph(doc, "Occupancy") || has_paragraph(doc, "Engagement") || has_paragraph(doc, "Fusion") ||
                 has_paragraph(doc, "Whether the image adds anything"));
    assert_true(has_paragraph(doc, "What the score means") && has_paragraph(doc, "Model") && has_paragraph(doc, "Channel: analogue"));
    assert_false(has_paragraph(doc, "Direction")); /* the run has no such gate */
    assert_near(nep_doc_get_number(json_object_get(doc, "rules"), "score"), NEP_VERDICT_ODDS, 0);
    const json_t *weights = json_object_get(json_array_get(json_object_get(doc, "disorders"), 1), "weights");
    assert_near(nep_doc_get_number(json_object_get(weights, "engagement"), "weight"), 0.5, 0);
    assert_near(nep_doc_get_number(json_object_get(weights, "analogue"), "spread"), 0.4, 0);
    json_decref(doc);
    f->ranking.weight = f->ranking.spread = NULL; /* on this stack */
}

/* Relative dose by hand: the strongest exact target is occupied to q; one log unit weaker gives q / (q + 10 (1 - q)). */
static void test_occupancy_by_hand(void **state)
{
    fixture *f = *state;
    json_t *doc = NULL;
    nep_affinity *a = &f->affinity[f->start[1]];
    assert_true(f->start[2] - f->start[1] >= 2);
    for (int64_t i = f->start[1]; i < f->start[2]; i++)
        f->affinity[i].p_affinity = i == f->start[1] ? 8.0 : 7.0, f->affinity[i].censored = false;
    a[1].censored = true;
    a[1].p_affinity = 9.5; /* a bound is never the strongest target */
    assert_ok(f->ctx, nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc));
    const json_t *drug = json_array_get(json_object_get(doc, "drugs"), 1), *rows = json_object_get(drug, "targets");
    assert_near(nep_doc_get_number(drug, "conc_nM"), 30.0, 1e-12);
    assert_near(nep_doc_get_number(json_array_get(rows, 0), "occupancy"), 0.75, 1e-12);
    assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "occupancy")));
    if (json_array_size(rows) > 2)
        assert_near(nep_doc_get_number(json_array_get(rows, 2), "occupancy"), 0.75 / (0.75 + 10 * 0.25), 1e-12);
    json_decref(doc);
}

/* The packed brain is whole; two regions in one place leave the page without pictures, with a warning and no failure. */
static void test_brain_is_packed_or_missed(void **state)
{
    fixture *f = *state;
    json_t *brain = NULL;
    const int before = nep_warn_count(f->ctx);
    assert_ok(f->ctx, nep_brain_pack(f->ctx, &f->geometry, &brain));
    assert_non_null(brain);
    assert_true(json_string_length(json_object_get(brain, "rle")) > 10000);
    json_decref(brain);
    for (int k = 0; k < 3; k++)
        f->geometry.mm[1][k] = f->geometry.mm[0][k];
    assert_ok(f->ctx, nep_brain_pack(f->ctx, &f->geometry, &brain));
    assert_null(brain);
    assert_int_equal(nep_warn_count(f->ctx), before + 1);
    assert_string_equal(nep_ctx_error(f->ctx), "");
    write_all(f, folder);
    int64_t n;
    char *page = read_file(f->ctx, folder, "report.html", &n);
    assert_non_null(strstr(page, "\"no slice viewer: "));
    nep_alloc_free(page);
}

/* A study too large for the page keeps every candidate and drops the details of the worst. */
static void test_page_stays_small(void **state)
{
    enum { MANY = 3000, ROWS = 12 };
    fixture *f = *state;
    char path[128], text[400];
    int64_t n;
    json_t *doc = json_pack("{s:s, s:b, s:[], s:[], s:[]}", "study", "large", "simulated", 0, "channels", "disorders", "drugs");
    json_t *candidates = json_array();
    for (int i = 0; i < MANY; i++) {
        json_t *rows = json_array();
        for (int t = 0; t < ROWS; t++) {
            snprintf(text, sizeof text, "source %d of drug %d %0200d", t, i, t);
            json_array_append_new(rows, json_pack("{s:i, s:f, s:s}", "target", t, "p_affinity", 7.25, "source", text));
        }
        snprintf(text, sizeof text, "candidate-number-%d", i);
        json_array_append_new(json_object_get(doc, "drugs"), json_pack("{s:s, s:s, s:o}", "id", text, "name", text, "targets", rows));
        json_array_append_new(candidates, json_pack("{s:i, s:i, s:f, s:s}", "rank", i + 1, "drug", i, "score", 3.0 - i * 0.001, "verdict", "weak"));
    }
    json_object_set_new(json_array_get(candidates, MANY - 1), "label", json_string("approved"));
    json_array_append_new(json_object_get(doc, "disorders"), json_pack("{s:s, s:s, s:o}", "id", "D", "name", "D", "candidates", candidates));
    f->in.geometry = NULL;
    snprintf(path, sizeof path, "%s/large.html", folder);
    assert_ok(f->ctx, nep_html_write_report(f->ctx, doc, &f->ranking, path));
    char *page = read_file(f->ctx, folder, "large.html", &n);
    assert_true(n < 5000000);
    assert_non_null(strstr(page, "candidate-number-1500\"")); /* a drug in the middle is listed, without its rows */
    assert_null(strstr(page, "of drug 1500 "));
    assert_non_null(strstr(page, "of drug 0 "));
    assert_non_null(strstr(page, "of drug 2999 ")); /* labelled: keeps its rows whatever its rank */
    assert_null(strstr(page, "\"detail_limit\":3000"));
    nep_alloc_free(page);
    json_decref(doc);
}

static void test_bad_calls_are_refused(void **state)
{
    fixture *f = *state;
    json_t *wrong = fix_json("{\"schema\": \"nepenthe/evaluation/2\"}"), *doc = NULL;
    char path[128];
    snprintf(path, sizeof path, "%s/refused.html", folder);
    assert_fails(nep_report_write_evaluation(f->ctx, wrong, NULL, path), NEP_E_FORMAT);
    assert_false(nep_file_exists(path));
    json_decref(wrong);
    nep_ctx_clear(f->ctx);
    f->ranking.n_disorders = 0;
    assert_fails(nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc), NEP_E_ARG);
    assert_null(doc);
    f->ranking.n_disorders = FIX_DISORDERS;
    nep_ctx_clear(f->ctx);
    assert_fails(nep_report_write_all(f->ctx, &f->ranking, NULL, NULL, "/dev/null/none"), NEP_E_WRITE);
}

/* The k-th allocation fails: a status comes back, nothing leaks, nothing is half written. */
static void test_allocation_failures(void **state)
{
    fixture *f = *state;
    const int64_t before = nep_alloc_used(f->ctx);
    nep_status st = NEP_E_NOMEM;
    for (int64_t k = 0; st != NEP_OK && k < 400; k += k < 20 ? 1 : 29) {
        json_t *doc = NULL;
        nep_alloc_fail_at(f->ctx, k);
        st = nep_report_gather(f->ctx, &f->ranking, NULL, NULL, &doc);
        nep_alloc_fail_at(f->ctx, -1);
        assert_true(st == NEP_OK || st == NEP_E_NOMEM);
        assert_true((st == NEP_OK) == (doc != NULL));
        json_decref(doc);
        assert_int_equal(nep_alloc_used(f->ctx), before);
        nep_ctx_clear(f->ctx);
    }
    assert_int_equal(st, NEP_OK);
}

/* Of the files below `where`, each is whole: the bytes of a good run, or those of `old` (NULL: or not there at all). Counts
 * the new ones. */
static int whole_files(nep_ctx *ctx, const char *where, const char *good, const char *old)
{
    int fresh = 0;
    for (int i = 0; i < NEP_LEN(files); i++) {
        char path[512];
        int64_t n, m;
        snprintf(path, sizeof path, "%s/%s", where, files[i]);
        if (!nep_file_exists(path)) {
            assert_null(old);
            continue;
        }
        char *is = read_file(ctx, where, files[i], &n), *want = read_file(ctx, good, files[i], &m);
        const bool new = n == m && memcmp(is, want, (size_t)n) == 0;
        assert_true(new || (old && strcmp(is, old) == 0));
        fresh += new;
        nep_alloc_free(want);
        nep_alloc_free(is);
    }
    return fresh;
}

/* The k-th allocation fails while files are written, beside none and beside old ones: what is there is whole, and no
 * temporary stays behind. */
static void test_allocation_failures_while_writing(void **state)
{
    static const char old[] = "of an earlier run";
    fixture *f = *state;
    char good[64], broken[64], command[512];
    snprintf(good, sizeof good, "%s/good", folder);
    snprintf(broken, sizeof broken, "%s/broken", folder);
    assert_ok(f->ctx, nep_report_write_all(f->ctx, &f->ranking, NULL, NULL, good));
    for (int beside_old = 0; beside_old < 2; beside_old++) {
        const int64_t before = nep_alloc_used(f->ctx);
        nep_status st = NEP_E_NOMEM;
        int partial = 0;
        for (int64_t k = 0; st != NEP_OK && k < 100000; k += k < 48 ? 1 : 6) {
            snprintf(command, sizeof command, "rm -rf '%s'; mkdir '%s'; for f in %s; do printf '%s' > \"%s/$f\"; done", broken, broken,
                     beside_old ? "report.html candidates.csv candidates.tsv candidates.xlsx candidates.json results.h5" : "", old, broken);
            assert_int_equal(system(command), 0);
            nep_alloc_fail_at(f->ctx, k);
            st = nep_report_write_all(f->ctx, &f->ranking, NULL, NULL, broken);
            nep_alloc_fail_at(f->ctx, -1);
            assert_true(st == NEP_OK || st == NEP_E_NOMEM);
            assert_int_equal(nep_alloc_used(f->ctx), before);
            nep_ctx_clear(f->ctx);
            const int fresh = whole_files(f->ctx, broken, good, beside_old ? old : NULL);
            assert_true(st != NEP_OK || fresh == NEP_LEN(files));
            partial += fresh > 0 && fresh < NEP_LEN(files);
            snprintf(command, sizeof command, "test -z \"$(find '%s' -name '*.part*')\"", broken);
            assert_int_equal(system(command), 0);
        }
        assert_int_equal(st, NEP_OK);
        assert_true(partial > 0); /* some failures fell between two files */
    }
}

/* Python reads every table back; see check_report.py. Without an optional library its part is named as skipped. */
static void test_tables_open_elsewhere(void **state)
{
    fixture *f = *state;
    char command[512];
    if (access("/usr/bin/python3", X_OK) != 0)
        test_skip();
    write_all(f, folder);
    snprintf(command, sizeof command, "/usr/bin/python3 %s/tests/report/check_report.py %s", NEP_SOURCE_DIR, folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_known_answers),
        cmocka_unit_test(test_base64_known_answers),
        WITH_FIXTURE(test_same_bytes_twice),
        WITH_FIXTURE(test_page_is_closed),
        WITH_FIXTURE(test_reasons_are_gathered),
        WITH_FIXTURE(test_decomposition_is_exact),
        WITH_FIXTURE(test_doubts_are_told),
        WITH_FIXTURE(test_disagreement_is_called_out),
        WITH_FIXTURE(test_percentiles_and_left_out),
        WITH_FIXTURE(test_methods_follow_the_run),
        WITH_FIXTURE(test_occupancy_by_hand),
        WITH_FIXTURE(test_brain_is_packed_or_missed),
        WITH_FIXTURE(test_page_stays_small),
        WITH_FIXTURE(test_bad_calls_are_refused),
        WITH_FIXTURE(test_allocation_failures),
        WITH_FIXTURE(test_allocation_failures_while_writing),
        WITH_FIXTURE(test_tables_open_elsewhere),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return failed ? failed : system(command) != 0 ? 1 : test_end(0);
}
