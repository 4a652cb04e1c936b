/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe maps calibrate - how often each null cries wolf at a parcellation. */
#include <math.h>
#include <string.h>

#include <nepenthe/io.h>

#include "cli/images.h"
#include "cli/maps_voxels.h"
#include "cli/tabular.h"

static const cli_option calibrate_options[] = {
    {"nulls", 0, CLI_TEXTS, "KINDS", NULL, NULL, "kinds of null, separated by commas; default every kind that the geometry allows"},
    {"pairs", 0, CLI_INT, "N", "1000", NULL, "pairs of unrelated maps"},
    {"n", 0, CLI_INT, "N", "999", NULL, "surrogates of the first map of each pair; at most 199 for kinds that are fitted to each map (variogram)"},
    {"length", 0, CLI_REAL, "MM", "40", NULL, "correlation length of the maps, covariance exp(-D / length); 0 = white noise"},
    {"alpha", 0, CLI_REAL, "A", "0.05", NULL, "the threshold that p is held against"},
    {"scope", 0, CLI_CHOICE, "SCOPE", "cortex", "cortex|all", "regions that take part; all leaves out spins"},
    CLI_MAPS_SURFACE,
    CLI_MAPS_NEAREST,
};

typedef struct {
    nep_geometry geometry;
    nep_surface surface;
    bool *use;
    int64_t n_used;
    bool image; /* the voxels of a mask, no geometry */
    nep_nulls_kind kinds[NEP_NULLS_KIND_COUNT];
    int n_kinds, n_rows;
    bool named; /* the kinds were asked for by name */
    const char *names[NEP_NULLS_KIND_COUNT];
    double rate[NEP_NULLS_KIND_COUNT], low[NEP_NULLS_KIND_COUNT], high[NEP_NULLS_KIND_COUNT];
    double alpha[NEP_NULLS_KIND_COUNT], length[NEP_NULLS_KIND_COUNT], regions[NEP_NULLS_KIND_COUNT];
    double pairs[NEP_NULLS_KIND_COUNT], nulls[NEP_NULLS_KIND_COUNT];
} calibration;

static void calibration_free(calibration *s)
{
    nep_geometry_free(&s->geometry);
    nep_surface_free(&s->surface);
    nep_alloc_free(s->use);
}

/* Whether a kind can be drawn here at all: what was not asked for by name is left out, not an error. */
static bool allowed(const calibration *s, nep_nulls_kind kind, bool all)
{
    if (s->image)
        return nep_nulls_of_voxels(kind);
    if (nep_nulls_needs_surface(kind) && s->surface.n == 0)
        return false;
    if (nep_nulls_cortex_only(kind) && all)
        return false;
    if (!nep_nulls_cortex_only(kind) && kind != NEP_NULLS_EIGENMODES && !(nep_nulls_needs_all(kind) && !nep_nulls_made_per_map(kind) && s->n_used > NEP_NULLS_MANY))
        return true;
    for (int64_t i = 0; i < s->geometry.n_regions; i++)
        if (s->use[i] && s->geometry.cortex[i] && (isnan(s->geometry.sphere[i][0]) || s->geometry.hemisphere[i] == 'B'))
            return false;
    return true;
}

static nep_status choose_kinds(cli *c, calibration *s, bool all)
{
    int n = 0;
    const char *const *asked = cli_texts(c, "nulls", &n);
    s->named = n > 0;
    for (int k = 0; k < NEP_NULLS_KIND_COUNT && n == 0; k++)
        if (allowed(s, (nep_nulls_kind)k, all))
            s->kinds[s->n_kinds++] = (nep_nulls_kind)k;
    NEP_REQUIRE(cli_ctx(c), n <= NEP_NULLS_KIND_COUNT, NEP_E_USAGE, "--nulls names %d kinds, there are %d", n,
                (int)NEP_NULLS_KIND_COUNT);
    for (int i = 0; i < n; i++)
        NEP_REQUIRE(cli_ctx(c), nep_nulls_find(asked[i], &s->kinds[s->n_kinds++]), NEP_E_USAGE,
                    "--nulls: there are no nulls called '%s'; there are " CLI_MAPS_KINDS, asked[i]);
    return NEP_OK;
}

static nep_status open_calibration(cli *c, calibration *s)
{
    nep_ctx *ctx = cli_ctx(c);
    const bool all = strcmp(cli_text(c, "scope"), "all") == 0;
    s->image = cli_images_is_nifti(cli_input(c, 0));
    if (s->image) {
        NEP_TRY(cli_maps_voxels_count(c, cli_input(c, 0), &s->n_used));
        return choose_kinds(c, s, all);
    }
    NEP_TRY(nep_tsv_read_geometry(ctx, cli_input(c, 0), &s->geometry));
    if (cli_text(c, "surface"))
        NEP_TRY(nep_tsv_read_surface(ctx, cli_text(c, "surface"), &s->surface));
    NEP_TRY(nep_alloc(ctx, s->geometry.n_regions, sizeof *s->use, "maps: regions", &s->use));
    for (int64_t i = 0; i < s->geometry.n_regions; i++) {
        s->use[i] = all || s->geometry.cortex[i];
        s->n_used += s->use[i];
    }
    return choose_kinds(c, s, all);
}

/* A kind that an image cannot have is an error where it was asked for by name, else it is left out and that is said. */
static nep_status refused(cli *c, const calibration *s, nep_nulls_kind kind, nep_status st)
{
    if (st != NEP_E_ARG || s->named || !s->image)
        return st;
    cli_say(c, "%s is left out: %s", nep_nulls_name(kind), nep_ctx_error(cli_ctx(c)));
    nep_ctx_clear(cli_ctx(c));
    return NEP_OK;
}

static nep_status measure(cli *c, calibration *s, nep_nulls_kind kind)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_nulls *nulls = NULL;
    nep_nulls_rate r;
    nep_status st;
    const int64_t asked = cli_int(c, "n"), each = nep_nulls_made_per_map(kind) && asked > CLI_MAPS_FITTED ? CLI_MAPS_FITTED : asked;
    st = s->image ? cli_maps_voxels_open(c, cli_input(c, 0), kind, &nulls)
                  : nep_nulls_create_on(ctx, &s->geometry, s->use, kind, s->surface.n ? &s->surface : NULL, &nulls);
    if (st != NEP_OK)
        return refused(c, s, kind, st);
    s->n_used = nep_nulls_regions(nulls);
    NEP_TRY_OR_DONE(st, nep_nulls_false_positive(ctx, nulls, cli_real(c, "length"), cli_int(c, "pairs"), each,
                                                 cli_real(c, "alpha"), 1000003, &r));
    const int i = s->n_rows++;
    s->names[i] = nep_nulls_name(kind);
    s->rate[i] = r.rate;
    s->low[i] = r.low;
    s->high[i] = r.high;
    s->alpha[i] = r.alpha;
    s->length[i] = cli_real(c, "length");
    s->regions[i] = (double)s->n_used;
    s->pairs[i] = (double)r.n_maps;
    s->nulls[i] = (double)r.n_nulls;
done:
    nep_nulls_free(nulls);
    return st;
}

static nep_status run_calibrate(cli *c)
{
    calibration s = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, open_calibration(c, &s));
    if (cli_dry_run(c)) {
        const char *out[1] = {cli_out(c) ? cli_out(c) : "standard output"};
        const int64_t few = s.n_used < 2048 ? 5 * s.n_used : 600; /* modes and what is in work with them */
        const int64_t each = s.image ? (few > 100 + CLI_MAPS_FITTED ? few : 100 + CLI_MAPS_FITTED) : s.n_used; /* doubles beside the maps */
        st = cli_plan(c, s.n_kinds, (int64_t)sizeof(double) * s.n_used * (each + 2 * cli_int(c, "pairs")), (double)NAN, out, 1);
        goto done;
    }
    nep_progress_open(cli_ctx(c), "maps calibrate", s.n_kinds);
    for (int i = 0; i < s.n_kinds && st == NEP_OK; i++) {
        st = measure(c, &s, s.kinds[i]);
        nep_progress_step(cli_ctx(c), i + 1);
    }
    nep_progress_close(cli_ctx(c));
    if (st != NEP_OK)
        goto done;
    NEP_REQUIRE_OR_DONE(st, cli_ctx(c), s.n_rows > 0, NEP_E_ARG, "%s has room for no kind of null", cli_input(c, 0));
    const cli_column columns[] = {{"null", s.names, NULL},         {"rate", NULL, s.rate},          {"low", NULL, s.low},
                                  {"high", NULL, s.high},          {"alpha", NULL, s.alpha},        {"length_mm", NULL, s.length},
                                  {"n_regions", NULL, s.regions},  {"n_pairs", NULL, s.pairs},      {"n_nulls", NULL, s.nulls}};
    st = cli_tabular_emit(c, "rates", columns, NEP_LEN(columns), s.n_rows, NULL);
done:
    calibration_free(&s);
    return st;
}

const cli_command cli_cmd_maps_calibrate = {
    .name = "maps calibrate",
    .group = "Maps and molecules",
    .summary = "how often each kind of null finds two unrelated random maps of regions or voxels related",
    .inputs = "GEOMETRY|MASK",
    .min_inputs = 1,
    .max_inputs = 1,
    .inputs_are_files = true,
    .options = calibrate_options,
    .n_options = NEP_LEN(calibrate_options),
    .run = run_calibrate,
    .example = "nepenthe maps calibrate geometry.tsv --length 40",
};
