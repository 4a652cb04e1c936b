/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint - the names of fingerprints. */
#include <nepenthe/molecule.h>

#include <stdlib.h>
#include <string.h>

/* A whole number from low to high that ends at `stop`. */
static bool whole(const char **at, char stop, long low, long high, long *out)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    *out = strtol(*at, &end, 10);
    *at = end + 1;
    return *end == stop && *out >= low && *out <= high;
}

nep_status nep_fingerprint_parse(nep_ctx *ctx, const char *text, nep_fingerprint *out)
{
    nep_fingerprint f = {0};
    const char *at = strchr(text, ':');
    long radius = 0, bits = 0;
    at = at ? at + 1 : "";
    if (strcmp(text, "none") == 0) {
        f.kind = NEP_FINGERPRINT_NONE;
    } else if (strcmp(text, "maccs") == 0) {
        f.kind = NEP_FINGERPRINT_MACCS;
        bits = 167;
    } else if (strncmp(text, "morgan:", 7) == 0 && whole(&at, ':', 0, 10, &radius) && whole(&at, '\0', 64, NEP_FINGERPRINT_BITS_MOST, &bits)) {
        f.kind = NEP_FINGERPRINT_MORGAN;
    } else if (strncmp(text, "rdkit:", 6) == 0 && whole(&at, '\0', 64, NEP_FINGERPRINT_BITS_MOST, &bits)) {
        f.kind = NEP_FINGERPRINT_RDKIT;
    } else {
        return nep_ctx_fail(ctx, NEP_E_ARG,
                            "the fingerprint '%.60s' is not known; there are morgan:RADIUS:BITS (radius 0 to 10, 64 to 8192 bits), "
                            "rdkit:BITS, maccs and none",
                            text);
    }
    f.radius = (int)radius;
    f.n_bits = bits;
    *out = f;
    return NEP_OK;
}

int64_t nep_fingerprint_words(const nep_fingerprint *f)
{
    return (f->n_bits + 63) / 64;
}
