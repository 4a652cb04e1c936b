/* SPDX-License-Identifier: Apache-2.0 */
/* maps - what the maps commands share: tables of maps joined to a geometry by name, and which regions take
 * part. */
#include "cli/maps.h"

#include <math.h>
#include <string.h>

#include <nepenthe/io.h>

void cli_maps_free(cli_maps *s)
{
    nep_geometry_free(&s->geometry);
    nep_surface_free(&s->surface);
    for (int i = 0; i < 2; i++) {
        nep_maps_free(&s->maps[i]);
        nep_alloc_free(s->value[i]);
    }
    nep_alloc_free(s->use);
}

/* Regions of a map that the common list lacks are data left out: say so. */
static void warn_unjoined(nep_ctx *ctx, const cli_maps *s, const nep_maps *m, const char *path)
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
        nep_warn(ctx, "%s: %lld of %lld regions (first: '%s') are not in %s and are left out", path,
                 (long long)lost, (long long)m->n_regions, first,
                 s->geometry.n_regions ? "the geometry" : "the first map");
}

static nep_status choose_scope(cli *c, cli_maps *s)
{
    const bool spins = nep_nulls_cortex_only(s->kinds[0]);
    const char *scope = cli_text(c, "scope");
    const bool cortex = scope ? strcmp(scope, "cortex") == 0 : spins;
    NEP_TRY(nep_alloc(cli_ctx(c), s->n, sizeof *s->use, "maps: scope", &s->use));
    NEP_REQUIRE(cli_ctx(c), s->geometry.n_regions || !scope || !cortex, NEP_E_ARG,
                "--scope cortex needs --geometry, which says which regions are cortex");
    for (int64_t i = 0; i < s->n; i++)
        s->use[i] = !cortex || !s->geometry.n_regions || s->geometry.cortex[i];
    return NEP_OK;
}

static nep_status take_columns(nep_ctx *ctx, const nep_table *t, const char *const *names, int n_names, nep_maps *m)
{
    NEP_REQUIRE(ctx, strcmp(t->header[0], "region") == 0, NEP_E_FORMAT, "%s: the first column is '%s', a map table starts with 'region'", t->path,
                t->header[0]);
    m->n_regions = t->n_rows;
    NEP_TRY(nep_alloc(ctx, t->n_rows, sizeof *m->regions, "maps: regions", &m->regions));
    NEP_TRY(nep_alloc(ctx, n_names, sizeof *m->names, "maps: names", &m->names));
    NEP_TRY(nep_alloc(ctx, t->n_rows * n_names, sizeof *m->value, "maps: values", &m->value));
    for (int64_t i = 0; i < t->n_rows; i++) {
        const char *region = nep_table_cell(t, i, 0);
        NEP_REQUIRE(ctx, region, NEP_E_FORMAT, "%s: line %lld: the region has no name", t->path, (long long)i + 2);
        NEP_TRY(nep_alloc_string(ctx, region, &m->regions[i]));
    }
    for (int k = 0; k < n_names; k++) {
        const int64_t column = nep_table_column(t, names[k]);
        if (column < 1)
            continue;
        for (int64_t i = 0; i < t->n_rows; i++)
            NEP_TRY(nep_table_number(ctx, t, i, column, &m->value[i * n_names + m->n_maps]));
        NEP_TRY(nep_alloc_string(ctx, names[k], &m->names[m->n_maps]));
        m->n_maps++;
    }
    for (int64_t i = 0; i < t->n_rows; i++) /* rows as wide as the columns that are there */
        memmove(m->value + i * m->n_maps, m->value + i * n_names, (size_t)m->n_maps * sizeof *m->value);
    return NEP_OK;
}

/* A table that has any of --columns is read for those alone, another one whole; the first needs one. */
static nep_status read_maps(cli *c, const char *path, bool first, nep_maps *out)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_table t = {0};
    int n_names = 0, there = 0;
    int64_t column;
    const char *const *names = cli_texts(c, "columns", &n_names);
    nep_status st;
    if (n_names == 0)
        return nep_tsv_read_maps(ctx, path, out);
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &t));
    for (int k = 0; k < n_names; k++)
        there += nep_table_column(&t, names[k]) > 0;
    if (there == 0 && first)
        NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, names[0], &column));
    st = there ? take_columns(ctx, &t, names, n_names, out) : nep_tsv_read_maps(ctx, path, out);
done:
    nep_table_free(&t);
    return st;
}

nep_status cli_maps_load(cli *c, const char *const *paths, int n_paths, cli_maps *s)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *geometry = cli_text(c, "geometry");
    NEP_REQUIRE(ctx, nep_nulls_find(cli_text(c, "nulls"), &s->kinds[0]), NEP_E_ARG,
                "there are no nulls called '%s'", cli_text(c, "nulls"));
    s->n_kinds = 1;
    if (geometry)
        NEP_TRY(nep_tsv_read_geometry(ctx, geometry, &s->geometry));
    if (cli_text(c, "surface"))
        NEP_TRY(nep_tsv_read_surface(ctx, cli_text(c, "surface"), &s->surface));
    NEP_REQUIRE(ctx, s->surface.n || !nep_nulls_needs_surface(s->kinds[0]), NEP_E_USAGE,
                "--nulls %s turns the vertices of a surface: give them with --surface", cli_text(c, "nulls"));
    for (int i = 0; i < n_paths; i++)
        NEP_TRY(read_maps(c, paths[i], i == 0, &s->maps[i]));
    s->regions = geometry ? s->geometry.names : s->maps[0].regions;
    s->n = geometry ? s->geometry.n_regions : s->maps[0].n_regions;
    for (int i = 0; i < n_paths; i++) {
        NEP_TRY(nep_alloc(ctx, s->n * s->maps[i].n_maps, sizeof(double), "maps: values", &s->value[i]));
        NEP_TRY(nep_maps_align(ctx, &s->maps[i], s->regions, s->n, s->value[i]));
        warn_unjoined(ctx, s, &s->maps[i], paths[i]);
    }
    return choose_scope(c, s);
}

void cli_maps_second(const cli *c, cli_maps *s)
{
    const char *asked = cli_text(c, "second");
    const bool is_moran = s->kinds[0] == NEP_NULLS_MORAN || s->kinds[0] == NEP_NULLS_MORAN_COMPARTMENT ||
                          s->kinds[0] == NEP_NULLS_MORAN_PAIR;
    bool beyond = false, spheres = s->geometry.n_regions > 0;
    for (int64_t i = 0; i < s->geometry.n_regions; i++) {
        const bool cortex = s->geometry.cortex[i], placed = s->geometry.sphere && !isnan(s->geometry.sphere[i][0]);
        beyond = beyond || (s->use[i] && !cortex);
        spheres = spheres && (!s->use[i] || !cortex || (placed && s->geometry.hemisphere[i] != 'B'));
    }
    if (nep_nulls_find(asked, &s->kinds[1]))
        s->n_kinds = 2;
    else if (strcmp(asked, "none") != 0 && s->geometry.n_regions && (!is_moran || spheres)) {
        s->kinds[1] = !is_moran ? beyond ? NEP_NULLS_MORAN_COMPARTMENT : NEP_NULLS_MORAN
                      : beyond  ? NEP_NULLS_EIGENMODES
                      : s->n > NEP_NULLS_MANY ? NEP_NULLS_SPIN_NEAREST
                                    : NEP_NULLS_SPIN;
        s->n_kinds = 2;
    }
}

void cli_maps_column(const cli_maps *s, int which, int64_t map, double *out)
{
    for (int64_t i = 0; i < s->n; i++)
        out[i] = s->value[which][i * s->maps[which].n_maps + map];
}

nep_status cli_maps_count(cli *c, int64_t *n)
{
    *n = cli_int(c, "n");
    NEP_REQUIRE(cli_ctx(c), *n >= 0, NEP_E_ARG, "--n is %lld: the number of surrogates must not be negative",
                (long long)*n);
    if (!cli_given(c, "geometry"))
        *n = 0;
    return NEP_OK;
}
