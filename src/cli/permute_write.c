/* SPDX-License-Identifier: Apache-2.0 */
/* permute_write - what the command permute found, as maps with a table of peaks, or as one table. */
#include "cli/permute_write.h"

#include <math.h>
#include <string.h>

#include <nepenthe/io.h>

#include "cli/tabular.h"

void cli_permute_result_free(cli_permute_result *p)
{
    for (int k = 0; p->r && k < p->n; k++)
        nep_permute_free(&p->r[k]);
    for (int k = 0; p->contrasts && k < p->n; k++)
        nep_glm_contrast_free(&p->contrasts[k]);
    nep_alloc_free(p->r);
    nep_alloc_free(p->forming);
    nep_alloc_free(p->contrasts);
    nep_glm_design_free(&p->design);
    cli_people_free(&p->people);
    *p = (cli_permute_result){0};
}

/* ---- words ---- */

static const char *shuffled(const cli_permute_result *p, const nep_permute_result *r, char text[64])
{
    const char *what = r->signs && r->exchange ? "rows and signs" : r->signs ? "signs" : "rows";
    snprintf(text, 64, "%s%s", what, !p->blocks ? "" : p->whole ? " of whole blocks" : " within blocks");
    return text;
}

static double least_of(const double *p, int64_t n)
{
    double least = (double)NAN;
    for (int64_t v = 0; v < n; v++)
        least = fmin(least, p[v]);
    return least;
}

void cli_permute_result_say(cli *c, const cli_permute_result *p, int k)
{
    const nep_permute_result *r = &p->r[k];
    char text[64], df[64];
    if (r->rows > 0)
        snprintf(df, sizeof df, "F, df %lld and %g", (long long)r->rows, r->df);
    else
        snprintf(df, sizeof df, "t, df %g", r->df);
    if (r->n_shuffles == 0)
        cli_say(c, "%s: %s; no shuffles, no p", p->contrasts[k].name, df);
    else
        cli_say(c, "%s: %s; shuffling %s, %s%lld %s; least corrected p %.4g", p->contrasts[k].name, df, shuffled(p, r, text),
                r->exhaustive ? "all " : "", (long long)r->n_shuffles,
                r->exhaustive && r->n_shuffles < p->asked ? "distinct shuffles were used, fewer than were asked for"
                : r->exhaustive                           ? "distinct shuffles were used"
                                                          : "drawn",
                least_of(r->p_fwe, r->n_cols));
    if (r->resumed > 0)
        cli_say(c, "%s: %lld shuffles were taken over from the checkpoint", p->contrasts[k].name, (long long)r->resumed);
    if (p->o.tail && r->exhaustive)
        cli_say(c, "%s: p are exact, so that no tail was fitted", p->contrasts[k].name);
    else if (p->o.tail)
        cli_say(c, "%s: p below 0.1 from a fitted tail in %lld columns, counted in %lld whose tail did not fit; corrected ones %lld and %lld",
                p->contrasts[k].name, (long long)r->n_tail, (long long)r->n_tail_refused, (long long)r->n_tail_fwe,
                (long long)r->n_tail_fwe_refused);
}

static json_t *describe_one(const cli_permute_result *p, int k)
{
    const nep_permute_result *r = &p->r[k];
    char text[64];
    json_t *j = json_pack("{s:s,s:s,s:s,s:f,s:s,s:I,s:o,s:b,s:I,s:I,s:I,s:o,s:o}", "name", p->contrasts[k].name, "formula", p->formula[k],
                          "test", r->rows > 0 ? "F" : "t", "df", r->df, "shuffled", shuffled(p, r, text), "shuffles",
                          (json_int_t)r->n_shuffles, "possible", cli_number(r->possible < 1e300 ? r->possible : (double)INFINITY), "exhaustive",
                          r->exhaustive, "columns", (json_int_t)r->n_cols, "columns_missing", (json_int_t)r->n_missing, "columns_constant",
                          (json_int_t)r->n_constant, "least_p_fwe", cli_number(least_of(r->p_fwe, r->n_cols)), "critical_stat",
                          cli_number(r->critical_stat));
    if (!j)
        return NULL;
    if (r->rows > 0)
        json_object_set_new(j, "df_contrast", json_integer((json_int_t)r->rows));
    if (r->cluster) {
        json_object_set_new(j, "forming_threshold", cli_number(p->forming[k]));
        json_object_set_new(j, "clusters", json_integer((json_int_t)r->n_clusters));
    }
    if (p->o.statistics & NEP_PERMUTE_CLUSTER_SIZE)
        json_object_set_new(j, "critical_cluster_size", cli_number(r->critical_size));
    if (p->o.statistics & NEP_PERMUTE_CLUSTER_MASS)
        json_object_set_new(j, "critical_cluster_mass", cli_number(r->critical_mass));
    if (p->o.statistics & NEP_PERMUTE_TFCE)
        json_object_set_new(j, "critical_tfce", cli_number(r->critical_tfce));
    if (p->o.tail)
        json_object_set_new(j, "tail", json_pack("{s:I,s:I,s:I,s:I}", "fitted", (json_int_t)r->n_tail, "refused", (json_int_t)r->n_tail_refused,
                                                 "fitted_fwe", (json_int_t)r->n_tail_fwe, "refused_fwe", (json_int_t)r->n_tail_fwe_refused));
    return j;
}

json_t *cli_permute_describe(const cli_permute_result *p)
{
    json_t *list = json_array(), *columns = json_array();
    for (int k = 0; k < p->n; k++)
        json_array_append_new(list, describe_one(p, k));
    for (int64_t j = 0; j < p->design.p; j++)
        json_array_append_new(columns, json_string(p->design.names[j]));
    return json_pack("{s:o,s:o,s:I,s:s,s:s,s:s}", "contrasts", list, "design", columns, "people", (json_int_t)p->n_people, "sides",
                     p->o.positive ? "above 0" : "both", "fdr", p->yekutieli ? "Benjamini-Yekutieli" : "Benjamini-Hochberg", "critical",
                     "what the largest of a shuffle exceeds in at most 5 %");
}

/* ---- a table ---- */

static nep_status fill_rows(nep_ctx *ctx, const cli_permute_result *p, int k, double *const number[], int64_t at)
{
    const nep_permute_result *r = &p->r[k];
    const double *const from[] = {r->effect, r->se, r->stat, NULL, r->p, r->p_fwe};
    for (int64_t v = 0; v < r->n_cols; v++)
        for (int q = 0; q < NEP_LEN(from); q++)
            number[q][at + v] = q == 3 ? r->df : from[q] ? from[q][v] : (double)NAN;
    return nep_permute_fdr(ctx, r->p, r->n_cols, p->yekutieli, number[NEP_LEN(from)] + at);
}

nep_status cli_permute_table_write(cli *c, const cli_permute_result *p, const char *path)
{
    static const char *const head[] = {"effect", "se", "stat", "df", "p", "p_fwe", "p_fdr"};
    enum { NUMBERS = NEP_LEN(head) };
    nep_ctx *ctx = cli_ctx(c);
    const int64_t n = p->people.n_cols, rows = n * p->n;
    const char **region = NULL, **name = NULL, **test = NULL;
    double *x = NULL, *number[NUMBERS];
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *region, "permute: rows", &region));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *name, "permute: rows", &name));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *test, "permute: rows", &test));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, NUMBERS * rows, sizeof *x, "permute: rows", &x));
    for (int q = 0; q < NUMBERS; q++)
        number[q] = x + q * rows;
    for (int k = 0; k < p->n; k++) {
        for (int64_t v = 0; v < n; v++) {
            region[k * n + v] = p->people.columns[v];
            name[k * n + v] = p->contrasts[k].name;
            test[k * n + v] = p->r[k].rows > 0 ? "F" : "t";
        }
        NEP_TRY_OR_DONE(st, fill_rows(ctx, p, k, number, k * n));
    }
    cli_column columns[3 + NUMBERS] = {{"region", region, NULL}, {"contrast", name, NULL}, {"test", test, NULL}};
    for (int q = 0; q < NUMBERS; q++)
        columns[3 + q] = (cli_column){head[q], NULL, number[q]};
    st = path ? cli_tabular_write(ctx, path, columns, 3 + NUMBERS, rows)
              : cli_tabular_emit(c, "rows", columns, 3 + NUMBERS, rows, json_pack("{s:o}", "Permute", cli_permute_describe(p)));
done:
    nep_alloc_free(x);
    nep_alloc_free(test);
    nep_alloc_free(name);
    nep_alloc_free(region);
    return st;
}

/* ---- maps ---- */

typedef struct {
    cli *c;
    const cli_permute_result *p;
    const cli_permute_names *names;
    float *image;
    double *x; /* [n_cols] */
} maps;

static nep_status write_map(const maps *m, int k, const char *quantity, const double *x)
{
    const cli_people *d = &m->p->people;
    const cli_permute_names *n = m->names;
    const char *contrast = m->p->contrasts[k].name;
    char path[4096];
    NEP_TRY(n->path(n->user, contrast, quantity, path));
    for (int64_t v = 0; v < nep_grid_voxels(&d->grid); v++)
        m->image[v] = NAN;
    for (int64_t j = 0; j < d->n_cols; j++)
        m->image[d->voxel[j]] = (float)x[j];
    NEP_TRY(nep_nifti_write(cli_ctx(m->c), path, &d->grid, 1, (double)NAN, m->image, false));
    return n->wrote ? n->wrote(n->user, contrast, quantity, path) : NEP_OK;
}

/* Adjusted p of a map of p. */
static nep_status write_fdr(const maps *m, int k, const char *quantity, const double *p)
{
    NEP_TRY(nep_permute_fdr(cli_ctx(m->c), p, m->p->people.n_cols, m->p->yekutieli, m->x));
    return write_map(m, k, quantity, m->x);
}

/* A cluster's number, or its corrected p, at each of its voxels; outside 0, or 1. */
static nep_status write_clusters(const maps *m, int k, const char *quantity, int which)
{
    const nep_permute_result *r = &m->p->r[k];
    for (int64_t v = 0; v < r->n_cols; v++) {
        const nep_permute_cluster *own = r->cluster[v] > 0 ? &r->clusters[r->cluster[v] - 1] : NULL;
        m->x[v] = isnan(r->stat[v]) ? (double)NAN
                  : which == 0      ? (double)r->cluster[v]
                  : !own            ? 1.0
                  : which == 1      ? own->p_size
                                    : own->p_mass;
    }
    return write_map(m, k, quantity, m->x);
}

static nep_status write_contrast(const maps *m, int k)
{
    const nep_permute_result *r = &m->p->r[k];
    const unsigned asked = m->p->o.statistics;
    const struct {
        const char *name;
        const double *x;
        bool wanted;
    } plain[] = {{"effect", r->effect, r->effect != NULL}, {"se", r->se, r->se != NULL},      {r->rows > 0 ? "f" : "t", r->stat, true},
                 {"p", r->p, r->n_shuffles > 0},           {"pfwe", r->p_fwe, r->n_shuffles > 0}, {"tfce", r->tfce, r->tfce != NULL},
                 {"ptfce", r->p_tfce, r->tfce && r->n_shuffles > 0}, {"pfwetfce", r->p_fwe_tfce, r->tfce && r->n_shuffles > 0}};
    for (int i = 0; i < NEP_LEN(plain); i++)
        if (plain[i].wanted)
            NEP_TRY(write_map(m, k, plain[i].name, plain[i].x));
    if (asked & (NEP_PERMUTE_CLUSTER_SIZE | NEP_PERMUTE_CLUSTER_MASS))
        NEP_TRY(write_clusters(m, k, "clusters", 0));
    if (r->n_shuffles == 0)
        return NEP_OK;
    NEP_TRY(write_fdr(m, k, "pfdr", r->p));
    if (r->tfce)
        NEP_TRY(write_fdr(m, k, "pfdrtfce", r->p_tfce));
    if (asked & NEP_PERMUTE_CLUSTER_SIZE)
        NEP_TRY(write_clusters(m, k, "pfwesize", 1));
    return asked & NEP_PERMUTE_CLUSTER_MASS ? write_clusters(m, k, "pfwemass", 2) : NEP_OK;
}

/* ---- peaks ---- */

enum { CLUSTER, VOXELS, MM3, MASS, X, Y, Z, STAT, P, P_FWE, P_FWE_SIZE, P_FWE_MASS, TFCE, P_FWE_TFCE, PEAK_NUMBERS };

static void fill_peak(const cli_permute_result *p, int k, int64_t i, double *const number[], int64_t row)
{
    const nep_permute_result *r = &p->r[k];
    const nep_permute_cluster *c = &r->clusters[i];
    const nep_grid *g = &p->people.grid;
    const int64_t v = p->people.voxel[c->peak];
    const double at[3] = {(double)(v % g->nx), (double)(v / g->nx % g->ny), (double)(v / (g->nx * g->ny))};
    for (int a = 0; a < 3; a++)
        number[X + a][row] = g->affine[a][0] * at[0] + g->affine[a][1] * at[1] + g->affine[a][2] * at[2] + g->affine[a][3];
    number[CLUSTER][row] = (double)(i + 1);
    number[VOXELS][row] = (double)c->size;
    number[MM3][row] = (double)c->size * g->voxel_mm[0] * g->voxel_mm[1] * g->voxel_mm[2];
    number[MASS][row] = c->mass;
    number[STAT][row] = r->stat[c->peak];
    number[P][row] = r->p[c->peak];
    number[P_FWE][row] = r->p_fwe[c->peak];
    number[P_FWE_SIZE][row] = c->p_size;
    number[P_FWE_MASS][row] = c->p_mass;
    number[TFCE][row] = r->tfce ? r->tfce[c->peak] : (double)NAN;
    number[P_FWE_TFCE][row] = r->tfce ? r->p_fwe_tfce[c->peak] : (double)NAN;
}

static nep_status write_peaks(cli *c, const cli_permute_result *p, const cli_permute_names *n)
{
    static const char *const head[PEAK_NUMBERS] = {"cluster", "voxels", "mm3", "mass", "x_mm", "y_mm", "z_mm", "stat", "p", "p_fwe", "p_fwe_size",
                                                   "p_fwe_mass", "tfce", "p_fwe_tfce"};
    nep_ctx *ctx = cli_ctx(c);
    const char **name = NULL;
    double *x = NULL, *number[PEAK_NUMBERS];
    int64_t rows = 0, row = 0;
    char path[4096];
    nep_status st;
    for (int k = 0; k < p->n; k++)
        rows += p->r[k].n_clusters;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, rows, sizeof *name, "permute: peaks", &name));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, PEAK_NUMBERS * rows, sizeof *x, "permute: peaks", &x));
    for (int q = 0; q < PEAK_NUMBERS; q++)
        number[q] = x + q * rows;
    for (int k = 0; k < p->n; k++)
        for (int64_t i = 0; i < p->r[k].n_clusters; i++, row++) {
            name[row] = p->contrasts[k].name;
            fill_peak(p, k, i, number, row);
        }
    cli_column columns[1 + PEAK_NUMBERS] = {{"contrast", name, NULL}};
    for (int q = 0; q < PEAK_NUMBERS; q++)
        columns[1 + q] = (cli_column){head[q], NULL, number[q]};
    NEP_TRY_OR_DONE(st, n->path(n->user, NULL, "peaks", path));
    NEP_TRY_OR_DONE(st, cli_tabular_write(ctx, path, columns, 1 + PEAK_NUMBERS, rows));
    st = n->wrote ? n->wrote(n->user, NULL, "peaks", path) : NEP_OK;
done:
    nep_alloc_free(x);
    nep_alloc_free(name);
    return st;
}

nep_status cli_permute_maps_write(cli *c, const cli_permute_result *p, const cli_permute_names *names)
{
    nep_ctx *ctx = cli_ctx(c);
    maps m = {.c = c, .p = p, .names = names};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&p->people.grid), sizeof *m.image, "permute: a map", &m.image));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, p->people.n_cols, sizeof *m.x, "permute: a map", &m.x));
    for (int k = 0; k < p->n; k++)
        NEP_TRY_OR_DONE(st, write_contrast(&m, k));
    st = write_peaks(c, p, names);
done:
    nep_alloc_free(m.x);
    nep_alloc_free(m.image);
    return st;
}

/* Names of the command: what -o says, then contrast and quantity. */
static nep_status name_output(void *user, const char *contrast, const char *quantity, char out[4096])
{
    cli *c = user;
    const int n = contrast ? snprintf(out, 4096, "%s_%s_%s.nii.gz", cli_out(c), contrast, quantity) : snprintf(out, 4096, "%s_%s.tsv", cli_out(c), quantity);
    NEP_REQUIRE(cli_ctx(c), n < 4096, NEP_E_ARG, "the output's name is too long");
    return NEP_OK;
}

nep_status cli_permute_result_write(cli *c, const cli_permute_result *p)
{
    const cli_permute_names names = {.user = c, .path = name_output};
    if (p->people.columns)
        return cli_permute_table_write(c, p, NULL);
    NEP_TRY(cli_permute_maps_write(c, p, &names));
    NEP_TRY(cli_sidecar(c, cli_out(c), NULL, json_pack("{s:o}", "Permute", cli_permute_describe(p))));
    return cli_document(c, cli_permute_describe(p));
}
