/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_index - index files, through nep_index_open and nep_index_check. Checksums would hide all else, so they are mended first; then
 * everything that a search reads is read. */
#include "fuzz.h"

#include <xxhash.h>

#include "io/index_file.h"

static uint64_t read_all(nep_ctx *ctx, const nep_index *x)
{
    char buf[32];
    uint64_t sum = nep_index_hash_sum(ctx, x);
    for (int64_t p = 0; p < x->n; p++) {
        sum += (uint64_t)nep_index_id(x, p, buf, sizeof buf)[0];
        for (int64_t c = 0; c < x->n_columns; c++)
            for (int64_t at = x->cell_start[p * x->n_columns + c]; at < x->cell_start[p * x->n_columns + c + 1]; at++)
                sum += (uint64_t)x->cell_text[at];
        if (x->kind == NEP_INDEX_VECTORS && x->vectors.shadow)
            sum += (uint64_t)x->vectors.shadow[(p + 1) * x->vectors.shadow_stride - 1];
    }
    for (int64_t c = 0; c < x->n_columns; c++)
        sum += strlen(x->column[c]);
    return sum + strlen(x->about);
}

static void mend(uint8_t *copy, size_t size)
{
    uint32_t sections = 0;
    if (size >= NEP_INDEX_HEAD)
        memcpy(&sections, copy + NEP_INDEX_AT_SECTIONS, 4);
    if (sections == 0 || sections > NEP_INDEX_SECTIONS_MOST || size < NEP_INDEX_HEAD + (size_t)sections * NEP_INDEX_ENTRY)
        return;
    for (uint8_t *entry = copy + NEP_INDEX_HEAD; entry < copy + NEP_INDEX_HEAD + sections * NEP_INDEX_ENTRY; entry += NEP_INDEX_ENTRY) {
        uint64_t place[2];
        memcpy(place, entry + 8, sizeof place);
        if (place[0] <= size && place[1] <= size - place[0]) {
            const uint64_t hash = XXH3_64bits(copy + place[0], place[1]);
            memcpy(entry + 24, &hash, 8);
        }
    }
    const uint64_t hash = nep_index_header_hash((char *)copy, sections);
    memcpy(copy + NEP_INDEX_AT_CHECKSUM, &hash, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    static volatile uint64_t sink;
    uint8_t *copy = malloc(size + 1);
    memcpy(copy, data, size);
    mend(copy, size);
    nep_ctx *ctx = fuzz_ctx();
    nep_index x = {0};
    const int fd = fuzz_file(copy, size, path);
    nep_status st = nep_index_open(ctx, path, &x);
    if (st == NEP_OK) {
        sink += read_all(ctx, &x);
        st = nep_index_check(ctx, &x);
    }
    nep_index_free(&x);
    close(fd);
    free(copy);
    fuzz_end(ctx, st);
    return 0;
}
