/* SPDX-License-Identifier: Apache-2.0 */
/* The ops on the nearest of very many places: values worked out by hand on five places in a row, and what the front doors refuse. */
#include "support.h"

#include <nepenthe/backend.h>

enum { N = 5, PAD = 2, SLOTS = N + 2 * PAD, SCALES = NEP_NEAR_SCALES, COLS = NEP_NEAR_COLS, LAGS = NEP_VARIOGRAM_LAGS, NEAR = 4 };

static const double EXACT = 0.0;
static const float value[N] = {1, 2, 4, 8, 16};

/* Columns are the map itself, but for the second, which is reversed. */
static void make_order(int32_t *order)
{
    for (int c = 0; c < COLS; c++)
        for (int i = 0; i < N; i++)
            order[c * N + i] = c == 1 ? N - 1 - i : i;
}

/* ---- a row of voxels: what is 1 away and what is 2 away --------------------------------------------------------------- */
typedef struct {
    int32_t slot[N], place[SLOTS], cut[N * SCALES], whole[N];
    int64_t offset[4], shell[3];
    double norm[N * SCALES], weight[4];
    nep_shells g;
} row;

static void make_row(row *r)
{
    *r = (row){.offset = {-1, 1, -2, 2}, .shell = {0, 2, 4}, .weight = {1, 0, 2, 1}};
    for (int q = 0; q < SLOTS; q++)
        r->place[q] = q < PAD || q >= PAD + N ? -1 : q - PAD;
    for (int i = 0; i < N; i++) {
        const int32_t cut[SCALES] = {2, 3, 4, 4};
        r->slot[i] = PAD + i;
        r->whole[i] = i == 0 ? 3 : 4;
        for (int s = 0; s < SCALES; s++) {
            r->cut[i * SCALES + s] = cut[s];
            r->norm[i * SCALES + s] = s == 3 ? 0.5 : 1.0;
        }
    }
    r->g = (nep_shells){.n = N,
                        .slots = SLOTS,
                        .n_offsets = 4,
                        .n_shells = 2,
                        .n_bins = 2,
                        .slot = r->slot,
                        .place = r->place,
                        .offset = r->offset,
                        .shell = r->shell,
                        .cut = r->cut,
                        .whole = r->whole,
                        .norm = r->norm,
                        .weight = r->weight};
}

static void test_shells(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    row r;
    int32_t order[COLS * N];
    const int32_t sample[] = {0, 2};
    float out[(SCALES + 1) * N * COLS];
    double squares[2 * COLS], pairs[2];
    nep_shell_place placed = {0};
    nep_buf lines = {0}, maps = {0};
    make_row(&r);
    make_order(order);
    assert_ok(ctx, nep_buf_new(ctx, NEP_F32, SLOTS * COLS, "lines", &lines));
    assert_ok(ctx, nep_buf_new(ctx, NEP_F32, NEP_LEN(out), "maps", &maps));
    assert_ok(ctx, nep_backend_shells(ctx, &r.g, &placed));
    assert_ok(ctx, nep_backend_shell_smooth(ctx, &placed, value, order, &lines, &maps));
    assert_ok(ctx, nep_buf_get(ctx, &maps, out));
    /* of place 2 (4, between 2 and 8, then 1 and 16) and of place 0 (1, beside 2, then 4) */
    const double middle[] = {10, 2 * 10 + 1, 2 * 10 + 17, 0.5 * (2 * 10 + 17), 4}, first[] = {2, 4, 4 + 4, 4, 1},
                 mirror[] = {8, 16, 16 + 4, 10};
    for (int s = 0; s <= SCALES; s++)
        for (int c = 0; c < COLS; c++) {
            if (c == 1 && s < SCALES) {
                assert_near(out[s * N * COLS + c], mirror[s], EXACT);
                continue;
            }
            assert_near(out[(s * N + 2) * COLS + c], middle[s], EXACT);
            assert_near(out[s * N * COLS + c], first[s], EXACT);
        }
    nep_buf_free(&maps);
    float x[N * COLS];
    for (int i = 0; i < N * COLS; i++)
        x[i] = value[i / COLS];
    assert_ok(ctx, nep_buf_put(ctx, x, NEP_F32, N * COLS, "maps", &maps));
    assert_ok(ctx, nep_backend_shell_squares(ctx, &placed, &maps, 1, sample, 2, squares, pairs));
    for (int c = 0; c < COLS; c++) { /* place 0: 1 - 2, its second neighbour is no longer its own; place 2: 4 - 2, 4 - 8; 4 - 1, 4 - 16 */
        assert_near(squares[c], 0.5 + 2 + 8, EXACT);
        assert_near(squares[COLS + c], 4.5 + 72, EXACT);
    }
    assert_true(pairs[0] == 3 && pairs[1] == 2);
    assert_ok(ctx, nep_backend_shell_squares(ctx, &placed, &maps, 1, NULL, 0, squares, pairs));
    assert_true(squares[0] == 0 && squares[2 * COLS - 1] == 0 && pairs[0] == 0);
    nep_buf_free(&maps);
    nep_buf_free(&lines);
    nep_backend_shells_free(&placed);
    nep_ctx_free(ctx);
}

/* ---- the same in a ring: each has the next four as neighbours, at 1, 1, 2, 2 mm ------------------------------------- */
typedef struct {
    int32_t near[N * NEAR];
    float far[N * NEAR];
    double norm[N * SCALES], scale[N * SCALES], table[NEP_NEAR_STEPS + 2];
    nep_lists g;
} ring;

static void make_ring(ring *r)
{
    *r = (ring){0};
    for (int i = 0; i < N * NEAR; i++) {
        r->near[i] = (i / NEAR + 1 + i % NEAR) % N;
        r->far[i] = i % NEAR < 2 ? 1 : 2;
    }
    for (int i = 0; i < N * SCALES; i++) {
        r->norm[i] = 1;
        r->scale[i] = i % SCALES == 3 ? 0.5 : 1; /* 1, 2, 2 and 3 neighbours */
    }
    for (int k = 0; k < NEP_NEAR_STEPS + 2; k++)
        r->table[k] = exp(-(double)k / NEP_NEAR_STEPS);
    r->g = (nep_lists){.n = N, .neighbours = NEAR, .near = r->near, .far = r->far, .norm = r->norm, .scale = r->scale, .table = r->table};
    for (int h = 0; h < LAGS; h++)
        r->g.lag[h] = 1 + h / 24.0;
}

static void test_lists(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    static ring r;
    int32_t order[COLS * N];
    const int32_t sample[] = {0, 2};
    float out[(SCALES + 1) * N * COLS];
    double squares[LAGS * COLS], weights[LAGS];
    nep_list_place placed = {0};
    nep_buf lines = {0}, maps = {0};
    make_ring(&r);
    make_order(order);
    assert_ok(ctx, nep_buf_new(ctx, NEP_F32, N * COLS, "lines", &lines));
    assert_ok(ctx, nep_buf_new(ctx, NEP_F32, NEP_LEN(out), "maps", &maps));
    assert_ok(ctx, nep_backend_lists(ctx, &r.g, &placed));
    assert_ok(ctx, nep_backend_list_smooth(ctx, &placed, value, order, &lines, &maps));
    assert_ok(ctx, nep_buf_get(ctx, &maps, out));
    const double e = exp(-1.0), half = exp(-0.5);
    const double first[] = {2 * e, (2 + 4) * e, (2 + 4) * e, (2 + 4) * half + 8 * e, 1},
                 mirror[] = {8 * e, 12 * e, 12 * e, 12 * half + 2 * e, 1};
    for (int s = 0; s <= SCALES; s++)
        for (int c = 0; c < COLS; c++)
            assert_near(out[s * N * COLS + c], (float)(c == 1 ? mirror : first)[s], 1e-6);
    nep_buf_free(&maps);
    float x[N * COLS];
    for (int i = 0; i < N * COLS; i++)
        x[i] = value[i / COLS];
    assert_ok(ctx, nep_buf_put(ctx, x, NEP_F32, N * COLS, "maps", &maps));
    assert_ok(ctx, nep_backend_list_squares(ctx, &placed, &maps, 1, sample, 2, squares, weights));
    for (int h = 0; h < LAGS; h++) { /* the last lag is 2 mm: two pairs of each, 1 - 2, 1 - 4 and 4 - 8, 4 - 16 */
        const double u = 2.68 * 24 / 3 * h / 24.0, w = exp(-0.5 * u * u);
        assert_near(weights[h] / w, 4, 1e-12);
        for (int c = 0; c < COLS; c++)
            assert_near(squares[h * COLS + c] / w, 0.5 + 4.5 + 8 + 72, 1e-10);
    }
    nep_buf_free(&maps);
    nep_buf_free(&lines);
    nep_backend_lists_free(&placed);
    nep_ctx_free(ctx);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------------- */
static void refused(nep_ctx *ctx, nep_status st, const char *words)
{
    assert_fails(st, NEP_E_ARG);
    if (!strstr(nep_ctx_error(ctx), words))
        fail_msg("'%s' is not in '%s'", words, nep_ctx_error(ctx));
    nep_ctx_clear(ctx);
}

static void refused_row(nep_ctx *ctx, const row *r, const char *words)
{
    nep_shell_place placed = {0};
    refused(ctx, nep_backend_shells(ctx, &r->g, &placed), words);
    assert_null(placed.be);
}

static void test_places_refused(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    static ring l;
    row r;
    nep_list_place placed = {0};
    make_row(&r);
    r.offset[3] = 3;
    refused_row(ctx, &r, "from place 4 out of the 9 lines");
    make_row(&r);
    r.place[0] = N;
    refused_row(ctx, &r, "line 0 holds place 5");
    make_row(&r);
    r.shell[1] = 0;
    refused_row(ctx, &r, "shell 0 is empty");
    make_row(&r);
    r.g.n_shells = 1;
    r.g.n_bins = 1;
    refused_row(ctx, &r, "do not hold the 4 offsets");
    make_row(&r);
    r.cut[2 * SCALES + 1] = 1;
    refused_row(ctx, &r, "neighbourhood 1 of place 2 ends at offset 1");
    make_row(&r);
    r.whole[1] = 5;
    refused_row(ctx, &r, "neighbours of place 1 end at offset 5");
    make_row(&r);
    r.g.norm = NULL;
    refused_row(ctx, &r, "an array is missing");
    make_row(&r);
    r.g.n_bins = 3;
    refused_row(ctx, &r, "2 shells, 3 of them");
    make_ring(&l);
    l.near[6] = N;
    refused(ctx, nep_backend_lists(ctx, &l.g, &placed), "neighbour 2 of place 1");
    make_ring(&l);
    l.far[1] = 0.5f;
    refused(ctx, nep_backend_lists(ctx, &l.g, &placed), "neighbour 1 of place 0");
    make_ring(&l);
    l.scale[SCALES] = 1.1;
    refused(ctx, nep_backend_lists(ctx, &l.g, &placed), "neighbourhood 0 of place 1");
    make_ring(&l);
    l.g.neighbours = 3;
    refused(ctx, nep_backend_lists(ctx, &l.g, &placed), "at least 4");
    nep_ctx_free(ctx);
}

static void test_calls_refused(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    row r;
    int32_t order[COLS * N];
    const int32_t outside[] = {0, 5};
    double squares[2 * COLS] = {-7}, pairs[2];
    nep_shell_place placed = {0};
    nep_buf lines = {0}, maps = {0}, few = {0};
    make_row(&r);
    make_order(order);
    assert_ok(ctx, nep_buf_new(ctx, NEP_F32, SLOTS * COLS, "lines", &lines));
    assert_ok(ctx, nep_buf_new(ctx, NEP_F32, (SCALES + 1) * N * COLS, "maps", &maps));
    assert_ok(ctx, nep_buf_new(ctx, NEP_F32, SLOTS * COLS - 1, "few", &few));
    assert_ok(ctx, nep_backend_shells(ctx, &r.g, &placed));
    refused(ctx, nep_backend_shell_smooth(ctx, &placed, value, order, &few, &maps), "lines are not 144 float32");
    refused(ctx, nep_backend_shell_smooth(ctx, &placed, value, order, &lines, &few), "maps are not 400 float32");
    refused(ctx, nep_backend_shell_smooth(ctx, &placed, NULL, order, &lines, &maps), "an array is missing");
    order[7] = -1;
    refused(ctx, nep_backend_shell_smooth(ctx, &placed, value, order, &lines, &maps), "shuffle 7 is place -1");
    refused(ctx, nep_backend_shell_squares(ctx, &placed, &maps, 1, outside, 2, squares, pairs), "sample 1 is place 5, must be 0 to 4");
    refused(ctx, nep_backend_shell_squares(ctx, &placed, &maps, 6, outside, 1, squares, pairs), "maps are not 480 float32");
    nep_backend other = nep_backend_cpu;
    other.name = "elsewhere";
    placed.be = &other;
    refused(ctx, nep_backend_shell_squares(ctx, &placed, &maps, 1, outside, 1, squares, pairs), "'elsewhere', this context works on 'cpu'");
    assert_true(squares[0] == -7);
    nep_buf_free(&few);
    nep_buf_free(&maps);
    nep_buf_free(&lines);
    nep_backend_shells_free(&placed);
    nep_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shells),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_places_refused),
        cmocka_unit_test(test_calls_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
