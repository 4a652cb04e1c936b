/* SPDX-License-Identifier: Apache-2.0 */
/* life - of something that others keep copies of. */
#include "core/life.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void nep_life_lock(void)
{
    pthread_mutex_lock(&lock);
}

void nep_life_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void nep_life_watch(nep_life *life, nep_watch *w)
{
    w->next = life->first;
    w->at = &life->first;
    if (w->next)
        w->next->at = &w->next;
    life->first = w;
}

void nep_life_leave(nep_watch *w)
{
    *w->at = w->next;
    if (w->next)
        w->next->at = w->at;
    w->next = NULL;
    w->at = NULL;
}

void nep_life_end(nep_life *life)
{
    nep_life_lock();
    while (life->first) {
        nep_watch *w = life->first;
        nep_life_leave(w);
        w->ended(w);
    }
    nep_life_unlock();
}
