/* SPDX-License-Identifier: Apache-2.0 */
/* permute_shuffle - which shuffles of rows and signs the design and its blocks allow, their number, and each by its number.
 *
 * What changes places is a slot: a row, or a whole block. Slots whose rows of the basis are alike share a kind: exchanging them is no
 * other shuffle. When all are used, shuffle b is unranked from b, so that any of them can be made at any time; drawn ones come
 * from a counter (Philox). */
#include "imaging/permute_parts.h"

#include <math.h>
#include <string.h>

#define ALIKE 1e-9 /* entries of unit vectors */
#define MOST  1e300
#define SIGN_INDEX ((uint64_t)1 << 40) /* random numbers of signs, past those of the permutation */

void nep_permute_scheme_free(nep_permute_scheme *s)
{
    void *const parts[] = {s->row, s->pool, s->member, s->first, s->kind, s->like, s->empty, s->ways, s->order, s->left, s->next};
    for (int i = 0; i < NEP_LEN(parts); i++)
        nep_alloc_free(parts[i]);
    *s = (nep_permute_scheme){0};
}

/* ---- slots and pools ---- */

/* Numbers the blocks in order of appearance, number [n]; returns how many. */
static int64_t number_blocks(const int32_t *block, int64_t n, int32_t *number)
{
    int64_t blocks = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t j = 0;
        while (block[j] != block[i])
            j++;
        number[i] = j < i ? number[j] : (int32_t)blocks++;
    }
    return blocks;
}

static nep_status fill_slots(nep_ctx *ctx, const nep_permute_model *m, const int32_t *number, nep_permute_scheme *s)
{
    const bool whole = m->block && m->whole;
    int32_t *have = s->order; /* rows of a slot so far */
    memset(have, 0, (size_t)s->n * sizeof *have);
    for (int64_t i = 0; i < s->n; i++) {
        const int64_t slot = whole ? number[i] : i;
        NEP_REQUIRE(ctx, have[slot] < s->each, NEP_E_ARG,
                    "permute: blocks that are exchanged whole must be of one size; block %d has more than %lld rows, the first block has %lld",
                    (int)m->block[i], (long long)s->each, (long long)s->each);
        s->row[slot * s->each + have[slot]++] = (int32_t)i;
        s->pool[slot] = !s->exchange ? (int32_t)slot : m->block && !whole ? number[i] : 0;
    }
    for (int64_t slot = 0; slot < s->slots; slot++)
        NEP_REQUIRE(ctx, have[slot] == s->each, NEP_E_ARG,
                    "permute: blocks that are exchanged whole must be of one size; block %d has %d rows, the first block has %lld",
                    (int)m->block[s->row[slot * s->each]], (int)have[slot], (long long)s->each);
    return NEP_OK;
}

static void fill_members(nep_permute_scheme *s)
{
    for (int64_t i = 0; i < s->slots; i++)
        s->first[s->pool[i] + 1]++;
    for (int64_t q = 0; q < s->pools; q++)
        s->first[q + 1] += s->first[q];
    memcpy(s->left, s->first, (size_t)s->pools * sizeof *s->left);
    for (int64_t i = 0; i < s->slots; i++)
        s->member[s->left[s->pool[i]]++] = (int32_t)i;
}

/* Largest difference between the basis rows of two slots, or of one from zero (other < 0). */
static bool alike(const nep_permute_scheme *s, const nep_permute_basis *b, int64_t slot, int64_t other)
{
    for (int64_t e = 0; e < s->each; e++)
        for (int64_t c = 0; c < b->r + b->k; c++) {
            const double x = b->basis[c * s->n + s->row[slot * s->each + e]];
            const double y = other < 0 ? 0.0 : b->basis[c * s->n + s->row[other * s->each + e]];
            if (fabs(x - y) > ALIKE)
                return false;
        }
    return true;
}

/* Kinds are numbered pool by pool. */
static void number_kinds(const nep_permute_basis *b, nep_permute_scheme *s)
{
    for (int64_t q = 0; q < s->pools; q++) {
        const int64_t start = s->kinds;
        for (int32_t at = s->first[q]; at < s->first[q + 1]; at++) {
            const int32_t slot = s->member[at];
            int64_t kind = start;
            while (kind < s->kinds && !alike(s, b, slot, s->like[kind]))
                kind++;
            if (kind == s->kinds) {
                s->like[kind] = slot;
                s->empty[kind] = alike(s, b, slot, -1);
                s->kinds++;
            }
            s->kind[slot] = (int32_t)kind;
            s->filled += !s->empty[kind];
        }
    }
}

/* ---- how many ---- */

/* Distinct arrangements of a pool: n! / prod(m_i!), as a product of whole numbers. */
static double arrangements(const nep_permute_scheme *s, int64_t q)
{
    double total = 1.0;
    for (int32_t at = s->first[q]; at < s->first[q + 1]; at++) {
        int32_t same = 0;
        for (int32_t j = s->first[q]; j <= at; j++)
            same += s->kind[s->member[j]] == s->kind[s->member[at]];
        total = fmin(total * (double)(at - s->first[q] + 1) / (double)same, MOST);
    }
    return total;
}

static nep_status count(nep_ctx *ctx, const nep_permute_model *m, int64_t n_perm, nep_permute_scheme *s)
{
    s->possible = 1.0;
    for (int64_t q = 0; q < s->pools; q++) {
        const double ways = arrangements(s, q);
        s->possible = fmin(s->possible * ways, MOST);
        s->ways[q] = ways <= (double)n_perm ? (int64_t)(ways + 0.5) : 0;
    }
    if (s->signs)
        s->possible = fmin(s->possible * pow(2.0, fmin((double)s->filled, 900.0)), MOST);
    s->all = s->possible <= (double)n_perm;
    s->count = s->all ? (int64_t)(s->possible + 0.5) : n_perm;
    NEP_REQUIRE(ctx, s->possible > 1.0 || n_perm == 0, NEP_E_ARG,
                "permute: %s allow one arrangement of contrast '%s' only, so that every p would be 1; %s",
                m->block ? "the blocks" : "exchanges of rows", m->contrast,
                m->block ? "give blocks between or within which its columns vary, or flip signs"
                         : "its columns are alike in all rows: flip signs instead");
    if (n_perm > 0 && s->possible < 20.0)
        nep_warn(ctx, "permute: contrast '%s' has %g distinct shuffles: no p can be below %.3g", m->contrast, s->possible,
                 1.0 / s->possible);
    return NEP_OK;
}

/* ---- the scheme ---- */

/* Whether the nuisance holds the constant. */
static bool holds_mean(const nep_permute_basis *b)
{
    double inside = 0.0;
    for (int64_t j = 0; j < b->z; j++) {
        double sum = 0.0;
        for (int64_t i = 0; i < b->n; i++)
            sum += b->nuisance[j * b->n + i];
        inside += sum * sum / (double)b->n;
    }
    return inside > 1.0 - 1e-10;
}

static nep_status make_room(nep_ctx *ctx, nep_permute_scheme *s)
{
    const int64_t n = s->n;
    NEP_TRY(nep_alloc(ctx, n, sizeof *s->row, "permute: scheme", &s->row));
    NEP_TRY(nep_alloc(ctx, n, sizeof *s->pool, "permute: scheme", &s->pool));
    NEP_TRY(nep_alloc(ctx, n, sizeof *s->member, "permute: scheme", &s->member));
    NEP_TRY(nep_alloc(ctx, n + 1, sizeof *s->first, "permute: scheme", &s->first));
    NEP_TRY(nep_alloc(ctx, n, sizeof *s->kind, "permute: scheme", &s->kind));
    NEP_TRY(nep_alloc(ctx, n, sizeof *s->like, "permute: scheme", &s->like));
    NEP_TRY(nep_alloc(ctx, n, sizeof *s->empty, "permute: scheme", &s->empty));
    NEP_TRY(nep_alloc(ctx, n, sizeof *s->ways, "permute: scheme", &s->ways));
    NEP_TRY(nep_alloc(ctx, n, sizeof *s->order, "permute: scheme", &s->order));
    NEP_TRY(nep_alloc(ctx, n, sizeof *s->left, "permute: scheme", &s->left));
    return nep_alloc(ctx, n, sizeof *s->next, "permute: scheme", &s->next);
}

/* Rows that exchanges bring to one another: all, those of a block, or those at one place of their blocks. */
static nep_status reduce(nep_ctx *ctx, const nep_permute_scheme *s, nep_permute_basis *b, int32_t *orbit)
{
    if (s->signs)
        return nep_permute_basis_reduce(ctx, NULL, 0, b);
    for (int64_t slot = 0; slot < s->slots; slot++)
        for (int64_t e = 0; e < s->each; e++)
            orbit[s->row[slot * s->each + e]] = (int32_t)(s->pool[slot] * s->each + e);
    return nep_permute_basis_reduce(ctx, orbit, s->pools * s->each, b);
}

nep_status nep_permute_scheme_make(nep_ctx *ctx, const nep_permute_model *m, int64_t n_perm, uint64_t stream, nep_permute_basis *b,
                                   nep_permute_scheme *out)
{
    nep_permute_scheme s = {.n = m->n, .slots = m->n, .each = 1, .pools = 1, .seed = nep_ctx_seed(ctx), .stream = stream};
    int32_t *number = NULL;
    int64_t blocks = 0;
    nep_status st;
    NEP_REQUIRE(ctx, n_perm >= 0 && n_perm <= INT32_MAX, NEP_E_ARG, "permute: %lld permutations; 0 to %d are possible", (long long)n_perm,
                INT32_MAX);
    s.signs = m->shuffle == NEP_PERMUTE_AUTO ? !holds_mean(b) : m->shuffle != NEP_PERMUTE_ROWS;
    s.exchange = m->shuffle == NEP_PERMUTE_AUTO ? !s.signs : m->shuffle != NEP_PERMUTE_SIGNS;
    NEP_TRY_OR_DONE(st, make_room(ctx, &s));
    NEP_TRY_OR_DONE(st, nep_alloc(ctx, s.n, sizeof *number, "permute: blocks", &number));
    if (m->block)
        blocks = number_blocks(m->block, s.n, number);
    if (m->block && m->whole) {
        s.slots = blocks;
        s.each = 0;
        for (int64_t i = 0; i < s.n; i++)
            s.each += number[i] == 0;
    }
    s.pools = !s.exchange ? s.slots : m->block && !m->whole ? blocks : 1;
    NEP_REQUIRE_OR_DONE(st, ctx, s.slots * s.each <= s.n, NEP_E_ARG,
                        "permute: blocks that are exchanged whole must be of one size; the first block has %lld rows, others have fewer",
                        (long long)s.each);
    NEP_TRY_OR_DONE(st, fill_slots(ctx, m, number, &s));
    fill_members(&s);
    NEP_TRY_OR_DONE(st, reduce(ctx, &s, b, number));
    number_kinds(b, &s);
    NEP_TRY_OR_DONE(st, count(ctx, m, n_perm, &s));
    *out = s;
    s = (nep_permute_scheme){0};
done:
    nep_alloc_free(number);
    nep_permute_scheme_free(&s);
    return st;
}

/* ---- one shuffle ---- */

/* Arrangement `index` of a pool's kinds, in lexicographic order of their numbers. */
static void unrank(nep_permute_scheme *s, int64_t q, int64_t index)
{
    const int32_t first = s->first[q], end = s->first[q + 1];
    int64_t ways = s->ways[q];
    memset(s->left, 0, (size_t)s->kinds * sizeof *s->left);
    for (int32_t at = first; at < end; at++)
        s->left[s->kind[s->member[at]]]++;
    for (int32_t at = first; at < end; at++) {
        int64_t kind = s->kind[s->member[first]], part = 0; /* the pool's first kind */
        for (;; kind++) {
            part = ways * s->left[kind] / (end - at);
            if (index < part)
                break;
            index -= part;
        }
        ways = part;
        s->left[kind]--;
        s->order[s->member[at]] = s->like[kind];
    }
}

/* A random arrangement of every pool: its slots in the order a permutation of all has them in. */
static void draw(nep_permute_scheme *s, int64_t number)
{
    int32_t *const drawn = s->left;
    nep_philox_permutation(s->seed, s->stream + (uint64_t)number, s->slots, drawn);
    memcpy(s->next, s->first, (size_t)s->pools * sizeof *s->next);
    for (int64_t i = 0; i < s->slots; i++)
        s->order[s->member[s->next[s->pool[drawn[i]]]++]] = drawn[i];
}

static bool flips(const nep_permute_scheme *s, int64_t number, int64_t slot, int64_t place, int64_t index)
{
    if (!s->all) {
        const uint32_t bits = nep_philox_u32(s->seed, s->stream + (uint64_t)number, SIGN_INDEX + (uint64_t)(slot / 32));
        return bits >> (slot % 32) & 1;
    }
    return place >= 0 && (index >> place & 1);
}

void nep_permute_scheme_apply(nep_permute_scheme *s, const nep_permute_basis *b, int64_t number, double *out)
{
    int64_t index = number, place = 0;
    for (int64_t i = 0; i < s->slots; i++)
        s->order[i] = (int32_t)i;
    for (int64_t q = 0; s->all && q < s->pools; q++) {
        unrank(s, q, index % s->ways[q]);
        index /= s->ways[q];
    }
    if (!s->all && s->exchange)
        draw(s, number);
    for (int64_t i = 0; i < s->slots; i++) {
        const int64_t from = s->order[i];
        const bool filled = s->all && !s->empty[s->kind[from]];
        const double sign = s->signs && flips(s, number, i, filled ? place : -1, index) ? -1.0 : 1.0;
        place += filled;
        for (int64_t c = 0; c < b->r + b->k; c++)
            for (int64_t e = 0; e < s->each; e++)
                out[c * s->n + s->row[i * s->each + e]] = sign * b->basis[c * s->n + s->row[from * s->each + e]];
    }
}
