/* SPDX-License-Identifier: Apache-2.0 */
/* test_dwpc - every pattern of repeated kinds of up to four steps against counting path by path. */
#include "golden_network.h"
#include "random.h"

enum { KINDS = 5 };
static const int sizes[KINDS] = {6, 7, 5, 6, 4};

/* Kinds A..E; between any two one metaedge, within one an undirected and a directed. */
static nep_network make(nep_ctx *ctx)
{
    nep_network net = {0};
    char id[8];
    uint64_t stream = 0;
    for (int a = 0; a < KINDS; a++)
        random_kind(ctx, &net, (char)('A' + a), sizes[a]);
    for (int a = 0; a < KINDS; a++)
        for (int b = a; b < KINDS; b++) {
            snprintf(id, sizeof id, "%cx%c", 'A' + a, 'A' + b);
            random_metaedge(ctx, &net, id, (char)('A' + a), (char)('A' + b), sizes[a], sizes[b], 0.45, stream++);
            snprintf(id, sizeof id, "%cy>%c", 'A' + a, 'A' + a);
            if (a == b)
                random_metaedge(ctx, &net, id, (char)('A' + a), (char)('A' + a), sizes[a], sizes[a], 0.4, stream++);
        }
    assert_ok(ctx, nep_network_finish(ctx, &net, NULL));
    return net;
}

static void compare(nep_ctx *ctx, const nep_network *net, const char *text, const nep_dwpc_opts *opts)
{
    nep_metapath path;
    assert_ok(ctx, nep_metapath_parse(ctx, net, text, &path));
    const int64_t n = net->kind[path.kind[0]].n * net->kind[path.kind[path.length]].n;
    double *got = calloc((size_t)n, sizeof *got), *paths = calloc((size_t)n, sizeof *paths);
    double *want = calloc((size_t)n, sizeof *want), *want_paths = calloc((size_t)n, sizeof *want_paths);
    const nep_dwpc_opts defaults = NEP_DWPC_DEFAULTS, *o = opts ? opts : &defaults;
    assert_ok(ctx, nep_dwpc_matrix(ctx, net, &path, opts, got, paths));
    slow_dwpc(net, &path, o->damping, o->n_hidden ? o->hidden[0].metaedge : -1, o->n_hidden ? o->hidden[0].edge : NULL, want, want_paths);
    for (int64_t i = 0; i < n; i++) {
        if (paths[i] != want_paths[i] || (got[i] == 0.0) != (want[i] == 0.0) || !(fabs(got[i] - want[i]) <= 1e-13))
            fail_msg("%s, pair %lld: got %.17g (%g paths) want %.17g (%g paths)", text, (long long)i, got[i], paths[i], want[i], want_paths[i]);
    }
    free(got);
    free(paths);
    free(want);
    free(want_paths);
}

/* Text of the metapath whose kinds are these, its steps within a kind by `within`: undirected, along, against. */
static void write_metapath(const int *kind, int length, int within, char *out)
{
    *out++ = (char)('A' + kind[0]);
    for (int p = 1; p <= length; p++) {
        const bool same = kind[p] == kind[p - 1];
        out += sprintf(out, "%s%c", !same || within % 3 == 0 ? "x" : within % 3 == 1 ? "y>" : "<y", 'A' + kind[p]);
        within = same ? within / 3 : within;
    }
}

static void test_every_pattern_of_kinds(void **state)
{
    nep_ctx *ctx = test_ctx(2);
    nep_network net = make(ctx);
    int patterns = 0;
    (void)state;
    for (int length = 1; length <= NEP_METAPATH_MOST; length++)
        for (int code = 0; code < 3125; code++) { /* kinds of positions in base 5; each kind first met in alphabetical order */
            int kind[5], most = -1, rest = code, within = 1;
            bool first_met = true;
            for (int p = 0; p <= 4; p++, rest /= 5) {
                kind[p] = rest % 5;
                first_met &= kind[p] <= most + 1 && (p <= length || kind[p] == 0);
                most = kind[p] > most ? kind[p] : most;
            }
            for (int p = 1; p <= length; p++)
                within *= kind[p] == kind[p - 1] ? 3 : 1;
            for (int w = 0; first_met && w < within; w++) {
                char text[24];
                write_metapath(kind, length, w, text);
                compare(ctx, &net, text, NULL);
                patterns += w == 0;
            }
        }
    assert_int_equal(patterns, 2 + 5 + 15 + 52); /* ways to part 2, 3, 4, 5 positions into kinds */
    nep_network_free(&net);
    nep_ctx_free(ctx);
}

static void test_hidden_edges_and_damping(void **state)
{
    nep_ctx *ctx = test_ctx(1);
    nep_network net = make(ctx);
    static const char *const texts[] = {"AxB", "AxBxA", "AxBxAxB", "BxAxBxAxB", "AxAxBxAxB", "AxBxCxBxA", "BxAxCxDxE"};
    const int64_t m = nep_network_find_metaedge(&net, "AxB");
    bool *hidden = calloc((size_t)net.metaedge[m].n, sizeof *hidden);
    (void)state;
    for (int64_t e = 0; e < net.metaedge[m].n; e++)
        hidden[e] = nep_philox_uniform(3, 0, (uint64_t)e) < 0.4;
    const nep_hidden_edges lists[] = {{m, hidden}};
    for (int i = 0; i < NEP_LEN(texts); i++) {
        compare(ctx, &net, texts[i], &(nep_dwpc_opts){.damping = 0.4, .hidden = lists, .n_hidden = 1});
        compare(ctx, &net, texts[i], &(nep_dwpc_opts){.damping = 1.0});
        compare(ctx, &net, texts[i], &(nep_dwpc_opts){.damping = 0.0});
    }
    free(hidden);
    nep_network_free(&net);
    nep_ctx_free(ctx);
}

/* More sources than a tile holds, any number of threads: the same bytes. */
static void test_bits_do_not_depend_on_threads(void **state)
{
    double *want = NULL;
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        nep_ctx *ctx = test_ctx(threads);
        nep_network net = {0};
        nep_metapath path;
        assert_ok(ctx, nep_network_add_metaedge(ctx, &net, "AxB", NULL));
        for (int i = 0; i < 300; i++)
            for (int j = 0; j < 6; j++) {
                char a[16], b[16];
                const nep_network_row row = {.from = a, .to = b, .weight = (double)NAN, .line = 2};
                snprintf(a, sizeof a, "a%d", i);
                snprintf(b, sizeof b, "b%d", (i * 7 + j * j * 13) % 290);
                assert_ok(ctx, nep_network_add_edge(ctx, &net, NULL, &row));
            }
        assert_ok(ctx, nep_network_finish(ctx, &net, NULL));
        assert_ok(ctx, nep_metapath_parse(ctx, &net, "AxBxAxBxA", &path));
        double *got = calloc(300 * 300, sizeof *got);
        assert_ok(ctx, nep_dwpc_matrix(ctx, &net, &path, NULL, got, NULL));
        if (want)
            assert_memory_equal(got, want, 300 * 300 * sizeof *got);
        else
            want = calloc(300 * 300, sizeof *want);
        memcpy(want, got, 300 * 300 * sizeof *got);
        free(got);
        nep_network_free(&net);
        nep_ctx_free(ctx);
    }
    free(want);
}

static void assert_refused(nep_ctx *ctx, const nep_network *net, const char *text, const char *words)
{
    nep_metapath path;
    nep_ctx_clear(ctx);
    assert_fails(nep_metapath_parse(ctx, net, text, &path), NEP_E_ARG);
    if (!strstr(nep_ctx_error(ctx), words))
        fail_msg("%s: %s", text, nep_ctx_error(ctx));
}

static void test_metapaths_are_refused_in_a_sentence(void **state)
{
    nep_ctx *ctx = test_ctx(1);
    nep_network net = make(ctx);
    double out = -1;
    nep_metapath path;
    (void)state;
    assert_refused(ctx, &net, "", "take turns");
    assert_refused(ctx, &net, "A", "take turns");
    assert_refused(ctx, &net, "AxBx", "take turns");
    assert_refused(ctx, &net, "xB", "take turns");
    assert_refused(ctx, &net, "AzB", "no metaedge AzB (nearest: AxB)");
    assert_refused(ctx, &net, "AyA", "no metaedge AyA");
    assert_refused(ctx, &net, "AxBxAxBxAxB", "more than 4 steps");
    assert_ok(ctx, nep_metapath_parse(ctx, &net, "AxB", &path));
    assert_fails(nep_dwpc_matrix(ctx, &net, &path, &(nep_dwpc_opts){.damping = -0.1}, &out, NULL), NEP_E_ARG);
    assert_true(out == -1);
    nep_network_free(&net);
    nep_ctx_free(ctx);
}

/* Rows of graph_dwpc.tsv are all the pairs that have a path, metapath by metapath. */
static void test_against_the_golden_network(void **state)
{
    nep_ctx *ctx = test_ctx(2);
    nep_network net = golden_network(ctx);
    nep_table t = {0};
    int metapaths = 0;
    (void)state;
    assert_ok(ctx, nep_tsv_read(ctx, TEST_GOLDEN("graph_dwpc.tsv"), &t));
    for (int64_t i = 0, next; i < t.n_rows; i = next, metapaths++) {
        const char *text = nep_table_cell(&t, i, 0);
        nep_metapath path;
        assert_ok(ctx, nep_metapath_parse(ctx, &net, text, &path));
        const int64_t from = path.kind[0], to = path.kind[path.length], n = net.kind[from].n * net.kind[to].n;
        double *dwpc = calloc((size_t)n, sizeof *dwpc), *paths = calloc((size_t)n, sizeof *paths);
        int64_t with_paths = 0;
        assert_ok(ctx, nep_dwpc_matrix(ctx, &net, &path, NULL, dwpc, paths));
        for (next = i; next < t.n_rows && strcmp(nep_table_cell(&t, next, 0), text) == 0; next++) {
            const int64_t a = nep_network_find_node(&net, from, nep_table_cell(&t, next, 1)), b = nep_network_find_node(&net, to, nep_table_cell(&t, next, 2));
            assert_near(dwpc[a * net.kind[to].n + b], atof(nep_table_cell(&t, next, 3)), 2e-13);
            assert_true(paths[a * net.kind[to].n + b] == atof(nep_table_cell(&t, next, 4)));
        }
        for (int64_t k = 0; k < n; k++)
            with_paths += dwpc[k] != 0.0;
        assert_int_equal(with_paths, next - i);
        free(dwpc);
        free(paths);
    }
    assert_int_equal(metapaths, 28);
    nep_table_free(&t);
    nep_network_free(&net);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pattern_of_kinds),
        cmocka_unit_test(test_hidden_edges_and_damping),
        cmocka_unit_test(test_bits_do_not_depend_on_threads),
        cmocka_unit_test(test_against_the_golden_network),
        cmocka_unit_test(test_metapaths_are_refused_in_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
