/* SPDX-License-Identifier: Apache-2.0 */
/* hash - XXH3-128 of bytes and of files, as hex. */
#include <nepenthe/core.h>

#include <errno.h>
#include <string.h>
#include <xxhash.h>

static nep_hash to_hex(XXH128_hash_t h)
{
    nep_hash out;
    snprintf(out.hex, sizeof out.hex, "%016llx%016llx", (unsigned long long)h.high64, (unsigned long long)h.low64);
    return out;
}

nep_hash nep_hash_bytes(const void *bytes, size_t n)
{
    return to_hex(XXH3_128bits(bytes, n));
}

/* False when reading failed, of which errno tells, or was told to stop. */
static bool hash_stream(FILE *f, XXH3_state_t *state, bool (*go_on)(void *user), void *user, nep_hash *out)
{
    static _Thread_local char block[1 << 16];
    XXH3_128bits_reset(state);
    for (size_t n; (!go_on || go_on(user)) && (n = fread(block, 1, sizeof block, f)) > 0;)
        XXH3_128bits_update(state, block, n);
    *out = to_hex(XXH3_128bits_digest(state));
    return feof(f) && !ferror(f);
}

bool nep_hash_file_while(const char *path, bool (*go_on)(void *user), void *user, nep_hash *out)
{
    FILE *f = fopen(path, "rbe");
    XXH3_state_t *state = f ? XXH3_createState() : NULL;
    const bool whole = state && hash_stream(f, state, go_on, user, out);
    XXH3_freeState(state);
    if (f)
        fclose(f);
    return whole;
}

nep_status nep_hash_file(nep_ctx *ctx, const char *path, nep_hash *out)
{
    FILE *f = fopen(path, "rbe");
    if (!f)
        return nep_ctx_fail_file(ctx, errno == EACCES ? NEP_E_PERMISSION : NEP_E_MISSING, path, "%s: cannot be opened (%s)",
                                 path, strerror(errno));
    XXH3_state_t *state = XXH3_createState();
    nep_status st = state ? NEP_OK : nep_ctx_fail(ctx, NEP_E_NOMEM, "%s: no memory to hash it", path);
    if (st == NEP_OK && !hash_stream(f, state, NULL, NULL, out))
        st = nep_ctx_fail_file(ctx, NEP_E_IO, path, "%s: reading failed (%s)", path, strerror(errno));
    XXH3_freeState(state);
    fclose(f);
    return st;
}
