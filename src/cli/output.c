/* SPDX-License-Identifier: Apache-2.0 */
/* output - data to stdout or to a file, the one JSON document, the provenance beside each output. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nepenthe/backend.h>

#include "cli/state.h"

/* Paths say where a person's files lie, so that outputs carry names alone. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

json_t *cli_number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

void cli_say(cli *c, const char *fmt, ...)
{
    if (cli_flag(c, "quiet"))
        return;
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

void cli_print(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
}

nep_status cli_input_add(cli *c, const char *path)
{
    char **grown = realloc(c->extra_inputs, (size_t)(c->n_extra + 1) * sizeof *grown);
    NEP_REQUIRE(c->ctx, grown != NULL, NEP_E_NOMEM, "provenance: no memory to note '%s'", base_name(path));
    c->extra_inputs = grown;
    c->extra_inputs[c->n_extra] = strdup(path);
    NEP_REQUIRE(c->ctx, c->extra_inputs[c->n_extra] != NULL, NEP_E_NOMEM, "provenance: no memory to note '%s'", base_name(path));
    c->n_extra++;
    return NEP_OK;
}

static void add_input(cli *c, json_t *list, const char *path)
{
    struct stat info;
    nep_hash hash;
    if (strcmp(path, "-") == 0 || stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return;
    if (!cli_hashes_get(c->hashes, path, &hash) && nep_hash_file(c->ctx, path, &hash) != NEP_OK) {
        nep_ctx_clear(c->ctx); /* it was read a moment ago; a file that vanished since has no hash to give */
        return;
    }
    json_array_append_new(list, json_pack("{s:s,s:s}", "name", base_name(path), "xxh3_128", hash.hex));
}

static json_t *parameters(cli *c)
{
    json_t *all = json_object();
    for (int i = 0; i < cli_option_count(c->command); i++) {
        const cli_option *o = cli_option_at(c->command, i);
        const cli_value *v = &c->value[i];
        if (v->n == 0 || o->type == CLI_OUTPUT || strcmp(o->name, "threads") == 0 || strcmp(o->name, "progress") == 0)
            continue;
        const bool file = o->type == CLI_INPUT || o->type == CLI_INPUTS;
        if (v->n == 1) {
            json_object_set_new(all, o->name, json_string(file ? base_name(v->values[0]) : v->values[0]));
            continue;
        }
        json_t *list = json_array();
        for (int k = 0; k < v->n; k++)
            json_array_append_new(list, json_string(file ? base_name(v->values[k]) : v->values[k]));
        json_object_set_new(all, o->name, list);
    }
    return all;
}

json_t *cli_provenance(cli *c, const char *licence)
{
    char device[256] = "cpu";
    if (nep_backend_describe(c->ctx, device, sizeof device) != NEP_OK)
        nep_ctx_clear(c->ctx);
    json_t *inputs = json_array();
    if (c->command->inputs_are_files)
        for (int i = 0; i < c->n_inputs; i++)
            add_input(c, inputs, c->inputs[i]);
    for (int i = 0; i < cli_option_count(c->command); i++)
        if (cli_option_at(c->command, i)->type == CLI_INPUT || cli_option_at(c->command, i)->type == CLI_INPUTS)
            for (int k = 0; k < c->value[i].n; k++)
                add_input(c, inputs, c->value[i].values[k]);
    for (int i = 0; i < c->n_extra; i++)
        add_input(c, inputs, c->extra_inputs[i]);
    json_t *p = json_pack("{s:s,s:s,s:o,s:I,s:s,s:o,s:s}", "version", NEP_VERSION, "command", c->command->name, "parameters",
                          parameters(c), "seed", (json_int_t)nep_ctx_seed(c->ctx), "device", device, "inputs", inputs, "licence",
                          licence ? licence : "as the inputs");
    if (p && nep_warn_count(c->ctx) > 0) {
        json_t *list = json_array();
        for (int i = 0; i < nep_warn_count(c->ctx); i++)
            json_array_append_new(list, json_string(nep_warn_get(c->ctx, i)));
        json_object_set_new(p, "warnings", list);
    }
    return p;
}

static size_t stem_length(const char *path)
{
    static const char *const endings[] = {".nii.gz", ".tsv.gz", ".nii", ".tsv", ".csv", ".h5", ".html", ".json"};
    const size_t n = strlen(path);
    for (int i = 0; i < NEP_LEN(endings); i++) {
        const size_t m = strlen(endings[i]);
        if (n > m && strcmp(path + n - m, endings[i]) == 0)
            return n - m;
    }
    return n;
}

nep_status cli_sidecar(cli *c, const char *path, const char *licence, json_t *extra)
{
    char name[4096];
    json_t *doc = cli_provenance(c, licence);
    nep_status st = NEP_OK;
    char *text = NULL;
    nep_file *f = NULL;
    if (doc && extra)
        json_object_update(doc, extra);
    json_decref(extra);
    NEP_REQUIRE_OR_DONE(st, c->ctx, doc && snprintf(name, sizeof name, "%.*s.json", (int)stem_length(path), path) < (int)sizeof name,
                        NEP_E_NOMEM, "%s: no memory for its sidecar", base_name(path));
    text = json_dumps(doc, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    NEP_REQUIRE_OR_DONE(st, c->ctx, text != NULL, NEP_E_NOMEM, "%s: no memory for its sidecar", base_name(path));
    NEP_TRY_OR_DONE(st, nep_file_create(c->ctx, name, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "%s\n", text));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    free(text);
    json_decref(doc);
    return st;
}

static nep_status copy_to_stdout(nep_ctx *ctx, const char *path)
{
    char *bytes = NULL;
    int64_t n = 0;
    NEP_TRY(nep_file_read(ctx, path, INT64_MAX / 4, &bytes, &n));
    const bool ok = fwrite(bytes, 1, (size_t)n, stdout) == (size_t)n && fflush(stdout) == 0;
    nep_alloc_free(bytes);
    NEP_REQUIRE(ctx, ok, NEP_E_IO, "standard output: writing failed");
    return NEP_OK;
}

nep_status cli_emit(cli *c, nep_status (*write)(nep_ctx *ctx, const char *path, void *user), void *user, const char *licence,
                    json_t *extra)
{
    const char *out = cli_out(c);
    nep_status st;
    if (out) {
        st = write(c->ctx, out, user);
        if (st == NEP_OK)
            return cli_sidecar(c, out, licence, extra);
        json_decref(extra);
        return st;
    }
    json_decref(extra);
    const char *folder = getenv("TMPDIR");
    char scratch[4096];
    snprintf(scratch, sizeof scratch, "%.4000s/nepenthe-XXXXXX", folder && *folder ? folder : "/tmp");
    const int fd = mkstemp(scratch);
    NEP_REQUIRE(c->ctx, fd >= 0, NEP_E_WRITE, "%s: no temporary file can be made there; set TMPDIR or use -o", folder ? folder : "/tmp");
    close(fd);
    st = write(c->ctx, scratch, user);
    if (st == NEP_OK)
        st = copy_to_stdout(c->ctx, scratch);
    unlink(scratch);
    return st;
}

static nep_status print_document(cli *c, json_t *doc)
{
    char schema[96];
    snprintf(schema, sizeof schema, "nepenthe/%s/1", c->command->name);
    for (char *p = schema; *p; p++)
        if (*p == ' ')
            *p = '-';
    json_t *whole = json_pack("{s:s}", "schema", schema);
    if (whole)
        json_object_update(whole, doc);
    json_decref(doc);
    const bool ok = whole && json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0 && fputc('\n', stdout) != EOF &&
                    fflush(stdout) == 0;
    json_decref(whole);
    c->printed = true;
    NEP_REQUIRE(c->ctx, ok, NEP_E_IO, "standard output: writing the JSON document failed");
    return NEP_OK;
}

nep_status cli_document(cli *c, json_t *doc)
{
    if (cli_json(c) && !c->printed)
        return print_document(c, doc);
    json_decref(doc);
    return NEP_OK;
}

nep_status cli_plan(cli *c, int64_t units, int64_t mem_bytes, double seconds, const char *const *outputs, int n_outputs)
{
    if (cli_json(c)) {
        json_t *list = json_array();
        for (int i = 0; i < n_outputs; i++)
            json_array_append_new(list, json_string(outputs[i]));
        return cli_document(c, json_pack("{s:{s:I,s:I,s:o,s:o}}", "plan", "units", (json_int_t)units, "memory_mb",
                                         (json_int_t)(mem_bytes >> 20), "seconds", cli_number(seconds), "outputs", list));
    }
    printf("units\t%lld\nmemory_mb\t%lld\n", (long long)units, (long long)(mem_bytes >> 20));
    if (isfinite(seconds))
        printf("seconds\t%.3g\n", seconds);
    for (int i = 0; i < n_outputs; i++)
        printf("output\t%s\n", outputs[i]);
    return NEP_OK;
}

void cli_error_document(const char *command, nep_status st, const char *file, const char *message)
{
    char schema[96];
    snprintf(schema, sizeof schema, "nepenthe/%s/1", command);
    for (char *p = schema; *p; p++)
        if (*p == ' ')
            *p = '-';
    json_t *doc = json_pack("{s:s,s:{s:s,s:i,s:s,s:s,s:s}}", "schema", schema, "error", "code", nep_status_symbol(st), "exit",
                            nep_status_exit(st), "file", base_name(file), "message", message, "hint", nep_status_hint(st));
    if (doc && json_dumpf(doc, stdout, JSON_INDENT(2)) == 0)
        fputc('\n', stdout);
    json_decref(doc);
}
