/* SPDX-License-Identifier: Apache-2.0 */
/* features_run - what is measured on one run, from its files to its result. */
#include <math.h>
#include <string.h>

#include "cli/features_run.h"

static void job_free(features_job *j)
{
    nep_volume_free(&j->mask);
    nep_series_free(&j->confounds);
    nep_clean_free(&j->raw);
    nep_clean_free(&j->band);
    cli_local_free(&j->local);
    nep_connectome_free(&j->pairs);
    cli_connectome_seeds_free(&j->seeds);
    void *const parts[] = {j->voxel, j->steady, j->exact, j->alff, j->falff, j->tsnr, j->tsnr_map, j->varies, j->packed.label, j->means};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
}

void cli_features_result_free(features_result *r)
{
    void *const parts[] = {r->fd, r->dvars_t, r->keep, r->series, r->r, r->z, r->kind[FEATURES_PARTIAL], r->kind[FEATURES_COVARIANCE], r->kind[FEATURES_PRECISION], r->alff, r->falff, r->strength, r->covered, r->glm, r->tsnr_mean, r->seeded};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    for (int m = 0; m < CLI_LOCALS; m++)
        nep_alloc_free(r->local[m]);
    for (int k = 0; k < FEATURES_MAPS; k++)
        nep_alloc_free(r->map[k]);
    for (int m = 0; m < CLI_CONNECTOME_REGIONAL; m++)
        nep_alloc_free(r->pairs[m]);
    cli_connectome_free(&r->near);
    *r = (features_result){0};
}

/* A run that fails by its motion may have too little left to clean: that is its verdict, no error. */
static nep_status build_operators(features_job *j, features_result *r)
{
    const features_opts *o = &j->f->o;
    nep_clean_opts k = NEP_CLEAN_DEFAULTS;
    const nep_series *confounds = j->confounds.n_cols > 0 ? &j->confounds : NULL;
    k.tr_s = r->tr_s;
    k.definition = o->clean;
    k.confounds = j->exact;
    k.scale = NEP_CLEAN_PSC;
    k.keep = r->n_kept < r->n_frames ? r->keep : NULL;
    k.filter = NEP_CLEAN_NO_FILTER;
    k.fill = k.keep && o->clean != NEP_CLEAN_AFNI; /* spectra need a value in every frame */
    k.cenmode = NEP_CLEAN_NTRP;
    nep_status st = nep_clean_build(j->ctx, r->n_frames, confounds, &k, &j->raw);
    if (st == NEP_OK) {
        k.filter = NEP_CLEAN_BUTTERWORTH;
        k.high_pass_hz = o->low_hz;
        k.low_pass_hz = o->high_hz;
        k.fill = false;
        k.cenmode = NEP_CLEAN_KILL;
        st = nep_clean_build(j->ctx, r->n_frames, confounds, &k, &j->band);
    }
    if ((st == NEP_E_SINGULAR || st == NEP_E_FORMAT) && strcmp(r->verdict, "fail") == 0) {
        cli_features_reason(r, true, "not cleaned: %s", nep_ctx_error(j->ctx));
        nep_ctx_clear(j->ctx);
        return NEP_OK;
    }
    NEP_TRY(st);
    j->cleans = true;
    r->dof = j->band.effective_dof;
    return NEP_OK;
}

static nep_status prepare(features_job *j, features_result *r)
{
    NEP_TRY(cli_features_inputs(j, r));
    cli_features_judge_motion(j, r);
    NEP_TRY(build_operators(j, r));
    NEP_TRY(nep_alloc(j->ctx, r->n_frames, sizeof *r->dvars_t, "DVARS", &r->dvars_t));
    NEP_TRY(nep_alloc(j->ctx, j->n, sizeof *j->alff, "ALFF", &j->alff));
    NEP_TRY(nep_alloc(j->ctx, j->n, sizeof *j->falff, "fALFF", &j->falff));
    NEP_TRY(nep_alloc(j->ctx, j->n, sizeof *j->tsnr, "tSNR", &j->tsnr));
    if (j->f->o.tsnr)
        NEP_TRY(nep_alloc(j->ctx, j->n, sizeof *j->tsnr_map, "tSNR", &j->tsnr_map));
    return nep_alloc(j->ctx, j->n, sizeof *j->varies, "voxels that vary", &j->varies);
}

nep_status cli_features_measure(features *f, const nep_bids_run *run, features_result *out)
{
    features_job j = {.f = f, .ctx = f->ctx, .run = run};
    features_result r = {.dof = (double)NAN, .gcor = (double)NAN, .shrinkage = (double)NAN, .shrinkage_z = (double)NAN};
    nep_series whole = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, prepare(&j, &r));
    NEP_TRY_OR_DONE(st, cli_features_voxels(&j, &r, &whole));
    NEP_TRY_OR_DONE(st, cli_features_pack(&j, &r));
    cli_features_finish_quality(&j, &r);
    r.measured = j.cleans;
    cli_features_judge_rest(&r);
    if (r.measured)
        NEP_TRY_OR_DONE(st, cli_features_regions(&j, &whole, &r));
    *out = r;
    r = (features_result){0};
done:
    nep_series_free(&whole);
    cli_features_result_free(&r);
    job_free(&j);
    return st;
}
