/* SPDX-License-Identifier: Apache-2.0 */
/* spawn - runs another nepenthe command as a person would type it, and finds what the program ships. */
#include "cli/spawn.h"

#include <errno.h>
#include <libgen.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MAX_WORDS = 128 };

static void pass_on(cli *c, const char **argv, int *n)
{
    static const char *const valued[] = {"device", "threads", "seed", "mem-mb"};
    static const char *const flag[] = {"--device", "--threads", "--seed", "--mem-mb"};
    for (int i = 0; i < NEP_LEN(valued); i++)
        if (cli_given(c, valued[i])) {
            argv[(*n)++] = flag[i];
            argv[(*n)++] = cli_text(c, valued[i]);
        }
    if (cli_flag(c, "quiet"))
        argv[(*n)++] = "--quiet";
}

nep_status cli_spawn(cli *c, const char *const *words, int allowed)
{
    nep_ctx *ctx = cli_ctx(c);
    const char *argv[MAX_WORDS];
    char self[4096], line[2048] = "nepenthe";
    int n = 0, outcome = 0;
    pid_t child;
    NEP_TRY(nep_ctx_check(ctx));
    const ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    NEP_REQUIRE(ctx, len > 0, NEP_E_IO, "the program's own path cannot be read (%s)", strerror(errno));
    self[len] = '\0';
    argv[n++] = self;
    for (int i = 0; words[i]; i++) {
        NEP_REQUIRE(ctx, n < MAX_WORDS - 12, NEP_E_INTERNAL, "a command line of more than %d words", MAX_WORDS - 12);
        argv[n++] = words[i];
        const size_t used = strlen(line);
        snprintf(line + used, sizeof line - used, " %s", words[i]);
    }
    pass_on(c, argv, &n);
    argv[n] = NULL;
    cli_say(c, "$ %s", line);
    NEP_REQUIRE(ctx, posix_spawn(&child, self, NULL, NULL, (char *const *)(uintptr_t)argv, environ) == 0, NEP_E_IO,
                "`%s` cannot be started (%s)", line, strerror(errno));
    while (waitpid(child, &outcome, 0) < 0)
        NEP_REQUIRE(ctx, errno == EINTR, NEP_E_IO, "`%s` was lost (%s)", line, strerror(errno));
    NEP_TRY(nep_ctx_check(ctx));
    const int code = WIFEXITED(outcome) ? WEXITSTATUS(outcome) : 128;
    if (code == 0 || (allowed && code == allowed))
        return NEP_OK;
    for (int i = 0; i < NEP_STATUS_COUNT; i++)
        if (nep_status_exit((nep_status)i) == code)
            return nep_ctx_fail(ctx, (nep_status)i, "`%s` ended with exit code %d; its own sentence stands above", line, code);
    return nep_ctx_fail(ctx, NEP_E_INTERNAL, "`%s` ended with exit code %d", line, code);
}

nep_status cli_data_folder(cli *c, char *out, size_t size)
{
    nep_ctx *ctx = cli_ctx(c);
    static const char *const places[] = {"../share/nepenthe/data", "../data", "data"};
    char self[4096], probe[8192];
    const ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    NEP_REQUIRE(ctx, len > 0, NEP_E_IO, "the program's own path cannot be read (%s)", strerror(errno));
    self[len] = '\0';
    const char *folder = dirname(self);
    for (int i = 0; i < NEP_LEN(places); i++) {
        snprintf(probe, sizeof probe, "%s/%s/geometry_schematic.tsv", folder, places[i]);
        if (nep_file_exists(probe)) {
            NEP_REQUIRE(ctx, snprintf(out, size, "%s/%s", folder, places[i]) < (int)size, NEP_E_INTERNAL, "the data folder's path is too long");
            return NEP_OK;
        }
    }
    return nep_ctx_fail(ctx, NEP_E_MISSING, "the tables that come with the program (geometry_schematic.tsv) lie neither in "
                                            "../share/nepenthe/data nor in ../data beside it; install them with `cmake --install`");
}
