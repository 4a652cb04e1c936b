/* SPDX-License-Identifier: Apache-2.0 */
/* files - a folder of its own for each test program of the io room, and files with given bytes in it. */
#ifndef NEP_TESTS_IO_FILES_H
#define NEP_TESTS_IO_FILES_H

#include "support.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nepenthe/io.h>

static char test_folder[256];

static inline const char *test_path(const char *name)
{
    static char path[64][600];
    static int next;
    if (!test_folder[0]) {
        const char *tmp = getenv("TMPDIR");
        snprintf(test_folder, sizeof test_folder, "%s/nepenthe-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
        if (!mkdtemp(test_folder))
            abort();
    }
    next = (next + 1) % 64;
    snprintf(path[next], sizeof path[next], "%s/%s", test_folder, name);
    return path[next];
}

static inline const char *test_write(const char *name, const void *bytes, size_t n)
{
    const char *path = test_path(name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
        abort();
    return path;
}

static inline const char *test_text(const char *name, const char *text)
{
    return test_write(name, text, strlen(text));
}

static inline int test_clean(void **state)
{
    (void)state;
    DIR *d = test_folder[0] ? opendir(test_folder) : NULL;
    if (!d)
        return 0;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.')
            unlink(test_path(e->d_name));
    closedir(d);
    rmdir(test_folder);
    return 0;
}

/* The call fails with this status and its sentence holds these words. */
#define assert_refused(ctx, expr, status, words)                                                             \
    do {                                                                                                     \
        nep_ctx_clear(ctx);                                                                                  \
        const nep_status test_st_ = (expr);                                                                  \
        if (test_st_ != (status) || !strstr(nep_ctx_error(ctx), (words)))                                    \
            fail_msg("%s: %s (want %s): '%s' should hold '%s'", #expr, nep_status_symbol(test_st_),          \
                     nep_status_symbol(status), nep_ctx_error(ctx), (words));                                \
    } while (0)

#endif
