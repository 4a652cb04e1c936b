/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics_parts - a region cut out of its image with a rim of nothing, and what is measured on it. */
#ifndef NEP_IMAGING_RADIOMICS_PARTS_H
#define NEP_IMAGING_RADIOMICS_PARTS_H

#include <nepenthe/radiomics.h>

#include <math.h>

enum { NEP_RADIOMICS_LEVELS = 1024, NEP_RADIOMICS_DIRECTIONS = 13 };

typedef struct {
    int64_t side[3], stride[3], n_box; /* the box, one voxel wider on every side */
    double mm[3];                      /* voxel size */
    int64_t n;                         /* voxels of the region */
    int64_t *at;                       /* [n] their places in the box, ascending */
    double *value;                     /* [n] intensities */
    int16_t *level;                    /* [n_box] grey level from 1, 0 outside */
    int64_t n_levels;
    int64_t step[NEP_RADIOMICS_DIRECTIONS]; /* a neighbour in each direction; the other 13 are behind */
} nep_radiomics_region;

NEP_MUST_USE nep_status nep_radiomics_intensity(nep_ctx *ctx, const nep_radiomics_region *r,
                                                const nep_radiomics_opts *o, double *out);
void nep_radiomics_mesh(const nep_radiomics_region *r, bool pyradiomics, double *volume, double *area);
NEP_MUST_USE nep_status nep_radiomics_shape(nep_ctx *ctx, const nep_radiomics_region *r,
                                            const nep_radiomics_opts *o, double *out);
NEP_MUST_USE nep_status nep_radiomics_glcm(nep_ctx *ctx, const nep_radiomics_region *r,
                                           const nep_radiomics_opts *o, double *out);
NEP_MUST_USE nep_status nep_radiomics_sizes(nep_ctx *ctx, const nep_radiomics_region *r,
                                            const nep_radiomics_opts *o, double *out);
NEP_MUST_USE nep_status nep_radiomics_ngtdm(nep_ctx *ctx, const nep_radiomics_region *r, double *out);

/* Threads for the 13 directions; a small region is not worth a second. */
static inline int nep_radiomics_threads(const nep_ctx *ctx, const nep_radiomics_region *r)
{
    const int threads = r->n < 4096 ? 1 : nep_ctx_threads(ctx);
    return threads < NEP_RADIOMICS_DIRECTIONS ? threads : NEP_RADIOMICS_DIRECTIONS;
}

/* -p log2 p, 0 for 0. */
static inline double nep_radiomics_bits(double p)
{
    return p > 0 ? -p * log2(p) : 0;
}

#endif
