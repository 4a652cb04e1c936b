/* SPDX-License-Identifier: Apache-2.0 */
/* nifti_atlas - a label image and its table to an atlas whose regions are known by name. */
#include <nepenthe/io.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { most_regions = 1 << 16 };

/* Open addressing from a label's value to its region's index + 1; index 0 = empty. Room for twice the labels.
 */
typedef struct {
    int32_t *key, *index;
    uint32_t mask;
    int64_t n;
} label_map;

static nep_status map_create(nep_ctx *ctx, int64_t labels, label_map *m)
{
    int64_t slots = 64;
    while (slots < 2 * labels)
        slots *= 2;
    m->mask = (uint32_t)slots - 1;
    NEP_TRY(nep_alloc(ctx, slots, sizeof *m->key, "labels", &m->key));
    return nep_alloc(ctx, slots, sizeof *m->index, "labels", &m->index);
}

static int32_t *find_slot(label_map *m, int32_t key)
{
    uint32_t h = ((uint32_t)key * 2654435761u >> 8) & m->mask;
    while (m->index[h] != 0 && m->key[h] != key)
        h = (h + 1) & m->mask;
    m->key[h] = key; /* kept only when the caller fills the index */
    return &m->index[h];
}

/* ---- the image ---- */

static double item(const void *bytes, int datatype, int64_t i)
{
    switch (datatype) {
    case 2:
        return ((const uint8_t *)bytes)[i];
    case 4:
        return ((const int16_t *)bytes)[i];
    case 8:
        return ((const int32_t *)bytes)[i];
    case 16:
        return (double)((const float *)bytes)[i];
    case 64:
        return ((const double *)bytes)[i];
    case 256:
        return ((const int8_t *)bytes)[i];
    case 512:
        return ((const uint16_t *)bytes)[i];
    case 768:
        return ((const uint32_t *)bytes)[i];
    case 1024:
        return (double)((const int64_t *)bytes)[i];
    default:
        return (double)((const uint64_t *)bytes)[i];
    }
}

static size_t item_size(int datatype)
{
    switch (datatype) {
    case 2:
    case 256:
        return 1;
    case 4:
    case 512:
        return 2;
    case 8:
    case 16:
    case 768:
        return 4;
    default:
        return 8;
    }
}

/* Values as labels; gives the first voxel that is no whole number, or n. */
static inline __attribute__((always_inline)) int64_t take(const nep_nifti_header *h, int datatype,
                                                          const void *raw, int64_t n, int32_t *label)
{
    const bool whole = datatype == 2 || datatype == 4 || datatype == 8;
    if (whole && h->slope == 1 && h->inter == 0) {
        for (int64_t i = 0; i < n; i++)
            label[i] = (int32_t)item(raw, datatype, i);
        return n;
    }
    for (int64_t i = 0; i < n; i++) {
        const double v = item(raw, datatype, i) * h->slope + h->inter;
        const bool fits = v >= INT32_MIN && v <= INT32_MAX;
        label[i] = fits ? (int32_t)v : 0;
        if (!fits || label[i] != v)
            return i;
    }
    return n;
}

/* The usual types each get a loop of their own. */
static int64_t take_labels(const nep_nifti_header *h, const void *raw, int64_t n, int32_t *label)
{
    switch (h->datatype) {
    case 2:
        return take(h, 2, raw, n, label);
    case 4:
        return take(h, 4, raw, n, label);
    case 8:
        return take(h, 8, raw, n, label);
    default:
        return take(h, h->datatype, raw, n, label);
    }
}

static nep_status read_labels(nep_ctx *ctx, const char *path, nep_atlas *a)
{
    nep_nifti *n = NULL;
    void *raw = NULL;
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_nifti_open(ctx, path, &n));
    const nep_nifti_header *h = nep_nifti_info(n);
    const int64_t voxels = nep_grid_voxels(&h->grid);
    if (h->n_t > 1) {
        st = nep_ctx_fail_file(ctx, NEP_E_SHAPE, path,
                               "%s: has %lld volumes; an atlas is one 3D image of whole numbers", path,
                               (long long)h->n_t);
        goto done;
    }
    a->grid = h->grid;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, voxels, item_size(h->datatype), path, &raw));
    NEP_TRY_OR_DONE(st, nep_nifti_next_raw(n, raw));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, voxels, sizeof *a->label, path, &a->label));
    const int64_t odd = take_labels(h, raw, voxels, a->label);
    if (odd < voxels)
        st =
            nep_ctx_fail_file(ctx, NEP_E_FORMAT, path,
                              "%s: voxel %lld is %g; an atlas holds whole numbers (is this a map of values?)",
                              path, (long long)odd, item(raw, h->datatype, odd) * h->slope + h->inter);
done:
    nep_alloc_free(raw);
    nep_nifti_free(n);
    return st;
}

static int by_value(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Regions without a table: the values in ascending order, named region_<value>. */
static nep_status regions_of_image(nep_ctx *ctx, const char *path, label_map *m, nep_atlas *a)
{
    const int64_t voxels = nep_grid_voxels(&a->grid);
    const int64_t most = voxels < most_regions ? voxels : most_regions;
    NEP_TRY(map_create(ctx, most, m));
    NEP_TRY(nep_alloc(ctx, most, sizeof *a->id, "atlas regions", &a->id));
    for (int64_t i = 0; i < voxels; i++) {
        const int32_t v = a->label[i];
        if (v == 0 || (i > 0 && v == a->label[i - 1]))
            continue;
        int32_t *slot = find_slot(m, v);
        if (*slot)
            continue;
        if (m->n == most_regions)
            return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path,
                                     "%s: has more than %d different values; this is no atlas", path,
                                     most_regions);
        *slot = 1;
        a->id[m->n++] = v;
    }
    a->n_regions = m->n;
    qsort(a->id, (size_t)m->n, sizeof *a->id, by_value);
    NEP_TRY(nep_alloc(ctx, a->n_regions, sizeof *a->names, "atlas names", &a->names));
    for (int64_t r = 0; r < a->n_regions; r++) {
        char name[32];
        snprintf(name, sizeof name, "region_%d", a->id[r]);
        NEP_TRY(nep_alloc_string(ctx, name, &a->names[r]));
        *find_slot(m, a->id[r]) = (int32_t)r + 1;
    }
    return NEP_OK;
}

/* ---- the table ---- */

typedef struct {
    nep_ctx *ctx;
    nep_table t;
    int64_t id, name, side;
} labels;

static nep_status either_column(const labels *l, const char *first, const char *second, int64_t *col)
{
    *col = nep_table_column(&l->t, first);
    return *col >= 0 ? NEP_OK : nep_table_need(l->ctx, &l->t, second, col);
}

static nep_status side_prefix(const labels *l, int64_t row, const char **prefix)
{
    static const struct {
        const char *word, *prefix;
    } sides[] = {{"L", "L_"},     {"left", "L_"}, {"lh", "L_"}, {"R", "R_"},
                 {"right", "R_"}, {"rh", "R_"},   {"B", "B_"},  {"both", "B_"}};
    const char *cell = l->side >= 0 ? nep_table_cell(&l->t, row, l->side) : NULL;
    *prefix = "";
    if (!cell)
        return NEP_OK;
    for (int i = 0; i < NEP_LEN(sides); i++)
        if (strcmp(cell, sides[i].word) == 0) {
            *prefix = sides[i].prefix;
            return NEP_OK;
        }
    return nep_ctx_fail_file(l->ctx, NEP_E_FORMAT, l->t.path,
                             "%s: line %lld: hemisphere is '%.20s', must be L, R or B", l->t.path,
                             (long long)row + 2, cell);
}

/* Row of the table as a region; the background's row (0) is none. */
static nep_status table_row(const labels *l, int64_t row, label_map *m, nep_atlas *a)
{
    double v = (double)NAN;
    const char *name = nep_table_cell(&l->t, row, l->name), *prefix;
    NEP_TRY(nep_table_number(l->ctx, &l->t, row, l->id, &v));
    if (!(v >= INT32_MIN && v <= INT32_MAX) || v != floor(v))
        return nep_ctx_fail_file(
            l->ctx, NEP_E_FORMAT, l->t.path, "%s: line %lld: %s is '%.30s', must be a whole number",
            l->t.path, (long long)row + 2, l->t.header[l->id],
            nep_table_cell(&l->t, row, l->id) ? nep_table_cell(&l->t, row, l->id) : "n/a");
    if (v == 0)
        return NEP_OK;
    if (!name)
        return nep_ctx_fail_file(l->ctx, NEP_E_FORMAT, l->t.path, "%s: line %lld: label %g has no name",
                                 l->t.path, (long long)row + 2, v);
    NEP_TRY(side_prefix(l, row, &prefix));
    int32_t *slot = find_slot(m, (int32_t)v);
    if (*slot)
        return nep_ctx_fail_file(l->ctx, NEP_E_FORMAT, l->t.path,
                                 "%s: line %lld: label %g stands there twice", l->t.path, (long long)row + 2,
                                 v);
    const int64_t r = a->n_regions;
    const size_t n = strlen(name) + 3;
    NEP_TRY(nep_alloc(l->ctx, (int64_t)n, 1, "region name", &a->names[r]));
    snprintf(a->names[r], n, "%s%s", strncmp(name, prefix, strlen(prefix)) == 0 ? "" : prefix, name);
    a->id[r] = (int32_t)v;
    a->n_regions++;
    *slot = (int32_t)a->n_regions;
    return NEP_OK;
}

static int by_text(const void *a, const void *b)
{
    char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

static nep_status distinct_names(const labels *l, const nep_atlas *a)
{
    char **sorted = NULL;
    nep_status st = NEP_OK;
    NEP_TRY(nep_alloc_copy(l->ctx, a->names, a->n_regions, sizeof *sorted, "names", &sorted));
    qsort(sorted, (size_t)a->n_regions, sizeof *sorted, by_text);
    for (int64_t i = 1; i < a->n_regions && st == NEP_OK; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            st = nep_ctx_fail_file(
                l->ctx, NEP_E_FORMAT, l->t.path, "%s: two labels are named '%.60s'; %s", l->t.path, sorted[i],
                l->side < 0 ? "a column hemisphere (L, R, B) tells left from right" : "rename one");
    nep_alloc_free(sorted);
    return st;
}

static nep_status regions_of_table(nep_ctx *ctx, const char *path, label_map *m, nep_atlas *a)
{
    labels l = {.ctx = ctx};
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_tsv_read(ctx, path, &l.t));
    NEP_TRY_OR_DONE(st, either_column(&l, "id", "index", &l.id));
    NEP_TRY_OR_DONE(st, either_column(&l, "label", "name", &l.name));
    l.side = nep_table_column(&l.t, "hemisphere");
    if (l.t.n_rows > most_regions) {
        st = nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: has %lld labels, at most %d are possible", path,
                               (long long)l.t.n_rows, most_regions);
        goto done;
    }
    NEP_TRY_OR_DONE(st, map_create(ctx, l.t.n_rows, m));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, l.t.n_rows, sizeof *a->id, "atlas regions", &a->id));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, l.t.n_rows, sizeof *a->names, "atlas names", &a->names));
    for (int64_t r = 0; r < l.t.n_rows; r++)
        NEP_TRY_OR_DONE(st, table_row(&l, r, m, a));
    st = distinct_names(&l, a);
done:
    nep_table_free(&l.t);
    return st;
}

/* Values become 1 + region index; a value without a row becomes background, with a warning. */
static nep_status join(nep_ctx *ctx, const char *path, const char *table, label_map *m, nep_atlas *a)
{
    const int64_t voxels = nep_grid_voxels(&a->grid);
    int64_t kept = 0, dropped = 0;
    int32_t example = 0;
    int32_t last = 0, region = 0;
    for (int64_t i = 0; i < voxels; i++) {
        const int32_t v = a->label[i];
        if (v == 0)
            continue;
        if (v != last)
            region = *find_slot(m, v);
        last = v;
        a->label[i] = region;
        kept += a->label[i] != 0;
        if (a->label[i] == 0 && dropped++ == 0)
            example = v;
    }
    if (kept == 0)
        return nep_ctx_fail_file(ctx, NEP_E_FORMAT, path, "%s: has no region%s%s", path,
                                 dropped ? ": none of its values stands in " : "; every voxel is 0",
                                 dropped ? table : "");
    if (dropped)
        nep_warn(ctx,
                 "%s: %lld voxels have values (first: %d) that %s does not name; they count as background",
                 path, (long long)dropped, example, table);
    return NEP_OK;
}

nep_status nep_nifti_read_atlas(nep_ctx *ctx, const char *path, const char *labels_path, nep_atlas *out)
{
    nep_atlas a = {0};
    label_map m = {0};
    nep_status st;
    NEP_TRY_OR_DONE(st, read_labels(ctx, path, &a));
    NEP_TRY_OR_DONE(st, labels_path ? regions_of_table(ctx, labels_path, &m, &a)
                                    : regions_of_image(ctx, path, &m, &a));
    NEP_TRY_OR_DONE(st, join(ctx, path, labels_path ? labels_path : path, &m, &a));
    *out = a;
    a = (nep_atlas){0};
done:
    nep_alloc_free(m.key);
    nep_alloc_free(m.index);
    nep_atlas_free(&a);
    return st;
}
