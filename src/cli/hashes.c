/* SPDX-License-Identifier: Apache-2.0 */
/* hashes - a thread that reads the inputs for the provenance while the command works; it touches no context. */
#include "cli/hashes.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    const char *path;
    bool known;
    nep_hash hash;
} entry;

struct cli_hashes {
    pthread_t thread;
    bool joined;
    atomic_bool stop;
    int n;
    entry list[];
};

static bool go_on(void *user)
{
    cli_hashes *h = user;
    return !atomic_load(&h->stop);
}

/* A pipe must not be read twice. */
static bool is_regular(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static void set_policy(pthread_t thread, int policy)
{
    const struct sched_param none = {0};
    (void)pthread_setschedparam(thread, policy, &none); /* where it cannot be, the hashes take their share */
}

static void *hash_all(void *user)
{
    cli_hashes *h = user;
    for (int i = 0; i < h->n && go_on(h); i++)
        h->list[i].known = is_regular(h->list[i].path) && nep_hash_file_while(h->list[i].path, go_on, h, &h->list[i].hash);
    return NULL;
}

static void join(cli_hashes *h)
{
    if (h->joined)
        return;
    set_policy(h->thread, SCHED_OTHER);
    pthread_join(h->thread, NULL);
    h->joined = true;
}

cli_hashes *cli_hashes_begin(const char *const *paths, int n)
{
    cli_hashes *h = calloc(1, sizeof *h + (size_t)n * sizeof h->list[0]);
    if (!h)
        return NULL;
    h->n = n;
    for (int i = 0; i < n; i++)
        h->list[i].path = paths[i];
    if (pthread_create(&h->thread, NULL, hash_all, h) != 0) {
        free(h);
        return NULL;
    }
    set_policy(h->thread, SCHED_IDLE); /* the command comes first, until it waits for the hashes */
    return h;
}

bool cli_hashes_get(cli_hashes *h, const char *path, nep_hash *out)
{
    if (!h)
        return false;
    join(h);
    for (int i = 0; i < h->n; i++)
        if (h->list[i].known && strcmp(h->list[i].path, path) == 0) {
            *out = h->list[i].hash;
            return true;
        }
    return false;
}

void cli_hashes_end(cli_hashes *h)
{
    if (!h)
        return;
    atomic_store(&h->stop, true);
    join(h);
    free(h);
}
