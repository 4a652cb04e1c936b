/* SPDX-License-Identifier: Apache-2.0 */
/* nepenthe verify - what is in an index file, and whether every byte of it is as it was written. */
#include <math.h>

#include <nepenthe/io.h>

#include "cli/index_facts.h"
#include "cli/tabular.h"

static const cli_option options[] = {
    {"quick", 0, CLI_FLAG, NULL, NULL, NULL, "header, sizes and order alone, not every byte"},
};

enum { COLUMNS = 9 };

typedef struct {
    const char **text[COLUMNS];
    double *number[COLUMNS];
    char (*buffer)[3][64]; /* [n] kind and type, content, state */
    char (*about)[256];    /* [n] */
} rows;

static const char *const names[COLUMNS] = {"file", "state", "kind", "width", "rows", "total", "columns", "content", "about"};
static const bool is_number[COLUMNS] = {false, false, false, true, true, true, true, false, false};

static nep_status rows_new(nep_ctx *ctx, int64_t n, rows *r)
{
    for (int k = 0; k < COLUMNS; k++)
        if (is_number[k])
            NEP_TRY(nep_alloc(ctx, n, sizeof(double), "verify: rows", &r->number[k]));
        else
            NEP_TRY(nep_alloc(ctx, n, sizeof(char *), "verify: rows", &r->text[k]));
    NEP_TRY(nep_alloc(ctx, n, sizeof *r->buffer, "verify: rows", &r->buffer));
    return nep_alloc(ctx, n, sizeof *r->about, "verify: rows", &r->about);
}

static void rows_free(rows *r)
{
    for (int k = 0; k < COLUMNS; k++) {
        nep_alloc_free(r->text[k]);
        nep_alloc_free(r->number[k]);
    }
    nep_alloc_free(r->buffer);
    nep_alloc_free(r->about);
}

static void fill(rows *r, int i, const nep_index *x, bool quick)
{
    const bool bits = x->kind == NEP_INDEX_BITS;
    char *kind = r->buffer[i][0], *content = r->buffer[i][1];
    snprintf(kind, 64, "%s", bits ? "bits" : nep_index_type_name(x->vectors.type));
    snprintf(content, 64, "%016llx", (unsigned long long)x->content);
    snprintf(r->about[i], sizeof r->about[i], "%s", x->about);
    r->text[1][i] = quick ? "opened" : "ok";
    r->text[2][i] = kind;
    r->number[3][i] = (double)(bits ? x->bits.n_bits : x->vectors.dims);
    r->number[4][i] = (double)x->n;
    r->number[5][i] = (double)x->total;
    r->number[6][i] = (double)x->n_columns;
    r->text[7][i] = content;
    r->text[8][i] = x->about[0] ? r->about[i] : NULL;
}

/* Looks at input i; what is wrong with it goes into its row. */
static nep_status look(cli *c, rows *r, int i, bool quick, bool *sound)
{
    nep_ctx *ctx = cli_ctx(c);
    nep_index x = {0};
    r->text[0][i] = cli_input(c, i);
    for (int k = 0; k < COLUMNS; k++)
        if (is_number[k])
            r->number[k][i] = (double)NAN;
    nep_status st = nep_index_open(ctx, cli_input(c, i), &x);
    if (st == NEP_OK && !quick)
        st = nep_index_check(ctx, &x);
    if (st == NEP_OK) {
        fill(r, i, &x, quick);
    } else if (st == NEP_E_FORMAT || st == NEP_E_TRUNCATED || st == NEP_E_NOTSUP) {
        cli_say(c, "%s", nep_ctx_error(ctx));
        nep_ctx_clear(ctx);
        r->text[1][i] = st == NEP_E_NOTSUP ? "newer" : "damaged";
        *sound = false;
        st = NEP_OK;
    }
    nep_index_free(&x);
    return st;
}

static nep_status run(cli *c)
{
    const int n = cli_input_count(c);
    rows r = {0};
    cli_column columns[COLUMNS];
    bool sound = true;
    nep_status st;
    NEP_TRY_OR_DONE(st, rows_new(cli_ctx(c), n, &r));
    for (int i = 0; i < n; i++)
        NEP_TRY_OR_DONE(st, look(c, &r, i, cli_flag(c, "quick"), &sound));
    for (int k = 0; k < COLUMNS; k++)
        columns[k] = (cli_column){.name = names[k], .text = r.text[k], .number = r.number[k]};
    NEP_TRY_OR_DONE(st, cli_tabular_emit(c, "files", columns, COLUMNS, n, NULL));
    if (!sound)
        st = nep_ctx_fail(cli_ctx(c), NEP_E_FORMAT, "a file is not as it was written; build it again or copy it from its source");
done:
    rows_free(&r);
    return st;
}

const cli_command cli_cmd_verify = {.name = "verify",
                                    .group = "Upkeep",
                                    .summary = "what is in index files, and whether every byte is as it was written",
                                    .inputs = "INDEX...",
                                    .min_inputs = 1,
                                    .max_inputs = -1,
                                    .options = options,
                                    .n_options = NEP_LEN(options),
                                    .run = run,
                                    .example = "nepenthe verify library.nepx"};
