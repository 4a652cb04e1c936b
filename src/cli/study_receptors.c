/* SPDX-License-Identifier: Apache-2.0 */
/* study_receptors.c - receptor maps, further tracers of a target, and how far tracers agree. */
#include "cli/study_tables.h"

#include <math.h>
#include <string.h>

/* Columns `TARGET` are the maps used; `TARGET.anything` are further tracers of the same target. */
static int64_t target_of_column(const nep_maps *m, int64_t column, char *base, size_t size)
{
    const char *dot = strchr(m->names[column], '.');
    if (!dot || (size_t)(dot - m->names[column]) >= size)
        return -1;
    memcpy(base, m->names[column], (size_t)(dot - m->names[column]));
    base[dot - m->names[column]] = '\0';
    return nep_maps_find(m, base);
}

/* z-scores one map within cortex and within the rest, over the regions in scope. */
static void standardise(const nep_inputs *in, double *x, int64_t stride)
{
    for (int side = 0; side < 2; side++) {
        double sum = 0, squares = 0;
        int64_t n = 0;
        for (int64_t i = 0; i < in->n_regions; i++)
            if (in->geometry->cortex[i] == (side == 0) && !isnan(x[i * stride])) {
                sum += x[i * stride];
                n++;
            }
        for (int64_t i = 0; i < in->n_regions; i++)
            if (in->geometry->cortex[i] == (side == 0) && !isnan(x[i * stride])) {
                x[i * stride] -= sum / (double)n;
                squares += x[i * stride] * x[i * stride];
            }
        for (int64_t i = 0; i < in->n_regions; i++)
            if (in->geometry->cortex[i] == (side == 0) && squares > 0)
                x[i * stride] /= sqrt(squares / (double)n);
    }
}

static nep_status load_reliability(nep_ctx *ctx, cli_study *s)
{
    nep_inputs *in = &s->inputs;
    nep_table t = {0};
    int64_t target, compartment, value;
    nep_status st = NEP_OK;

    if (!s->study.reliability)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, 2 * in->n_mapped, sizeof(double), "reliability", &in->reliability));
    for (int64_t i = 0; i < 2 * in->n_mapped; i++)
        in->reliability[i] = NAN;
    NEP_TRY_OR_DONE(st, cli_study_table(ctx, s, s->study.reliability, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "target", &target));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "compartment", &compartment));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "reliability", &value));
    for (int64_t r = 0; r < t.n_rows; r++) {
        const char *name = nep_table_cell(&t, r, target), *side = nep_table_cell(&t, r, compartment);
        for (int64_t m = 0; name && side && m < in->n_mapped; m++)
            if (strcmp(name, in->targets[m]) == 0)
                NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, r, value, &in->reliability[2 * m + (strcmp(side, "cortex") != 0)]));
    }
done:
    nep_table_free(&t);
    return st;
}

/* Leaves out the columns whose licence is not open, and further tracers of a target that goes. */
static nep_status keep_maps(nep_ctx *ctx, cli_study *s, const nep_maps *maps, bool *keep)
{
    char base[64];
    int64_t gone = 0;
    for (int64_t m = 0; m < maps->n_maps; m++)
        NEP_TRY(cli_study_keeps_map(ctx, s, s->study.receptors, maps->names[m], &keep[m]));
    for (int64_t m = 0; m < maps->n_maps; m++) {
        const int64_t target = strchr(maps->names[m], '.') ? target_of_column(maps, m, base, sizeof base) : m;
        if (target >= 0 && !keep[target])
            keep[m] = false;
        gone += !keep[m];
    }
    return cli_study_note_dropped(ctx, s, s->study.receptors, gone, maps->n_maps);
}

nep_status cli_study_receptors(nep_ctx *ctx, cli_study *s)
{
    nep_inputs *in = &s->inputs;
    nep_maps maps = {0};
    double *aligned = NULL;
    bool *keep = NULL;
    char base[64];
    nep_status st = NEP_OK;

    if (!s->study.receptors || !s->study.geometry)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, cli_study_file(ctx, s, s->study.receptors));
    NEP_TRY_OR_DONE(st, nep_tsv_read_maps(ctx, s->study.receptors, &maps));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, maps.n_maps, sizeof *keep, "receptor maps", &keep));
    NEP_TRY_OR_DONE(st, keep_maps(ctx, s, &maps, keep));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_regions * maps.n_maps, sizeof *aligned, "receptor maps", &aligned));
    NEP_TRY_OR_DONE(st, nep_maps_align(ctx, &maps, s->geometry.names, in->n_regions, aligned));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_regions * maps.n_maps, sizeof(double), "receptor maps", &in->receptor));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_regions * maps.n_maps, sizeof(double), "tracer maps", &in->tracer));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, maps.n_maps, sizeof(int64_t), "tracer maps", &in->tracer_target));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, maps.n_maps, sizeof(char *), "targets", &in->targets));
    for (int64_t m = 0; m < maps.n_maps; m++)
        if (keep[m] && !strchr(maps.names[m], '.'))
            NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, maps.names[m], &in->targets[in->n_mapped++]));
    in->n_targets = in->n_mapped;
    for (int64_t m = 0, mapped = 0; m < maps.n_maps; m++) {
        const bool further = strchr(maps.names[m], '.') != NULL;
        NEP_REQUIRE_OR_DONE(st, ctx, !further || target_of_column(&maps, m, base, sizeof base) >= 0, NEP_E_CONFIG,
                            "%s: column %s is a further tracer of a target without a column of its own", s->study.receptors,
                            maps.names[m]);
        if (!keep[m])
            continue;
        for (int64_t i = 0; i < in->n_regions; i++) {
            if (further)
                in->tracer[in->n_tracers * in->n_regions + i] = aligned[i * maps.n_maps + m];
            else
                in->receptor[i * in->n_mapped + mapped] = aligned[i * maps.n_maps + m];
        }
        if (!further) {
            standardise(in, in->receptor + mapped++, in->n_mapped);
            continue;
        }
        standardise(in, in->tracer + in->n_tracers * in->n_regions, 1);
        for (int64_t t = 0; t < in->n_mapped; t++)
            if (strcmp(in->targets[t], base) == 0)
                in->tracer_target[in->n_tracers] = t;
        in->n_tracers++;
    }
    NEP_TRY_OR_DONE(st, load_reliability(ctx, s));
done:
    nep_alloc_free(keep);
    nep_alloc_free(aligned);
    nep_maps_free(&maps);
    return st;
}
