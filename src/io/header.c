/* SPDX-License-Identifier: Apache-2.0 */
/* header - NIfTI-1 and -2 headers: every field that is used is checked here, then a clean native header goes
 * to nifticlib, which turns form codes, quaternions and units into the affine. Stock nifticlib crashes on
 * hostile headers. */
#include "io/header.h"

#include <math.h>
#include <nifti2_io.h>
#include <string.h>

/* What both versions hold, before it is trusted. */
typedef struct {
    int64_t dim[8], vox_offset;
    double pixdim[8], slope, inter, quatern[3], offset[3], srow[3][4], vox_offset_read;
    int datatype, bitpix, qform, sform, units, intent;
} fields;

typedef struct {
    const unsigned char *bytes;
    bool swap;
} cursor;

static uint64_t word(const cursor *c, int at, int size)
{
    unsigned char b[8] = {0};
    for (int i = 0; i < size; i++)
        b[i] = c->bytes[c->swap ? at + size - 1 - i : at + i];
    uint64_t v;
    memcpy(&v, b, sizeof v); /* little-endian machines only, as everything here */
    return v;
}

static int16_t get_i16(const cursor *c, int at)
{
    return (int16_t)(uint16_t)word(c, at, 2);
}

static int32_t get_i32(const cursor *c, int at)
{
    return (int32_t)(uint32_t)word(c, at, 4);
}

static double get_f32(const cursor *c, int at)
{
    const uint32_t w = (uint32_t)word(c, at, 4);
    float v;
    memcpy(&v, &w, sizeof v);
    return (double)v;
}

static double get_f64(const cursor *c, int at)
{
    const uint64_t w = word(c, at, 8);
    double v;
    memcpy(&v, &w, sizeof v);
    return v;
}

int64_t nep_header_size(const unsigned char first[4])
{
    const cursor le = {first, false}, be = {first, true};
    const int32_t a = get_i32(&le, 0), b = get_i32(&be, 0);
    return a == 348 || b == 348 ? 352 : a == 540 || b == 540 ? 544 : 0;
}

static void read_1(const cursor *c, fields *f)
{
    for (int i = 0; i < 8; i++) {
        f->dim[i] = get_i16(c, 40 + 2 * i);
        f->pixdim[i] = get_f32(c, 76 + 4 * i);
    }
    f->intent = get_i16(c, 68);
    f->datatype = get_i16(c, 70);
    f->bitpix = get_i16(c, 72);
    f->vox_offset_read = get_f32(c, 108);
    f->slope = get_f32(c, 112);
    f->inter = get_f32(c, 116);
    f->units = c->bytes[123];
    f->qform = get_i16(c, 252);
    f->sform = get_i16(c, 254);
    for (int i = 0; i < 3; i++) {
        f->quatern[i] = get_f32(c, 256 + 4 * i);
        f->offset[i] = get_f32(c, 268 + 4 * i);
        for (int j = 0; j < 4; j++)
            f->srow[i][j] = get_f32(c, 280 + 16 * i + 4 * j);
    }
}

static void read_2(const cursor *c, fields *f)
{
    for (int i = 0; i < 8; i++) {
        f->dim[i] = (int64_t)word(c, 16 + 8 * i, 8);
        f->pixdim[i] = get_f64(c, 104 + 8 * i);
    }
    f->datatype = get_i16(c, 12);
    f->bitpix = get_i16(c, 14);
    f->vox_offset_read = (double)(int64_t)word(c, 168, 8);
    f->slope = get_f64(c, 176);
    f->inter = get_f64(c, 184);
    f->qform = get_i32(c, 344);
    f->sform = get_i32(c, 348);
    for (int i = 0; i < 3; i++) {
        f->quatern[i] = get_f64(c, 352 + 8 * i);
        f->offset[i] = get_f64(c, 376 + 8 * i);
        for (int j = 0; j < 4; j++)
            f->srow[i][j] = get_f64(c, 400 + 32 * i + 8 * j);
    }
    f->units = get_i32(c, 500);
    f->intent = get_i32(c, 504);
}

/* ---- the gate ---- */

typedef struct {
    nep_ctx *ctx;
    const char *path;
} place;

#define REFUSE(p, ...) return nep_ctx_fail_file((p)->ctx, NEP_E_NIFTI, (p)->path, __VA_ARGS__)

static nep_status check_magic(const place *p, const unsigned char *bytes, nep_header *h)
{
    const char *magic = (const char *)bytes + (h->nifti2 ? 4 : 344);
    if (memcmp(magic, h->nifti2 ? "n+2" : "n+1", 4) == 0) {
        if (h->nifti2 && memcmp(magic + 4, "\r\n\032\n", 4) != 0)
            REFUSE(p,
                   "%s: the NIfTI-2 signature was changed in transfer (line ends); copy the file again in "
                   "binary mode",
                   p->path);
        return NEP_OK;
    }
    if (memcmp(magic, h->nifti2 ? "ni2" : "ni1", 4) == 0)
        REFUSE(p, "%s: is one half of a .hdr/.img pair, which is not read; convert it to a single .nii",
               p->path);
    if (!h->nifti2 && memcmp(magic, "\0\0\0", 4) == 0)
        REFUSE(
            p,
            "%s: is ANALYZE 7.5, which cannot tell left from right; convert it to NIfTI where that is known",
            p->path);
    REFUSE(p, "%s: magic is '%.3s', must be n+1 or n+2", p->path, magic);
}

static nep_status check_dims(const place *p, const fields *f, nep_header *h)
{
    nep_grid *g = &h->info.grid;
    int64_t d[8] = {0, 1, 1, 1, 1, 1, 1, 1};
    if (f->dim[0] < 1 || f->dim[0] > 7)
        REFUSE(p, "%s: dim[0] is %lld, must be 1 to 7", p->path, (long long)f->dim[0]);
    for (int i = 1; i <= (int)f->dim[0]; i++) {
        d[i] = f->dim[i];
        if (d[i] < 1 || d[i] > INT32_MAX)
            REFUSE(p, "%s: dim[%d] is %lld, must be 1 to 2147483647", p->path, i, (long long)d[i]);
    }
    if (f->intent >= 3000 && f->intent < 3100)
        REFUSE(p, "%s: is CIFTI (intent %d), which is not read; extract a volume or a table from it", p->path,
               f->intent);
    for (int i = 5; i < 8; i++)
        if (d[i] > 1)
            REFUSE(p, "%s: dim[%d] is %lld; images of more than 4 dimensions are not read", p->path, i,
                   (long long)d[i]);
    if (__builtin_mul_overflow(d[1], d[2], &h->voxels) ||
        __builtin_mul_overflow(h->voxels, d[3], &h->voxels) || h->voxels > INT32_MAX)
        REFUSE(p, "%s: %lld x %lld x %lld voxels are more than the 2147483647 that a volume may have",
               p->path, (long long)d[1], (long long)d[2], (long long)d[3]);
    *g = (nep_grid){.nx = d[1], .ny = d[2], .nz = d[3]};
    h->info.n_t = d[4];
    return NEP_OK;
}

static nep_status check_type(const place *p, const fields *f, nep_header *h)
{
    static const struct {
        int code;
        const char *name;
    } refused[] = {{1, "1-bit"},         {32, "complex64"},    {128, "RGB"},  {1536, "float128"},
                   {1792, "complex128"}, {2048, "complex256"}, {2304, "RGBA"}};
    static const int known[] = {2, 4, 8, 16, 64, 256, 512, 768, 1024, 1280};
    bool ok = false;
    int swap_size;
    for (int i = 0; i < NEP_LEN(refused); i++)
        if (f->datatype == refused[i].code)
            REFUSE(p,
                   "%s: holds %s voxels (datatype %d), which are not read; convert it to one real number per "
                   "voxel",
                   p->path, refused[i].name, f->datatype);
    for (int i = 0; i < NEP_LEN(known); i++)
        ok |= f->datatype == known[i];
    if (!ok)
        REFUSE(p, "%s: datatype %d is no NIfTI type", p->path, f->datatype);
    nifti_datatype_sizes(f->datatype, &h->item_bytes, &swap_size);
    if (f->bitpix != 8 * h->item_bytes)
        REFUSE(p, "%s: bitpix is %d, datatype %d has %d", p->path, f->bitpix, f->datatype, 8 * h->item_bytes);
    h->info.datatype = f->datatype;
    return NEP_OK;
}

static nep_status check_extent(const place *p, const fields *f, int64_t most, nep_header *h)
{
    const double limit = 1 << 28; /* of header and extensions */
    int64_t data;
    if (!(f->vox_offset_read >= (double)h->header_bytes + 4) ||
        f->vox_offset_read != floor(f->vox_offset_read))
        REFUSE(p, "%s: vox_offset is %g, must be a whole number of at least %lld", p->path,
               f->vox_offset_read, (long long)h->header_bytes + 4);
    if (f->vox_offset_read > limit || f->vox_offset_read > (double)most)
        REFUSE(p, "%s: vox_offset is %g, which lies beyond the file", p->path, f->vox_offset_read);
    h->vox_offset = (int64_t)f->vox_offset_read;
    if (__builtin_mul_overflow(h->voxels * h->item_bytes, h->info.n_t, &data) ||
        __builtin_add_overflow(data, h->vox_offset, &h->total_bytes))
        REFUSE(p, "%s: %lld volumes of %lld voxels are more than any file holds", p->path,
               (long long)h->info.n_t, (long long)h->voxels);
    if (h->total_bytes > most)
        return nep_ctx_fail_file(p->ctx, NEP_E_TRUNCATED, p->path,
                                 "%s: the header describes %lld bytes, the file %s %lld; copy it again",
                                 p->path, (long long)h->total_bytes,
                                 h->info.gz ? "inflates to at most" : "has", (long long)most);
    return NEP_OK;
}

static nep_status check_scaling(const place *p, const fields *f, nep_header *h)
{
    const bool none = f->slope == 0 || !isfinite(f->slope);
    if (!none && !isfinite(f->inter))
        REFUSE(p, "%s: scl_slope is %g and scl_inter is not finite", p->path, f->slope);
    h->info.slope = none ? 1 : f->slope;
    h->info.inter = none ? 0 : f->inter;
    return NEP_OK;
}

static bool all_finite(const double *x, int n)
{
    for (int i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

static nep_status check_space(const place *p, const fields *f, nep_header *h)
{
    const double q =
        f->quatern[0] * f->quatern[0] + f->quatern[1] * f->quatern[1] + f->quatern[2] * f->quatern[2];
    const int64_t d[3] = {h->info.grid.nx, h->info.grid.ny, h->info.grid.nz};
    h->info.form = f->sform > 0 ? 2 : f->qform > 0 ? 1 : 0;
    for (int i = 0; i < 3; i++) {
        const double v = f->pixdim[1 + i];
        if (!isfinite(v) || fabs(v) > 1e6)
            REFUSE(p, "%s: pixdim[%d] is %g, must be a voxel size", p->path, i + 1, v);
        if (v == 0 && d[i] > 1 && h->info.form < 2)
            REFUSE(p, "%s: pixdim[%d] is 0 and no sform gives the voxel size", p->path, i + 1);
    }
    if (h->info.form == 2 && !all_finite(f->srow[0], 12))
        REFUSE(p, "%s: the sform holds a value that is not finite", p->path);
    if (h->info.form == 1 && (!all_finite(f->quatern, 3) || !all_finite(f->offset, 3) || q > 1.05))
        REFUSE(p, "%s: the qform quaternion (%g, %g, %g) is no rotation", p->path, f->quatern[0],
               f->quatern[1], f->quatern[2]);
    if (h->info.form == 0)
        nep_warn(p->ctx, "%s: has neither sform nor qform; only its voxel sizes are known, not where it lies",
                 p->path);
    return NEP_OK;
}

/* ---- through nifticlib ---- */

static nifti_2_header clean_header(const fields *f, const nep_header *h)
{
    nifti_2_header c;
    memset(&c, 0, sizeof c);
    c.sizeof_hdr = 540;
    memcpy(c.magic, "n+2\0\r\n\032\n", 8);
    c.datatype = (int16_t)h->info.datatype;
    c.bitpix = (int16_t)(8 * h->item_bytes);
    const int64_t d[5] = {h->info.n_t > 1 ? 4 : 3, h->info.grid.nx, h->info.grid.ny, h->info.grid.nz,
                          h->info.n_t};
    for (int i = 0; i < 8; i++) {
        c.dim[i] = i < 5 ? d[i] : 1;
        c.pixdim[i] = 1;
    }
    c.pixdim[0] = f->pixdim[0] < 0 ? -1 : 1;
    for (int i = 1; i < 4; i++)
        c.pixdim[i] = f->pixdim[i] == 0 ? 1 : fabs(f->pixdim[i]);
    c.pixdim[4] = isfinite(f->pixdim[4]) ? f->pixdim[4] : 0;
    c.vox_offset = h->vox_offset;
    c.qform_code = h->info.form == 1;
    c.sform_code = h->info.form == 2;
    if (h->info.form == 1) {
        c.quatern_b = f->quatern[0];
        c.quatern_c = f->quatern[1];
        c.quatern_d = f->quatern[2];
        c.qoffset_x = f->offset[0];
        c.qoffset_y = f->offset[1];
        c.qoffset_z = f->offset[2];
    }
    if (h->info.form == 2) {
        memcpy(c.srow_x, f->srow[0], sizeof c.srow_x);
        memcpy(c.srow_y, f->srow[1], sizeof c.srow_y);
        memcpy(c.srow_z, f->srow[2], sizeof c.srow_z);
    }
    c.xyzt_units = f->units & 0x3f;
    return c;
}

static double time_scale(int units)
{
    switch (units) {
    case NIFTI_UNITS_MSEC:
        return 1e-3;
    case NIFTI_UNITS_USEC:
        return 1e-6;
    case NIFTI_UNITS_SEC:
    case NIFTI_UNITS_UNKNOWN:
        return 1;
    default: /* Hz, ppm, rad/s: the fourth dimension is no time */
        return (double)NAN;
    }
}

static void set_time(const place *p, const fields *f, const nifti_image *im, nep_header *h)
{
    const double scale = time_scale(im->time_units);
    double tr = f->pixdim[4] > 0 && isfinite(f->pixdim[4]) ? f->pixdim[4] * scale
                                                           : (double)NAN; /* im->dt turns 0 to 1 */
    if (h->info.n_t > 1 && scale == 1 && tr >= 500) {
        nep_warn(p->ctx, "%s: the time step is given as %g %s; taken as milliseconds", p->path, tr,
                 im->time_units == NIFTI_UNITS_SEC ? "seconds" : "without a unit");
        tr *= 1e-3;
    }
    h->info.tr_s = h->info.n_t > 1 ? tr : (double)NAN;
}

static nep_status set_affine(const place *p, const nifti_image *im, nep_header *h)
{
    const double unit = im->xyz_units == NIFTI_UNITS_METER    ? 1e3
                        : im->xyz_units == NIFTI_UNITS_MICRON ? 1e-3
                                                              : 1;
    const nifti_dmat44 m = h->info.form == 2 ? im->sto_xyz : im->qto_xyz;
    nep_grid *g = &h->info.grid;
    double product = 1;
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 4; c++)
            g->affine[r][c] = m.m[r][c] * unit;
    for (int c = 0; c < 3; c++) {
        g->voxel_mm[c] = sqrt(g->affine[0][c] * g->affine[0][c] + g->affine[1][c] * g->affine[1][c] +
                              g->affine[2][c] * g->affine[2][c]);
        product *= g->voxel_mm[c];
    }
    const double(*a)[4] = (const double(*)[4])g->affine;
    const double det = a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) -
                       a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
                       a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
    if (!(product > 0) || !isfinite(product) || !(fabs(det) > 1e-6 * product))
        REFUSE(p, "%s: the %s is singular: voxels would not fill space", p->path,
               h->info.form == 2 ? "sform" : "qform");
    return NEP_OK;
}

static nep_status interpret(const place *p, const fields *f, nep_header *h)
{
    nifti_image *im = nifti_convert_n2hdr2nim(clean_header(f, h), NULL);
    if (!im)
        return nep_ctx_fail(p->ctx, NEP_E_NOMEM, "%s: no memory to interpret the header", p->path);
    set_time(p, f, im, h);
    const nep_status st = set_affine(p, im, h);
    nifti_image_free(im);
    return st;
}

nep_status nep_header_parse(nep_ctx *ctx, const char *path, const unsigned char *bytes, int64_t most,
                            nep_header *out)
{
    const place where = {ctx, path}, *p = &where;
    fields f = {0};
    nep_header h = {0};
    cursor c = {bytes, false};
    const int64_t size = nep_header_size(bytes);
    if (size == 0)
        REFUSE(p, "%s: does not start as NIfTI (its first number is %d, must be 348 or 540)", path,
               get_i32(&c, 0));
    h.nifti2 = size == 544;
    h.header_bytes = size - 4;
    h.info.gz = out->info.gz;
    c.swap = h.info.big_endian = get_i32(&c, 0) != (int32_t)h.header_bytes;
    NEP_TRY(check_magic(p, bytes, &h));
    if (h.nifti2)
        read_2(&c, &f);
    else
        read_1(&c, &f);
    h.extended = bytes[h.header_bytes] != 0;
    NEP_TRY(check_dims(p, &f, &h));
    NEP_TRY(check_type(p, &f, &h));
    NEP_TRY(check_extent(p, &f, most, &h));
    NEP_TRY(check_scaling(p, &f, &h));
    NEP_TRY(check_space(p, &f, &h));
    NEP_TRY(interpret(p, &f, &h));
    *out = h;
    return NEP_OK;
}

nep_status nep_header_extension(nep_ctx *ctx, const char *path, const nep_header *h,
                                const unsigned char bytes[8], int64_t room, int64_t *size)
{
    const place where = {ctx, path}, *p = &where;
    const cursor c = {bytes, h->info.big_endian};
    const int32_t n = get_i32(&c, 0);
    if (n < 8 || n > room)
        REFUSE(p, "%s: an extension says it has %d bytes, where 8 to %lld are possible", path, n,
               (long long)room);
    *size = n;
    return NEP_OK;
}

/* ---- writing ---- */

static void fill_space(nifti_2_header *c, const nep_grid *g)
{
    nifti_dmat44 m;
    memset(&m, 0, sizeof m);
    for (int r = 0; r < 3; r++)
        for (int k = 0; k < 4; k++)
            m.m[r][k] = g->affine[r][k];
    m.m[3][3] = 1;
    double qb, qc, qd, qx, qy, qz, dx, dy, dz, qfac;
    nifti_dmat44_to_quatern(m, &qb, &qc, &qd, &qx, &qy, &qz, &dx, &dy, &dz, &qfac);
    const nifti_dmat44 back = nifti_quatern_to_dmat44(qb, qc, qd, qx, qy, qz, dx, dy, dz, qfac);
    double worst = 0;
    for (int r = 0; r < 3; r++)
        for (int k = 0; k < 4; k++)
            worst = fmax(worst, fabs(back.m[r][k] - m.m[r][k]));
    c->pixdim[0] = qfac;
    c->pixdim[1] = dx;
    c->pixdim[2] = dy;
    c->pixdim[3] = dz;
    if (worst < 1e-4) { /* a sheared affine has no qform */
        c->qform_code = 2;
        c->quatern_b = qb;
        c->quatern_c = qc;
        c->quatern_d = qd;
        c->qoffset_x = qx;
        c->qoffset_y = qy;
        c->qoffset_z = qz;
    }
    c->sform_code = 2;
    memcpy(c->srow_x, g->affine[0], sizeof c->srow_x);
    memcpy(c->srow_y, g->affine[1], sizeof c->srow_y);
    memcpy(c->srow_z, g->affine[2], sizeof c->srow_z);
}

static nifti_1_header narrow(const nifti_2_header *c)
{
    nifti_1_header h;
    memset(&h, 0, sizeof h);
    h.sizeof_hdr = 348;
    h.regular = 'r';
    memcpy(h.magic, "n+1", 4);
    h.datatype = c->datatype;
    h.bitpix = c->bitpix;
    for (int i = 0; i < 8; i++) {
        h.dim[i] = (short)c->dim[i];
        h.pixdim[i] = (float)c->pixdim[i];
    }
    h.vox_offset = 352;
    h.scl_slope = 1;
    h.xyzt_units = (char)c->xyzt_units;
    h.qform_code = (short)c->qform_code;
    h.sform_code = (short)c->sform_code;
    h.quatern_b = (float)c->quatern_b;
    h.quatern_c = (float)c->quatern_c;
    h.quatern_d = (float)c->quatern_d;
    h.qoffset_x = (float)c->qoffset_x;
    h.qoffset_y = (float)c->qoffset_y;
    h.qoffset_z = (float)c->qoffset_z;
    for (int i = 0; i < 4; i++) {
        h.srow_x[i] = (float)c->srow_x[i];
        h.srow_y[i] = (float)c->srow_y[i];
        h.srow_z[i] = (float)c->srow_z[i];
    }
    return h;
}

nep_status nep_header_build(nep_ctx *ctx, const char *path, const nep_grid *g, int64_t n_t, double tr_s,
                            bool as_int16, unsigned char out[NEP_HEADER_MOST], int64_t *n_out)
{
    nifti_2_header c;
    memset(&c, 0, sizeof c);
    NEP_REQUIRE(ctx, g->nx > 0 && g->ny > 0 && g->nz > 0 && n_t > 0 && all_finite(g->affine[0], 12),
                NEP_E_ARG, "%s: an image of %lld x %lld x %lld x %lld with a finite affine is needed", path,
                (long long)g->nx, (long long)g->ny, (long long)g->nz, (long long)n_t);
    c.sizeof_hdr = 540;
    memcpy(c.magic, "n+2\0\r\n\032\n", 8);
    c.datatype = as_int16 ? DT_INT16 : DT_FLOAT32;
    c.bitpix = as_int16 ? 16 : 32;
    const int64_t d[5] = {n_t > 1 ? 4 : 3, g->nx, g->ny, g->nz, n_t};
    bool big = false;
    for (int i = 0; i < 8; i++) {
        c.dim[i] = i < 5 ? d[i] : 1;
        big |= c.dim[i] > INT16_MAX;
    }
    c.vox_offset = 544;
    c.scl_slope = 1;
    fill_space(&c, g);
    c.pixdim[4] = n_t > 1 && tr_s > 0 ? tr_s : 0;
    c.xyzt_units = NIFTI_UNITS_MM | NIFTI_UNITS_SEC;
    memset(out, 0, NEP_HEADER_MOST);
    if (big) {
        memcpy(out, &c, sizeof c);
        *n_out = 544;
    } else {
        const nifti_1_header h = narrow(&c);
        memcpy(out, &h, sizeof h);
        *n_out = 352;
    }
    return NEP_OK;
}
