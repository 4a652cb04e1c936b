/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe doctor - device, threads, memory, libraries. */
#include <cblas.h>
#include <hdf5.h>

#include <nepenthe/backend.h>
#include <nepenthe/molecule.h>

#include "cli/cli.h"

static nep_status run(cli *c)
{
    nep_ctx *ctx = cli_ctx(c);
    char device[256];
    unsigned major, minor, release;
    NEP_TRY(nep_backend_describe(ctx, device, sizeof device));
    NEP_REQUIRE(ctx, H5get_libversion(&major, &minor, &release) >= 0, NEP_E_INTERNAL, "libhdf5 does not tell its version");
    char hdf5[32];
    const char *rdkit = NULL;
    const bool has_rdkit = nep_convert_about(ctx, &rdkit) == NEP_OK;
    if (!has_rdkit) {
        rdkit = "not here: `molecules` needs it; install librdkit-dev and libinchi-dev and build again";
        nep_log(ctx, NEP_LOG_INFO, "%s", nep_ctx_error(ctx));
        nep_ctx_clear(ctx);
    }
    snprintf(hdf5, sizeof hdf5, "%u.%u.%u", major, minor, release);
    if (cli_json(c))
        return cli_document(c, json_pack("{s:s,s:s,s:i,s:I,s:s,s:s,s:s,s:s*}", "version", NEP_VERSION, "device", device, "threads",
                                         nep_ctx_threads(ctx), "memory_budget_mb", (json_int_t)(nep_alloc_budget(ctx) >> 20), "blas",
                                         openblas_get_config(), "hdf5", hdf5, "jansson", JANSSON_VERSION, "rdkit", has_rdkit ? rdkit : NULL));
    cli_print("version        %s\ndevice         %s\nthreads        %d\nmemory budget  %lld MB\nBLAS           %s\nHDF5           %s\n"
              "jansson        %s\nstructures     %s\n",
              NEP_VERSION, device, nep_ctx_threads(ctx), (long long)(nep_alloc_budget(ctx) >> 20), openblas_get_config(), hdf5,
              JANSSON_VERSION, rdkit);
    return NEP_OK;
}

const cli_command cli_cmd_doctor = {.name = "doctor",
                                    .group = "Upkeep",
                                    .summary = "device, threads, memory and libraries as this program sees them",
                                    .inputs = "",
                                    .run = run,
                                    .example = "nepenthe doctor"};
