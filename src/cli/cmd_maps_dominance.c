/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe maps dominance - how much of each map every predictor explains. */
#include <math.h>
#include <string.h>

#include "cli/maps.h"
#include "cli/tabular.h"

static const cli_option dominance_options[] = {
    CLI_MAPS_COLUMNS,
    {"predictors", 0, CLI_INPUT, "TSV", NULL, NULL,
     "maps that explain Y, at most 20: region, then one column per predictor"},
    {"geometry", 0, CLI_INPUT, "TSV", NULL, NULL, "as for `maps compare`; without it there is no p"},
    {"nulls", 0, CLI_CHOICE, "KIND", "moran", CLI_MAPS_KINDS, "surrogates of Y"},
    CLI_MAPS_SECOND,
    CLI_MAPS_SURFACE,
    {"n", 0, CLI_INT, "N", "10000", NULL, "surrogates"},
    {"scope", 0, CLI_CHOICE, "SCOPE", NULL, "cortex|all",
     "regions that take part; default cortex for spins, else all"},
};

typedef struct {
    const char **predictor, **map, **kind, **kind_second;
    double *dominance, *p, *share, *r2, *p_model, *regions, *nulls, *q, *p_first, *p_second;
    int64_t n;
} dominance_rows;

static void dominance_rows_free(dominance_rows *t)
{
    void *const parts[] = {t->predictor, t->map,     t->kind,    t->kind_second, t->dominance, t->p,       t->share,
                           t->r2,        t->p_model, t->regions, t->nulls,       t->q,         t->p_first, t->p_second};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

static nep_status dominance_rows_new(nep_ctx *ctx, int64_t n, dominance_rows *t)
{
    const char ***const texts[] = {&t->predictor, &t->map, &t->kind, &t->kind_second};
    double **const numbers[] = {&t->dominance, &t->p,     &t->share, &t->r2,      &t->p_model,
                                &t->regions,   &t->nulls, &t->q,     &t->p_first, &t->p_second};
    t->n = n;
    for (int i = 0; i < NEP_LEN(texts); i++)
        NEP_TRY(nep_alloc(ctx, n, sizeof(char *), "maps: rows", texts[i]));
    for (int i = 0; i < NEP_LEN(numbers); i++)
        NEP_TRY(nep_alloc(ctx, n, sizeof(double), "maps: rows", numbers[i]));
    return NEP_OK;
}

/* The forms of one set of regions, kept while maps share it. */
typedef struct {
    nep_dominance *forms;
    nep_nulls *nulls[2]; /* by family */
    bool *mask; /* [n] of the forms */
    double *x;  /* predictors on the mask */
    double *y, *draws, *null, *null_r2;
    int64_t m;
} bench;

static void bench_free(bench *b)
{
    nep_dominance_free(b->forms);
    nep_nulls_free(b->nulls[0]);
    nep_nulls_free(b->nulls[1]);
    void *const parts[] = {b->mask, b->x, b->y, b->draws, b->null, b->null_r2};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

enum { DRAWS = 4096 };

static nep_status bench_new(nep_ctx *ctx, const cli_maps *s, int64_t n_nulls, bench *b)
{
    const int64_t p = s->maps[1].n_maps;
    NEP_TRY(nep_alloc(ctx, s->n, sizeof *b->mask, "maps: regions of the forms", &b->mask));
    NEP_TRY(nep_alloc(ctx, s->n * p, sizeof *b->x, "maps: predictors", &b->x));
    NEP_TRY(nep_alloc(ctx, s->n, sizeof *b->y, "maps: a map", &b->y));
    NEP_TRY(nep_alloc(ctx, DRAWS * s->n, sizeof *b->draws, "maps: surrogates", &b->draws));
    NEP_TRY(nep_alloc(ctx, n_nulls * p, sizeof *b->null, "maps: dominance of surrogates", &b->null));
    return nep_alloc(ctx, n_nulls, sizeof *b->null_r2, "maps: R2 of surrogates", &b->null_r2);
}

/* Points the bench at the regions where map j and every predictor have values. */
static nep_status bench_regions(nep_ctx *ctx, const cli_maps *s, int64_t j, int64_t n_nulls, bench *b)
{
    const int64_t p = s->maps[1].n_maps;
    bool same = b->forms != NULL;
    int64_t m = 0;
    for (int64_t i = 0; i < s->n; i++) {
        bool whole = s->use[i] && isfinite(s->value[0][i * s->maps[0].n_maps + j]);
        for (int64_t k = 0; k < p; k++)
            whole = whole && isfinite(s->value[1][i * p + k]);
        same = same && b->mask[i] == whole;
        b->mask[i] = whole;
        if (whole) {
            memcpy(b->x + m * p, s->value[1] + i * p, (size_t)p * sizeof *b->x);
            b->y[m++] = s->value[0][i * s->maps[0].n_maps + j];
        }
    }
    b->m = m;
    if (same)
        return NEP_OK;
    nep_dominance_free(b->forms);
    b->forms = NULL;
    for (int f = 0; f < 2; f++) {
        nep_nulls_free(b->nulls[f]);
        b->nulls[f] = NULL;
    }
    NEP_TRY(nep_dominance_create(ctx, b->x, m, p, s->maps[1].names, &b->forms));
    for (int f = 0; f < s->n_kinds && n_nulls > 0; f++)
        NEP_TRY(nep_nulls_create_on(ctx, &s->geometry, b->mask, s->kinds[f], s->surface.n ? &s->surface : NULL,
                                    &b->nulls[f]));
    return NEP_OK;
}

/* p of every predictor and of the model by one family of surrogates; p [predictors]. */
static nep_status test_family(nep_ctx *ctx, int family, int64_t p, int64_t n_nulls, bench *b, const double *dominance,
                              double r2, double *p_each, double *p_model)
{
    int64_t reached = 0;
    for (int64_t first = 0; first < n_nulls; first += DRAWS) {
        const int64_t count = n_nulls - first < DRAWS ? n_nulls - first : DRAWS;
        NEP_TRY(nep_nulls_draw(ctx, b->nulls[family], b->y, 0, first, count, b->draws));
        NEP_TRY(nep_dominance_score(ctx, b->forms, b->draws, count, b->null + first * p, b->null_r2 + first));
    }
    for (int64_t i = 0; i < n_nulls; i++)
        reached += !(b->null_r2[i] < r2 - NEP_BRAINMAP_TIE * fabs(r2));
    *p_model = (double)(1 + reached) / (double)(n_nulls + 1);
    return nep_dominance_p(ctx, dominance, b->null, n_nulls, p, p_each);
}

static nep_status dominance_of(nep_ctx *ctx, const cli_maps *s, int64_t j, int64_t n_nulls, bench *b,
                               dominance_rows *t)
{
    const int64_t p = s->maps[1].n_maps, at = j * p;
    double r2 = (double)NAN, p_model[2] = {(double)NAN, (double)NAN};
    double *const by_family[2] = {t->p_first + at, t->p_second + at};
    NEP_TRY(bench_regions(ctx, s, j, n_nulls, b));
    NEP_TRY(nep_dominance_score(ctx, b->forms, b->y, 1, t->dominance + at, &r2));
    NEP_REQUIRE(ctx, isfinite(r2), NEP_E_ARG, "map '%s' is constant over its %lld regions",
                s->maps[0].names[j], (long long)b->m);
    for (int f = 0; f < 2; f++) {
        for (int64_t k = 0; k < p; k++)
            by_family[f][k] = (double)NAN;
        if (n_nulls > 0 && f < s->n_kinds)
            NEP_TRY(test_family(ctx, f, p, n_nulls, b, t->dominance + at, r2, by_family[f], &p_model[f]));
    }
    for (int64_t k = 0; k < p; k++) {
        t->predictor[at + k] = s->maps[1].names[k];
        t->map[at + k] = s->maps[0].names[j];
        t->kind[at + k] = n_nulls > 0 ? nep_nulls_name(s->kinds[0]) : "none";
        t->kind_second[at + k] = n_nulls > 0 && s->n_kinds > 1 ? nep_nulls_name(s->kinds[1]) : "none";
        t->share[at + k] = t->dominance[at + k] / r2;
        t->r2[at + k] = r2;
        t->p[at + k] = fmax(t->p_first[at + k], t->p_second[at + k]); /* the number where the other is NaN */
        t->p_model[at + k] = fmax(p_model[0], p_model[1]);
        t->regions[at + k] = (double)b->m;
        t->nulls[at + k] = (double)n_nulls;
    }
    nep_fdr_adjust(t->p + at, p, t->q + at);
    return NEP_OK;
}

static nep_status run_dominance(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *const paths[2] = {cli_input(c, 0), cli_text(c, "predictors")};
    cli_maps s = {0};
    bench b = {0};
    dominance_rows t = {0};
    int64_t n_nulls = 0;
    nep_status st;

    NEP_REQUIRE(ctx, paths[1], NEP_E_USAGE, "--predictors is needed: a table of maps that explain Y");
    NEP_TRY_OR_DONE(st, cli_maps_count(c, &n_nulls));
    NEP_TRY_OR_DONE(st, cli_maps_load(c, paths, 2, &s));
    cli_maps_second(c, &s);
    const int64_t p = s.maps[1].n_maps, rows = s.maps[0].n_maps * p;
    if (cli_dry_run(c)) {
        const char *out[1] = {cli_out(c) ? cli_out(c) : "standard output"};
        st = cli_plan(c, s.maps[0].n_maps, (int64_t)sizeof(double) * (DRAWS * s.n + n_nulls * (p + 1)),
                      (double)NAN, out, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, dominance_rows_new(ctx, rows, &t));
    NEP_TRY_OR_DONE(st, bench_new(ctx, &s, n_nulls, &b));
    nep_progress_open(ctx, "maps dominance", s.maps[0].n_maps);
    for (int64_t j = 0; j < s.maps[0].n_maps && st == NEP_OK; j++) {
        st = dominance_of(ctx, &s, j, n_nulls, &b, &t);
        nep_progress_step(ctx, j + 1);
    }
    nep_progress_close(ctx);
    if (st != NEP_OK)
        goto done;
    const cli_column columns[] = {{"predictor", t.predictor, NULL},
                                  {"dominance", NULL, t.dominance},
                                  {"p", NULL, t.p},
                                  {"map", t.map, NULL},
                                  {"share", NULL, t.share},
                                  {"adjusted_r2", NULL, t.r2},
                                  {"p_model", NULL, t.p_model},
                                  {"n_regions", NULL, t.regions},
                                  {"n_nulls", NULL, t.nulls},
                                  {"null", t.kind, NULL},
                                  {"q", NULL, t.q},
                                  {"p_null", NULL, t.p_first},
                                  {"second_null", t.kind_second, NULL},
                                  {"p_second_null", NULL, t.p_second}};
    st = cli_tabular_emit(c, "dominance", columns, NEP_LEN(columns), rows, NULL);
done:
    dominance_rows_free(&t);
    bench_free(&b);
    cli_maps_free(&s);
    return st;
}

const cli_command cli_cmd_maps_dominance = {
    .name = "maps dominance",
    .group = "Maps and molecules",
    .summary = "how much of each map in Y every predictor explains, over all subsets of predictors",
    .inputs = "Y",
    .min_inputs = 1,
    .max_inputs = 1,
    .inputs_are_files = true,
    .options = dominance_options,
    .n_options = NEP_LEN(dominance_options),
    .run = run_dominance,
    .example = "nepenthe maps dominance disorders.tsv --predictors receptors.tsv --geometry geometry.tsv",
};
