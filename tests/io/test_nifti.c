/* SPDX-License-Identifier: Apache-2.0 */
/* test_nifti - images of every type, version and endianness, the header traps, and the way back to a file. */
#include "io/images.h"

static nep_ctx *ctx;

static const struct {
    int code, bitpix;
} types[] = {{2, 8},   {4, 16},   {8, 32},   {16, 32},   {64, 64},
             {256, 8}, {512, 16}, {768, 32}, {1024, 64}, {1280, 64}};

/* Ten types, both versions, both endiannesses, plain and gz: 80 files, scaled 4D. */
static void test_every_type(void **state)
{
    (void)state;
    for (int k = 0; k < NEP_LEN(types) * 8; k++) {
        image m = image_default(k & 1 ? 2 : 1, 3);
        m.datatype = types[k / 8].code;
        m.bitpix = types[k / 8].bitpix;
        m.big = k & 2;
        m.slope = 0.5;
        m.inter = -3;
        const char *path = image_file(k & 4 ? "t.nii.gz" : "t.nii", &m, NULL);
        nep_nifti *n = NULL;
        float v[24];
        assert_ok(ctx, nep_nifti_open(ctx, path, &n));
        const nep_nifti_header *h = nep_nifti_info(n);
        assert_int_equal(h->n_t, 3);
        assert_int_equal(h->datatype, types[k / 8].code);
        assert_int_equal(h->big_endian, m.big);
        assert_int_equal(h->gz, (k & 4) != 0);
        assert_true(h->tr_s == 2 && h->form == 2 && h->slope == 0.5 && h->inter == -3);
        assert_true(h->grid.nx == 3 && h->grid.ny == 4 && h->grid.nz == 2 && h->grid.voxel_mm[2] == 2);
        assert_true(h->grid.affine[0][0] == -2 && h->grid.affine[2][3] == 30 && h->grid.affine[1][0] == 0);
        for (int t = 0; t < 3; t++) {
            assert_ok(ctx, nep_nifti_next(n, v));
            for (int i = 0; i < 24; i++)
                assert_true(v[i] == (float)((24 * t + i) % 100) * 0.5f - 3);
        }
        assert_refused(ctx, nep_nifti_next(n, v), NEP_E_ARG, "all of which were read");
        nep_nifti_free(n);
        assert_int_equal(nep_alloc_used(ctx), 0);
    }
}

/* Extremes that a float cannot hold exactly, as stored. */
static void test_raw(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        image m = image_default(1, 1);
        m.big = big;
        m.datatype = 8;
        m.bitpix = 32;
        double v[24] = {INT32_MAX, INT32_MIN, 16777217};
        nep_nifti *n = NULL;
        int32_t raw[24];
        float f[24];
        assert_ok(ctx, nep_nifti_open(ctx, image_file("r.nii", &m, v), &n));
        assert_ok(ctx, nep_nifti_next_raw(n, raw));
        assert_true(raw[0] == INT32_MAX && raw[1] == INT32_MIN && raw[2] == 16777217);
        nep_nifti_free(n);
        assert_ok(ctx, nep_nifti_open(ctx, test_path("r.nii"), &n));
        assert_ok(ctx, nep_nifti_next(n, f));
        assert_true(f[0] == 2147483648.0f && f[2] == 16777216.0f);
        nep_nifti_free(n);
    }
}

static nep_nifti_header header_of(const image *m)
{
    nep_nifti *n = NULL;
    nep_ctx_clear(ctx);
    assert_ok(ctx, nep_nifti_open(ctx, image_file("h.nii", m, NULL), &n));
    const nep_nifti_header h = *nep_nifti_info(n);
    nep_nifti_free(n);
    return h;
}

static void test_scaling_traps(void **state)
{
    (void)state;
    const double none[] = {0, (double)NAN, (double)INFINITY};
    for (int i = 0; i < 3; i++) {
        image m = image_default(1 + i % 2, 1);
        m.slope = none[i];
        m.inter = 7;
        const nep_nifti_header h = header_of(&m);
        assert_true(h.slope == 1 && h.inter == 0);
    }
    image m = image_default(1, 1);
    m.slope = 2;
    m.inter = (double)NAN;
    nep_nifti *n = NULL;
    assert_refused(ctx, nep_nifti_open(ctx, image_file("h.nii", &m, NULL), &n), NEP_E_NIFTI,
                   "scl_inter is not finite");
}

static void test_time_traps(void **state)
{
    (void)state;
    static const struct {
        int units;
        double pixdim, want;
    } cases[] = {{10, 2, 2},    {2 + 16, 2000, 2}, {2 + 24, 2000000, 2},
                 {2, 1.5, 1.5}, {10, 2000, 2},     {2, 700, 0.7}};
    for (int i = 0; i < NEP_LEN(cases); i++) {
        image m = image_default(1 + i % 2, 2);
        m.units = cases[i].units;
        m.pixdim[4] = cases[i].pixdim;
        assert_near(header_of(&m).tr_s, cases[i].want, 1e-12);
    }
    assert_int_equal(nep_warn_count(ctx), 2); /* seconds or no unit, and 500 or more */
    const double unknown[] = {0, -1, (double)NAN};
    for (int i = 0; i < 3; i++) {
        image m = image_default(1, 2);
        m.pixdim[4] = unknown[i];
        assert_true(isnan(header_of(&m).tr_s));
    }
    image m = image_default(1, 2);
    m.units = 2 + 32; /* Hz */
    assert_true(isnan(header_of(&m).tr_s));
    m = image_default(1, 1);
    assert_true(isnan(header_of(&m).tr_s)); /* one volume has no step */
}

static void test_form_traps(void **state)
{
    (void)state;
    image m = image_default(1, 1);
    m.qform = 1; /* sform wins */
    assert_int_equal(header_of(&m).form, 2);
    m.sform = 0;
    m.pixdim[0] = -1;
    m.quatern[2] = 1; /* half a turn about z: x and y are negated, and z too by qfac */
    m.offset[0] = 5;
    nep_nifti_header h = header_of(&m);
    assert_int_equal(h.form, 1);
    assert_near(h.grid.affine[0][0], -2, 1e-12);
    assert_near(h.grid.affine[1][1], -2, 1e-12);
    assert_near(h.grid.affine[2][2], -2, 1e-12);
    assert_near(h.grid.affine[0][3], 5, 1e-12);
    m.qform = 0;
    const int before = nep_warn_count(ctx);
    h = header_of(&m);
    assert_true(h.form == 0 && h.grid.affine[0][0] == 2 && h.grid.affine[0][3] == 0);
    assert_int_equal(nep_warn_count(ctx), before + 1);
    m = image_default(2, 1);
    m.units = 1 + 8; /* metres */
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 4; c++)
            m.srow[r][c] /= 1000;
    h = header_of(&m);
    assert_near(h.grid.affine[1][1], 2, 1e-12);
    assert_near(h.grid.voxel_mm[0], 2, 1e-12);
    m = image_default(1, 1);
    m.pixdim[1] = -2; /* sizes are never negative */
    m.sform = 0;
    m.qform = 1;
    assert_near(header_of(&m).grid.affine[0][0], 2, 1e-12);
}

static void test_trailing_singletons(void **state)
{
    (void)state;
    image m = image_default(1, 1);
    m.dim[0] = 5; /* 3 x 4 x 2 x 1 x 1 */
    assert_int_equal(header_of(&m).n_t, 1);
    nep_volume v = {0};
    assert_ok(ctx, nep_nifti_read_volume(ctx, test_path("h.nii"), &v));
    assert_true(v.data[23] == 23);
    nep_volume_free(&v);
    m = image_default(2, 5);
    m.dim[0] = 7;
    assert_int_equal(header_of(&m).n_t, 5);
    m = image_default(1, 1);
    m.dim[0] = 2;
    assert_int_equal(header_of(&m).grid.nz, 1);
    m = image_default(1, 1);
    m.dim[0] = 3;
    m.dim[4] = -7; /* past dim[0]: no meaning */
    assert_int_equal(header_of(&m).n_t, 1);
}

#define REFUSED(version, change, words)                                                                      \
    do {                                                                                                     \
        image m = image_default(version, 1);                                                                 \
        size_t size;                                                                                         \
        unsigned char *b;                                                                                    \
        {                                                                                                    \
            change;                                                                                          \
        }                                                                                                    \
        const image good = image_default(version, 1);                                                        \
        b = image_bytes(&good, NULL, &size);                                                                 \
        if (version == 1)                                                                                    \
            image_header_1(&m, b);                                                                           \
        else                                                                                                 \
            image_header_2(&m, b);                                                                           \
        for (int gz = 0; gz < 2; gz++) {                                                                     \
            nep_nifti *n = NULL;                                                                             \
            assert_refused(ctx, nep_nifti_open(ctx, image_write(gz ? "x.nii.gz" : "x.nii", b, size), &n),    \
                           strstr(words, "describes") ? NEP_E_TRUNCATED : NEP_E_NIFTI, words);               \
            assert_null(n);                                                                                  \
            assert_int_equal(nep_alloc_used(ctx), 0);                                                        \
        }                                                                                                    \
        free(b);                                                                                             \
    } while (0)

static void test_header_refusals(void **state)
{
    (void)state;
    REFUSED(1, m.dim[0] = 0, "dim[0] is 0");
    REFUSED(1, m.dim[0] = 8, "dim[0] is 8");
    REFUSED(2, m.dim[0] = 200, "dim[0] is 200");
    REFUSED(2, m.dim[0] = -1, "dim[0] is -1");
    REFUSED(1, m.dim[2] = 0, "dim[2] is 0");
    REFUSED(1, m.dim[3] = -5, "dim[3] is -5");
    REFUSED(2, m.dim[1] = INT64_MAX, "dim[1] is 9223372036854775807");
    REFUSED(1, m.dim[1] = m.dim[2] = m.dim[3] = 32767, "more than the 2147483647");
    REFUSED(2, m.dim[1] = m.dim[2] = m.dim[3] = 2147483647, "more than the 2147483647");
    REFUSED(2, m.dim[0] = 4; m.dim[1] = 2147483647; m.dim[2] = m.dim[3] = 1;
            m.dim[4] = 2147483647, "describes");
    REFUSED(1, m.dim[0] = 4; m.dim[4] = 32767, "describes");
    REFUSED(1, m.dim[0] = 5; m.dim[4] = 1; m.dim[5] = 3, "dim[5] is 3");
    REFUSED(1, m.datatype = 3, "datatype 3 is no NIfTI type");
    REFUSED(1, m.datatype = 0, "datatype 0");
    REFUSED(1, m.datatype = 32; m.bitpix = 64, "complex64");
    REFUSED(2, m.datatype = 128; m.bitpix = 24, "RGB");
    REFUSED(2, m.datatype = 1536; m.bitpix = 128, "float128");
    REFUSED(1, m.bitpix = 8, "bitpix is 8, datatype 4 has 16");
    REFUSED(1, m.vox_offset = 351, "vox_offset is 351");
    REFUSED(1, m.vox_offset = -1, "vox_offset is -1");
    REFUSED(1, m.vox_offset = 352.5, "vox_offset is 352.5");
    REFUSED(1, m.vox_offset = (double)NAN, "vox_offset is nan");
    REFUSED(1, m.vox_offset = 1e30, "lies beyond the file");
    REFUSED(2, m.vox_offset = 9e18, "lies beyond the file");
    REFUSED(1, m.pixdim[2] = (double)NAN, "pixdim[2] is nan");
    REFUSED(2, m.pixdim[3] = (double)INFINITY, "pixdim[3] is inf");
    REFUSED(1, m.sform = 0; m.pixdim[1] = 0, "pixdim[1] is 0");
    REFUSED(1, m.srow[1][2] = (double)NAN, "sform holds a value that is not finite");
    REFUSED(1, memset(m.srow, 0, sizeof m.srow), "sform is singular");
    REFUSED(2, memcpy(m.srow[1], m.srow[0], sizeof m.srow[0]), "sform is singular");
    REFUSED(1, m.sform = 0; m.qform = 1; m.quatern[0] = 2, "is no rotation");
    REFUSED(1, m.sform = 0; m.qform = 1; m.offset[0] = (double)NAN, "is no rotation");
}

static void test_byte_refusals(void **state)
{
    (void)state;
    size_t size;
    nep_nifti *n = NULL;
    nep_volume v = {0};
    const image m = image_default(1, 1), m2 = image_default(2, 1);
    unsigned char *b = image_bytes(&m, NULL, &size);
    for (int gz = 0; gz < 2; gz++) {
        const char *name = gz ? "b.nii.gz" : "b.nii";
        memcpy(b + 344, "ni1", 4);
        assert_refused(ctx, nep_nifti_open(ctx, image_write(name, b, size), &n), NEP_E_NIFTI,
                       ".hdr/.img pair");
        memset(b + 344, 0, 4);
        assert_refused(ctx, nep_nifti_open(ctx, image_write(name, b, size), &n), NEP_E_NIFTI, "ANALYZE 7.5");
        memcpy(b + 344, "n+3", 4);
        assert_refused(ctx, nep_nifti_open(ctx, image_write(name, b, size), &n), NEP_E_NIFTI,
                       "magic is 'n+3'");
        memcpy(b + 344, "n+1", 4);
        for (size_t cut = 0; cut < size; cut += cut < 4 ? 1 : 37)
            assert_true(nep_nifti_read_volume(ctx, image_write(name, b, cut), &v) != NEP_OK && !v.data);
        nep_ctx_clear(ctx);
    }
    assert_refused(ctx, nep_nifti_open(ctx, test_write("b.nii", b, 100), &n), NEP_E_TRUNCATED, "ends after");
    assert_refused(ctx, nep_nifti_open(ctx, test_text("b.nii", "drug_id\tname\n"), &n), NEP_E_NIFTI,
                   "does not start as NIfTI");
    assert_refused(ctx, nep_nifti_open(ctx, test_path("none.nii"), &n), NEP_E_MISSING, "none.nii");
    assert_refused(ctx, nep_nifti_open(ctx, "/", &n), NEP_E_FORMAT, "folder");
    free(b);
    b = image_bytes(&m2, NULL, &size);
    b[8] = '\n'; /* as a text-mode transfer does */
    assert_refused(ctx, nep_nifti_open(ctx, image_write("b.nii", b, size), &n), NEP_E_NIFTI, "binary mode");
    free(b);
    const image four = image_default(1, 4);
    assert_refused(ctx, nep_nifti_read_volume(ctx, image_file("f.nii", &four, NULL), &v), NEP_E_SHAPE,
                   "has 4 volumes");
    nep_series s = {0};
    assert_refused(ctx, nep_nifti_read_series(ctx, image_file("v.nii", &m, NULL), NULL, &s, NULL),
                   NEP_E_SHAPE, "4D series is needed");
}

/* Extensions between header and data: a good chain, an unset flag, one that loops, one that leaves its room.
 */
static void test_extensions(void **state)
{
    (void)state;
    static const struct {
        int size[3];
        const char *words; /* NULL = read */
    } chains[] = {{{16, 32, 16}, NULL},
                  {{64, 0, 0}, NULL},
                  {{16, 0, 0}, "says it has 0 bytes"},
                  {{16, -16, 0}, "says it has -16"},
                  {{16, 400, 0}, "says it has 400 bytes, where 8 to 48"},
                  {{7, 0, 0}, "says it has 7"}};
    for (int k = 0; k < NEP_LEN(chains) * 4; k++) {
        const int c = k / 4;
        image m = image_default(k & 1 ? 2 : 1, 1);
        m.big = k & 2;
        const int64_t head = m.version == 1 ? 352 : 544;
        m.vox_offset = (double)head + 64;
        size_t n;
        unsigned char *b = image_bytes(&m, NULL, &n), *e = calloc(1, n + 64);
        memcpy(e, b, (size_t)head);
        memcpy(e + head + 64, b + head, n - (size_t)head);
        e[head - 4] = 1;
        int64_t at = head;
        for (int i = 0; i < 3 && at >= head && at <= head + 56; i++) {
            image_i32(e + at, m.big, chains[c].size[i]);
            at += chains[c].size[i];
            if (chains[c].size[i] <= 0)
                break;
        }
        nep_volume v = {0};
        nep_ctx_clear(ctx);
        const char *path = image_write("e.nii.gz", e, n + 64);
        if (chains[c].words) {
            assert_refused(ctx, nep_nifti_read_volume(ctx, path, &v), NEP_E_NIFTI, chains[c].words);
        } else {
            assert_ok(ctx, nep_nifti_read_volume(ctx, path, &v));
            assert_true(v.data[23] == 23);
            nep_volume_free(&v);
        }
        e[head - 4] = 0; /* no extender: whatever stands there is skipped */
        assert_ok(ctx, nep_nifti_read_volume(ctx, image_write("e.nii", e, n + 64), &v));
        assert_true(v.data[23] == 23);
        nep_volume_free(&v);
        free(e);
        free(b);
    }
    image m = image_default(1, 1); /* the flag set and nothing there: real files do that */
    size_t n;
    unsigned char *b = image_bytes(&m, NULL, &n);
    b[348] = 1;
    nep_volume v = {0};
    assert_ok(ctx, nep_nifti_read_volume(ctx, image_write("e.nii", b, n), &v));
    nep_volume_free(&v);
    free(b);
}

static unsigned char *packed_of(const unsigned char *b, size_t n, size_t *size)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    *size = libdeflate_gzip_compress_bound(c, n);
    unsigned char *p = malloc(*size);
    *size = libdeflate_gzip_compress(c, b, n, p, *size);
    libdeflate_free_compressor(c);
    return p;
}

/* The gzip wrapper: members, padding, garbage, checksum, for 3D (at once) and 4D (streamed) alike. */
static void test_gzip(void **state)
{
    (void)state;
    for (int n_t = 1; n_t <= 40; n_t += 39) {
        image m = image_default(1, n_t);
        m.dim[1] = 64;
        m.dim[2] = 60;
        m.dim[3] = 50;
        size_t n, a, c;
        unsigned char *b = image_bytes(&m, NULL, &n), file[1 << 19];
        unsigned char *first = packed_of(b, n / 3, &a), *second = packed_of(b + n / 3, n - n / 3, &c);
        memcpy(file, first, a);
        memcpy(file + a, second, c);
        memset(file + a + c, 0, 512);
        float *v = malloc(64 * 60 * 50 * sizeof *v);
        for (int what = 0; what < 7; what++) {
            size_t size = a + c;
            nep_status want = NEP_OK;
            file[size] = 0;
            if (what == 1)
                size += 512; /* zero padding, as tapes leave */
            if (what == 2) {
                file[size] = 'x';
                size += 100;
                want = NEP_E_FORMAT;
            }
            if (what == 3 || what == 4) {
                file[size - (what == 3 ? 8 : 1)] ^= 1; /* checksum; length */
                want = NEP_E_FORMAT;
            }
            if (what == 5) {
                size -= 6;
                want = n_t == 1 ? NEP_E_FORMAT : NEP_E_TRUNCATED;
            }
            if (what == 6) {
                size = a + c / 2;
                want = n_t == 1 ? NEP_E_FORMAT : NEP_E_TRUNCATED;
            }
            nep_nifti *f = NULL;
            nep_ctx_clear(ctx);
            nep_status st = nep_nifti_open(ctx, test_write("g.nii.gz", file, size), &f);
            for (int t = 0; t < n_t && st == NEP_OK; t++) {
                st = nep_nifti_next(f, v);
                if (st == NEP_OK)
                    assert_true(v[191999] == (float)((191999 + (int64_t)t * 192000) % 100));
            }
            if (st != want)
                fail_msg("case %d, %d volumes: %s: %s", what, n_t, nep_status_symbol(st), nep_ctx_error(ctx));
            nep_nifti_free(f);
            if (what == 3 || what == 4)
                file[a + c - (what == 3 ? 8 : 1)] ^= 1;
        }
        free(v);
        free(b);
        free(first);
        free(second);
        assert_int_equal(nep_alloc_used(ctx), 0);
    }
}

/* A 4D run of 300 MB takes what is said, little of it where there is little, and stopping early leaves nothing behind. */
static void test_stream_memory(void **state)
{
    (void)state;
    image m = image_default(1, 250);
    m.dim[1] = 97;
    m.dim[2] = 115;
    m.dim[3] = 54;
    size_t n;
    unsigned char *b = image_bytes(&m, NULL, &n);
    const char *path = image_write("big.nii.gz", b, n);
    free(b);
    float *v = malloc(97 * 115 * 54 * sizeof *v);
    double sum[2] = {0};
    for (int tight = 0; tight < 2; tight++) {
        nep_ctx *own = NULL;
        nep_nifti *f = NULL;
        const nep_ctx_opts opts = {.threads = 1, .mem_bytes = (int64_t)(tight ? 6 : 300) << 20};
        assert_int_equal(nep_ctx_create(&opts, &own), NEP_OK);
        const int64_t most = nep_nifti_bytes(own);
        assert_int_equal(most >> 20, tight ? 4 : 27);
        assert_ok(own, nep_nifti_open(own, path, &f));
        for (int t = 0; t < 100; t++) {
            assert_ok(own, nep_nifti_next(f, v));
            sum[tight] += (double)v[7];
        }
        nep_nifti_free(f);
        assert_true(nep_alloc_peak(own) < most);
        assert_int_equal(nep_alloc_used(own), 0);
        nep_ctx_free(own);
    }
    assert_true(sum[0] > 0 && sum[0] == sum[1]);
    free(v);
}

static void test_series(void **state)
{
    (void)state;
    const image m = image_default(1, 5);
    nep_volume mask = {0};
    nep_series s = {0};
    nep_grid g;
    image mm = image_default(1, 1);
    double keep[24] = {0};
    keep[3] = keep[20] = 1;
    assert_ok(ctx, nep_nifti_read_volume(ctx, image_file("mask.nii.gz", &mm, keep), &mask));
    const char *path = image_file("s.nii.gz", &m, NULL);
    assert_ok(ctx, nep_nifti_read_series(ctx, path, &mask, &s, &g));
    assert_true(s.n_t == 5 && s.n_cols == 2 && s.tr_s == 2 && g.ny == 4);
    assert_true(s.data[0] == 3 && s.data[1] == 20 && s.data[2] == 27 && s.data[9] == 16);
    nep_series_free(&s);
    assert_ok(ctx, nep_nifti_read_series(ctx, path, NULL, &s, NULL));
    assert_true(s.n_cols == 24 && s.data[119] == 19);
    nep_series_free(&s);
    mask.grid.affine[0][3] += 1;
    assert_refused(ctx, nep_nifti_read_series(ctx, path, &mask, &s, NULL), NEP_E_GRID, "not the mask's");
    nep_volume_free(&mask);
    memset(keep, 0, sizeof keep);
    assert_ok(ctx, nep_nifti_read_volume(ctx, image_file("mask.nii.gz", &mm, keep), &mask));
    assert_refused(ctx, nep_nifti_read_series(ctx, path, &mask, &s, NULL), NEP_E_FORMAT, "holds no voxel");
    nep_volume_free(&mask);
    assert_int_equal(nep_alloc_used(ctx), 0);
}

static void test_round_trip(void **state)
{
    (void)state;
    nep_grid g = {
        .nx = 3, .ny = 4, .nz = 2, .affine = {{-2, 0.1, 0, 90}, {0.1, 2, 0, -126}, {0, 0, 2.5, -72}}};
    float x[72];
    for (int i = 0; i < 72; i++)
        x[i] = (float)nep_philox_normal(1, 2, (uint64_t)i);
    x[5] = NAN;
    x[6] = -0.0f;
    for (int k = 0; k < 4; k++) {
        const char *path = test_path(k & 1 ? "w.nii.gz" : "w.nii");
        const int n_t = k & 2 ? 3 : 1;
        assert_ok(ctx, nep_nifti_write(ctx, path, &g, n_t, 1.25, x, false));
        nep_nifti *f = NULL;
        float y[24];
        assert_ok(ctx, nep_nifti_open(ctx, path, &f));
        const nep_nifti_header *h = nep_nifti_info(f);
        assert_true(h->n_t == n_t && h->datatype == 16 && h->form == 2);
        assert_true(n_t == 1 ? isnan(h->tr_s) : h->tr_s == 1.25);
        assert_true(nep_grid_same(&h->grid, &g));
        for (int t = 0; t < n_t; t++) {
            assert_ok(ctx, nep_nifti_next(f, y));
            assert_memory_equal(y, x + 24 * t, sizeof y);
        }
        nep_nifti_free(f);
        assert_false(nep_file_exists(test_path(k & 1 ? "w.nii.gz.part" : "w.nii.part")));
    }
    unsigned char head[10];
    FILE *f = fopen(test_path("w.nii.gz"), "rb");
    assert_int_equal(fread(head, 1, 10, f), 10);
    fclose(f);
    assert_true(head[3] == 0 && head[4] == 0 && head[5] == 0 && head[6] == 0 &&
                head[7] == 0); /* no name, time 0 */
    nep_hash one, two;
    assert_ok(ctx, nep_hash_file(ctx, test_path("w.nii.gz"), &one));
    assert_ok(ctx, nep_nifti_write(ctx, test_path("w2.nii.gz"), &g, 3, 1.25, x, false));
    assert_ok(ctx, nep_hash_file(ctx, test_path("w2.nii.gz"), &two));
    assert_string_equal(one.hex, two.hex);
    float whole[24] = {-32768, 32767, 3.4f, 0};
    nep_volume v = {0};
    assert_ok(ctx, nep_nifti_write(ctx, test_path("i.nii.gz"), &g, 1, 0, whole, true));
    assert_ok(ctx, nep_nifti_read_volume(ctx, test_path("i.nii.gz"), &v));
    assert_true(v.data[0] == -32768 && v.data[1] == 32767 && v.data[2] == 3);
    nep_volume_free(&v);
    assert_refused(ctx, nep_nifti_write(ctx, test_path("n.nii.gz"), &g, 1, 0, x, true), NEP_E_ARG,
                   "which int16 cannot hold");
    assert_false(nep_file_exists(test_path("n.nii.gz")));
    assert_refused(ctx, nep_nifti_write(ctx, "/nowhere/n.nii.gz", &g, 1, 0, x, false), NEP_E_WRITE,
                   "cannot be created");
    g.affine[0][0] = (double)NAN;
    assert_refused(ctx, nep_nifti_write(ctx, test_path("n.nii.gz"), &g, 1, 0, x, false), NEP_E_ARG,
                   "finite affine");
    assert_int_equal(nep_alloc_used(ctx), 0);
}

/* A long dimension takes NIfTI-2; a big image is compressed as a stream. */
static void test_write_large(void **state)
{
    (void)state;
    const int64_t n = 40000 * 450;
    const nep_grid g = {
        .nx = 40000, .ny = 450, .nz = 1, .affine = {{2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
    float *x = malloc((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(i % 977);
    assert_ok(ctx, nep_nifti_write(ctx, test_path("l.nii.gz"), &g, 1, 0, x, false));
    nep_volume v = {0};
    assert_ok(ctx, nep_nifti_read_volume(ctx, test_path("l.nii.gz"), &v));
    assert_int_equal(v.grid.nx, 40000);
    assert_memory_equal(v.data, x, (size_t)n * sizeof *x);
    nep_volume_free(&v);
    free(x);
}

static void test_allocation_failure(void **state)
{
    (void)state;
    const image m = image_default(1, 3), one = image_default(1, 1);
    const char *four = image_file("f4.nii.gz", &m, NULL), *three = image_file("f3.nii.gz", &one, NULL);
    const char *out = test_text("f.out.nii.gz", "old");
    for (int what = 0; what < 3; what++) {
        nep_status st = NEP_E_NOMEM;
        int64_t k = 0;
        for (; st != NEP_OK && k < 100; k++) {
            nep_volume v = {0};
            nep_series s = {0};
            const float x[24] = {0};
            const nep_grid g = {
                .nx = 3, .ny = 4, .nz = 2, .affine = {{2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 2, 0}}};
            nep_ctx_clear(ctx);
            nep_alloc_fail_at(ctx, k);
            st = what == 0   ? nep_nifti_read_volume(ctx, three, &v)
                 : what == 1 ? nep_nifti_read_series(ctx, four, NULL, &s, NULL)
                             : nep_nifti_write(ctx, out, &g, 1, 0, x, false);
            nep_alloc_fail_at(ctx, -1);
            assert_true(st == NEP_OK || (st == NEP_E_NOMEM && !v.data && !s.data));
            if (what == 2 && st != NEP_OK) {
                char *text = NULL;
                int64_t n;
                assert_ok(ctx, nep_file_read(ctx, out, 100, &text, &n));
                assert_string_equal(text, "old");
                nep_alloc_free(text);
            }
            nep_volume_free(&v);
            nep_series_free(&s);
            assert_int_equal(nep_alloc_used(ctx), 0);
        }
        assert_true(k > 3 && k < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),         cmocka_unit_test(test_raw),
        cmocka_unit_test(test_scaling_traps),      cmocka_unit_test(test_time_traps),
        cmocka_unit_test(test_form_traps),         cmocka_unit_test(test_trailing_singletons),
        cmocka_unit_test(test_header_refusals),    cmocka_unit_test(test_byte_refusals),
        cmocka_unit_test(test_extensions),         cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_stream_memory),      cmocka_unit_test(test_series),
        cmocka_unit_test(test_round_trip),         cmocka_unit_test(test_write_large),
        cmocka_unit_test(test_allocation_failure),
    };
    ctx = test_ctx(1);
    const int failed = cmocka_run_group_tests(tests, NULL, test_clean);
    nep_ctx_free(ctx);
    return failed;
}
