/* SPDX-License-Identifier: Apache-2.0 */
/* features_verdict - whether one run is good enough: motion first, what is left of it later. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "cli/confound_sets.h"
#include "cli/features_run.h"

static void summarise_motion(features_job *j, features_result *r)
{
    double sum = 0;
    int64_t known = 0;
    r->fd_max = (double)NAN;
    for (int64_t t = 0; t < r->n_frames; t++) {
        r->keep[t] = j->steady[t] && !(j->f->o.censor_mm > 0 && r->fd[t] > j->f->o.censor_mm);
        if (isfinite(r->fd[t])) {
            sum += r->fd[t];
            known++;
            r->fd_max = r->fd[t] > r->fd_max || known == 1 ? r->fd[t] : r->fd_max;
        }
    }
    cli_confounds_short_runs(r->n_frames, j->f->o.min_run, r->keep);
    for (int64_t t = 0; t < r->n_frames; t++)
        r->n_kept += r->keep[t];
    r->fd_mean = known ? sum / (double)known : (double)NAN;
}

void cli_features_reason(features_result *r, bool fails, const char *fmt, ...)
{
    const size_t at = strlen(r->reasons);
    va_list args;
    if (fails || strcmp(r->verdict, "fail") != 0)
        snprintf(r->verdict, sizeof r->verdict, fails ? "fail" : "warn");
    if (at > 0 && at + 3 < sizeof r->reasons)
        memcpy(r->reasons + at, "; ", 3);
    va_start(args, fmt);
    const size_t from = strlen(r->reasons);
    vsnprintf(r->reasons + from, sizeof r->reasons - from, fmt, args);
    va_end(args);
}

/* Thresholds on motion: Power et al. (2012), doi:10.1016/j.neuroimage.2011.10.018 (0.5 mm) and Power et al. (2014),
 * doi:10.1016/j.neuroimage.2013.08.048 (0.2 mm). */
void cli_features_judge_motion(features_job *j, features_result *r)
{
    const features_opts *o = &j->f->o;
    summarise_motion(j, r);
    snprintf(r->verdict, sizeof r->verdict, "pass");
    if (isnan(r->fd_mean))
        cli_features_reason(r, false, "motion is not known");
    else if (r->fd_mean > o->fail_fd_mm)
        cli_features_reason(r, true, "mean displacement %.3f mm is above %g mm", r->fd_mean, o->fail_fd_mm);
    else if (r->fd_mean > o->warn_fd_mm)
        cli_features_reason(r, false, "mean displacement %.3f mm is above %g mm", r->fd_mean, o->warn_fd_mm);
    if (r->n_kept < o->min_frames)
        cli_features_reason(r, true, "%lld frames are left of %lld, fewer than %lld", (long long)r->n_kept, (long long)r->n_frames, (long long)o->min_frames);
    else if (5 * r->n_kept < 4 * r->n_frames)
        cli_features_reason(r, false, "%lld of %lld frames are censored", (long long)(r->n_frames - r->n_kept), (long long)r->n_frames);
}

void cli_features_judge_rest(features_result *r)
{
    if (r->coverage < 0.9)
        cli_features_reason(r, r->coverage < 0.5, "the mask covers %.0f %% of the atlas", 100 * r->coverage);
    if (r->own_mask)
        cli_features_reason(r, false, "no brain mask came with the run");
    if (r->measured && r->dof < 10)
        cli_features_reason(r, false, "%.1f degrees of freedom are left after cleaning", r->dof);
}
