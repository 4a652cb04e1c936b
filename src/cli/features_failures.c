/* SPDX-License-Identifier: Apache-2.0 */
/* features_failures - what failed, and OUT/failures.tsv, which jobs that share OUT keep up to date together. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/features.h"
#include "cli/tabular.h"

void cli_features_failures_free(features_failures *k)
{
    nep_data_free_names(k->participant, k->n);
    nep_data_free_names(k->run, k->n);
    nep_data_free_names(k->message, k->n);
    nep_alloc_free(k->code);
}

/* The sentence without the folder in front of its paths: outputs tell no one where a person keeps the data. */
static void relative_sentence(const features *f, const char *sentence, char *out, size_t size)
{
    const size_t root = strlen(f->root);
    size_t n = 0;
    while (*sentence && n + 1 < size) {
        if (root > 0 && strncmp(sentence, f->root, root) == 0 && (sentence[root] == '/' || f->root[root - 1] == '/'))
            sentence += root + (sentence[root] == '/');
        else
            out[n++] = (unsigned char)*sentence < ' ' ? ' ' : *sentence, sentence++;
    }
    out[n] = '\0';
    json_t *utf8 = json_string(out);
    for (char *c = out; !utf8 && *c; c++) /* a byte of a damaged file, or a sequence cut at the end */
        if ((unsigned char)*c > '~')
            *c = '?';
    json_decref(utf8);
}

/* The stem, of PET and T1w with their suffix: runs of different datatypes may have the same. */
static const char *run_name(const nep_bids_run *run, char *out, size_t size)
{
    snprintf(out, size, "%s%s", run->stem, run->datatype == NEP_BIDS_PET ? "_pet" : run->datatype == NEP_BIDS_ANAT ? "_T1w" : "");
    return out;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Of a row's run, or of what its participant lacks. */
static nep_bids_datatype datatype_of(const char *run, const char *message)
{
    const bool absent = strcmp(run, "n/a") == 0;
    if (ends_with(run, "_pet") || (absent && strstr(message, "preproc_pet")))
        return NEP_BIDS_PET;
    return ends_with(run, "_T1w") || (absent && strstr(message, "preproc_T1w")) ? NEP_BIDS_ANAT : NEP_BIDS_FUNC;
}

nep_status cli_features_failed(features *f, features_failures *k, const char *participant, const nep_bids_run *run, nep_status st)
{
    char id[NEP_BIDS_MAX_NAME + 8], name[NEP_BIDS_MAX_NAME + 8], sentence[1024];
    relative_sentence(f, nep_ctx_error(f->ctx), sentence, sizeof sentence);
    nep_ctx_clear(f->ctx);
    snprintf(id, sizeof id, "sub-%s", participant);
    if (k->n == k->room) {
        const int64_t room = k->room ? 2 * k->room : 16;
        char ***const grown[] = {&k->participant, &k->run, &k->message};
        for (int i = 0; i < NEP_LEN(grown); i++)
            NEP_TRY(nep_alloc_grow(f->ctx, room, sizeof(char *), "failures", grown[i]));
        NEP_TRY(nep_alloc_grow(f->ctx, room, sizeof(char *), "failures", &k->code));
        k->room = room;
    }
    k->mixed = k->mixed || (k->n > 0 && st != k->first);
    k->first = k->n == 0 ? st : k->first;
    k->n++;
    k->code[k->n - 1] = nep_status_symbol(st);
    NEP_TRY(nep_alloc_string(f->ctx, id, &k->participant[k->n - 1]));
    NEP_TRY(nep_alloc_string(f->ctx, run ? run_name(run, name, sizeof name) : "n/a", &k->run[k->n - 1]));
    NEP_TRY(nep_alloc_string(f->ctx, sentence, &k->message[k->n - 1]));
    cli_say(f->c, "failed: %s: %s", id, sentence);
    return NEP_OK;
}

/* ---- the shared table ---- */

nep_status cli_features_lock(features *f, int *fd)
{
    char path[4096];
    int got;
    *fd = -1;
    NEP_TRY(cli_features_path(f->ctx, path, sizeof path, "%s/.nepenthe", f->out));
    NEP_TRY(nep_file_folder(f->ctx, path));
    NEP_TRY(cli_features_path(f->ctx, path, sizeof path, "%s/.nepenthe/lock", f->out));
    const int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    NEP_REQUIRE(f->ctx, lock >= 0, errno == EACCES || errno == EPERM || errno == EROFS ? NEP_E_PERMISSION : NEP_E_WRITE,
                "%s: cannot be opened (%s); check that the folder is writable", path, strerror(errno));
    while ((got = flock(lock, LOCK_EX)) != 0 && errno == EINTR) {
        const nep_status st = nep_ctx_check(f->ctx);
        if (st != NEP_OK) {
            close(lock);
            return st;
        }
    }
    if (got == 0) {
        *fd = lock;
        return NEP_OK;
    }
    nep_warn(f->ctx, "%s: this file system cannot lock it (%s); jobs that end at the same moment may lose rows of failures.tsv", path, strerror(errno));
    close(lock);
    return NEP_OK;
}

/* A row of failures.tsv; cells are lent. */
typedef struct {
    const char *participant, *run, *code, *message;
} failure;

static int by_run(const void *a, const void *b)
{
    const failure *x = a, *y = b;
    const int by_participant = strcmp(x->participant, y->participant);
    return by_participant ? by_participant : strcmp(x->run, y->run);
}

/* Whether this job looked at what a row tells of. A job for all participants also looks at those whose folder is gone. */
static bool looked_at(const features *f, const nep_bids_filter *filter, const nep_bids_runs *runs, const failure *row)
{
    const bool whole = filter->n_sessions == 0 && filter->n_tasks == 0 && !filter->space;
    char folder[4096], name[NEP_BIDS_MAX_NAME + 8];
    bool mine = false;
    for (int64_t i = 0; i < runs->n_participants && !mine; i++)
        mine = strncmp(row->participant, "sub-", 4) == 0 && strcmp(row->participant + 4, runs->participants[i]) == 0;
    if (mine && !(filter->datatypes & datatype_of(row->run, row->message)))
        return false;
    if (!mine && whole && filter->n_participants == 0) {
        const int n = snprintf(folder, sizeof folder, "%s/%s", f->root, row->participant);
        return n > 0 && n < (int)sizeof folder && !nep_file_exists(folder);
    }
    if (!mine || whole || strcmp(row->run, "n/a") == 0)
        return mine;
    for (int64_t i = 0; i < runs->n; i++)
        if (strcmp(row->run, run_name(&runs->runs[i], name, sizeof name)) == 0)
            return true;
    return false;
}

/* The table that is there; empty when there is none. One that cannot be read is said and given up: it must not cost the
 * job its own failures. */
static nep_status read_table(features *f, const char *path, nep_table *t, int64_t column[4])
{
    static const char *const names[4] = {"participant_id", "run", "code", "message"};
    nep_status st = NEP_OK;
    if (!nep_file_exists(path))
        return NEP_OK;
    st = nep_tsv_read(f->ctx, path, t);
    for (int i = 0; i < 4 && st == NEP_OK; i++)
        st = nep_table_need(f->ctx, t, names[i], &column[i]);
    if (st != NEP_E_FORMAT)
        return st;
    nep_warn(f->ctx, "%s; it is written anew", nep_ctx_error(f->ctx));
    nep_ctx_clear(f->ctx);
    nep_table_free(t);
    return NEP_OK;
}

static nep_status write_rows(nep_ctx *ctx, const char *path, const failure *rows, int64_t n)
{
    const char **cells = NULL;
    nep_status st;
    NEP_TRY(nep_alloc(ctx, 4 * n, sizeof *cells, "failures", &cells));
    for (int64_t i = 0; i < n; i++) {
        cells[i] = rows[i].participant;
        cells[n + i] = rows[i].run;
        cells[2 * n + i] = rows[i].code;
        cells[3 * n + i] = rows[i].message;
    }
    const cli_column columns[] = {{"participant_id", cells, NULL}, {"run", cells + n, NULL}, {"code", cells + 2 * n, NULL}, {"message", cells + 3 * n, NULL}};
    st = cli_tabular_write(ctx, path, columns, NEP_LEN(columns), n);
    nep_alloc_free(cells);
    return st;
}

static const char *or_missing(const char *cell)
{
    return cell ? cell : "n/a";
}

static nep_status merge(features *f, const nep_bids_filter *filter, const nep_bids_runs *runs, const features_failures *k)
{
    char path[4096];
    nep_table t = {0};
    failure *rows = NULL;
    int64_t column[4] = {0}, n = 0;
    nep_status st;
    NEP_TRY(cli_features_path(f->ctx, path, sizeof path, "%s/failures.tsv", f->out));
    NEP_TRY_OR_DONE(st, read_table(f, path, &t, column));
    NEP_TRY_OR_DONE(st, nep_alloc(f->ctx, t.n_rows + k->n, sizeof *rows, "failures", &rows));
    for (int64_t i = 0; i < t.n_rows; i++) {
        const failure row = {or_missing(nep_table_cell(&t, i, column[0])), or_missing(nep_table_cell(&t, i, column[1])),
                             or_missing(nep_table_cell(&t, i, column[2])), or_missing(nep_table_cell(&t, i, column[3]))};
        if (!looked_at(f, filter, runs, &row))
            rows[n++] = row;
    }
    for (int64_t i = 0; i < k->n; i++)
        rows[n++] = (failure){k->participant[i], k->run[i], k->code[i], k->message[i]};
    if (n == 0) {
        NEP_REQUIRE_OR_DONE(st, f->ctx, unlink(path) == 0 || errno == ENOENT, NEP_E_WRITE, "%s: is out of date and cannot be removed (%s)", path,
                            strerror(errno));
        goto done;
    }
    qsort(rows, (size_t)n, sizeof *rows, by_run);
    st = write_rows(f->ctx, path, rows, n);
done:
    nep_alloc_free(rows);
    nep_table_free(&t);
    return st;
}

nep_status cli_features_failures_write(features *f, const nep_bids_filter *filter, const nep_bids_runs *runs, const features_failures *k)
{
    int lock;
    NEP_TRY(cli_features_lock(f, &lock));
    const nep_status st = merge(f, filter, runs, k);
    if (lock >= 0)
        close(lock);
    return st;
}
