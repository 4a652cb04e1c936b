/* SPDX-License-Identifier: Apache-2.0 */
/* similar_smiles - structures as queries: their fingerprints must be of the kind that the index holds, and the index says which. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/molecules.h"
#include "cli/similar.h"

/* "RDKit 2022.09.3" of a text, its length in *n; NULL when it names no version. */
static const char *version_of(const char *text, size_t *n)
{
    const char *at = strstr(text, "RDKit ");
    if (at && isdigit((unsigned char)at[6])) {
        *n = 6 + strspn(at + 6, "0123456789.");
        return at;
    }
    at = strstr(text, "RDKit/");
    *n = at ? 6 + strspn(at + 6, "0123456789.") : 0;
    return at;
}

/* Other versions of RDKit may give other bits: said, since the user can tell. */
static void check_version(nep_ctx *ctx, const nep_index *index, const char *here)
{
    size_t a = 0, b = 0;
    const char *theirs = index->about ? version_of(index->about, &a) : NULL, *ours = version_of(here, &b);
    if (theirs && ours && (a != b || strncmp(theirs + 6, ours + 6, a - 6) != 0))
        nep_warn(ctx, "the index was made with %.*s, the queries with %.*s: fingerprints may differ", (int)a, theirs, (int)b, ours);
}

static nep_status choose_kind(cli *c, const nep_index *index, const char *path, nep_fingerprint *out)
{
    nep_ctx *ctx = cli_ctx(c);
    char text[96];
    const bool known = similar_kind_read(index->about, index->bits.n_bits, text, sizeof text);
    const char *given = cli_text(c, "fingerprint");
    nep_fingerprint of_index = {0};
    NEP_REQUIRE(ctx, index->kind == NEP_INDEX_BITS, NEP_E_SHAPE, "%s holds structures, the index dense vectors", path);
    NEP_REQUIRE(ctx, known || given, NEP_E_ARG,
                "%s holds structures, and the index does not say which fingerprint its rows are ('%s'); give --fingerprint, such as morgan:2:%lld",
                path, index->about ? index->about : "", (long long)index->bits.n_bits);
    if (known)
        NEP_TRY(nep_fingerprint_parse(ctx, text, &of_index));
    if (!given) {
        *out = of_index;
        return NEP_OK;
    }
    NEP_TRY(nep_fingerprint_parse(ctx, given, out));
    NEP_REQUIRE(ctx, out->kind != NEP_FINGERPRINT_NONE && out->n_bits == index->bits.n_bits, NEP_E_SHAPE, "--fingerprint %s has %lld bits, the index %lld",
                given, (long long)out->n_bits, (long long)index->bits.n_bits);
    NEP_REQUIRE(ctx, !known || (out->kind == of_index.kind && out->radius == of_index.radius), NEP_E_SHAPE,
                "--fingerprint %s, and the index holds %s ('%s'): they cannot be compared", given, text, index->about);
    return NEP_OK;
}

/* Which records were no structures. */
static void tell_skipped(nep_ctx *ctx, const cli_molecules_job *j, const char *path)
{
    enum { TOLD = 5 };
    for (int64_t i = 0; i < j->skipped.n && i < TOLD; i++)
        nep_warn(ctx, "%s: line %lld is left out: %s", path, (long long)j->skipped.line[i], j->skipped.text + j->skipped.reason[i]);
    if (j->skipped.n > TOLD)
        nep_warn(ctx, "%s: %lld more lines are left out", path, (long long)(j->skipped.n - TOLD));
}

nep_status similar_queries_structures(cli *c, const nep_index *index, const char *path, similar_queries *out)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_records *records = NULL;
    cli_molecules_job job = {0};
    nep_status st;
    NEP_TRY(choose_kind(c, index, path, &job.opts.fingerprint));
    NEP_TRY_OR_DONE(st, nep_records_open(ctx, path, &(nep_records_opts){.format = cli_text(c, "format")}, &records));
    NEP_TRY_OR_DONE(st, cli_molecules_read(ctx, records, &job));
    check_version(ctx, index, job.about);
    NEP_REQUIRE_OR_DONE(st, ctx, job.kept.n > 0, NEP_E_FORMAT, "%s: no query: %s%s", path, job.skipped.n > 0 ? "no record is a structure; the first: " : "it has no record",
                        job.skipped.n > 0 ? job.skipped.text + job.skipped.reason[0] : "");
    tell_skipped(ctx, &job, path);
    out->n = job.kept.n;
    out->bits = job.kept.bits;
    job.kept.bits = NULL;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, out->n, sizeof *out->ids, "queries", &out->ids));
    for (int64_t i = 0; i < out->n; i++)
        NEP_TRY_OR_DONE(st, nep_alloc_string(ctx, cli_molecules_text(&job.kept, job.kept.id[i]), &out->ids[i]));
done:
    cli_molecules_free(&job);
    nep_records_close(records);
    return st;
}
