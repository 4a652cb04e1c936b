/* SPDX-License-Identifier: Apache-2.0 */
/* cases_queries - who is compared with the reference of `similar cases`: its own subjects one by one, and those outside it. */
#include <math.h>
#include <string.h>

#include "cli/cases_people.h"

static void add_query(cases_people *p, const char *id, int64_t reference, int64_t outside)
{
    p->query[p->n_queries++] = (cases_query){reference, outside, id};
}

/* One from outside: its features in the order of the reference, its confounds where they are regressed out. False with what is
 * missing: 1 too many features, 2 a confound. */
static int add_outside(cases_people *p, const cli_subjects *from, int64_t row)
{
    float *x = p->outside_x + p->n_outside * p->p;
    int64_t missing = 0;
    for (int64_t f = 0, at = 0; at < p->p; f++)
        if (from->columns[f] == p->features[at] || strcmp(from->columns[f], p->features[at]) == 0)
            x[at++] = from->x[row * from->p + f];
    for (int64_t f = 0; f < p->p; f++)
        missing += isnan(x[f]);
    if (missing == p->p || (double)missing > cli_real(p->c, "missing") * (double)p->p)
        return 1;
    if (p->regress && !cases_people_code(p, cases_people_find(p, from->ids[row]), p->outside_coded + p->n_outside * p->wide))
        return 2;
    p->n_outside++;
    return 0;
}

static bool asked_for(cli *c, const char *id)
{
    int n = 0;
    const char *const *ids = cli_texts(c, "id", &n);
    for (int k = 0; k < n; k++)
        if (strcmp(ids[k], id) == 0)
            return true;
    return n == 0;
}

static nep_status check_asked(const cases_people *p, const cli_subjects *from, const char *path)
{
    int n = 0;
    const char *const *ids = cli_texts(p->c, "id", &n);
    for (int k = 0; k < n; k++)
        NEP_REQUIRE(p->ctx, cli_subjects_find(from->ids, from->n, ids[k]) >= 0, NEP_E_ARG, "--id: %s has no subject '%s'", path, ids[k]);
    return NEP_OK;
}

static nep_status open_queries(cases_people *p, int64_t most)
{
    NEP_TRY(nep_alloc(p->ctx, most, sizeof *p->query, "queries", &p->query));
    NEP_TRY(nep_alloc(p->ctx, most * p->p, sizeof *p->outside_x, "queries", &p->outside_x));
    return nep_alloc(p->ctx, most * p->wide, sizeof *p->outside_coded, "queries", &p->outside_coded);
}

/* Everyone of the table, or those asked for; who is in the reference is compared with the rest of it. */
static nep_status queries_within(cases_people *p)
{
    int64_t refused[3] = {0};
    NEP_TRY(check_asked(p, &p->all, cli_input(p->c, 0)));
    NEP_TRY(open_queries(p, p->all.n));
    for (int64_t i = 0, r = 0; i < p->all.n; i++) {
        const bool in = r < p->n && p->row[r] == i;
        if (asked_for(p->c, p->all.ids[i])) {
            const int why = in ? 0 : add_outside(p, &p->all, i);
            refused[why]++;
            NEP_REQUIRE(p->ctx, why == 0 || !cli_given(p->c, "id"), NEP_E_FORMAT, "'%s' cannot be compared: it misses %s", p->all.ids[i],
                        why == 1 ? "too many of the features" : "a confound, or has a level of one that nobody in the reference has");
            if (why == 0)
                add_query(p, p->all.ids[i], in ? r : -1, in ? -1 : p->n_outside - 1);
        }
        r += in;
    }
    if (refused[1] + refused[2] > 0)
        nep_warn(p->ctx, "not compared: %lld who miss too many features, %lld without a confound", (long long)refused[1], (long long)refused[2]);
    return NEP_OK;
}

/* Everyone of another table, who must not be in the reference. */
static nep_status queries_from_file(cases_people *p)
{
    const char *path = cli_text(p->c, "query");
    cli_subjects other = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, cli_subjects_read(p->ctx, path, &other));
    NEP_TRY_OR_DONE(st, cli_subjects_align(p->ctx, &other, p->all.columns, p->all.p, path));
    NEP_TRY_OR_DONE(st, check_asked(p, &other, path));
    NEP_TRY_OR_DONE(st, open_queries(p, other.n));
    for (int64_t i = 0; i < other.n; i++) {
        if (!asked_for(p->c, other.ids[i]))
            continue;
        NEP_REQUIRE_OR_DONE(st, p->ctx, cli_subjects_find(p->ids, p->n, other.ids[i]) < 0, NEP_E_FORMAT,
                            "'%s' of %s is in the reference as well; without --query and with --id %s it is compared with the others", other.ids[i],
                            path, other.ids[i]);
        const int why = add_outside(p, &other, i);
        NEP_REQUIRE_OR_DONE(st, p->ctx, why == 0, NEP_E_FORMAT, "'%s' of %s cannot be compared: it misses %s", other.ids[i], path,
                            why == 1 ? "too many of the features" : "a confound in the table of people, or has a level of one that nobody in the reference has");
        add_query(p, other.ids[i], -1, p->n_outside - 1);
    }
    p->outside = other;
    other = (cli_subjects){0};
done:
    cli_subjects_free(&other);
    return st;
}

nep_status cases_queries_read(cases_people *p)
{
    return cli_given(p->c, "query") ? queries_from_file(p) : queries_within(p);
}
