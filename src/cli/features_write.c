/* SPDX-License-Identifier: Apache-2.0 */
/* features_write - the files of one run under BIDS-derivative names, each with its sidecar, and the mark that they are whole. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/confound_sets.h"
#include "cli/features_pet.h"
#include "cli/tabular.h"

enum { SERIES, CORRELATION, FISHER, PARTIAL, COVARIANCE, PRECISION, STRENGTH, ALFF, FALFF, REHO, LCOR, VMHC, GCOR, DEGREE, WEIGHTED, MEAN_Z, RMS, EIGENVECTOR, SUM_R, MEAN_R, TSNR, SEED, NEAREST, GLM, COVERAGE, FRAMES, QUALITY, TABLES };
_Static_assert(GCOR - REHO + 1 == CLI_LOCALS, "a table for each map that compares voxels, in their order");
_Static_assert(PRECISION - PARTIAL + 1 == FEATURES_KINDS, "and for each other kind of connectivity");
_Static_assert(TSNR - ALFF + 1 == FEATURES_MAPS, "and what is measured by voxel stands together");
_Static_assert(MEAN_R - DEGREE + 1 == CLI_CONNECTOME_REGIONAL, "and for each of all pairs of voxels, in theirs");

static const struct {
    const char *tail, *description, *units;
} tables[TABLES] = {
    [SERIES] = {"stat-mean_timeseries", "Regional means after confound regression and band-pass, one row per frame that was kept", "percent"},
    [CORRELATION] = {"stat-pearsoncorrelation_relmat", "Pearson correlation of the cleaned regional series", "1"},
    [FISHER] = {"stat-fisherz_relmat", "Inverse hyperbolic tangent of the Pearson correlation; the diagonal is left out", "1"},
    [PARTIAL] = {"stat-partialcorrelation_relmat", "Partial correlation of the cleaned regional series: of two regions given all others", "1"},
    [COVARIANCE] = {"stat-covariance_relmat", "Covariance of the cleaned regional series, divisor n", "percent squared"},
    [PRECISION] = {"stat-precision_relmat", "Inverse of the covariance of the cleaned regional series", "1 / percent squared"},
    [STRENGTH] = {"stat-strength_bold", "Mean Fisher z of a region with all others", "1"},
    [ALFF] = {"stat-alff_bold", "Mean amplitude over the band, one-sided, of each voxel after detrending and confound regression without "
                                "band-pass, as percent of the voxel's mean; averaged over the region's voxels", "percent"},
    [FALFF] = {"stat-falff_bold", "Amplitude in the band over that of all frequencies, per voxel, averaged over the region's voxels", "1"},
    [REHO] = {"stat-reho_bold", "Kendall's W of each voxel with its neighbours, corrected for ties, after confound regression and band-pass; "
                                "averaged over the region's voxels", "1"},
    [LCOR] = {"stat-lcor_bold", "Mean correlation of each voxel with those around it, Gaussian-weighted, after confound regression and band-pass; "
                                "averaged over the region's voxels", "1"},
    [VMHC] = {"stat-vmhc_bold", "Correlation of each voxel with its mirror image across x = 0, after confound regression and band-pass; averaged "
                                "over the region's voxels", "1"},
    [GCOR] = {"stat-gcor_bold", "Mean correlation of each voxel with all voxels of the mask, after confound regression and band-pass; averaged "
                                "over the region's voxels", "1"},
    [DEGREE] = {"stat-degree_bold", "Number of the other voxels of the mask whose correlation with a voxel is above the threshold, after confound "
                                    "regression and band-pass; averaged over the region's voxels", "1"},
    [WEIGHTED] = {"stat-weighteddegree_bold", "Sum of a voxel's correlations above the threshold with the other voxels of the mask, after confound "
                                              "regression and band-pass; averaged over the region's voxels", "1"},
    [MEAN_Z] = {"stat-meanz_bold", "Mean Fisher z of a voxel with the other voxels of the mask, after confound regression and band-pass; averaged "
                                   "over the region's voxels", "1"},
    [RMS] = {"stat-rms_bold", "Root mean square of a voxel's correlations with the other voxels of the mask, after confound regression and "
                              "band-pass; averaged over the region's voxels", "1"},
    [EIGENVECTOR] = {"stat-eigenvector_bold", "Eigenvector of the largest eigenvalue of the voxels' correlations plus 1, of length 1, after confound "
                                              "regression and band-pass; averaged over the region's voxels", "1"},
    [SUM_R] = {"stat-voxelstrength_bold", "Sum of a voxel's correlations with the other voxels of the mask, after confound regression and band-pass; "
                                          "averaged over the region's voxels", "1"},
    [MEAN_R] = {"stat-meanr_bold", "Mean correlation of a voxel with the other voxels of the mask, after confound regression and band-pass; averaged "
                                   "over the region's voxels", "1"},
    [TSNR] = {"stat-tsnr_bold", "Mean over the frames of each voxel as it came, divided by its standard deviation, divisor n; averaged over the "
                                "region's voxels", "1"},
    [SEED] = {"stat-seed_bold", "Correlation of each voxel with the mean series of each seed's voxels, after confound regression and band-pass; "
                                "averaged over the region's voxels", "1"},
    [NEAREST] = {"stat-nearest_bold", "Of each voxel of the mask those whose series correlate most with its own, after confound regression and "
                                      "band-pass: voxels by index from 0, rank from 1, correlation r", "1"},
    [GLM] = {"desc-glm_bold", "Contrasts of a linear model of each region's mean series with AR(1) errors: effect and se in percent of the region's "
                              "mean, t or F, and z", "n/a"},
    [COVERAGE] = {"stat-coverage_bold", "Share of the region's voxels that lie in the mask and vary", "1"},
    [FRAMES] = {"desc-quality_timeseries", "Per frame: framewise displacement (mm, Power 2012), voxelwise-standardised DVARS (Nichols 2017), "
                                           "whether the frame was kept", "n/a"},
    [QUALITY] = {"desc-quality_bold", "Quality of the run and its verdict", "n/a"},
};

const char *const cli_features_desc[FEATURES_DESCS] = {"", "_desc-smooth", "_desc-resampled", "_desc-resampledsmooth"};

int cli_features_desc_of(const features_opts *o)
{
    return (o->fwhm_mm > 0 ? 1 : 0) + (o->resample_to ? 2 : 0);
}

static bool by_voxel(int table)
{
    return table >= ALFF && table <= NEAREST;
}

/* Which also are images. */
static bool is_map(int table)
{
    return by_voxel(table) && table != NEAREST;
}

/* The atlas in a table's name; the nearest voxels know of none. */
static const char *seg_of(const features *f, int table)
{
    return table == NEAREST ? NULL : f->seg;
}

/* stat-alff_bold becomes stat-alff_desc-smooth_bold; map: ..._boldmap. */
static void tail_of(int table, int desc, bool map, char out[96])
{
    const char *tail = tables[table].tail, *suffix = strrchr(tail, '_');
    snprintf(out, 96, "%.*s%s%s%s", (int)(suffix - tail), tail, by_voxel(table) ? cli_features_desc[desc] : "", suffix, map ? "map" : "");
}

static nep_status table_path(features *f, const nep_bids_run *run, int table, const char *ext, char *out, size_t size)
{
    char tail[96];
    tail_of(table, cli_features_desc_of(&f->o), false, tail);
    return cli_features_file(f, run, seg_of(f, table), tail, ext, out, size);
}

/* The volume beside a table: the same name without the atlas. */
static nep_status map_path(features *f, const nep_bids_run *run, int table, const char *ext, char *out, size_t size)
{
    char tail[96];
    tail_of(table, cli_features_desc_of(&f->o), true, tail);
    return cli_features_file(f, run, NULL, tail, ext, out, size);
}

/* Takes away what a run with other --fwhm or --resample-to left of a table: there is one of each. */
static nep_status clear_others(features *f, const nep_bids_run *run, int table)
{
    static const char *const ends[] = {".tsv", ".json", ".nii.gz", ".json"};
    char tail[96], path[4096];
    for (int desc = 0; desc < FEATURES_DESCS; desc++)
        for (int i = 0; desc != cli_features_desc_of(&f->o) && i < NEP_LEN(ends); i++) {
            tail_of(table, desc, i >= 2, tail);
            NEP_TRY(cli_features_file(f, run, i >= 2 ? NULL : seg_of(f, table), tail, ends[i], path, sizeof path));
            unlink(path);
        }
    return NEP_OK;
}

static bool table_wanted(const features *f, int table, bool measured)
{
    switch (table) {
    case SERIES: return measured && f->o.series;
    case CORRELATION:
    case FISHER:
    case STRENGTH: return measured && f->o.connectivity;
    case PARTIAL:
    case COVARIANCE:
    case PRECISION: return measured && f->o.kinds[table - PARTIAL];
    case ALFF: return measured && f->o.alff;
    case FALFF: return measured && f->o.falff;
    case REHO:
    case LCOR:
    case VMHC:
    case GCOR: return measured && f->o.local.wants[table - REHO];
    case DEGREE:
    case WEIGHTED:
    case MEAN_Z:
    case RMS:
    case EIGENVECTOR:
    case SUM_R:
    case MEAN_R: return measured && f->o.pairs[table - DEGREE];
    case TSNR: return measured && f->o.tsnr;
    case SEED: return measured && f->o.seed;
    case NEAREST: return measured && f->o.nearest;
    case GLM: return measured && f->o.glm;
    default: return true;
    }
}

static void say_output(const features *f, int table, bool map, char out[FEATURES_OUTPUT_LENGTH])
{
    char tail[96];
    tail_of(table, cli_features_desc_of(&f->o), map, tail);
    snprintf(out, FEATURES_OUTPUT_LENGTH, "sub-*/[ses-*/]func/*_%.60s.%s", tail, map ? "nii.gz" : "tsv");
}

int cli_features_outputs(const features *f, unsigned datatypes, char (*out)[FEATURES_OUTPUT_LENGTH])
{
    _Static_assert(TABLES + FEATURES_MAPS + 1 + 5 + 2 * FEATURES_PET_PARAMETERS <= FEATURES_OUTPUTS, "room for every output");
    int n = 0;
    snprintf(out[n++], FEATURES_OUTPUT_LENGTH, "dataset_description.json");
    snprintf(out[n++], FEATURES_OUTPUT_LENGTH, ".bidsignore");
    for (int t = 0; t < TABLES && datatypes & NEP_BIDS_FUNC; t++)
        if (table_wanted(f, t, true))
            say_output(f, t, false, out[n++]);
    for (int t = 0; t < TABLES && datatypes & NEP_BIDS_FUNC; t++)
        if (f->o.maps && is_map(t) && table_wanted(f, t, true))
            say_output(f, t, true, out[n++]);
    if (datatypes & NEP_BIDS_PET) {
        snprintf(out[n++], FEATURES_OUTPUT_LENGTH, "sub-*/[ses-*/]pet/*_tacs.tsv");
        snprintf(out[n++], FEATURES_OUTPUT_LENGTH, "sub-*/[ses-*/]pet/*_model-%s_kinpar.tsv", nep_pet_name(f->o.pet_model));
        int parameters;
        nep_pet_parameters(f->o.pet_model, &parameters);
        for (int k = 0; k < 2 * parameters && f->o.maps; k++) {
            char tail[96];
            cli_features_pet_tail(f->o.pet_model, k, tail);
            snprintf(out[n++], FEATURES_OUTPUT_LENGTH, "sub-*/[ses-*/]pet/*_%.60s.nii.gz", tail);
        }
    }
    if (datatypes & NEP_BIDS_ANAT)
        snprintf(out[n++], FEATURES_OUTPUT_LENGTH, "sub-*/[ses-*/]anat/*_desc-radiomics_T1w.tsv");
    return n;
}

/* ---- the mark ---- */

typedef struct {
    int32_t measured;
    nep_hash table[TABLES], sidecar[TABLES], map[TABLES], map_sidecar[TABLES];
} mark;

static nep_status mark_path(features *f, const nep_bids_run *run, char *out, size_t size)
{
    return cli_features_path(f->ctx, out, size, "%s/.nepenthe/units/%s_seg-%s.done", f->out, run->stem, f->seg);
}

static nep_status same_table(features *f, const nep_bids_run *run, int table, const char *ext, const nep_hash *want, bool *same)
{
    char path[4096];
    NEP_TRY(table_path(f, run, table, ext, path, sizeof path));
    return cli_features_same(f, path, want, same);
}

static nep_status same_map(features *f, const nep_bids_run *run, int table, const mark *m, bool *same)
{
    char path[4096];
    NEP_TRY(map_path(f, run, table, ".nii.gz", path, sizeof path));
    NEP_TRY(cli_features_same(f, path, &m->map[table], same));
    if (!*same)
        return NEP_OK;
    NEP_TRY(map_path(f, run, table, ".json", path, sizeof path));
    return cli_features_same(f, path, &m->map_sidecar[table], same);
}

nep_status cli_features_done(features *f, const nep_bids_run *run, bool *done)
{
    char path[4096];
    json_t *p = NULL;
    nep_hash key;
    mark m;
    *done = false;
    NEP_TRY(mark_path(f, run, path, sizeof path));
    if (!nep_file_exists(path))
        return NEP_OK;
    NEP_TRY(cli_features_provenance(f, run, &p));
    const nep_status st = cli_features_key(f, p, &key);
    json_decref(p);
    NEP_TRY(st);
    NEP_TRY(nep_checkpoint_load(f->ctx, path, &key, &m, sizeof m, done));
    for (int t = 0; t < TABLES && *done; t++) {
        if (!table_wanted(f, t, m.measured != 0))
            continue;
        NEP_TRY(same_table(f, run, t, ".tsv", &m.table[t], done));
        if (*done)
            NEP_TRY(same_table(f, run, t, ".json", &m.sidecar[t], done));
        if (*done && f->o.maps && is_map(t))
            NEP_TRY(same_map(f, run, t, &m, done));
    }
    return NEP_OK;
}

/* ---- tables ---- */

static nep_status write_nodes(features *f, const char *path, const char *column, const double *x)
{
    char name[64];
    snprintf(name, sizeof name, "%s", column);
    char *names[1] = {name};
    return nep_tsv_write_matrix(f->ctx, path, "Node", f->atlas.names, names, f->atlas.n_regions, 1, x);
}

static nep_status write_frames(features *f, const char *path, const features_result *r)
{
    double *kept = NULL;
    NEP_TRY(nep_alloc(f->ctx, r->n_frames, sizeof *kept, "kept frames", &kept));
    for (int64_t t = 0; t < r->n_frames; t++)
        kept[t] = r->keep[t];
    const cli_column columns[] = {{"framewise_displacement", NULL, r->fd}, {"dvars", NULL, r->dvars_t}, {"kept", NULL, kept}};
    const nep_status st = cli_tabular_write(f->ctx, path, columns, NEP_LEN(columns), r->n_frames);
    nep_alloc_free(kept);
    return st;
}

static nep_status write_quality(features *f, const nep_bids_run *run, const char *path, const features_result *r)
{
    char id[NEP_BIDS_MAX_NAME + 8];
    snprintf(id, sizeof id, "sub-%s", run->participant);
    const char *const text[] = {id, run->session, run->task, run->run, r->verdict, r->reasons[0] ? r->reasons : NULL, r->confounds};
    const double frames[] = {(double)r->n_frames, (double)r->n_kept, (double)(r->n_frames - r->n_kept), (double)r->n_voxels, r->measured};
    const cli_column columns[] = {
        {"participant_id", &text[0], NULL}, {"session_id", &text[1], NULL}, {"task", &text[2], NULL}, {"run", &text[3], NULL},
        {"verdict", &text[4], NULL}, {"fd_mean", NULL, &r->fd_mean}, {"fd_max", NULL, &r->fd_max}, {"n_frames", NULL, &frames[0]},
        {"n_kept", NULL, &frames[1]}, {"n_censored", NULL, &frames[2]}, {"dvars", NULL, &r->dvars}, {"tsnr", NULL, &r->tsnr},
        {"coverage", NULL, &r->coverage}, {"n_voxels", NULL, &frames[3]}, {"tr_s", NULL, &r->tr_s}, {"dof", NULL, &r->dof},
        {"measured", NULL, &frames[4]}, {"confounds", &text[6], NULL}, {"reasons", &text[5], NULL}};
    return cli_tabular_write(f->ctx, path, columns, NEP_LEN(columns), 1);
}

static nep_status write_table(features *f, const nep_bids_run *run, int table, const char *path, const features_result *r)
{
    const int64_t n = f->atlas.n_regions;
    switch (table) {
    case SERIES: return nep_tsv_write_matrix(f->ctx, path, NULL, NULL, f->atlas.names, r->n_rows, n, r->series);
    case CORRELATION: return nep_tsv_write_matrix(f->ctx, path, "Node", f->atlas.names, f->atlas.names, n, n, r->r);
    case FISHER: return nep_tsv_write_matrix(f->ctx, path, "Node", f->atlas.names, f->atlas.names, n, n, r->z);
    case PARTIAL:
    case COVARIANCE:
    case PRECISION: return nep_tsv_write_matrix(f->ctx, path, "Node", f->atlas.names, f->atlas.names, n, n, r->kind[table - PARTIAL]);
    case STRENGTH: return write_nodes(f, path, "strength", r->strength);
    case ALFF: return write_nodes(f, path, "alff", r->alff);
    case FALFF: return write_nodes(f, path, "falff", r->falff);
    case REHO:
    case LCOR:
    case VMHC:
    case GCOR: return write_nodes(f, path, cli_local_name((cli_local_map)(table - REHO)), r->local[table - REHO]);
    case DEGREE:
    case WEIGHTED:
    case MEAN_Z:
    case RMS:
    case EIGENVECTOR:
    case SUM_R:
    case MEAN_R: return write_nodes(f, path, cli_connectome_label((cli_connectome_map)(table - DEGREE)), r->pairs[table - DEGREE]);
    case TSNR: return write_nodes(f, path, "tsnr", r->tsnr_mean);
    case SEED: return nep_tsv_write_matrix(f->ctx, path, "Node", f->atlas.names, r->near.seeds.names, n, r->near.n_maps, r->seeded);
    case NEAREST: return cli_connectome_write(f->ctx, &r->near, &r->grid, path);
    case GLM: return cli_features_glm_write(f, path, r);
    case COVERAGE: return write_nodes(f, path, "coverage", r->covered);
    case FRAMES: return write_frames(f, path, r);
    default: return write_quality(f, run, path, r);
    }
}

/* What a table says is of a region's voxels; a map is of the voxels themselves. */
static void describe_map(int table, char *out, size_t size)
{
    snprintf(out, size, "%s", tables[table].description);
    char *end = strstr(out, "averaged over the region's voxels");
    while (end && end > out && (end[-1] == ' ' || end[-1] == ';' || end[-1] == ','))
        end--;
    if (end)
        *end = '\0';
}

static void describe_relation(int table, const features_result *r, json_t *doc)
{
    static const char *const measures[] = {"pearsoncorrelation", "fisherz", "partialcorrelation", "covariance", "precision"};
    const double shrunk = table <= FISHER ? r->shrinkage_z : r->shrinkage;
    json_object_update_new(doc, json_pack("{s:s,s:b,s:b,s:b}", "Measure", measures[table - CORRELATION], "Weighted", 1, "Directed", 0,
                                          "ValidDiagonal", table != FISHER));
    if (isfinite(shrunk))
        json_object_set_new(doc, "LedoitWolfShrinkage", json_real(shrunk));
}

/* The seeds in the order of columns and volumes. */
static void describe_seeds(const features *f, const features_result *r, json_t *doc)
{
    json_t *list = json_array();
    for (int64_t s = 0; s < r->near.seeds.n; s++)
        json_array_append_new(list, json_pack("{s:s,s:I}", "PlaceMm", r->near.seeds.names[s], "Voxels", (json_int_t)r->near.seeds.used[s]));
    json_object_set_new(doc, "Seeds", list);
    json_object_set_new(doc, "FisherZ", json_boolean(f->o.fisher_z));
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static nep_status write_sidecar(features *f, const nep_bids_run *run, int table, bool map, const char *path, const json_t *provenance,
                                const features_result *r)
{
    char source[2 * NEP_BIDS_MAX_NAME + 64], description[512];
    snprintf(description, sizeof description, "%s", tables[table].description);
    if (map)
        describe_map(table, description, sizeof description);
    json_t *sources = json_array(), *doc;
    nep_status st = NEP_OK;
    snprintf(source, sizeof source, "bids:preprocessed:%s", run->bold);
    json_array_append_new(sources, json_string(source));
    doc = json_pack("{s:s,s:s,s:o,s:f,s:I,s:I,s:s,s:b,s:O}", "Description", description, "Units", tables[table].units, "Sources",
                    sources, "RepetitionTime", r->tr_s, "NumberOfVolumes", (json_int_t)r->n_frames, "NumberOfVolumesKept",
                    (json_int_t)r->n_kept, "Confounds", r->confounds, "MaskFromImages", (int)r->own_mask, "Provenance", provenance);
    NEP_REQUIRE_OR_DONE(st, f->ctx, doc, NEP_E_NOMEM, "%s: no memory for a sidecar", run->bold);
    if (table >= CORRELATION && table <= PRECISION)
        describe_relation(table, r, doc);
    if (f->o.resample_to)
        json_object_set_new(doc, "Resampled", json_pack("{s:s,s:s}", "To", base_name(f->o.resample_to), "Interpolation", "cubic B-spline"));
    if (by_voxel(table) && f->o.fwhm_mm > 0)
        json_object_set_new(doc, "SmoothedFwhmMm", json_real(f->o.fwhm_mm));
    if (table == REHO)
        json_object_set_new(doc, "Neighbours", json_integer(f->o.local.neighbours));
    if (table == LCOR)
        json_object_set_new(doc, "FwhmMm", json_real(f->o.local.fwhm_mm));
    if (table == GCOR)
        json_object_set_new(doc, "GlobalCorrelation", isfinite(r->gcor) ? json_real(r->gcor) : json_null());
    if (by_voxel(table) && table >= DEGREE && table != TSNR)
        json_object_set_new(doc, "VoxelsCorrelated", json_integer((json_int_t)r->n_pairs));
    if (table == DEGREE || table == WEIGHTED)
        json_object_set_new(doc, "Threshold", json_real(f->o.threshold));
    if (table == SEED)
        describe_seeds(f, r, doc);
    if (table == NEAREST)
        json_object_set_new(doc, "Top", json_integer((json_int_t)r->near.top));
    if (table == QUALITY || table == FRAMES)
        json_object_set_new(doc, "Thresholds", json_pack("{s:f,s:f,s:f,s:I,s:I}", "censor_fd_mm", f->o.censor_mm, "fail_fd_mean_mm", f->o.fail_fd_mm,
                                                         "warn_fd_mean_mm", f->o.warn_fd_mm, "min_frames", (json_int_t)f->o.min_frames, "min_run",
                                                         (json_int_t)f->o.min_run));
    else if (table != COVERAGE && table != GLM && table != TSNR)
        json_object_set_new(doc, "BandHz", json_pack("[f,f]", f->o.low_hz, f->o.high_hz));
    st = cli_features_json(f->ctx, path, doc);
done:
    json_decref(doc);
    return st;
}

static nep_status write_one(features *f, const nep_bids_run *run, int table, const json_t *provenance, const features_result *r, mark *m)
{
    char path[4096], beside[4096];
    NEP_TRY(table_path(f, run, table, ".tsv", path, sizeof path));
    NEP_TRY(table_path(f, run, table, ".json", beside, sizeof beside));
    if (!table_wanted(f, table, r->measured)) { /* of an earlier run with other options: it would be taken for one of these */
        unlink(path);
        unlink(beside);
        return NEP_OK;
    }
    NEP_TRY(write_table(f, run, table, path, r));
    NEP_TRY(write_sidecar(f, run, table, false, beside, provenance, r));
    NEP_TRY(nep_hash_file(f->ctx, path, &m->table[table]));
    return nep_hash_file(f->ctx, beside, &m->sidecar[table]);
}

static nep_status write_map(features *f, const nep_bids_run *run, int table, const json_t *provenance, const features_result *r, mark *m)
{
    char path[4096], beside[4096];
    const float *map = table == SEED ? r->near.map : r->map[table - ALFF];
    const int64_t n_maps = table == SEED ? r->near.n_maps : 1;
    NEP_TRY(map_path(f, run, table, ".nii.gz", path, sizeof path));
    NEP_TRY(map_path(f, run, table, ".json", beside, sizeof beside));
    if (!map) {
        unlink(path);
        unlink(beside);
        return NEP_OK;
    }
    NEP_TRY(nep_nifti_write(f->ctx, path, &r->grid, n_maps, (double)NAN, map, false));
    NEP_TRY(write_sidecar(f, run, table, true, beside, provenance, r));
    NEP_TRY(nep_hash_file(f->ctx, path, &m->map[table]));
    return nep_hash_file(f->ctx, beside, &m->map_sidecar[table]);
}

/* The tangent that an earlier group level made of this run's covariance. */
static nep_status clear_tangent(features *f, const nep_bids_run *run)
{
    static const char *const ends[] = {".tsv", ".json"};
    char path[4096];
    for (int i = 0; i < NEP_LEN(ends); i++) {
        NEP_TRY(cli_features_file(f, run, f->seg, "stat-tangent_relmat", ends[i], path, sizeof path));
        unlink(path);
    }
    return NEP_OK;
}

nep_status cli_features_write(features *f, const nep_bids_run *run, const features_result *r)
{
    char folder[4096], path[4096];
    json_t *p = NULL;
    mark m;
    nep_hash key;
    nep_status st;
    memset(&m, 0, sizeof m);
    m.measured = r->measured;
    NEP_TRY(mark_path(f, run, path, sizeof path));
    unlink(path); /* from here on until the end, the outputs are not whole */
    NEP_TRY(cli_features_path(f->ctx, folder, sizeof folder, "%s/%s", f->out, run->folder));
    NEP_TRY(nep_file_folder(f->ctx, folder));
    NEP_TRY(clear_tangent(f, run));
    NEP_TRY_OR_DONE(st, cli_features_provenance(f, run, &p));
    NEP_TRY_OR_DONE(st, cli_features_key(f, p, &key));
    for (int t = 0; t < TABLES; t++) {
        NEP_TRY_OR_DONE(st, write_one(f, run, t, p, r, &m));
        if (is_map(t))
            NEP_TRY_OR_DONE(st, write_map(f, run, t, p, r, &m));
        if (by_voxel(t))
            NEP_TRY_OR_DONE(st, clear_others(f, run, t));
    }
    NEP_TRY_OR_DONE(st, cli_features_path(f->ctx, folder, sizeof folder, "%s/.nepenthe/units", f->out));
    NEP_TRY_OR_DONE(st, nep_file_folder(f->ctx, folder));
    st = nep_checkpoint_save(f->ctx, path, &key, &m, sizeof m);
done:
    json_decref(p);
    return st;
}
