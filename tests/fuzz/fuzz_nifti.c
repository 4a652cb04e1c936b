/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_nifti - plain images: header gate, extensions, every reader. */
#include "image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_image(data, size);
    return 0;
}
