/* SPDX-License-Identifier: Apache-2.0 */
/* options - words to typed values: flag > NEPENTHE_* > default; no abbreviations, a typo names the nearest option. */
#include "cli/state.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <nepenthe/data.h>

const cli_option cli_global_options[] = {
    {"out", 'o', CLI_OUTPUT, "PATH", NULL, NULL, "where the result goes; - or nothing is standard output"},
    {"device", 0, CLI_TEXT, "NAME", "auto", NULL, "auto, cpu, cuda or cuda:1; cuda never falls back to the CPU"},
    {"threads", 0, CLI_INT, "N", NULL, NULL, "CPU threads; default OMP_NUM_THREADS, SLURM_CPUS_PER_TASK, then the machine"},
    {"mem-mb", 0, CLI_INT, "N", NULL, NULL, "memory budget in MB; work that does not fit is tiled"},
    {"vram-mb", 0, CLI_INT, "N", NULL, NULL, "bound of device memory in MB"},
    {"seed", 0, CLI_INT, "N", "0", NULL, "seed of every random stream"},
    {"json", 0, CLI_FLAG, NULL, NULL, NULL, "print exactly one JSON document on standard output"},
    {"progress", 0, CLI_CHOICE, "KIND", "auto", "auto|bar|plain|json|none", "how long work shows itself on standard error"},
    {"quiet", 'q', CLI_FLAG, NULL, NULL, NULL, "errors only"},
    {"verbose", 'v', CLI_FLAG, NULL, NULL, NULL, "say more"},
    {"dry-run", 0, CLI_FLAG, NULL, NULL, NULL, "print the plan (units, memory, time, outputs) and write nothing"},
    {"help", 'h', CLI_FLAG, NULL, NULL, NULL, "this text"},
};
const int cli_global_count = NEP_LEN(cli_global_options);

int cli_option_count(const cli_command *command)
{
    return command->n_options + cli_global_count;
}

const cli_option *cli_option_at(const cli_command *command, int index)
{
    return index < command->n_options ? &command->options[index] : &cli_global_options[index - command->n_options];
}

/* `a_b` and `a-b` are the same name. */
static bool same_name(const char *given, size_t n, const char *name)
{
    if (strlen(name) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((given[i] == '_' ? '-' : given[i]) != name[i])
            return false;
    return true;
}

static int find_long(const cli_command *command, const char *given, size_t n)
{
    for (int i = 0; i < cli_option_count(command); i++)
        if (same_name(given, n, cli_option_at(command, i)->name))
            return i;
    return -1;
}

static nep_status problem_set(char *problem, size_t size, const char *fmt, ...) NEP_PRINTF(3, 4);
static nep_status problem_set(char *problem, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(problem, size, fmt, args);
    va_end(args);
    return NEP_E_USAGE;
}

static nep_status unknown(const cli_command *command, const char *word, char *problem, size_t size)
{
    const char *names[CLI_MAX_OPTIONS];
    const int n = cli_option_count(command);
    for (int i = 0; i < n; i++)
        names[i] = cli_option_at(command, i)->name;
    const char *near = nep_data_nearest(word + (word[1] == '-' ? 2 : 1), names, n);
    return problem_set(problem, size, "unknown option '%s'%s%s%s; see `nepenthe %s --help`", word, near ? "; did you mean --" : "",
                       near ? near : "", near ? "?" : "", command->name);
}

static bool is_choice(const char *choices, const char *text)
{
    const size_t n = strlen(text);
    for (const char *p = choices; *p;) {
        const size_t len = strcspn(p, "|");
        if (len == n && strncmp(p, text, n) == 0)
            return true;
        p += len + (p[len] == '|');
    }
    return false;
}

static nep_status check_value(const cli_option *o, const char *text, const char *origin, char *problem, size_t size)
{
    char *end;
    if (o->type == CLI_INT) {
        (void)strtoll(text, &end, 10);
        if (*text == '\0' || *end != '\0')
            return problem_set(problem, size, "--%s (%s): '%s' is not a whole number", o->name, origin, text);
    } else if (o->type == CLI_REAL) {
        const double v = strtod(text, &end);
        if (*text == '\0' || *end != '\0' || !isfinite(v))
            return problem_set(problem, size, "--%s (%s): '%s' is not a number", o->name, origin, text);
    } else if (o->type == CLI_CHOICE && !is_choice(o->choices, text)) {
        return problem_set(problem, size, "--%s (%s): '%s' is not one of %s", o->name, origin, text, o->choices);
    } else if (*text == '\0') {
        return problem_set(problem, size, "--%s (%s): the value is empty", o->name, origin);
    } else if (o->type == CLI_OUTPUT && strcmp(text, "-") == 0 && strcmp(o->name, "out") != 0) {
        return problem_set(problem, size, "--%s: a file is needed; - is standard output with -o alone", o->name);
    }
    return NEP_OK;
}

static bool append(cli_value *v, const char *text, size_t n)
{
    char **grown = realloc(v->values, (size_t)(v->n + 1) * sizeof *grown);
    if (!grown)
        return false;
    v->values = grown;
    v->values[v->n] = strndup(text, n);
    return v->values[v->n++] != NULL;
}

static nep_status take(cli_value *v, const cli_option *o, const char *text, const char *origin, char *problem, size_t size)
{
    NEP_TRY(check_value(o, text, origin, problem, size));
    const bool list = o->type == CLI_TEXTS || o->type == CLI_INPUTS;
    if (!list && v->n > 0)
        return problem_set(problem, size, "--%s is given twice", o->name);
    v->origin = origin;
    bool ok = true;
    if (list)
        for (const char *p = text; *p && ok;) {
            const size_t len = strcspn(p, ",");
            if (len)
                ok = append(v, p, len);
            p += len + (p[len] == ',');
        }
    else
        ok = append(v, text, strlen(text));
    return ok ? NEP_OK : problem_set(problem, size, "no memory for the command line");
}

static nep_status from_environment(cli *c, int i, char *problem, size_t size)
{
    const cli_option *o = cli_option_at(c->command, i);
    char name[96] = "NEPENTHE_";
    size_t n = strlen(name);
    for (const char *p = o->name; *p && n + 1 < sizeof name; p++)
        name[n++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    name[n] = '\0';
    const char *text = getenv(name);
    if (text && *text && o->type != CLI_OUTPUT && strcmp(o->name, "help") != 0)
        return take(&c->value[i], o, text, "environment", problem, size);
    if (o->initial)
        return take(&c->value[i], o, o->initial, "default", problem, size);
    return NEP_OK;
}

static nep_status parse_long(cli *c, char **argv, int argc, int *at, char *problem, size_t size)
{
    const char *word = argv[*at];
    const size_t n = strcspn(word + 2, "=");
    const int i = find_long(c->command, word + 2, n);
    if (i < 0)
        return unknown(c->command, word, problem, size);
    const cli_option *o = cli_option_at(c->command, i);
    const bool inline_value = word[2 + n] == '=';
    if (o->type == CLI_FLAG) {
        if (inline_value)
            return problem_set(problem, size, "--%s takes no value", o->name);
        return c->value[i].n ? NEP_OK : take(&c->value[i], o, "1", "flag", problem, size);
    }
    if (inline_value)
        return take(&c->value[i], o, word + 3 + n, "flag", problem, size);
    if (*at + 1 >= argc)
        return problem_set(problem, size, "--%s needs a value (%s)", o->name, o->meta);
    return take(&c->value[i], o, argv[++*at], "flag", problem, size);
}

static nep_status parse_short(cli *c, char **argv, int argc, int *at, char *problem, size_t size)
{
    const char *word = argv[*at];
    for (int i = 0; i < cli_option_count(c->command); i++) {
        const cli_option *o = cli_option_at(c->command, i);
        if (!o->letter || o->letter != word[1])
            continue;
        if (o->type == CLI_FLAG && word[2] == '\0')
            return c->value[i].n ? NEP_OK : take(&c->value[i], o, "1", "flag", problem, size);
        if (o->type != CLI_FLAG && word[2] != '\0')
            return take(&c->value[i], o, word + 2, "flag", problem, size);
        if (o->type != CLI_FLAG && *at + 1 < argc)
            return take(&c->value[i], o, argv[++*at], "flag", problem, size);
        return problem_set(problem, size, "-%c needs a value (%s)", o->letter, o->meta ? o->meta : "none");
    }
    return unknown(c->command, word, problem, size);
}

nep_status cli_parse(cli *c, int argc, char **argv, char *problem, size_t size)
{
    bool words_only = false;
    if (cli_option_count(c->command) > CLI_MAX_OPTIONS)
        return problem_set(problem, size, "the command has more options than there is room for: raise CLI_MAX_OPTIONS");
    c->inputs = calloc((size_t)argc + 1, sizeof *c->inputs);
    if (!c->inputs)
        return problem_set(problem, size, "no memory for the command line");
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (words_only || word[0] != '-' || word[1] == '\0')
            c->inputs[c->n_inputs++] = word;
        else if (strcmp(word, "--") == 0)
            words_only = true;
        else if (word[1] == '-')
            NEP_TRY(parse_long(c, argv, argc, &i, problem, size));
        else
            NEP_TRY(parse_short(c, argv, argc, &i, problem, size));
    }
    if (cli_flag(c, "help"))
        return NEP_OK;
    for (int i = 0; i < cli_option_count(c->command); i++)
        if (c->value[i].n == 0)
            NEP_TRY(from_environment(c, i, problem, size));
    const cli_command *k = c->command;
    if (c->n_inputs >= k->min_inputs && (k->max_inputs < 0 || c->n_inputs <= k->max_inputs))
        return NEP_OK;
    char how_many[48] = "";
    if (k->max_inputs < 0 && k->min_inputs > 0)
        snprintf(how_many, sizeof how_many, " (at least %d)", k->min_inputs);
    else if (k->max_inputs > k->min_inputs)
        snprintf(how_many, sizeof how_many, " (%d to %d)", k->min_inputs, k->max_inputs);
    return problem_set(problem, size, "needs %s%s, got %d; see `nepenthe %s --help`", k->inputs[0] ? k->inputs : "no inputs", how_many, c->n_inputs,
                       k->name);
}

static const cli_value *value_of(const cli *c, const char *option, const cli_option **found)
{
    for (int i = 0; i < cli_option_count(c->command); i++)
        if (strcmp(cli_option_at(c->command, i)->name, option) == 0) {
            if (found)
                *found = cli_option_at(c->command, i);
            return &c->value[i];
        }
    fprintf(stderr, "nepenthe: internal: command '%s' asks for option '%s' that its table lacks\n", c->command->name, option);
    abort();
}

nep_ctx *cli_ctx(const cli *c)
{
    return c->ctx;
}

int cli_input_count(const cli *c)
{
    return c->n_inputs;
}

const char *cli_input(const cli *c, int i)
{
    return c->inputs[i];
}

bool cli_given(const cli *c, const char *option)
{
    return value_of(c, option, NULL)->n > 0;
}

const char *cli_text(const cli *c, const char *option)
{
    const cli_value *v = value_of(c, option, NULL);
    return v->n ? v->values[0] : NULL;
}

int64_t cli_int(const cli *c, const char *option)
{
    const char *text = cli_text(c, option);
    return text ? strtoll(text, NULL, 10) : 0;
}

double cli_real(const cli *c, const char *option)
{
    const char *text = cli_text(c, option);
    return text ? strtod(text, NULL) : (double)NAN;
}

const char *const *cli_texts(const cli *c, const char *option, int *n)
{
    const cli_value *v = value_of(c, option, NULL);
    *n = v->n;
    return (const char *const *)v->values;
}

bool cli_flag(const cli *c, const char *option)
{
    return value_of(c, option, NULL)->n > 0;
}

const char *cli_out(const cli *c)
{
    const char *path = cli_text(c, "out");
    return path && strcmp(path, "-") != 0 ? path : NULL;
}

nep_status cli_shard(cli *c, int64_t *shard, int64_t *n_shards)
{
    const char *text = cli_text(c, "shard");
    char *end;
    *shard = *n_shards = 0;
    if (!text)
        return NEP_OK;
    *shard = strtoll(text, &end, 10);
    *n_shards = *end == '/' && end > text ? strtoll(end + 1, &end, 10) : 0;
    NEP_REQUIRE(c->ctx, *end == '\0' && *shard >= 1 && *shard <= *n_shards, NEP_E_USAGE,
                "--shard: '%s' is not I/N with I from 1 to N, such as 2/8", text);
    return NEP_OK;
}

bool cli_json(const cli *c)
{
    return cli_flag(c, "json");
}

bool cli_dry_run(const cli *c)
{
    return cli_flag(c, "dry-run");
}

void cli_values_free(cli *c)
{
    for (int i = 0; i < CLI_MAX_OPTIONS; i++) {
        for (int k = 0; k < c->value[i].n; k++)
            free(c->value[i].values[k]);
        free(c->value[i].values);
    }
    for (int i = 0; i < c->n_extra; i++)
        free(c->extra_inputs[i]);
    free(c->extra_inputs);
    free(c->inputs);
}
