/* SPDX-License-Identifier: Apache-2.0 */
/* life - of something that others keep copies of: whoever keeps one is told when it ends. It is part of that thing and begins as zeros.
 *
 * One lock for all of them: what a life and a keeper hold of each other is looked at and changed under it alone. */
#ifndef NEP_CORE_LIFE_H
#define NEP_CORE_LIFE_H

#include <nepenthe/core.h>

/* A keeper's part; `ended` runs under the lock, when the watch is over. */
typedef struct nep_watch {
    struct nep_watch *next, **at;
    void (*ended)(struct nep_watch *self);
} nep_watch;

struct nep_life {
    nep_watch *first;
};

void nep_life_lock(void);
void nep_life_unlock(void);
/* Under the lock: begins a watch, and ends one that has not been told of the end. */
void nep_life_watch(nep_life *life, nep_watch *w);
void nep_life_leave(nep_watch *w);
/* Tells all that watch. Takes the lock. */
void nep_life_end(nep_life *life);

#endif
