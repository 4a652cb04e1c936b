/* SPDX-License-Identifier: Apache-2.0 */
/* study_load.c - a study file and the tables it names, joined by name into what the channels read. */
#include "cli/study_load.h"

#include <jansson.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- names to numbers ---- */
typedef struct {
    const char *name;
    int64_t i;
} entry;

typedef struct {
    entry *list;
    int64_t n;
} lookup;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static nep_status make_lookup(nep_ctx *ctx, char *const *names, int64_t n, lookup *out)
{
    NEP_TRY(nep_alloc(ctx, n, sizeof *out->list, "names", &out->list));
    out->n = n;
    for (int64_t i = 0; i < n; i++)
        out->list[i] = (entry){names[i], i};
    qsort(out->list, (size_t)n, sizeof *out->list, by_name);
    return NEP_OK;
}

static int64_t find(const lookup *l, const char *name)
{
    const entry key = {name, 0};
    const entry *e = name && l->n ? bsearch(&key, l->list, (size_t)l->n, sizeof key, by_name) : NULL;
    return e ? e->i : -1;
}

/* ---- files and licences ---- */
static bool holds_word(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = list; p && *p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL)
        if (strncmp(p, word, n) == 0 && (p[n] == ';' || p[n] == '\0'))
            return true;
    return false;
}

static nep_status note_licence(nep_ctx *ctx, cli_study *s, const char *licence)
{
    if (!licence || !*licence || holds_word(s->licences, licence))
        return NEP_OK;
    const size_t old = s->licences ? strlen(s->licences) : 0, n = strlen(licence);
    NEP_TRY(nep_alloc_grow(ctx, (int64_t)(old + n + 2), 1, "licences", &s->licences));
    if (old)
        s->licences[old] = ';';
    memcpy(s->licences + old + (old ? 1 : 0), licence, n + 1);
    return NEP_OK;
}

/* The licence in the sidecar of a table: the same path with .json. */
static nep_status note_sidecar(nep_ctx *ctx, cli_study *s, const char *path)
{
    const char *dot = strrchr(path, '.');
    char *sidecar = NULL;
    json_t *doc = NULL;
    nep_status st = NEP_OK;
    if (!dot || strchr(dot, '/'))
        return NEP_OK;
    const size_t stem = (size_t)(dot - path);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, (int64_t)stem + 6, 1, "sidecar", &sidecar));
    memcpy(sidecar, path, stem);
    memcpy(sidecar + stem, ".json", 6);
    if (!nep_file_exists(sidecar))
        goto done;
    NEP_TRY_OR_DONE(st, nep_json_read(ctx, sidecar, &doc));
    st = note_licence(ctx, s, json_string_value(json_object_get(doc, "licence")));
done:
    json_decref(doc);
    nep_alloc_free(sidecar);
    return st;
}

static nep_status note_file(nep_ctx *ctx, cli_study *s, const char *path)
{
    for (int64_t i = 0; i < s->n_files; i++)
        if (strcmp(s->files[i], path) == 0)
            return NEP_OK;
    NEP_TRY(nep_alloc_grow(ctx, s->n_files + 1, sizeof *s->files, "files", &s->files));
    NEP_TRY(nep_alloc_string(ctx, path, &s->files[s->n_files]));
    s->n_files++;
    return note_sidecar(ctx, s, path);
}

static nep_status read_table(nep_ctx *ctx, cli_study *s, const char *path, nep_table *t)
{
    NEP_TRY(note_file(ctx, s, path));
    NEP_TRY(nep_tsv_read(ctx, path, t));
    const int64_t licence = nep_table_column(t, "licence");
    for (int64_t i = 0; licence >= 0 && i < t->n_rows; i++)
        NEP_TRY(note_licence(ctx, s, nep_table_cell(t, i, licence)));
    return NEP_OK;
}

static const char *optional(const nep_table *t, int64_t row, int64_t col)
{
    return col < 0 ? NULL : nep_table_cell(t, row, col);
}

/* ---- disorder maps ---- */
static nep_status load_map(nep_ctx *ctx, cli_study *s, int64_t j)
{
    const nep_study_disorder *d = &s->study.disorders[j];
    nep_inputs *in = &s->inputs;
    nep_table t = {0};
    int64_t region, value, se = -1;
    nep_status st = NEP_OK;

    if (!d->map_table)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, read_table(ctx, s, d->map_table, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "region", &region));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, d->map_value, &value));
    if (d->map_se)
        NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, d->map_se, &se));
    int64_t matched = 0;
    for (int64_t r = 0; r < t.n_rows; r++) {
        const char *name = nep_table_cell(&t, r, region);
        const int64_t i = name ? nep_geometry_find(&s->geometry, name) : -1;
        if (i < 0)
            continue;
        double *effect = &in->effect[j * in->n_regions + i], *error = &in->effect_se[j * in->n_regions + i];
        NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, r, value, effect));
        if (se >= 0)
            NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, r, se, error));
        else if (d->n1 > 0 && d->n2 > 0) /* standard error of a standardised difference (Hedges & Olkin 1985) */
            *error = sqrt((d->n1 + d->n2) / (d->n1 * d->n2) + *effect * *effect / (2 * (d->n1 + d->n2)));
        matched += !isnan(*effect);
    }
    NEP_REQUIRE_OR_DONE(st, ctx, matched > 0, NEP_E_SHAPE,
                        "%s: no region of column %s has a value under the names of the geometry %s", d->map_table, d->map_value,
                        s->study.geometry);
done:
    nep_table_free(&t);
    return st;
}

static nep_status load_truth(nep_ctx *ctx, cli_study *s, int64_t j, const lookup *drugs)
{
    const char *path = s->study.disorders[j].truth;
    nep_inputs *in = &s->inputs;
    nep_table t = {0};
    int64_t id, relevant;
    nep_status st = NEP_OK;

    for (int64_t k = 0; k < in->n_drugs; k++)
        in->truth[j * in->n_drugs + k] = path ? 0 : -1;
    if (!path)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, read_table(ctx, s, path, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "drug_id", &id));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "relevant", &relevant));
    for (int64_t r = 0; r < t.n_rows; r++) {
        const int64_t k = find(drugs, nep_table_cell(&t, r, id));
        double x;
        NEP_TRY_OR_DONE(st, nep_table_number(ctx, &t, r, relevant, &x));
        if (k >= 0)
            in->truth[j * in->n_drugs + k] = x > 0;
    }
done:
    nep_table_free(&t);
    return st;
}

static nep_status load_disorders(nep_ctx *ctx, cli_study *s, const lookup *drugs)
{
    nep_inputs *in = &s->inputs;
    const int64_t d = in->n_disorders = s->study.n_disorders, cells = d * in->n_regions;

    NEP_REQUIRE(ctx, d > 0, NEP_E_CONFIG, "%s: the study has no disorder", s->study.path);
    NEP_TRY(nep_alloc(ctx, d, sizeof(char *), "disorders", &in->disorder_ids));
    NEP_TRY(nep_alloc(ctx, d, sizeof(char *), "disorders", &in->disorder_names));
    NEP_TRY(nep_alloc(ctx, d, sizeof(bool), "disorders", &in->simulated));
    NEP_TRY(nep_alloc(ctx, d, sizeof(int), "disorders", &in->direction));
    NEP_TRY(nep_alloc(ctx, cells, sizeof(double), "disorder maps", &in->effect));
    NEP_TRY(nep_alloc(ctx, cells, sizeof(double), "disorder map errors", &in->effect_se));
    NEP_TRY(nep_alloc(ctx, d * in->n_drugs, 1, "simulated truth", &in->truth));
    for (int64_t i = 0; i < cells; i++)
        in->effect[i] = in->effect_se[i] = NAN;
    for (int64_t j = 0; j < d; j++) {
        const nep_study_disorder *x = &s->study.disorders[j];
        in->disorder_ids[j] = x->id;
        in->disorder_names[j] = x->name ? x->name : x->id;
        in->simulated[j] = x->simulated;
        in->direction[j] = x->direction;
        NEP_TRY(load_map(ctx, s, j));
        NEP_TRY(load_truth(ctx, s, j, drugs));
    }
    return NEP_OK;
}

/* ---- receptors ---- */
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
    NEP_TRY_OR_DONE(st, read_table(ctx, s, s->study.reliability, &t));
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

static nep_status load_receptors(nep_ctx *ctx, cli_study *s)
{
    nep_inputs *in = &s->inputs;
    nep_maps maps = {0};
    double *aligned = NULL;
    char base[64];
    nep_status st = NEP_OK;

    if (!s->study.receptors || !s->study.geometry)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, note_file(ctx, s, s->study.receptors));
    NEP_TRY_OR_DONE(st, nep_tsv_read_maps(ctx, s->study.receptors, &maps));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_regions * maps.n_maps, sizeof *aligned, "receptor maps", &aligned));
    NEP_TRY_OR_DONE(st, nep_maps_align(ctx, &maps, s->geometry.names, in->n_regions, aligned));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_regions * maps.n_maps, sizeof(double), "receptor maps", &in->receptor));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_regions * maps.n_maps, sizeof(double), "tracer maps", &in->tracer));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, maps.n_maps, sizeof(int64_t), "tracer maps", &in->tracer_target));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, maps.n_maps, sizeof(char *), "targets", &in->targets));
    for (int64_t m = 0; m < maps.n_maps; m++)
        if (!strchr(maps.names[m], '.'))
            NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, maps.names[m], &in->targets[in->n_mapped++]));
    in->n_targets = in->n_mapped;
    for (int64_t m = 0, mapped = 0; m < maps.n_maps; m++) {
        const bool further = strchr(maps.names[m], '.') != NULL;
        NEP_REQUIRE_OR_DONE(st, ctx, !further || target_of_column(&maps, m, base, sizeof base) >= 0, NEP_E_CONFIG,
                            "%s: column %s is a further tracer of a target without a column of its own", s->study.receptors,
                            maps.names[m]);
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
    nep_alloc_free(aligned);
    nep_maps_free(&maps);
    return st;
}

/* ---- affinities ---- */
/* Adds the targets of the table that no receptor map has. */
static nep_status add_targets(nep_ctx *ctx, nep_inputs *in, const nep_table *t, int64_t column, lookup *targets)
{
    char **all = NULL;
    nep_status st;
    int64_t n = in->n_mapped;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t->n_rows + 1, sizeof *all, "targets", &all));
    for (int64_t r = 0; r < t->n_rows; r++) {
        char *name = t->cells[r * t->n_cols + column];
        all[r] = name ? name : t->header[column];
    }
    lookup rows = {0};
    NEP_TRY_OR_DONE(st, make_lookup(ctx, all, t->n_rows, &rows));
    NEP_TRY_OR_DONE(st, make_lookup(ctx, in->targets, in->n_mapped, targets));
    NEP_TRY_OR_DONE(st, nep_alloc_grow(ctx, n + t->n_rows, sizeof *in->targets, "targets", &in->targets));
    for (int64_t i = 0; i < rows.n; i++) {
        if ((i && strcmp(rows.list[i].name, rows.list[i - 1].name) == 0) || rows.list[i].name == t->header[column] ||
            find(targets, rows.list[i].name) >= 0)
            continue;
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, rows.list[i].name, &in->targets[n]));
        in->n_targets = ++n;
    }
    nep_alloc_free(targets->list);
    *targets = (lookup){0};
    st = make_lookup(ctx, in->targets, n, targets);
done:
    nep_alloc_free(rows.list);
    nep_alloc_free(all);
    return st;
}

static nep_status fill_rows(nep_ctx *ctx, const nep_table *t, const lookup *drugs, const lookup *targets,
                            nep_affinity_row *rows, int64_t *n)
{
    static const char *const names[] = {"relation", "type", "species", "action", "source", "licence"};
    int64_t id, target, p, col[NEP_LEN(names)];
    NEP_TRY(nep_table_need(ctx, t, "drug_id", &id));
    NEP_TRY(nep_table_need(ctx, t, "target", &target));
    NEP_TRY(nep_table_need(ctx, t, "p_affinity", &p));
    for (int i = 0; i < NEP_LEN(names); i++)
        col[i] = nep_table_column(t, names[i]);
    *n = 0;
    for (int64_t r = 0; r < t->n_rows; r++) {
        const int64_t k = find(drugs, nep_table_cell(t, r, id)), g = find(targets, nep_table_cell(t, r, target));
        if (k < 0 || g < 0)
            continue; /* a drug that the study does not rank */
        nep_affinity_row *x = &rows[(*n)++];
        *x = (nep_affinity_row){.drug = k, .target = g, .relation = optional(t, r, col[0]), .type = optional(t, r, col[1]),
                                .species = optional(t, r, col[2]), .action = optional(t, r, col[3]),
                                .source = optional(t, r, col[4]), .licence = optional(t, r, col[5])};
        NEP_TRY(nep_table_number(ctx, t, r, p, &x->p_affinity));
    }
    return NEP_OK;
}

static nep_status load_affinities(nep_ctx *ctx, cli_study *s, const lookup *drugs)
{
    nep_inputs *in = &s->inputs;
    nep_table t = {0};
    nep_affinity_row *rows = NULL;
    lookup targets = {0};
    int64_t n, column;
    nep_status st = NEP_OK;

    if (!s->study.affinities)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, read_table(ctx, s, s->study.affinities, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "target", &column));
    NEP_TRY_OR_DONE(st, add_targets(ctx, in, &t, column, &targets));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, t.n_rows, sizeof *rows, "affinity rows", &rows));
    NEP_TRY_OR_DONE(st, fill_rows(ctx, &t, drugs, &targets, rows, &n));
    if (n == 0)
        nep_warn(ctx, "%s: no row belongs to a drug of %s", s->study.affinities, s->study.drugs);
    NEP_TRY_OR_DONE(st, nep_affinity_consensus(ctx, rows, n, &in->affinities, &in->n_affinities));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_drugs + 1, sizeof(int64_t), "affinity index", &in->affinity_start));
    for (int64_t k = 0, i = 0; k <= in->n_drugs; k++) {
        while (i < in->n_affinities && in->affinities[i].drug < k)
            i++;
        in->affinity_start[k] = i;
    }
done:
    nep_alloc_free(targets.list);
    nep_alloc_free(rows);
    nep_table_free(&t);
    return st;
}

/* Common receptor names beside the gene symbols, from the targets table (columns target, name). */
static nep_status name_targets(nep_ctx *ctx, cli_study *s)
{
    nep_inputs *in = &s->inputs;
    nep_table t = {0};
    int64_t target = -1, name = -1;
    nep_status st = NEP_OK;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_targets, sizeof(char *), "target names", &in->target_names));
    if (s->study.targets) {
        NEP_TRY_OR_DONE(st, read_table(ctx, s, s->study.targets, &t));
        NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "target", &target));
        NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "name", &name));
    }
    for (int64_t i = 0; i < in->n_targets; i++) {
        const char *found = in->targets[i];
        for (int64_t r = 0; r < t.n_rows; r++) {
            const char *symbol = nep_table_cell(&t, r, target), *common = nep_table_cell(&t, r, name);
            if (symbol && common && strcmp(symbol, in->targets[i]) == 0)
                found = common;
        }
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, found, &in->target_names[i]));
    }
done:
    nep_table_free(&t);
    return st;
}

/* ---- labels ---- */
static nep_status load_labels(nep_ctx *ctx, cli_study *s, const lookup *drugs)
{
    nep_inputs *in = &s->inputs;
    nep_table t = {0};
    int64_t id, disorder, status;
    nep_status st = NEP_OK;

    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_disorders * in->n_drugs, sizeof(nep_label), "labels", &in->labels));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, in->n_disorders * in->n_drugs, sizeof(char *), "label sources", &in->label_source));
    if (!s->study.labels)
        goto done;
    NEP_TRY_OR_DONE(st, read_table(ctx, s, s->study.labels, &t));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "drug_id", &id));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "disorder", &disorder));
    NEP_TRY_OR_DONE(st, nep_table_need(ctx, &t, "status", &status));
    const int64_t source = nep_table_column(&t, "source");
    for (int64_t r = 0; r < t.n_rows; r++) {
        const int64_t k = find(drugs, nep_table_cell(&t, r, id));
        const char *of = nep_table_cell(&t, r, disorder), *word = nep_table_cell(&t, r, status);
        nep_label label;
        NEP_REQUIRE_OR_DONE(st, ctx, word && nep_label_find(word, &label), NEP_E_FORMAT,
                            "%s: line %lld: status is '%s', must be approved, symptomatic, investigational, failed or "
                            "contraindicated",
                            s->study.labels, (long long)r + 2, word ? word : "n/a");
        for (int64_t j = 0; k >= 0 && of && j < in->n_disorders; j++) {
            nep_label *cell = &in->labels[j * in->n_drugs + k];
            char **origin = &in->label_source[j * in->n_drugs + k];
            if (strcmp(of, in->disorder_ids[j]) != 0 || (*cell != NEP_LABEL_NONE && *cell <= label))
                continue; /* the earlier word of the list holds: approved before symptomatic before ... */
            *cell = label;
            nep_alloc_free(*origin);
            *origin = NULL;
            if (optional(&t, r, source))
                NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, optional(&t, r, source), origin));
        }
    }
done:
    nep_table_free(&t);
    return st;
}

/* ---- the whole ---- */
static void take_choices(const nep_study *study, uint64_t seed, nep_inputs *in)
{
    in->seed = seed;
    in->cortex_only = study->primary_cortex_only;
    in->relative_occupancy = study->relative_occupancy > 0 ? study->relative_occupancy : 0.75;
    in->mode = study->mode ? study->mode[0] : 'U';
    in->score = study->score ? study->score[0] : 'B';
    in->n_nulls = study->n_nulls > 0 ? study->n_nulls : 10000;
}

static nep_status take_options(nep_ctx *ctx, const nep_study *study, nep_inputs *in)
{
    for (int64_t c = 0; c < study->n_channels; c++)
        for (int64_t o = 0; o < study->channels[c].n_options; o++) {
            const char *key = study->channels[c].keys[o], *value = study->channels[c].values[o];
            const bool known = strcmp(study->channels[c].name, "engagement") == 0 && strcmp(key, "strongest_target") == 0;
            NEP_REQUIRE(ctx, known, NEP_E_CONFIG, "%s: channel %s has no option '%s'%s", study->path, study->channels[c].name,
                        key, strcmp(study->channels[c].name, "engagement") ? "" : "; it has strongest_target: mapped | any");
            NEP_REQUIRE(ctx, strcmp(value, "any") == 0 || strcmp(value, "mapped") == 0, NEP_E_CONFIG,
                        "%s: strongest_target is '%s', must be mapped or any", study->path, value);
            in->any_strongest = strcmp(value, "any") == 0;
        }
    return NEP_OK;
}

static nep_status check_drugs(nep_ctx *ctx, const cli_study *s, const lookup *drugs)
{
    for (int64_t i = 1; i < drugs->n; i++)
        NEP_REQUIRE(ctx, strcmp(drugs->list[i].name, drugs->list[i - 1].name) != 0, NEP_E_FORMAT, "%s: drug %s stands twice",
                    s->study.drugs, drugs->list[i].name);
    return NEP_OK;
}

nep_status cli_study_load(nep_ctx *ctx, const char *path, uint64_t seed, cli_study *out)
{
    cli_study *s = out;
    lookup drugs = {0};
    nep_status st;

    *s = (cli_study){0};
    NEP_TRY_OR_DONE(st, nep_study_read(ctx, path, &s->study));
    NEP_REQUIRE_OR_DONE(st, ctx, s->study.drugs, NEP_E_CONFIG, "%s: the study names no drugs table", path);
    NEP_TRY_OR_DONE(st, note_file(ctx, s, s->study.drugs));
    NEP_TRY_OR_DONE(st, nep_tsv_read_molset(ctx, s->study.drugs, &s->drugs));
    s->inputs.drugs = &s->drugs;
    s->inputs.n_drugs = s->drugs.n;
    NEP_TRY_OR_DONE(st, make_lookup(ctx, s->drugs.id, s->drugs.n, &drugs));
    NEP_TRY_OR_DONE(st, check_drugs(ctx, s, &drugs));
    take_choices(&s->study, seed, &s->inputs);
    NEP_TRY_OR_DONE(st, take_options(ctx, &s->study, &s->inputs));
    if (s->study.geometry) {
        NEP_TRY_OR_DONE(st, note_file(ctx, s, s->study.geometry));
        NEP_TRY_OR_DONE(st, nep_tsv_read_geometry(ctx, s->study.geometry, &s->geometry));
        s->inputs.geometry = &s->geometry;
        s->inputs.n_regions = s->geometry.n_regions;
    }
    NEP_TRY_OR_DONE(st, load_receptors(ctx, s));
    NEP_TRY_OR_DONE(st, load_affinities(ctx, s, &drugs));
    NEP_TRY_OR_DONE(st, name_targets(ctx, s));
    NEP_TRY_OR_DONE(st, load_disorders(ctx, s, &drugs));
    NEP_TRY_OR_DONE(st, load_labels(ctx, s, &drugs));
    NEP_TRY_OR_DONE(st, nep_inputs_prepare(ctx, &s->inputs, s->study.null_kind));
done:
    nep_alloc_free(drugs.list);
    if (st != NEP_OK)
        cli_study_free(s);
    return st;
}

static void free_texts(char **list, int64_t n)
{
    for (int64_t i = 0; list && i < n; i++)
        nep_alloc_free(list[i]);
    nep_alloc_free(list);
}

void cli_study_free(cli_study *s)
{
    nep_inputs *in = &s->inputs;
    nep_inputs_release(in);
    free_texts(in->targets, in->n_targets);
    free_texts(in->target_names, in->n_targets);
    free_texts(in->label_source, in->n_disorders * in->n_drugs);
    free_texts(s->files, s->n_files);
    nep_affinity_free(in->affinities, in->n_affinities);
    void *const all[] = {in->affinity_start, in->receptor,  in->reliability,    in->tracer,    in->tracer_target, in->effect, in->effect_se,
                         in->direction,      in->simulated, in->disorder_names, in->disorder_ids, in->labels,     in->truth,  s->licences};
    for (int i = 0; i < NEP_LEN(all); i++)
        nep_alloc_free(all[i]);
    nep_molset_free(&s->drugs);
    nep_geometry_free(&s->geometry);
    nep_study_free(&s->study);
    *s = (cli_study){0};
}
