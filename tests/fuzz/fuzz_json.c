/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json - JSON documents. */
#include "fuzz.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nep_ctx *ctx = fuzz_ctx();
    json_t *doc = NULL;
    char path[64];
    const int fd = fuzz_file(data, size, path);
    const nep_status st = nep_json_read(ctx, path, &doc);
    json_decref(doc);
    close(fd);
    fuzz_end(ctx, st);
    return 0;
}
