/* SPDX-License-Identifier: Apache-2.0 */
/* pages - a page of the feature table as text and as Markdown; parameters come from the option tables. */
#include "cli/pages.h"

#include <string.h>

#include "cli/cli.h"

const cli_page *cli_page_find(const char *name)
{
    for (const cli_page *p = cli_pages; p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

static const cli_command *command_of(const cli_page *p)
{
    for (int i = 0; cli_commands[i]; i++)
        if (strcmp(cli_commands[i]->name, p->command) == 0)
            return cli_commands[i];
    return NULL;
}

/* Whether `word` is one of those that blanks separate. */
static bool listed(const char *words, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += n)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return true;
    return false;
}

static void wrapped(const char *text, const char *indent, FILE *out)
{
    enum { WIDTH = 100 };
    size_t column = 0;
    while (*text) {
        const size_t n = strcspn(text, " \n");
        if (column > 0 && column + 1 + n > WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        column += (size_t)fprintf(out, "%s%.*s", column ? " " : indent, (int)n, text);
        text += n;
        if (*text == '\n') {
            fputc('\n', out);
            column = 0;
        }
        text += *text != '\0';
    }
    fputc('\n', out);
}

static void parameters(const cli_page *p, const char *bullet, const char *quote, FILE *out)
{
    const cli_command *k = command_of(p);
    for (int i = 0; k && i < k->n_options; i++) {
        const cli_option *o = &k->options[i];
        if (!listed(p->options, o->name))
            continue;
        fprintf(out, "%s%s--%s%s%s%s: %s", bullet, quote, o->name, o->meta ? " " : "", o->meta ? o->meta : "", quote, o->help);
        if (o->type == CLI_CHOICE)
            fprintf(out, "; one of %s", o->choices);
        fprintf(out, "%s%s%s\n", o->initial ? " (default " : "", o->initial ? o->initial : "", o->initial ? ")" : "");
    }
}

void cli_page_print(const cli_page *p, FILE *out)
{
    fprintf(out, "%s: %s\nunit: %s\ncommand: nepenthe %s\n", p->name, p->title, p->unit, p->command);
    if (p->features)
        fprintf(out, "of a data set: nepenthe features with %s\n", p->features);
    fputc('\n', out);
    wrapped(p->definition, "  ", out);
    fprintf(out, "\nparameters\n");
    parameters(p, "  ", "", out);
    fprintf(out, "\nsource\n");
    wrapped(p->source, "  ", out);
    fprintf(out, "\npeers\n");
    wrapped(p->peers, "  ", out);
}

void cli_page_markdown(const cli_page *p, FILE *out)
{
    fprintf(out, "# %s: %s\n\nUnit: %s. Command: `nepenthe %s`.", p->name, p->title, p->unit, p->command);
    if (p->features)
        fprintf(out, " Of a data set: `nepenthe features` with `%s`.", p->features);
    fprintf(out, "\n\n## Definition\n\n");
    wrapped(p->definition, "", out);
    fprintf(out, "\n## Parameters\n\n");
    parameters(p, "- ", "`", out);
    fprintf(out, "\n## Source\n\n");
    wrapped(p->source, "", out);
    fprintf(out, "\n## What peers do differently\n\n");
    wrapped(p->peers, "", out);
    fprintf(out, "\nMore in [src/imaging](../../src/imaging/README.md). This page is made from the feature table by `docs/features.sh`.\n");
}
