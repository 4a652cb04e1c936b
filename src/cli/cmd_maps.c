/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe maps compare|nulls|dominance - regional maps against regional maps, with spatial nulls. */
#include <math.h>
#include <string.h>

#include <nepenthe/brainmap.h>
#include <nepenthe/io.h>

#include "cli/tabular.h"

#define KINDS "moran|moran-compartment|spin|spin-hungarian|spin-nearest|shuffle"

/* ---- what every maps command loads ---- */

typedef struct {
    nep_geometry geometry; /* empty without --geometry */
    nep_maps maps[2];
    double *value[2]; /* [n, n_maps] on the common regions */
    char **regions;   /* lent by the geometry or the first map */
    bool *use;        /* [n] by --scope */
    int64_t n;
    nep_nulls_kind kind;
} scene;

static void scene_free(scene *s)
{
    nep_geometry_free(&s->geometry);
    for (int i = 0; i < 2; i++) {
        nep_maps_free(&s->maps[i]);
        nep_alloc_free(s->value[i]);
    }
    nep_alloc_free(s->use);
}

/* Regions of a map that the common list lacks are data left out: say so. */
static void warn_unjoined(nep_ctx *ctx, const scene *s, const nep_maps *m, const char *path)
{
    int64_t lost = 0;
    const char *first = NULL;
    for (int64_t i = 0; i < m->n_regions; i++) {
        bool found = false;
        for (int64_t j = 0; j < s->n && !found; j++)
            found = strcmp(m->regions[i], s->regions[j]) == 0;
        if (!found && lost++ == 0)
            first = m->regions[i];
    }
    if (lost > 0)
        nep_warn(ctx, "%s: %lld of %lld regions (first: '%s') are not in %s and are left out", path, (long long)lost,
                 (long long)m->n_regions, first, s->geometry.n_regions ? "the geometry" : "the first map");
}

static nep_status choose_scope(cli *c, scene *s)
{
    const bool spins = s->kind >= NEP_NULLS_SPIN && s->kind <= NEP_NULLS_SPIN_NEAREST;
    const char *scope = cli_text(c, "scope");
    const bool cortex = scope ? strcmp(scope, "cortex") == 0 : spins;
    NEP_TRY(nep_alloc(cli_ctx(c), s->n, sizeof *s->use, "maps: scope", &s->use));
    NEP_REQUIRE(cli_ctx(c), s->geometry.n_regions || !scope || !cortex, NEP_E_ARG,
                "--scope cortex needs --geometry, which says which regions are cortex");
    for (int64_t i = 0; i < s->n; i++)
        s->use[i] = !cortex || !s->geometry.n_regions || s->geometry.cortex[i];
    return NEP_OK;
}

static nep_status load(cli *c, const char *const *paths, int n_paths, scene *s)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *geometry = cli_text(c, "geometry");
    NEP_REQUIRE(ctx, nep_nulls_find(cli_text(c, "nulls"), &s->kind), NEP_E_ARG, "there are no nulls called '%s'",
                cli_text(c, "nulls"));
    if (geometry)
        NEP_TRY(nep_tsv_read_geometry(ctx, geometry, &s->geometry));
    for (int i = 0; i < n_paths; i++)
        NEP_TRY(nep_tsv_read_maps(ctx, paths[i], &s->maps[i]));
    s->regions = geometry ? s->geometry.names : s->maps[0].regions;
    s->n = geometry ? s->geometry.n_regions : s->maps[0].n_regions;
    for (int i = 0; i < n_paths; i++) {
        NEP_TRY(nep_alloc(ctx, s->n * s->maps[i].n_maps, sizeof(double), "maps: values", &s->value[i]));
        NEP_TRY(nep_maps_align(ctx, &s->maps[i], s->regions, s->n, s->value[i]));
        warn_unjoined(ctx, s, &s->maps[i], paths[i]);
    }
    return choose_scope(c, s);
}

static void column_of(const scene *s, int which, int64_t map, double *out)
{
    for (int64_t i = 0; i < s->n; i++)
        out[i] = s->value[which][i * s->maps[which].n_maps + map];
}

/* Number of surrogates: none without a geometry, and then nobody may have asked for some. */
static nep_status count_of_nulls(cli *c, int64_t *n)
{
    *n = cli_int(c, "n");
    NEP_REQUIRE(cli_ctx(c), *n >= 0, NEP_E_ARG, "--n is %lld: the number of surrogates must not be negative", (long long)*n);
    if (!cli_given(c, "geometry"))
        *n = 0;
    return NEP_OK;
}

static const cli_option compare_options[] = {
    {"statistic", 0, CLI_CHOICE, "NAME", "pearson", "pearson|spearman", "correlation; spearman ranks its surrogates too"},
    {"geometry", 0, CLI_INPUT, "TSV", NULL, NULL,
     "region hemisphere compartment x_mm y_mm z_mm [sphere_x sphere_y sphere_z]; without it there is no p"},
    {"nulls", 0, CLI_CHOICE, "KIND", "moran", KINDS, "surrogates that keep a map's spatial structure"},
    {"n", 0, CLI_INT, "N", "10000", NULL, "surrogates"},
    {"permute", 0, CLI_CHOICE, "SIDE", "both", "a|b|both", "which map the surrogates are of; both gives the larger p"},
    {"scope", 0, CLI_CHOICE, "SCOPE", NULL, "cortex|all", "regions that take part; default cortex for spins, else all"},
    {"calibrate", 0, CLI_INT, "N", "1000", NULL, "pairs of unrelated maps that measure the nulls' false-positive rate; 0 = none"},
    {"length", 0, CLI_REAL, "MM", "40", NULL, "correlation length of those maps, covariance exp(-D / length)"},
};

/* ---- maps compare ---- */

typedef struct {
    const char **a, **b, **kind;
    double *r, *p, *p_a, *p_b, *regions, *nulls;
} compare_rows;

static void compare_rows_free(compare_rows *t)
{
    void *const parts[] = {t->a, t->b, t->kind, t->r, t->p, t->p_a, t->p_b, t->regions, t->nulls};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

static nep_status compare_rows_new(nep_ctx *ctx, int64_t n, compare_rows *t)
{
    const char ***const texts[] = {&t->a, &t->b, &t->kind};
    double **const numbers[] = {&t->r, &t->p, &t->p_a, &t->p_b, &t->regions, &t->nulls};
    for (int i = 0; i < NEP_LEN(texts); i++)
        NEP_TRY(nep_alloc(ctx, n, sizeof(char *), "maps: rows", texts[i]));
    for (int i = 0; i < NEP_LEN(numbers); i++)
        NEP_TRY(nep_alloc(ctx, n, sizeof(double), "maps: rows", numbers[i]));
    return NEP_OK;
}

/* How often these nulls cry wolf at this parcellation; NULL when not asked for. */
static nep_status calibrate(cli *c, const scene *s, int64_t n_nulls, json_t **out)
{
    nep_ctx *ctx = cli_ctx(c);
    const int64_t pairs = cli_int(c, "calibrate");
    nep_nulls *nulls = NULL;
    nep_nulls_rate r;
    nep_status st;
    *out = NULL;
    if (pairs == 0 || n_nulls == 0)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_nulls_create(ctx, &s->geometry, s->use, s->kind, &nulls));
    NEP_TRY_OR_DONE(st, nep_nulls_false_positive(ctx, nulls, cli_real(c, "length"), pairs, n_nulls < 999 ? n_nulls : 999, 0.05,
                                                 1000003, &r));
    cli_say(c, "false-positive rate of %s at this parcellation: %.3f [%.3f, %.3f] at alpha 0.05 (%lld pairs of maps, length %g mm)",
            nep_nulls_name(s->kind), r.rate, r.low, r.high, (long long)pairs, cli_real(c, "length"));
    *out = json_pack("{s:{s:s,s:f,s:f,s:f,s:f,s:I,s:I,s:f}}", "null_calibration", "null", nep_nulls_name(s->kind), "alpha", 0.05,
                     "rate", r.rate, "low", r.low, "high", r.high, "n_maps", (json_int_t)r.n_maps, "n_nulls", (json_int_t)r.n_nulls,
                     "length_mm", cli_real(c, "length"));
done:
    nep_nulls_free(nulls);
    return st;
}

static nep_status compare_all(cli *c, const scene *s, const nep_compare_opts *o, compare_rows *t)
{
    nep_ctx *ctx = cli_ctx(c);
    double *x = NULL;
    int64_t row = 0;
    nep_status st = NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * s->n, sizeof *x, "maps: a pair", &x));
    nep_progress_open(ctx, "maps compare", s->maps[0].n_maps * s->maps[1].n_maps);
    for (int64_t i = 0; i < s->maps[0].n_maps; i++)
        for (int64_t j = 0; j < s->maps[1].n_maps; j++, row++) {
            nep_comparison r;
            column_of(s, 0, i, x);
            column_of(s, 1, j, x + s->n);
            NEP_TRY_OR_DONE(st, nep_compare_maps(ctx, s->geometry.n_regions ? &s->geometry : NULL, s->use, s->n, x, x + s->n, o, &r));
            t->a[row] = s->maps[0].names[i];
            t->b[row] = s->maps[1].names[j];
            t->kind[row] = o->n_nulls > 0 ? nep_nulls_name(o->kind) : "none";
            t->r[row] = r.r;
            t->p[row] = r.p;
            t->p_a[row] = r.p_a;
            t->p_b[row] = r.p_b;
            t->regions[row] = (double)r.n_regions;
            t->nulls[row] = (double)r.n_nulls;
            nep_progress_step(ctx, row + 1);
        }
done:
    nep_progress_close(ctx);
    nep_alloc_free(x);
    return st;
}

static nep_status run_compare(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *const paths[2] = {cli_input(c, 0), cli_input(c, 1)};
    const char *side = cli_text(c, "permute");
    scene s = {0};
    compare_rows t = {0};
    json_t *extra = NULL;
    nep_status st;

    nep_compare_opts o = {.statistic = strcmp(cli_text(c, "statistic"), "spearman") == 0 ? NEP_COMPARE_SPEARMAN : NEP_COMPARE_PEARSON,
                          .permute = strcmp(side, "both") == 0 ? NEP_COMPARE_BOTH : *side == 'a' ? NEP_COMPARE_A : NEP_COMPARE_B};
    NEP_TRY_OR_DONE(st, count_of_nulls(c, &o.n_nulls));
    NEP_TRY_OR_DONE(st, load(c, paths, 2, &s));
    o.kind = s.kind;
    const int64_t rows = s.maps[0].n_maps * s.maps[1].n_maps;
    if (cli_dry_run(c)) {
        const char *out[1] = {cli_out(c) ? cli_out(c) : "standard output"};
        st = cli_plan(c, rows, (int64_t)sizeof(double) * (512 + s.n) * s.n, (double)NAN, out, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, compare_rows_new(ctx, rows, &t));
    NEP_TRY_OR_DONE(st, compare_all(c, &s, &o, &t));
    NEP_TRY_OR_DONE(st, calibrate(c, &s, o.n_nulls, &extra));
    if (o.n_nulls == 0)
        cli_say(c, "no p: surrogates need --geometry and --n above 0");
    const cli_column columns[] = {{"a", t.a, NULL},         {"b", t.b, NULL},        {"r", NULL, t.r},
                                  {"p", NULL, t.p},         {"n_nulls", NULL, t.nulls}, {"null", t.kind, NULL},
                                  {"p_permute_a", NULL, t.p_a}, {"p_permute_b", NULL, t.p_b}, {"n_regions", NULL, t.regions}};
    st = cli_tabular_emit(c, "comparisons", columns, NEP_LEN(columns), rows, extra);
    extra = NULL;
done:
    json_decref(extra);
    compare_rows_free(&t);
    scene_free(&s);
    return st;
}

const cli_command cli_cmd_maps_compare = {
    .name = "maps compare",
    .group = "Maps and molecules",
    .summary = "correlation of every map in A with every map in B, with spatial nulls",
    .inputs = "A B",
    .min_inputs = 2,
    .max_inputs = 2,
    .inputs_are_files = true,
    .options = compare_options,
    .n_options = NEP_LEN(compare_options),
    .run = run_compare,
    .example = "nepenthe maps compare disorder.tsv receptors.tsv --geometry geometry.tsv --nulls spin",
};

/* ---- maps dominance ---- */

static const cli_option dominance_options[] = {
    {"predictors", 0, CLI_INPUT, "TSV", NULL, NULL, "maps that explain Y, at most 20: region, then one column per predictor"},
    {"geometry", 0, CLI_INPUT, "TSV", NULL, NULL, "as for `maps compare`; without it there is no p"},
    {"nulls", 0, CLI_CHOICE, "KIND", "moran", KINDS, "surrogates of Y"},
    {"n", 0, CLI_INT, "N", "10000", NULL, "surrogates"},
    {"scope", 0, CLI_CHOICE, "SCOPE", NULL, "cortex|all", "regions that take part; default cortex for spins, else all"},
};

typedef struct {
    const char **predictor, **map, **kind;
    double *dominance, *p, *share, *r2, *p_model, *regions, *nulls;
    int64_t n;
} dominance_rows;

static void dominance_rows_free(dominance_rows *t)
{
    void *const parts[] = {t->predictor, t->map, t->kind, t->dominance, t->p, t->share, t->r2, t->p_model, t->regions, t->nulls};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

static nep_status dominance_rows_new(nep_ctx *ctx, int64_t n, dominance_rows *t)
{
    const char ***const texts[] = {&t->predictor, &t->map, &t->kind};
    double **const numbers[] = {&t->dominance, &t->p, &t->share, &t->r2, &t->p_model, &t->regions, &t->nulls};
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
    nep_nulls *nulls;
    bool *mask;  /* [n] of the forms */
    double *x;   /* predictors on the mask */
    double *y, *draws, *null, *null_r2;
    int64_t m;
} bench;

static void bench_free(bench *b)
{
    nep_dominance_free(b->forms);
    nep_nulls_free(b->nulls);
    void *const parts[] = {b->mask, b->x, b->y, b->draws, b->null, b->null_r2};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

enum { DRAWS = 4096 };

static nep_status bench_new(nep_ctx *ctx, const scene *s, int64_t n_nulls, bench *b)
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
static nep_status bench_regions(nep_ctx *ctx, const scene *s, int64_t j, int64_t n_nulls, bench *b)
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
    nep_nulls_free(b->nulls);
    b->forms = NULL;
    b->nulls = NULL;
    NEP_TRY(nep_dominance_create(ctx, b->x, m, p, s->maps[1].names, &b->forms));
    return n_nulls > 0 ? nep_nulls_create(ctx, &s->geometry, b->mask, s->kind, &b->nulls) : NEP_OK;
}

static nep_status dominance_of(nep_ctx *ctx, const scene *s, int64_t j, int64_t n_nulls, bench *b, dominance_rows *t)
{
    const int64_t p = s->maps[1].n_maps, at = j * p;
    double r2 = (double)NAN, p_model = (double)NAN;
    int64_t reached = 0;
    NEP_TRY(bench_regions(ctx, s, j, n_nulls, b));
    NEP_TRY(nep_dominance_score(ctx, b->forms, b->y, 1, t->dominance + at, &r2));
    NEP_REQUIRE(ctx, isfinite(r2), NEP_E_ARG, "map '%s' is constant over its %lld regions", s->maps[0].names[j], (long long)b->m);
    for (int64_t first = 0; first < n_nulls; first += DRAWS) {
        const int64_t count = n_nulls - first < DRAWS ? n_nulls - first : DRAWS;
        NEP_TRY(nep_nulls_draw(ctx, b->nulls, b->y, 0, first, count, b->draws));
        NEP_TRY(nep_dominance_score(ctx, b->forms, b->draws, count, b->null + first * p, b->null_r2 + first));
    }
    for (int64_t i = 0; i < n_nulls; i++)
        reached += !(b->null_r2[i] < r2 - NEP_BRAINMAP_TIE * fabs(r2));
    if (n_nulls > 0) {
        p_model = (double)(1 + reached) / (double)(n_nulls + 1);
        NEP_TRY(nep_dominance_p(ctx, t->dominance + at, b->null, n_nulls, p, t->p + at));
    }
    for (int64_t k = 0; k < p; k++) {
        t->predictor[at + k] = s->maps[1].names[k];
        t->map[at + k] = s->maps[0].names[j];
        t->kind[at + k] = n_nulls > 0 ? nep_nulls_name(s->kind) : "none";
        t->share[at + k] = t->dominance[at + k] / r2;
        t->r2[at + k] = r2;
        t->p_model[at + k] = p_model;
        t->regions[at + k] = (double)b->m;
        t->nulls[at + k] = (double)n_nulls;
        if (n_nulls == 0)
            t->p[at + k] = (double)NAN;
    }
    return NEP_OK;
}

static nep_status run_dominance(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *const paths[2] = {cli_input(c, 0), cli_text(c, "predictors")};
    scene s = {0};
    bench b = {0};
    dominance_rows t = {0};
    int64_t n_nulls = 0;
    nep_status st;

    NEP_REQUIRE(ctx, paths[1], NEP_E_USAGE, "--predictors is needed: a table of maps that explain Y");
    NEP_TRY_OR_DONE(st, count_of_nulls(c, &n_nulls));
    NEP_TRY_OR_DONE(st, load(c, paths, 2, &s));
    const int64_t p = s.maps[1].n_maps, rows = s.maps[0].n_maps * p;
    if (cli_dry_run(c)) {
        const char *out[1] = {cli_out(c) ? cli_out(c) : "standard output"};
        st = cli_plan(c, s.maps[0].n_maps, (int64_t)sizeof(double) * (DRAWS * s.n + n_nulls * (p + 1)), (double)NAN, out, 1);
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
    const cli_column columns[] = {{"predictor", t.predictor, NULL}, {"dominance", NULL, t.dominance}, {"p", NULL, t.p},
                                  {"map", t.map, NULL},             {"share", NULL, t.share},         {"adjusted_r2", NULL, t.r2},
                                  {"p_model", NULL, t.p_model},     {"n_regions", NULL, t.regions},   {"n_nulls", NULL, t.nulls},
                                  {"null", t.kind, NULL}};
    st = cli_tabular_emit(c, "dominance", columns, NEP_LEN(columns), rows, NULL);
done:
    dominance_rows_free(&t);
    bench_free(&b);
    scene_free(&s);
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
