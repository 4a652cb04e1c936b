/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_hdf5 - the answer of the HDF5 helper, whole and in pieces; stands for nep_hdf5_read_f64, nep_hdf5_read_strings and the rows of
 * HDF5 that nep_source_open reads, whose own work is to start the helper. */
#include "fuzz.h"

#include "io/hdf5_read.h"

static nep_status whole_values(nep_hdf5_answer *a)
{
    double *values = NULL;
    const nep_status st = nep_hdf5_all_values(a, &values);
    nep_alloc_free(values);
    return st;
}

/* Three at a time. */
static nep_status rows(nep_hdf5_answer *a)
{
    double three[3];
    nep_status st = NEP_OK;
    while (a->done < a->n && st == NEP_OK)
        st = nep_hdf5_values(a, three, a->n - a->done < 3 ? a->n - a->done : 3);
    return st;
}

static nep_status whole_texts(nep_hdf5_answer *a)
{
    char **names = NULL;
    const nep_status st = nep_hdf5_all_texts(a, &names);
    if (st == NEP_OK && a->done != a->n)
        abort();
    nep_data_free_names(names, st == NEP_OK ? a->n : 0);
    return st;
}

static nep_status pieces(nep_hdf5_answer *a)
{
    char *text = NULL;
    int64_t got = 1, n = 0;
    nep_status st = NEP_OK;
    while (st == NEP_OK && got > 0) {
        st = nep_hdf5_texts(a, &text, &got);
        n += got;
    }
    if (st == NEP_OK && n != a->n)
        abort();
    nep_alloc_free(text);
    return st;
}

static nep_status take(const uint8_t *data, size_t size, bool texts, nep_status (*all)(nep_hdf5_answer *a))
{
    nep_ctx *ctx = fuzz_ctx();
    char path[64];
    nep_hdf5_answer a = {.ctx = ctx, .path = "fuzz.h5", .idle_s = 1};
    a.fd = fuzz_file(data, size, path);
    nep_status st = nep_hdf5_begin(&a, texts);
    if (st == NEP_OK)
        st = all(&a);
    close(a.fd);
    fuzz_end(ctx, st);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (take(data, size, false, whole_values) != take(data, size, false, rows) || take(data, size, true, whole_texts) != take(data, size, true, pieces))
        abort();
    return 0;
}
