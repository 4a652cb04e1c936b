/* SPDX-License-Identifier: Apache-2.0 */
/* images - atlas and mask on an image's grid, streamed regional series, masked series in tiles. */
#include "cli/images.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

bool cli_images_is_nifti(const char *path)
{
    const size_t n = strlen(path);
    return (n > 4 && strcmp(path + n - 4, ".nii") == 0) || (n > 7 && strcmp(path + n - 7, ".nii.gz") == 0);
}

nep_status cli_images_header(nep_ctx *ctx, const char *path, bool need_4d, nep_nifti_header *out)
{
    nep_nifti *n = NULL;
    NEP_TRY(nep_nifti_open(ctx, path, &n));
    *out = *nep_nifti_info(n);
    nep_nifti_free(n);
    if (need_4d && out->n_t < 2)
        return nep_ctx_fail_file(ctx, NEP_E_SHAPE, path, "'%s' is one volume; a series over time is needed", path);
    return NEP_OK;
}

double cli_images_tr(const cli *c, double header_tr_s)
{
    return cli_given(c, "tr") ? cli_real(c, "tr") : header_tr_s;
}

static nep_status other_grid(nep_ctx *ctx, const char *what, const char *path, const nep_grid *g, const char *image,
                             const nep_grid *to, const char *advice)
{
    return nep_ctx_fail_file(ctx, NEP_E_GRID, path,
                             "%s '%s' (%lld x %lld x %lld) lies on another grid than '%s' (%lld x %lld x %lld); %s", what, path,
                             (long long)g->nx, (long long)g->ny, (long long)g->nz, image, (long long)to->nx, (long long)to->ny,
                             (long long)to->nz, advice);
}

nep_status cli_images_same_grid(nep_ctx *ctx, const char *path, const nep_grid *grid, const char *other, const nep_grid *of)
{
    return nep_grid_same(grid, of) ? NEP_OK : other_grid(ctx, "image", path, grid, other, of, "bring them onto one grid, as `nepenthe resample` does");
}

nep_status cli_images_atlas(nep_ctx *ctx, const char *atlas, const char *labels, const nep_grid *grid, const char *image,
                            bool resample, nep_atlas *out)
{
    nep_atlas own = {0};
    nep_status st;
    NEP_TRY(nep_nifti_read_atlas(ctx, atlas, labels, &own));
    if (nep_grid_same(&own.grid, grid)) {
        *out = own;
        return NEP_OK;
    }
    st = resample ? nep_parcels_resample(ctx, &own, grid, out)
                  : other_grid(ctx, "atlas", atlas, &own.grid, image, grid, "give --resample to bring it onto the image");
    nep_atlas_free(&own);
    return st;
}

nep_status cli_images_mask(nep_ctx *ctx, const char *path, const nep_grid *grid, const char *image, nep_volume *out)
{
    nep_volume m = {0};
    int64_t inside = 0;
    nep_status st = NEP_OK;
    NEP_TRY(nep_nifti_read_volume(ctx, path, &m));
    if (!nep_grid_same(&m.grid, grid))
        st = other_grid(ctx, "mask", path, &m.grid, image, grid, "make it on the image's grid");
    for (int64_t v = 0; st == NEP_OK && v < nep_grid_voxels(grid); v++) {
        m.data[v] = isfinite(m.data[v]) && m.data[v] != 0 ? 1.0f : 0.0f;
        inside += m.data[v] > 0;
    }
    if (st == NEP_OK && inside == 0)
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "mask '%s' has no voxel inside", path);
    if (st != NEP_OK) {
        nep_volume_free(&m);
        return st;
    }
    *out = m;
    return NEP_OK;
}

nep_status cli_images_volumes(nep_ctx *ctx, const char *path, const char *bar, cli_images_step *step, void *user)
{
    nep_nifti *n = NULL;
    float *volume = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_open(ctx, path, &n));
    const nep_nifti_header *h = nep_nifti_info(n);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&h->grid), sizeof *volume, "volume", &volume));
    if (bar)
        nep_progress_open(ctx, bar, h->n_t);
    for (int64_t t = 0; t < h->n_t && st == NEP_OK; t++) {
        st = nep_nifti_next(n, volume);
        if (st == NEP_OK)
            st = step(ctx, volume, t, user);
        if (bar)
            nep_progress_step(ctx, t + 1);
    }
    if (bar)
        nep_progress_close(ctx);
done:
    nep_alloc_free(volume);
    nep_nifti_free(n);
    return st;
}

typedef struct {
    double *sum; /* [voxels] */
    int64_t n_vox, n_t;
} mean_of;

static nep_status add_volume(nep_ctx *ctx, const float *volume, int64_t t, void *user)
{
    (void)ctx;
    (void)t;
    const mean_of *m = user;
    for (int64_t v = 0; v < m->n_vox; v++)
        m->sum[v] += (double)volume[v] / (double)m->n_t;
    return NEP_OK;
}

nep_status cli_images_mean(nep_ctx *ctx, const char *path, const nep_nifti_header *h, float *mean)
{
    mean_of m = {.n_vox = nep_grid_voxels(&h->grid), .n_t = h->n_t};
    NEP_TRY(nep_alloc(ctx, m.n_vox, sizeof *m.sum, "mean image", &m.sum));
    const nep_status st = cli_images_volumes(ctx, path, NULL, add_volume, &m);
    for (int64_t v = 0; v < m.n_vox && st == NEP_OK; v++)
        mean[v] = (float)m.sum[v];
    nep_alloc_free(m.sum);
    return st;
}

static bool dtype_of(int nifti, nep_dtype *out)
{
    static const struct {
        int code;
        nep_dtype dtype;
    } types[] = {{2, NEP_U8}, {4, NEP_I16}, {8, NEP_I32}};
    for (int i = 0; i < NEP_LEN(types); i++)
        if (types[i].code == nifti) {
            *out = types[i].dtype;
            return true;
        }
    return false;
}

/* Two buffers in turn: a second thread sums one while the next volume inflates into the other. Summing touches no context
 * and cannot fail; a thread that waits sleeps, so a busy machine loses nothing to it. */
typedef struct {
    nep_parcels *p;
    nep_dtype dtype;
    double slope, inter, *out;
    int64_t n_t, n_regions;
    void *volume[2];
    sem_t filled, empty;
    atomic_bool stop;
} pump;

static void sum_volume(pump *u, int64_t t)
{
    nep_parcels_add_raw(u->p, u->volume[t % 2], u->dtype, u->slope, u->inter, u->out + t * u->n_regions);
}

static void wait_for(sem_t *s)
{
    while (sem_wait(s) != 0 && errno == EINTR)
        ;
}

static void *sum_all(void *user)
{
    pump *u = user;
    for (int64_t t = 0; t < u->n_t; t++) {
        wait_for(&u->filled);
        if (atomic_load(&u->stop))
            break;
        sum_volume(u, t);
        sem_post(&u->empty);
    }
    return NULL;
}

static nep_status read_all(nep_ctx *ctx, nep_nifti *n, pump *u, bool beside)
{
    for (int64_t t = 0; t < u->n_t; t++) {
        if (beside)
            wait_for(&u->empty);
        NEP_TRY(nep_nifti_next_raw(n, u->volume[t % 2]));
        if (beside)
            sem_post(&u->filled);
        else
            sum_volume(u, t);
        nep_progress_step(ctx, t + 1);
        NEP_TRY(nep_ctx_check(ctx));
    }
    return NEP_OK;
}

static nep_status stream_raw(nep_ctx *ctx, nep_nifti *n, nep_parcels *p, nep_dtype dtype, int64_t n_regions, double *out)
{
    const nep_nifti_header *h = nep_nifti_info(n);
    pump u = {.p = p, .dtype = dtype, .slope = h->slope, .inter = h->inter, .out = out, .n_t = h->n_t, .n_regions = n_regions};
    pthread_t summer;
    nep_status st;
    for (int k = 0; k < 2; k++)
        NEP_TRY_OR_DONE(st, nep_alloc(ctx, nep_grid_voxels(&h->grid), nep_dtype_size(dtype), "one volume", &u.volume[k]));
    sem_init(&u.filled, 0, 0);
    sem_init(&u.empty, 0, 2);
    const bool beside = nep_ctx_threads(ctx) > 1 && !h->gz && pthread_create(&summer, NULL, sum_all, &u) == 0;
    st = read_all(ctx, n, &u, beside);
    if (beside) {
        if (st != NEP_OK) {
            atomic_store(&u.stop, true);
            sem_post(&u.filled);
        }
        pthread_join(summer, NULL);
    }
    sem_destroy(&u.filled);
    sem_destroy(&u.empty);
done:
    nep_alloc_free(u.volume[1]);
    nep_alloc_free(u.volume[0]);
    return st;
}

/* Some volumes at a time where a device does the sums, one on the CPU. */
static nep_status stream_floats(nep_ctx *ctx, nep_nifti *n, nep_parcels *p, int64_t n_regions, double *out)
{
    const nep_nifti_header *h = nep_nifti_info(n);
    const int64_t n_vox = nep_grid_voxels(&h->grid);
    const nep_backend *be = nep_ctx_backend(ctx);
    const int64_t at_once = be && strcmp(be->name, "cpu") != 0 ? 16 : 1;
    float *volumes = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, at_once * n_vox, sizeof *volumes, "volumes", &volumes));
    for (int64_t t = 0; t < h->n_t; t += at_once) {
        const int64_t m = h->n_t - t < at_once ? h->n_t - t : at_once;
        for (int64_t k = 0; k < m; k++)
            NEP_TRY_OR_DONE(st, nep_nifti_next(n, volumes + k * n_vox));
        NEP_TRY_OR_DONE(st, nep_parcels_add(p, volumes, m, out + t * n_regions));
        nep_progress_step(ctx, t + m);
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
    }
done:
    nep_alloc_free(volumes);
    return st;
}

nep_status cli_images_parcels(nep_ctx *ctx, nep_nifti *n, nep_parcels *p, double *out)
{
    const nep_nifti_header *h = nep_nifti_info(n);
    nep_dtype dtype = NEP_F32;
    const int64_t n_regions = nep_parcels_count(p);
    const bool raw = dtype_of(h->datatype, &dtype) && nep_parcels_takes_raw(p, dtype);
    nep_progress_open(ctx, "volumes", h->n_t);
    const nep_status st = raw ? stream_raw(ctx, n, p, dtype, n_regions, out) : stream_floats(ctx, n, p, n_regions, out);
    nep_progress_close(ctx);
    return st;
}

/* Columns per tile so that series and work fit what is left of the budget; a multiple of 1024, so that the backend's own
 * tiles of columns fall where they would in one piece and give the same bits. */
static int64_t tile_columns(nep_ctx *ctx, int64_t n_vox, int64_t n, int64_t n_t, int64_t bytes_per_value)
{
    const int64_t left = nep_alloc_budget(ctx) - nep_alloc_used(ctx) - 4 * n_vox * (int64_t)sizeof(float) - nep_nifti_bytes(ctx);
    const int64_t each = n_t * ((int64_t)sizeof(float) + bytes_per_value) + 64;
    const int64_t fits = left > 0 ? left / each : 0;
    return fits >= n || n <= 1024 ? n : fits < 1024 ? 1024 : fits / 1024 * 1024;
}

nep_status cli_images_tiles(nep_ctx *ctx, const char *path, const nep_volume *mask, int64_t bytes_per_value, cli_images_work *work,
                            void *user)
{
    nep_nifti_header h;
    nep_volume part = {0};
    int64_t *voxel = NULL, n = 0;
    nep_status st;
    NEP_TRY(cli_images_header(ctx, path, false, &h));
    const int64_t n_vox = nep_grid_voxels(&h.grid);
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_vox, sizeof *voxel, "voxels of the mask", &voxel));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_vox, sizeof *part.data, "part of the mask", &part.data));
    part.grid = h.grid;
    for (int64_t v = 0; v < n_vox; v++)
        if (!mask || mask->data[v] > 0)
            voxel[n++] = v;
    const int64_t tile = tile_columns(ctx, n_vox, n, h.n_t, bytes_per_value);
    nep_progress_open(ctx, "voxels", n);
    for (int64_t at = 0; at < n; at += tile) {
        const int64_t m = n - at < tile ? n - at : tile;
        nep_series s = {0};
        nep_grid grid;
        memset(part.data, 0, (size_t)n_vox * sizeof *part.data);
        for (int64_t k = 0; k < m; k++)
            part.data[voxel[at + k]] = 1;
        NEP_TRY_OR_DONE(st, nep_nifti_read_series(ctx, path, m == n_vox ? NULL : &part, &s, &grid));
        st = work(ctx, &s, voxel + at, user);
        nep_series_free(&s);
        if (st != NEP_OK)
            goto done;
        nep_progress_step(ctx, at + m);
        NEP_TRY_OR_DONE(st, nep_ctx_check(ctx));
    }
done:
    nep_progress_close(ctx);
    nep_volume_free(&part);
    nep_alloc_free(voxel);
    return st;
}
