/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_events - the events of a run. */
#include "fuzz.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nep_ctx *ctx = fuzz_ctx();
    nep_events e = {0};
    char path[64];
    const int fd = fuzz_file(data, size, path);
    const nep_status st = nep_events_read(ctx, path, &e);
    for (int64_t i = 0; i < e.n; i++) /* what was read can be used */
        if (!isfinite(e.onset_s[i]) || !(e.duration_s[i] >= 0) || (e.modulation && !isfinite(e.modulation[i])) ||
            (e.trial_type && !e.trial_type[i]))
            abort();
    if ((st == NEP_OK) != (e.n > 0))
        abort();
    nep_events_free(&e);
    close(fd);
    fuzz_end(ctx, st);
    return 0;
}
