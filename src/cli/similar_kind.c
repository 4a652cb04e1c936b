/* SPDX-License-Identifier: Apache-2.0 */
/* similar_kind - which fingerprint bits are, by the words of whoever made them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/similar.h"

/* The number behind a word, "radius 2", "radius=2", "morgan:2"; -1 when there is none. */
static int64_t number_after(const char *text, const char *word)
{
    const char *at = strcasestr(text, word);
    if (!at)
        return -1;
    at += strlen(word);
    while (*at && strchr(" :=", *at))
        at++;
    return isdigit((unsigned char)*at) ? strtoll(at, NULL, 10) : -1;
}

bool similar_kind_read(const char *about, int64_t n_bits, char *out, size_t size)
{
    const long long bits = n_bits;
    about = about ? about : "";
    if (strcasestr(about, "morgan")) {
        const int64_t radius = number_after(about, "radius") >= 0 ? number_after(about, "radius") : number_after(about, "morgan");
        snprintf(out, size, "morgan:%lld:%lld", (long long)radius, bits);
        return radius >= 0 && !strcasestr(about, "usefeatures=1") && !strcasestr(about, "usechirality=1");
    }
    if (strcasestr(about, "maccs")) {
        snprintf(out, size, "maccs");
        return true;
    }
    snprintf(out, size, "rdkit:%lld", bits);
    return strcasestr(about, "rdkit:") || strcasestr(about, "RDKit-Fingerprint");
}

nep_status similar_kind_check(nep_ctx *ctx, const nep_index *index, const char *path, const char *about)
{
    char ours[96], theirs[96];
    if (index->kind != NEP_INDEX_BITS || !similar_kind_read(index->about, index->bits.n_bits, ours, sizeof ours) ||
        !similar_kind_read(about, index->bits.n_bits, theirs, sizeof theirs) || strcmp(ours, theirs) == 0)
        return NEP_OK;
    return nep_ctx_fail_file(ctx, NEP_E_SHAPE, path, "%s holds '%s', the index '%s': such fingerprints cannot be compared", path, about, index->about);
}
