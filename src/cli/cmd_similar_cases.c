/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe similar cases - the subjects nearest to a subject by their features, with distances and diagnoses, and a check of whether
 * these mean anything. */
#include <math.h>
#include <string.h>

#include "cli/cases_report.h"

static const cli_option options[] = {
    {"people", 0, CLI_INPUT, "TSV", NULL, NULL, "participant_id, the diagnosis, confounds, site; joined by id"},
    {"diagnosis", 0, CLI_TEXT, "COLUMN", NULL, NULL, "column of --people; subjects without one are compared, and are nobody's neighbour"},
    {"query", 0, CLI_INPUT, "FILE", NULL, NULL, "subjects to compare, a table or AnnData file with the same features; default those of TABLE, each left out of its own reference"},
    {"id", 0, CLI_TEXTS, "IDS", NULL, NULL, "compare these alone"},
    {"top", 0, CLI_INT, "K", "10", NULL, "neighbours of each"},
    {"metric", 0, CLI_CHOICE, "NAME", "euclidean", "euclidean|cosine", "distance of z-scored features; cosine: 1 - cosine"},
    {"features", 0, CLI_TEXTS, "NAMES", NULL, NULL, "columns that take part, by name or by what stands before a colon (alff of features.h5); default all"},
    {"missing", 0, CLI_REAL, "SHARE", "0.2", NULL, "subjects who miss more of the features are left out; then features that any of the rest misses"},
    {"confounds", 0, CLI_TEXTS, "NAMES", NULL, NULL, "columns of --people, such as age,sex,site,fd_mean: what they alone tell stands beside the check"},
    {"regress", 0, CLI_FLAG, NULL, NULL, NULL, "regress the confounds out of every feature, fitted without whom is compared"},
    {"site", 0, CLI_TEXT, "COLUMN", NULL, NULL, "column of --people: the check leaves each site out as well, and permutes within sites"},
    {"exchange", 0, CLI_TEXT, "COLUMN", NULL, NULL, "column of --people within which diagnoses may change places in the check; default --site"},
    {"columns", 0, CLI_TEXTS, "NAMES", NULL, NULL, "columns of --people to show beside each neighbour's diagnosis"},
    {"n", 0, CLI_INT, "N", "1000", NULL, "permutations of the check; 0 = no check"},
    {"bootstrap", 0, CLI_INT, "N", "2000", NULL, "redraws of subjects for the check's intervals"},
    {"least", 0, CLI_INT, "N", "5", NULL, "diagnoses with fewer subjects do not enter the check's means"},
    {"summary", 0, CLI_OUTPUT, "TSV", NULL, NULL, "a row per query: verdict, nearest, its quantile, each diagnosis among the neighbours beside its base rate"},
    {"check", 0, CLI_OUTPUT, "TSV", NULL, NULL, "the check as a table"},
};

/* Neighbours by the confounds alone: z-scored, one left out, or one site (without what codes the site). */
static nep_status baseline(const cases_people *p, bool by_site, int64_t k, nep_cases_near *out)
{
    float *x = NULL;
    int64_t wide = 0;
    nep_status st;
    for (int64_t c = 0; c < p->wide; c++)
        wide += !by_site || !p->of_site[c];
    if (wide == 0)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n * wide, sizeof *x, "confounds", &x));
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t c = 0, at = 0; c < p->wide; c++)
            if (!by_site || !p->of_site[c])
                x[i * wide + at++] = (float)p->coded[i * p->wide + c];
    const nep_cases_data d = {p->n, wide, 0, x, NULL, p->ids};
    st = by_site ? nep_cases_leave_group_out(p->ctx, &d, p->group, (int32_t)p->site.n_levels, NULL, NEP_CASES_EUCLIDEAN, k, out)
                 : nep_cases_leave_one_out(p->ctx, &d, NEP_CASES_EUCLIDEAN, k, 0, out, NULL);
done:
    nep_alloc_free(x);
    return st;
}

static nep_status check(const cases_people *p, const nep_cases_near *near, bool by_site, int64_t k, cases_check *out)
{
    const nep_vote_opts o = {.n_perm = cli_int(p->c, "n"), .n_boot = cli_int(p->c, "bootstrap"), .least = cli_int(p->c, "least"),
                             .block = p->exchange.name ? p->block : NULL, .adjusted = p->regress};
    nep_cases_near alone = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, baseline(p, by_site, k, &alone));
    NEP_TRY_OR_DONE(st, nep_vote_check(p->ctx, near, alone.start ? &alone : NULL, k, p->label, p->n, (int32_t)p->diagnosis.n_levels, &o, &out->r));
    out->done = true;
done:
    nep_cases_near_free(&alone);
    return st;
}

static nep_status check_sites(const cases_people *p, const nep_cases_data *d, nep_cases_metric metric, int64_t k, cases_check *out)
{
    nep_cases_near near = {0};
    nep_status st;
    if (p->site.n_levels < 2) {
        nep_warn(p->ctx, "--site: all of the reference are of one site, so that none is left out");
        return NEP_OK;
    }
    NEP_TRY_OR_DONE(st, nep_cases_leave_group_out(p->ctx, d, p->group, (int32_t)p->site.n_levels, d->n_confounds ? p->of_site : NULL, metric, k,
                                                  &near));
    st = check(p, &near, true, k, out);
done:
    nep_cases_near_free(&near);
    return st;
}

/* Those who are not in the reference, against a fit on all of it. */
static nep_status compare_outside(const cases_people *p, const nep_cases_data *d, cases_result *r)
{
    nep_cases_model model = {0};
    double *z = NULL, *own = NULL;
    nep_status st;
    if (p->n_outside == 0)
        return NEP_OK;
    NEP_TRY_OR_DONE(st, nep_cases_fit(p->ctx, d, NULL, NULL, &model));
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n * p->p, sizeof *z, "scaled features", &z));
    NEP_TRY_OR_DONE(st, nep_alloc(p->ctx, p->n_outside * p->p, sizeof *own, "scaled features", &own));
    nep_cases_apply(&model, p->x, d->confound, p->n, z);
    nep_cases_apply(&model, p->outside_x, p->outside_coded, p->n_outside, own);
    st = nep_cases_nearest(p->ctx, z, p->n, NULL, own, p->n_outside, p->p, r->metric, r->k, &r->outside);
done:
    nep_alloc_free(own);
    nep_alloc_free(z);
    nep_cases_model_free(&model);
    return st;
}

static nep_status look(const cases_people *p, cases_result *r)
{
    const nep_cases_data d = {p->n, p->p, p->regress ? p->wide : 0, p->x, p->regress ? p->coded : NULL, p->ids};
    NEP_TRY(nep_cases_leave_one_out(p->ctx, &d, r->metric, r->k, 0, &r->own, &r->spread));
    NEP_TRY(compare_outside(p, &d, r));
    if (cli_int(p->c, "n") == 0)
        return NEP_OK;
    NEP_TRY(check(p, &r->own, false, r->k, &r->one));
    return p->site.name ? check_sites(p, &d, r->metric, r->k, &r->site) : NEP_OK;
}

static nep_status check_options(cli *c)
{
    const double missing = cli_real(c, "missing");
    NEP_REQUIRE(cli_ctx(c), cli_int(c, "top") >= 1, NEP_E_ARG, "--top: at least 1 neighbour, not %lld", (long long)cli_int(c, "top"));
    NEP_REQUIRE(cli_ctx(c), missing >= 0 && missing < 1, NEP_E_ARG, "--missing: a share from 0 to below 1, not %g", missing);
    NEP_REQUIRE(cli_ctx(c), cli_int(c, "n") >= 0 && cli_int(c, "bootstrap") >= 0 && cli_int(c, "least") >= 1, NEP_E_ARG,
                "--n and --bootstrap must not be negative, and --least is at least 1");
    return NEP_OK;
}

static nep_status run(cli *c)
{
    cases_people p = {0};
    cases_result r = {.p = &p, .k = cli_int(c, "top")};
    nep_status st;
    r.metric = strcmp(cli_text(c, "metric"), "cosine") == 0 ? NEP_CASES_COSINE : NEP_CASES_EUCLIDEAN;
    NEP_TRY_OR_DONE(st, check_options(c));
    NEP_TRY_OR_DONE(st, cases_people_read(c, &p));
    if (cli_dry_run(c)) {
        const char *out[1] = {cli_out(c) ? cli_out(c) : "standard output"};
        st = cli_plan(c, p.n_queries, (int64_t)sizeof(double) * (p.n * p.p + p.n * (p.n - 1)), (double)NAN, out, 1);
        goto done;
    }
    NEP_TRY_OR_DONE(st, look(&p, &r));
    NEP_TRY_OR_DONE(st, cases_report_write(c, &r));
    cases_report_say(c, &r);
done:
    nep_cases_near_free(&r.own);
    nep_cases_near_free(&r.outside);
    nep_cases_spread_free(&r.spread);
    cases_people_free(&p);
    return st;
}

const cli_command cli_cmd_similar_cases = {
    .name = "similar cases",
    .group = "Imaging",
    .summary = "nearest subjects by features, with distances and diagnoses, checked against chance",
    .inputs = "TABLE",
    .min_inputs = 1,
    .max_inputs = 1,
    .inputs_are_files = true,
    .options = options,
    .n_options = NEP_LEN(options),
    .run = run,
    .example = "nepenthe similar cases group_alff.tsv --people participants.tsv --diagnosis group --id sub-07 --confounds age,sex",
};
