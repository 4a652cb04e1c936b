/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_index - index files, through nep_index_open and nep_index_check. Checksums would hide all else, so they are mended first; then
 * everything that a search reads is read. Then it is searched: an index is not read through before a search, so that one whose counts,
 * sketches or norms lie must cost no more than its answer. */
#include "fuzz.h"

#include <nepenthe/similarity.h>
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

/* The nearest of a row that is there and of an empty one, by every metric of the kind. */
static void search(nep_ctx *ctx, const nep_index *x)
{
    const bool bits = x->kind == NEP_INDEX_BITS;
    const int64_t width = bits ? x->bits.words : x->vectors.dims;
    void *query = calloc(2 * (size_t)width, 8);
    if (bits)
        memcpy(query, x->bits.row, (size_t)width * 8);
    else
        for (int64_t i = 0; i < width; i++)
            ((float *)query)[i] = (float)(i % 5 - 2);
    for (int metric = NEP_METRIC_TANIMOTO; metric <= NEP_METRIC_L2; metric++) {
        const nep_search_opts opts = {.metric = (nep_metric)metric, .k = 3, .alpha = {1, 2}, .beta = {1, 1}};
        nep_hits hits = {0};
        const nep_status st = bits ? nep_bits_search(ctx, x, query, 2, &opts, &hits, NULL) : nep_dense_search(ctx, x, query, 2, &opts, &hits, NULL);
        (void)st; /* a metric of the other kind is refused */
        nep_hits_free(&hits);
    }
    free(query);
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
        search(ctx, &x);
        st = nep_index_check(ctx, &x);
    }
    nep_index_free(&x);
    close(fd);
    free(copy);
    fuzz_end(ctx, st);
    return 0;
}
