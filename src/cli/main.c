/* SPDX-License-Identifier: Apache-2.0 */
/* main - finds the command, makes the context, runs, and turns the status into an exit code and a sentence. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cblas.h>
#include <nepenthe/backend.h>
#include <nepenthe/data.h>

#include "cli/state.h"

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void on_log(void *user, nep_log_level level, const char *line)
{
    const cli *c = user;
    static const char *const word[] = {"error: ", "warning: ", "", ""};
    fprintf(stderr, "%s%s%s\n", c->terminal ? "\r\033[K" : "", word[level], line);
}

static void on_progress(void *user, const char *task, int64_t done, int64_t total)
{
    cli *c = user;
    const char *kind = cli_text(c, "progress");
    const double now = seconds_now();
    const bool last = done >= total;
    const bool bar = strcmp(kind, "bar") == 0 || (strcmp(kind, "auto") == 0 && c->terminal);
    if (strcmp(kind, "none") == 0 || cli_flag(c, "quiet"))
        return;
    if (done < 0) {
        c->last_progress = now;
        return;
    }
    if (now - c->last_progress < (bar ? 0.1 : strcmp(kind, "json") == 0 ? 1.0 : 30.0) && !(last && bar))
        return;
    c->last_progress = now;
    const double share = total > 0 ? (double)done / (double)total : 1.0;
    if (strcmp(kind, "json") == 0) {
        fprintf(stderr, "{\"progress\": {\"task\": \"%s\", \"done\": %lld, \"total\": %lld}}\n", task, (long long)done, (long long)total);
    } else if (bar) {
        char marks[31];
        const int filled = (int)(share * 30.0);
        for (int i = 0; i < 30; i++)
            marks[i] = i < filled ? '#' : '.';
        marks[30] = '\0';
        fprintf(stderr, "\r\033[K%s [%s] %3.0f%%%s", task, marks, 100.0 * share, last ? "\r\033[K" : "");
    } else {
        fprintf(stderr, "%s: %lld of %lld (%.0f%%)\n", task, (long long)done, (long long)total, 100.0 * share);
    }
    fflush(stderr);
}

static void on_signal(int number)
{
    if (nep_ctx_interrupt_signal())
        _exit(128 + number); /* asked twice: go at once; temporaries are cleaned by the next run */
    nep_ctx_interrupt_all(number);
}

static void catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* "maps compare" is two words of the command line; *used tells how many. */
static const cli_command *find_command(int argc, char **argv, int *used)
{
    for (int words = argc > 2 ? 2 : 1; words >= 1; words--)
        for (int i = 0; cli_commands[i]; i++) {
            char name[128];
            snprintf(name, sizeof name, words == 2 ? "%.60s %.60s" : "%.60s", argv[1], argc > 2 ? argv[2] : "");
            if (strcmp(cli_commands[i]->name, name) == 0) {
                *used = words;
                return cli_commands[i];
            }
        }
    return NULL;
}

static int unknown_command(const char *word)
{
    const char *names[128];
    int n = 0;
    bool family = false;
    for (int i = 0; cli_commands[i] && n < 128; i++) {
        names[n++] = cli_commands[i]->name;
        const size_t len = strlen(word);
        family = family || (strncmp(cli_commands[i]->name, word, len) == 0 && cli_commands[i]->name[len] == ' ');
    }
    if (family) {
        fprintf(stderr, "nepenthe: '%s' needs a second word:", word);
        for (int i = 0; i < n; i++)
            if (strncmp(names[i], word, strlen(word)) == 0)
                fprintf(stderr, " `%s`", names[i]);
        fputc('\n', stderr);
        return nep_status_exit(NEP_E_USAGE);
    }
    const char *near = nep_data_nearest(word, names, n);
    fprintf(stderr, "nepenthe: unknown command '%s'%s%s%s; see `nepenthe --help`\n", word, near ? "; did you mean '" : "", near ? near : "",
            near ? "'?" : "");
    return nep_status_exit(NEP_E_USAGE);
}

static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static nep_status open_context(cli *c)
{
    const nep_ctx_opts opts = {.threads = (int)cli_int(c, "threads"),
                               .mem_bytes = cli_int(c, "mem-mb") * (1 << 20),
                               .vram_bytes = cli_int(c, "vram-mb") * (1 << 20),
                               .seed = (uint64_t)cli_int(c, "seed"),
                               .level = cli_flag(c, "quiet") ? NEP_LOG_ERROR : cli_flag(c, "verbose") ? NEP_LOG_DEBUG : NEP_LOG_WARN,
                               .log = on_log,
                               .progress = on_progress,
                               .user = c};
    c->terminal = isatty(STDERR_FILENO);
    clock_gettime(CLOCK_MONOTONIC, &c->started);
    return nep_ctx_create(&opts, &c->ctx);
}

/* OpenBLAS starts a thread for each core when it is loaded, and each of them spins for some tens of ms. Ours work side
 * by side, each with OpenBLAS to itself, so these go home; where a BLAS has no such call they stay. */
extern int blas_thread_shutdown_(void) __attribute__((weak));

static void send_blas_threads_home(void)
{
    openblas_set_num_threads(1);
    if (blas_thread_shutdown_)
        blas_thread_shutdown_();
}

/* Where an output will want them, the inputs are hashed beside the command's work. */
static void hash_inputs(cli *c)
{
    if (c->command->inputs_are_files && c->n_inputs > 0 && cli_out(c) && !cli_dry_run(c) && nep_ctx_threads(c->ctx) > 1)
        c->hashes = cli_hashes_begin(c->inputs, c->n_inputs);
}

static int finish(cli *c, nep_status st)
{
    if (st != NEP_OK && !(st == NEP_E_PARTIAL && c->printed)) {
        const char *sentence = c->ctx && nep_ctx_error(c->ctx)[0] ? nep_ctx_error(c->ctx) : nep_status_text(st);
        if (cli_json(c) && !c->printed)
            cli_error_document(c->command->name, st, c->ctx ? nep_ctx_error_file(c->ctx) : "", sentence);
        fprintf(stderr, "nepenthe %s: %s\n", c->command->name, sentence);
    }
    if (st == NEP_OK && (fflush(stdout) != 0 || ferror(stdout)))
        st = NEP_E_IO;
    const int number = nep_ctx_interrupt_signal();
    const int code = st == NEP_E_INTERRUPTED && number ? 128 + number : nep_status_exit(st);
    cli_hashes_end(c->hashes);
    nep_ctx_free(c->ctx);
    cli_values_free(c);
    return code;
}

int main(int argc, char **argv)
{
    send_blas_threads_home();
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        cli_help_program(argc < 2 ? stderr : stdout);
        return argc < 2 ? nep_status_exit(NEP_E_USAGE) : 0;
    }
    static char version[] = "version";
    if (strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    int used = 1;
    const cli_command *command = find_command(argc, argv, &used);
    if (!command)
        return unknown_command(argv[1]);
    cli c = {.command = command};
    char problem[512];
    if (cli_parse(&c, argc - 1 - used, argv + 1 + used, problem, sizeof problem) != NEP_OK) {
        if (wants_json(argc, argv))
            cli_error_document(command->name, NEP_E_USAGE, "", problem);
        fprintf(stderr, "nepenthe %s: %s\n", command->name, problem);
        cli_values_free(&c);
        return nep_status_exit(NEP_E_USAGE);
    }
    if (cli_flag(&c, "help")) {
        cli_help_command(command, stdout);
        cli_values_free(&c);
        return 0;
    }
    catch_signals();
    nep_status st = open_context(&c);
    if (st == NEP_OK)
        st = nep_backend_choose(c.ctx, cli_text(&c, "device"));
    if (st == NEP_OK) {
        hash_inputs(&c);
        st = command->run(&c);
    }
    return finish(&c, st);
}
