/* SPDX-License-Identifier: Apache-2.0 */
/* pet_frames - when the frames of a PET run were, from its BIDS sidecar, a table, or columns beside the curves. */
#ifndef NEP_CLI_PET_FRAMES_H
#define NEP_CLI_PET_FRAMES_H

#include <nepenthe/data.h>
#include <nepenthe/pet.h>

typedef struct {
    nep_pet_frames f;
    double *memory;   /* what f points into */
    const char *from; /* "sidecar", "columns" or "file" */
} cli_pet_frames;

/* Frames of an image of n_t volumes. file: JSON or TSV, NULL = the JSON beside `path`. weights: "duration", "uniform" or
 * "column" (column `weight` of a TSV). Starts are counted from InjectionStart. Errors: NEP_E_MISSING (no timing anywhere),
 * NEP_E_FORMAT (a key or column is missing or of another length, the image is not decay-corrected). */
NEP_MUST_USE nep_status cli_pet_frames_read(nep_ctx *ctx, const char *path, const char *file, const char *weights, int64_t n_t,
                                            cli_pet_frames *out);
/* The same for curves of a TSV, whose columns frame_start, frame_end, frame_duration and weight are taken off the series. */
NEP_MUST_USE nep_status cli_pet_frames_of_series(nep_ctx *ctx, const char *path, const char *file, const char *weights,
                                                 nep_series *s, cli_pet_frames *out);
void cli_pet_frames_free(cli_pet_frames *f);

#endif
