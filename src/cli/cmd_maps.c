/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe maps compare|nulls - regional maps against regional maps, with spatial nulls. */
#include <math.h>
#include <string.h>

#include <nepenthe/io.h>

#include "cli/images.h"
#include "cli/maps_voxels.h"
#include "cli/tabular.h"

/* ---- maps compare ---- */

static const cli_option compare_options[] = {
    CLI_MAPS_COLUMNS,
    {"statistic", 0, CLI_CHOICE, "NAME", "pearson", "pearson|spearman",
     "correlation; spearman ranks its surrogates too"},
    {"geometry", 0, CLI_INPUT, "TSV", NULL, NULL,
     "region hemisphere compartment x_mm y_mm z_mm [sphere_x sphere_y sphere_z]; without it tables have no p"},
    {"nulls", 0, CLI_CHOICE, "KIND", "moran", CLI_MAPS_KINDS,
     "surrogates that keep a map's spatial structure"},
    {"n", 0, CLI_INT, "N", "10000", NULL, "surrogates"},
    {"permute", 0, CLI_CHOICE, "SIDE", "both", "a|b|both",
     "which map the surrogates are of; both gives the larger p"},
    {"scope", 0, CLI_CHOICE, "SCOPE", NULL, "cortex|all",
     "regions that take part; default cortex for spins, else all"},
    CLI_MAPS_SURFACE,
    {"calibrate", 0, CLI_INT, "N", NULL, NULL,
     "pairs of unrelated maps that measure the nulls' false-positive rate; default 1000, 0 = none; not for images: see maps calibrate"},
    {"length", 0, CLI_REAL, "MM", "40", NULL,
     "of tables: correlation length of those maps, covariance exp(-D / length)"},
    CLI_MAPS_VOXELS,
};

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
static nep_status calibrate(cli *c, const cli_maps *s, int64_t n_nulls, json_t **out)
{
    nep_ctx *ctx = cli_ctx(c);
    const int64_t pairs = cli_given(c, "calibrate") ? cli_int(c, "calibrate") : 1000;
    nep_nulls *nulls = NULL;
    nep_nulls_rate r;
    nep_status st;
    *out = NULL;
    if (pairs == 0 || n_nulls == 0)
        return NEP_OK;
    const int64_t most = nep_nulls_made_per_map(s->kinds[0]) ? CLI_MAPS_FITTED : 999, each = n_nulls < most ? n_nulls : most;
    NEP_TRY_OR_DONE(st, nep_nulls_create_on(ctx, &s->geometry, s->use, s->kinds[0], s->surface.n ? &s->surface : NULL, &nulls));
    NEP_TRY_OR_DONE(st, nep_nulls_false_positive(ctx, nulls, cli_real(c, "length"), pairs,
                                                 each, 0.05, 1000003, &r));
    cli_say(c,
            "false-positive rate of %s at this parcellation: %.3f [%.3f, %.3f] at alpha 0.05 (%lld pairs of "
            "maps, length %g mm)",
            nep_nulls_name(s->kinds[0]), r.rate, r.low, r.high, (long long)pairs, cli_real(c, "length"));
    *out = json_pack("{s:{s:s,s:f,s:f,s:f,s:f,s:I,s:I,s:f}}", "null_calibration", "null",
                     nep_nulls_name(s->kinds[0]), "alpha", 0.05, "rate", r.rate, "low", r.low, "high", r.high,
                     "n_maps", (json_int_t)r.n_maps, "n_nulls", (json_int_t)r.n_nulls, "length_mm",
                     cli_real(c, "length"));
done:
    nep_nulls_free(nulls);
    return st;
}

static nep_status compare_all(cli *c, const cli_maps *s, const nep_compare_opts *o, compare_rows *t)
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
            cli_maps_column(s, 0, i, x);
            cli_maps_column(s, 1, j, x + s->n);
            NEP_TRY_OR_DONE(st, nep_compare_maps(ctx, s->geometry.n_regions ? &s->geometry : NULL, s->use,
                                                 s->n, x, x + s->n, o, &r));
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
    cli_maps s = {0};
    compare_rows t = {0};
    json_t *extra = NULL;
    nep_status st;

    nep_compare_opts o = {.statistic = strcmp(cli_text(c, "statistic"), "spearman") == 0
                                           ? NEP_COMPARE_SPEARMAN
                                           : NEP_COMPARE_PEARSON,
                          .permute = strcmp(side, "both") == 0 ? NEP_COMPARE_BOTH
                                     : *side == 'a'            ? NEP_COMPARE_A
                                                               : NEP_COMPARE_B};
    if (cli_images_is_nifti(paths[0]) || cli_images_is_nifti(paths[1]))
        return cli_maps_voxels_compare(c, o);
    NEP_REQUIRE(ctx, !cli_given(c, "mask"), NEP_E_USAGE, "--mask is for images; a table has its regions (--scope chooses among them)");
    NEP_TRY_OR_DONE(st, cli_maps_count(c, &o.n_nulls));
    NEP_TRY_OR_DONE(st, cli_maps_load(c, paths, 2, &s));
    o.kind = s.kinds[0];
    o.surface = s.surface.n ? &s.surface : NULL;
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
    const cli_column columns[] = {{"a", t.a, NULL},
                                  {"b", t.b, NULL},
                                  {"r", NULL, t.r},
                                  {"p", NULL, t.p},
                                  {"n_nulls", NULL, t.nulls},
                                  {"null", t.kind, NULL},
                                  {"p_permute_a", NULL, t.p_a},
                                  {"p_permute_b", NULL, t.p_b},
                                  {"n_regions", NULL, t.regions}};
    st = cli_tabular_emit(c, "comparisons", columns, NEP_LEN(columns), rows, extra);
    extra = NULL;
done:
    json_decref(extra);
    compare_rows_free(&t);
    cli_maps_free(&s);
    return st;
}

const cli_command cli_cmd_maps_compare = {
    .name = "maps compare",
    .group = "Maps and molecules",
    .summary = "correlation of every map in A with every map in B, or of two images, with spatial nulls",
    .inputs = "A B",
    .min_inputs = 2,
    .max_inputs = 2,
    .inputs_are_files = true,
    .options = compare_options,
    .n_options = NEP_LEN(compare_options),
    .run = run_compare,
    .example = "nepenthe maps compare disorder.tsv receptors.tsv --geometry geometry.tsv --nulls spin",
};

/* ---- maps nulls ---- */

static const cli_option nulls_options[] = {
    CLI_MAPS_COLUMNS,
    {"map", 0, CLI_TEXT, "NAME", NULL, NULL,
     "column of MAP to draw surrogates of; needed when there are several"},
    {"geometry", 0, CLI_INPUT, "TSV", NULL, NULL, "as for `maps compare`; needed, but for an image"},
    {"nulls", 0, CLI_CHOICE, "KIND", "moran", CLI_MAPS_KINDS,
     "surrogates that keep the map's spatial structure"},
    {"n", 0, CLI_INT, "N", "10000", NULL, "surrogates"},
    {"scope", 0, CLI_CHOICE, "SCOPE", NULL, "cortex|all",
     "regions that take part; default cortex for spins, else all"},
    CLI_MAPS_SURFACE,
    CLI_MAPS_VOXELS,
};

static nep_status choose_map(cli *c, const cli_maps *s, int64_t *out)
{
    const char *name = cli_text(c, "map");
    const nep_maps *m = &s->maps[0];
    NEP_REQUIRE(cli_ctx(c), name || m->n_maps == 1, NEP_E_USAGE,
                "%s holds %lld maps: choose one with --map, such as --map %s", cli_input(c, 0),
                (long long)m->n_maps, m->names[0]);
    *out = name ? nep_maps_find(m, name) : 0;
    NEP_REQUIRE(cli_ctx(c), *out >= 0, NEP_E_ARG, "%s has no map '%s'; the nearest name is '%s'",
                cli_input(c, 0), name,
                nep_data_nearest(name, (const char *const *)m->names, m->n_maps)
                    ? nep_data_nearest(name, (const char *const *)m->names, m->n_maps)
                    : m->names[0]);
    return NEP_OK;
}

/* Surrogates, the map and its regions as one HDF5 file; the provenance stands beside it. */
static nep_status write_nulls(cli *c, const cli_maps *s, const char *map, char *const *regions, int64_t n,
                              const double *value, const double *draws, int64_t count)
{
    nep_hdf5 *h = NULL;
    const int64_t dims[2] = {count, n};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_hdf5_create(cli_ctx(c), cli_out(c), &h));
    NEP_TRY_OR_DONE(st, nep_hdf5_write_f64(h, "nulls", draws, 2, dims));
    NEP_TRY_OR_DONE(st, nep_hdf5_write_f64(h, "map", value, 1, dims + 1));
    NEP_TRY_OR_DONE(st, nep_hdf5_write_strings(h, "regions", regions, n));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute(h, "/", "schema", "nepenthe/nulls/1"));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute(h, "/", "map", map));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute(h, "/", "null", nep_nulls_name(s->kinds[0])));
    st = nep_hdf5_commit(h);
    h = NULL;
    if (st == NEP_OK)
        st = cli_sidecar(c, cli_out(c), NULL, NULL);
done:
    if (h)
        nep_hdf5_abort(h);
    return st;
}

/* repeats: spins that do what an earlier one does, -1 for other kinds. */
static nep_status draw_and_write(cli *c, const cli_maps *s, int64_t map, int64_t count, int64_t *repeats)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_nulls *nulls = NULL;
    double *x = NULL, *draws = NULL;
    char **regions = NULL;
    int64_t n = 0;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * s->n, sizeof *x, "maps: a map", &x));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s->n, sizeof *regions, "maps: regions", &regions));
    cli_maps_column(s, 0, map, x);
    for (int64_t i = 0; i < s->n; i++) {
        s->use[i] = s->use[i] && isfinite(x[i]);
        if (s->use[i]) {
            regions[n] = s->regions[i];
            x[s->n + n++] = x[i];
        }
    }
    NEP_TRY_OR_DONE(st, nep_nulls_create_on(ctx, &s->geometry, s->use, s->kinds[0], s->surface.n ? &s->surface : NULL, &nulls));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, count * n, sizeof *draws, "maps: surrogates", &draws));
    NEP_TRY_OR_DONE(st, nep_nulls_draw(ctx, nulls, x + s->n, 0, 0, count, draws));
    *repeats = -1;
    if (nep_nulls_cortex_only(s->kinds[0]) && s->kinds[0] != NEP_NULLS_SPIN_CORNBLATH)
        NEP_TRY_OR_DONE(st, nep_nulls_repeats(ctx, nulls, 0, count, repeats));
    if (*repeats > 0)
        cli_say(c, "%lld of %lld spins repeat an earlier one: so few regions have no more", (long long)*repeats,
                (long long)count);
    st = write_nulls(c, s, s->maps[0].names[map], regions, n, x + s->n, draws, count);
done:
    nep_alloc_free(draws);
    nep_alloc_free(regions);
    nep_alloc_free(x);
    nep_nulls_free(nulls);
    return st;
}

static nep_status run_nulls(cli *c)
{
    const char *const paths[1] = {cli_input(c, 0)};
    cli_maps s = {0};
    int64_t count = 0, map = 0, repeats = -1;
    nep_status st;
    NEP_REQUIRE(cli_ctx(c), cli_out(c), NEP_E_USAGE, "-o FILE.h5 is needed: surrogates are written as HDF5");
    if (cli_images_is_nifti(cli_input(c, 0)))
        return cli_maps_voxels_nulls(c);
    NEP_REQUIRE(cli_ctx(c), cli_given(c, "geometry"), NEP_E_USAGE,
                "--geometry is needed: surrogates keep a structure in space");
    NEP_TRY_OR_DONE(st, cli_maps_count(c, &count));
    NEP_REQUIRE_OR_DONE(st, cli_ctx(c), count >= 1, NEP_E_ARG,
                        "--n is %lld: at least one surrogate is needed", (long long)count);
    NEP_TRY_OR_DONE(st, cli_maps_load(c, paths, 1, &s));
    NEP_TRY_OR_DONE(st, choose_map(c, &s, &map));
    if (cli_dry_run(c)) {
        const char *out[1] = {cli_out(c)};
        st = cli_plan(c, count, (int64_t)sizeof(double) * s.n * (count + s.n), (double)NAN, out, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, draw_and_write(c, &s, map, count, &repeats));
    st = cli_document(c, json_pack("{s:s,s:s,s:I,s:o,s:o}", "map", s.maps[0].names[map], "null",
                                   nep_nulls_name(s.kinds[0]), "n", (json_int_t)count, "n_repeats",
                                   repeats < 0 ? json_null() : json_integer(repeats), "provenance",
                                   cli_provenance(c, NULL)));
done:
    cli_maps_free(&s);
    return st;
}

const cli_command cli_cmd_maps_nulls = {
    .name = "maps nulls",
    .group = "Maps and molecules",
    .summary = "surrogates of a map of regions or voxels that keep its spatial structure",
    .inputs = "MAP",
    .min_inputs = 1,
    .max_inputs = 1,
    .inputs_are_files = true,
    .options = nulls_options,
    .n_options = NEP_LEN(nulls_options),
    .run = run_nulls,
    .example = "nepenthe maps nulls disorder.tsv --geometry geometry.tsv --n 1000 -o nulls.h5",
};
