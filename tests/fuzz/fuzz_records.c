/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_records - molecules cut apart: the first byte chooses the format. A record is one line of id and a text of its length. */
#include "fuzz.h"

static void check(const nep_record *r)
{
    if (strlen(r->text) != (size_t)r->n_bytes || (r->problem && r->n_bytes) || (r->id && (strpbrk(r->id, "\t\n\r") || !r->id[0])))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const nep_records_opts opts[] = {{.format = "smi"}, {.format = "sdf"}, {.format = "sdf", .id_column = "ID"}, {.format = "csv"}, {.format = "tsv"}};
    if (size == 0)
        return 0;
    nep_ctx *ctx = fuzz_ctx();
    nep_records *r = NULL;
    nep_record record;
    bool more = true;
    char path[64];
    const int fd = fuzz_file(data + 1, size - 1, path);
    nep_status st = nep_records_open(ctx, path, &opts[data[0] % NEP_LEN(opts)], &r);
    int64_t line = 0;
    while (st == NEP_OK && more) {
        st = nep_records_next(r, &record, &more);
        if (st != NEP_OK || !more)
            break;
        if (record.line <= line)
            abort();
        line = record.line;
        check(&record);
    }
    nep_records_close(r);
    close(fd);
    fuzz_end(ctx, st);
    return 0;
}
