/* SPDX-License-Identifier: Apache-2.0 */
/* anndata - a table of subjects by features as AnnData's on-disk format 0.1.0 (the layout anndata 0.8 and later read). */
#include <nepenthe/io.h>

#include <string.h>

static nep_status encoding(nep_hdf5 *h, const char *object, const char *type, const char *version)
{
    NEP_TRY(nep_hdf5_attribute(h, object, "encoding-type", type));
    return nep_hdf5_attribute(h, object, "encoding-version", version);
}

static nep_status strings(nep_hdf5 *h, const char *name, char *const *x, int64_t n)
{
    NEP_TRY(nep_hdf5_write_strings(h, name, x, n));
    return encoding(h, name, "string-array", "0.2.0");
}

static nep_status numbers(nep_hdf5 *h, const char *name, const double *x, int rank, const int64_t *dims)
{
    NEP_TRY(nep_hdf5_write_f64(h, name, x, rank, dims));
    return encoding(h, name, "array", "0.2.0");
}

/* A data frame: one dataset per column, the index among them by name. */
static nep_status frame(nep_ctx *ctx, nep_hdf5 *h, const char *group, const char *index, char *const *names, int64_t n,
                        const nep_anndata_column *columns, int64_t n_columns)
{
    const char **order = NULL;
    char path[512];
    nep_status st;
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, n_columns, sizeof *order, "column names", &order));
    NEP_TRY_OR_DONE(st, nep_hdf5_group(h, group));
    for (int64_t k = 0; k < n_columns; k++) {
        order[k] = columns[k].name;
        snprintf(path, sizeof path, "%s/%.400s", group, columns[k].name);
        if (columns[k].text)
            NEP_TRY_OR_DONE(st, strings(h, path, columns[k].text, n));
        else
            NEP_TRY_OR_DONE(st, numbers(h, path, columns[k].number, 1, &n));
    }
    snprintf(path, sizeof path, "%s/%.400s", group, index);
    NEP_TRY_OR_DONE(st, strings(h, path, names, n));
    NEP_TRY_OR_DONE(st, encoding(h, group, "dataframe", "0.2.0"));
    NEP_TRY_OR_DONE(st, nep_hdf5_attribute(h, group, "_index", index));
    st = nep_hdf5_attribute_strings(h, group, "column-order", (char *const *)order, n_columns);
done:
    nep_alloc_free(order);
    return st;
}

static nep_status fill(nep_ctx *ctx, nep_hdf5 *h, const nep_anndata *a)
{
    static const char *const empty[] = {"layers", "obsm", "obsp", "varm", "varp", "uns"};
    const int64_t dims[2] = {a->n_obs, a->n_var};
    NEP_TRY(encoding(h, "/", "anndata", "0.1.0"));
    NEP_TRY(nep_hdf5_attribute(h, "/", "schema", "nepenthe/features/1"));
    NEP_TRY(nep_hdf5_attribute(h, "/", "version", NEP_VERSION));
    NEP_TRY(numbers(h, "X", a->x, 2, dims));
    NEP_TRY(frame(ctx, h, "obs", a->obs_name, a->obs, a->n_obs, a->obs_columns, a->n_obs_columns));
    NEP_TRY(frame(ctx, h, "var", a->var_name, a->var, a->n_var, a->var_columns, a->n_var_columns));
    for (int i = 0; i < NEP_LEN(empty); i++) {
        NEP_TRY(nep_hdf5_group(h, empty[i]));
        NEP_TRY(encoding(h, empty[i], "dict", "0.1.0"));
    }
    return a->provenance ? strings(h, "uns/provenance", (char *const *)&a->provenance, 1) : NEP_OK;
}

nep_status nep_anndata_write(nep_ctx *ctx, const char *path, const nep_anndata *a)
{
    nep_hdf5 *h = NULL;
    NEP_REQUIRE(ctx, a->obs_name && a->var_name && a->obs && a->var && a->x, NEP_E_ARG, "%s: an AnnData file needs values and names", path);
    NEP_TRY(nep_hdf5_create(ctx, path, &h));
    const nep_status st = fill(ctx, h, a);
    if (st != NEP_OK) {
        nep_hdf5_abort(h);
        return st;
    }
    return nep_hdf5_commit(h);
}
