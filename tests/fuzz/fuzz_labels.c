/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_labels - the label table of an atlas, over a sound image with the values 0 to 7. */
#include "fuzz.h"

static void write_image(char path[64])
{
    nep_ctx *ctx = fuzz_ctx();
    const nep_grid g = {.nx = 4, .ny = 4, .nz = 4, .affine = {{2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
    float x[64];
    for (int i = 0; i < 64; i++)
        x[i] = (float)(i % 8);
    snprintf(path, 64, "/tmp/nepenthe-fuzz-labels-%d.nii", (int)getpid());
    if (nep_nifti_write(ctx, path, &g, 1, 0, x, true) != NEP_OK)
        abort();
    fuzz_end(ctx, NEP_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char image[64];
    static int fd = -1;
    if (fd < 0) { /* once: the file lives on as an open descriptor */
        char file[64], bytes[1024];
        write_image(file);
        FILE *f = fopen(file, "rb");
        const size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
        if (!f || n == 0)
            abort();
        fclose(f);
        unlink(file);
        fd = fuzz_file(bytes, n, image);
    }
    nep_ctx *ctx = fuzz_ctx();
    nep_atlas a = {0};
    char path[64];
    const int table = fuzz_file(data, size, path);
    const nep_status st = nep_nifti_read_atlas(ctx, image, path, &a);
    nep_atlas_free(&a);
    close(table);
    fuzz_end(ctx, st);
    return 0;
}
