/* SPDX-License-Identifier: Apache-2.0 */
/* help - every text about the options comes from the option tables: help, man page, Markdown, completion. */
#include "cli/help.h"

#include <string.h>

#include "cli/state.h"

void cli_help_program(FILE *out)
{
    fprintf(out, "nepenthe %s: from brain images, molecules and assays to a ranked list of drug candidates\n\n"
                 "usage: nepenthe <command> [options] inputs\n",
            NEP_VERSION);
    const char *group = "";
    for (int i = 0; cli_commands[i]; i++) {
        const cli_command *k = cli_commands[i];
        if (strcmp(k->group, group) != 0)
            fprintf(out, "\n%s\n", k->group);
        group = k->group;
        fprintf(out, "  %-16s %s\n", k->name, k->summary);
    }
    fprintf(out, "\n`nepenthe <command> --help` tells its options. Exit codes: 0 done, 1 some units failed, 64 usage,\n"
                 "65 malformed input, 66 input missing, 69 device, 70 internal, 71 memory, 73/74 output, 75 checkpointed,\n"
                 "77 permission, 78 study file, 130/143 interrupted; `nepenthe explain CODE` tells more.\n");
}

static void option_line(const cli_option *o, FILE *out)
{
    char left[96];
    snprintf(left, sizeof left, "%c%c%s --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
             o->meta ? " " : "", o->meta ? o->meta : "");
    fprintf(out, "  %-34s %s", left, o->help);
    if (o->type == CLI_CHOICE)
        fprintf(out, "; one of %s", o->choices);
    if (o->type == CLI_TEXTS || o->type == CLI_INPUTS)
        fprintf(out, "; repeat it or separate by commas");
    if (o->initial)
        fprintf(out, " (default %s)", o->initial);
    fputc('\n', out);
}

void cli_help_command(const cli_command *k, FILE *out)
{
    fprintf(out, "usage: nepenthe %s%s%s [options]\n\n%s\n\noptions\n", k->name, k->inputs[0] ? " " : "", k->inputs, k->summary);
    for (int i = 0; i < k->n_options; i++)
        option_line(&k->options[i], out);
    fprintf(out, "\noptions of every command\n");
    for (int i = 0; i < cli_global_count; i++)
        option_line(&cli_global_options[i], out);
    if (k->example)
        fprintf(out, "\nexample\n  %s\n", k->example);
}

void cli_help_markdown(FILE *out)
{
    fprintf(out, "# Commands\n\nMade by `nepenthe completion markdown` from the option tables.\n");
    for (int i = 0; cli_commands[i]; i++) {
        fprintf(out, "\n## %s\n\n```\n", cli_commands[i]->name);
        cli_help_command(cli_commands[i], out);
        fprintf(out, "```\n");
    }
}

static void man_text(const char *text, FILE *out)
{
    for (const char *p = text; *p; p++) {
        if (*p == '-' || *p == '\\')
            fputc('\\', out);
        fputc(*p, out);
    }
}

void cli_help_man(FILE *out)
{
    fprintf(out, ".TH NEPENTHE 1 \"\" \"nepenthe %s\" \"User Commands\"\n.SH NAME\nnepenthe \\- rank drug candidates for disorders of "
                 "the nervous system\n.SH SYNOPSIS\n.B nepenthe\n.I command\n[options] inputs\n.SH COMMANDS\n",
            NEP_VERSION);
    for (int i = 0; cli_commands[i]; i++) {
        const cli_command *k = cli_commands[i];
        fprintf(out, ".SS %s %s\n", k->name, k->inputs);
        man_text(k->summary, out);
        fputc('\n', out);
        for (int j = 0; j < k->n_options; j++) {
            fprintf(out, ".TP\n.B \\-\\-%s %s\n", k->options[j].name, k->options[j].meta ? k->options[j].meta : "");
            man_text(k->options[j].help, out);
            fputc('\n', out);
        }
    }
    fprintf(out, ".SH OPTIONS OF EVERY COMMAND\n");
    for (int j = 0; j < cli_global_count; j++) {
        fprintf(out, ".TP\n.B \\-\\-%s %s\n", cli_global_options[j].name, cli_global_options[j].meta ? cli_global_options[j].meta : "");
        man_text(cli_global_options[j].help, out);
        fputc('\n', out);
    }
}

static void words_of(const cli_command *k, FILE *out)
{
    for (int j = 0; j < cli_option_count(k); j++)
        fprintf(out, " --%s", cli_option_at(k, j)->name);
}

void cli_help_bash(FILE *out)
{
    fprintf(out, "_nepenthe() {\n  local cur=${COMP_WORDS[COMP_CWORD]} words=\n  case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n");
    for (int pass = 0; pass < 2; pass++) /* two-word commands first */
        for (int i = 0; cli_commands[i]; i++)
            if ((strchr(cli_commands[i]->name, ' ') != NULL) == (pass == 0)) {
                fprintf(out, "  \"%s\"%s) words=\"", cli_commands[i]->name, pass == 0 ? "" : "\\ *");
                words_of(cli_commands[i], out);
                fprintf(out, "\" ;;\n");
            }
    fprintf(out, "  esac\n  if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"");
    for (int i = 0; cli_commands[i]; i++)
        fprintf(out, " %.*s", (int)strcspn(cli_commands[i]->name, " "), cli_commands[i]->name);
    fprintf(out, "\"; fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n  [ ${#COMPREPLY[@]} -eq 0 ] && "
                 "COMPREPLY=($(compgen -f -- \"$cur\"))\n}\ncomplete -F _nepenthe nepenthe\n");
}

void cli_help_fish(FILE *out)
{
    for (int i = 0; cli_commands[i]; i++) {
        const cli_command *k = cli_commands[i];
        const int first = (int)strcspn(k->name, " ");
        fprintf(out, "complete -c nepenthe -n __fish_use_subcommand -a '%.*s'\n", first, k->name);
        for (int j = 0; j < cli_option_count(k); j++)
            fprintf(out, "complete -c nepenthe -n '__fish_seen_subcommand_from %.*s' -l %s%s\n", first, k->name,
                    cli_option_at(k, j)->name, cli_option_at(k, j)->type == CLI_FLAG ? "" : " -r");
    }
}
