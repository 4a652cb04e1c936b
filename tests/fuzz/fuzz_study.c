/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_study - the study file; stands for nep_study_read, which adds only the reading of the bytes. */
#include "fuzz.h"

#include "io/study.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nep_ctx *ctx = fuzz_ctx();
    nep_study s = {0};
    setenv("NEPENTHE_SHARED", "/shared", 1);
    const nep_status st = nep_study_parse(ctx, "folder/study.yaml", (const char *)data, (int64_t)size, &s);
    nep_study_free(&s);
    fuzz_end(ctx, st);
    return 0;
}
