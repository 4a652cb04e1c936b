/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint - a blob under the hash of everything that determines it; found only when whole and of that key. */
#include <nepenthe/core.h>

#include <string.h>

typedef struct {
    char magic[24]; /* nepenthe/checkpoint/1 */
    nep_hash key, content;
    int64_t n;
} checkpoint_head;

static const char checkpoint_magic[24] = "nepenthe/checkpoint/1";

nep_status nep_checkpoint_save(nep_ctx *ctx, const char *path, const nep_hash *key, const void *bytes, int64_t n)
{
    checkpoint_head head;
    memset(&head, 0, sizeof head);
    memcpy(head.magic, checkpoint_magic, sizeof head.magic);
    head.key = *key;
    head.content = nep_hash_bytes(bytes, (size_t)n);
    head.n = n;
    nep_file *f = NULL;
    NEP_TRY(nep_file_create(ctx, path, &f));
    nep_status st = nep_file_write(f, &head, sizeof head);
    if (st == NEP_OK)
        st = nep_file_write(f, bytes, (size_t)n);
    if (st != NEP_OK) {
        nep_file_abort(f);
        return st;
    }
    return nep_file_commit(f);
}

nep_status nep_checkpoint_load(nep_ctx *ctx, const char *path, const nep_hash *key, void *bytes, int64_t n, bool *found)
{
    *found = false;
    if (!nep_file_exists(path))
        return NEP_OK;
    char *text = NULL;
    int64_t have = 0;
    NEP_TRY(nep_file_read(ctx, path, n + (int64_t)sizeof(checkpoint_head) + 1, &text, &have));
    checkpoint_head head;
    if (have == n + (int64_t)sizeof head) {
        memcpy(&head, text, sizeof head);
        const nep_hash content = nep_hash_bytes(text + sizeof head, (size_t)n);
        if (memcmp(head.magic, checkpoint_magic, sizeof head.magic) == 0 && head.n == n &&
            memcmp(head.key.hex, key->hex, sizeof key->hex) == 0 &&
            memcmp(head.content.hex, content.hex, sizeof content.hex) == 0) {
            memcpy(bytes, text + sizeof head, (size_t)n);
            *found = true;
        }
    }
    nep_alloc_free(text);
    return NEP_OK;
}
