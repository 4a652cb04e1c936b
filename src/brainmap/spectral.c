/* SPDX-License-Identifier: Apache-2.0 */
/* spectral - what surrogates made of eigenvectors share: a map's coefficients, and random orthogonal maps of
 * them that stay within groups. */
#include "nulls.h"

#include <string.h>

#include <nepenthe/math/philox.h>

void nep_spectral_coefficients(const nep_nulls *nulls, const double *map, double *coef, double *base)
{
    double sum[NULLS_MAX_BLOCKS] = {0.0};
    int64_t count[NULLS_MAX_BLOCKS] = {0};
    for (int64_t i = 0; i < nulls->n; i++) {
        sum[nulls->block[i]] += map[i];
        count[nulls->block[i]]++;
    }
    for (int64_t i = 0; i < nulls->n; i++)
        base[i] = sum[nulls->block[i]] / (double)count[nulls->block[i]];
    for (int64_t k = 0; k < nulls->n_vectors; k++) {
        const double *v = nulls->vectors + k * nulls->n;
        double dot = 0.0;
        for (int64_t i = 0; i < nulls->n; i++)
            dot += v[i] * (map[i] - base[i]);
        coef[k] = dot;
    }
}

void nep_spectral_rest(const nep_nulls *nulls, const double *map, const double *coef, const double *base, double *rest)
{
    for (int64_t i = 0; i < nulls->n; i++)
        rest[i] = map[i] - base[i];
    for (int64_t k = 0; k < nulls->n_vectors; k++) {
        const double *v = nulls->vectors + k * nulls->n, c = coef[k];
#pragma omp simd
        for (int64_t i = 0; i < nulls->n; i++)
            rest[i] -= c * v[i];
    }
}

void nep_spectral_shuffle(const nep_nulls *nulls, uint64_t stream, int64_t b, int32_t *index, int32_t *work)
{
    enum { NUMBERS = NULLS_SHUFFLED }; /* the second half of a surrogate's numbers: rotations take the first */
    for (int32_t block = 0; block < nulls->n_blocks; block++) {
        int64_t m = 0;
        for (int64_t i = 0; i < nulls->n; i++)
            if (nulls->block[i] == block)
                work[m++] = (int32_t)i;
        for (int64_t i = 0; i < m; i++)
            index[work[i]] = work[i];
        for (int64_t i = m - 1; i > 0; i--) {
            const double u = nep_philox_uniform(nulls->seed, stream, nulls_index(b, NUMBERS + work[i]));
            const int64_t j = (int64_t)(u * (double)(i + 1));
            const int32_t kept = index[work[i]];
            index[work[i]] = index[work[j]];
            index[work[j]] = kept;
        }
    }
}

/* Products of reflections on normal vectors of m, m - 1, ..., 2 entries and a diagonal of signs are uniform over
 * O(m) (Stewart 1980); one row's sign then makes it SO(m). */
int64_t nep_spectral_rotation(uint64_t seed, uint64_t stream, int64_t b, int64_t first, int64_t m, double *out)
{
    double v[NULLS_MAX_GROUP], sign[NULLS_MAX_GROUP];
    bool odd = false; /* the determinant is negative */
    int64_t j = first;
    memset(out, 0, (size_t)(m * m) * sizeof *out);
    for (int64_t i = 0; i < m; i++)
        out[i * m + i] = 1.0;
    for (int64_t at = 0; at + 1 < m; at++) {
        double norm = 0.0, square = 0.0;
        for (int64_t i = at; i < m; i++) {
            v[i] = nep_philox_gauss(seed, stream, nulls_index(b, j++));
            norm += v[i] * v[i];
        }
        sign[at] = v[at] < 0.0 ? 1.0 : -1.0;
        v[at] -= sign[at] * sqrt(norm);
        for (int64_t i = at; i < m; i++)
            square += v[i] * v[i];
        for (int64_t r = 0; r < m; r++) { /* out = out (1 - 2 v v' / v'v) */
            double dot = 0.0;
            for (int64_t i = at; i < m; i++)
                dot += out[r * m + i] * v[i];
            for (int64_t i = at; i < m; i++)
                out[r * m + i] -= 2.0 * dot / square * v[i];
        }
        odd ^= sign[at] > 0.0; /* a reflection has determinant -1, and so has a negative sign */
    }
    sign[m - 1] = nep_philox_gauss(seed, stream, nulls_index(b, j++)) < 0.0 ? -1.0 : 1.0;
    odd ^= sign[m - 1] < 0.0;
    for (int64_t r = 0; r < m; r++)
        for (int64_t i = 0; i < m; i++)
            out[r * m + i] *= m > 1 && odd && i == m - 1 ? -sign[i] : sign[i];
    return j - first;
}

static int64_t size_of(const nep_nulls *nulls, int64_t g)
{
    return nulls->group ? nulls->group[g] : 1;
}

static int64_t cells_of(const nep_nulls *nulls)
{
    int64_t cells = 0;
    for (int64_t g = 0; g < nulls->n_groups; g++)
        cells += size_of(nulls, g) * size_of(nulls, g);
    return cells;
}

int64_t nep_spectral_size(const nep_nulls *nulls)
{
    return cells_of(nulls) + nulls->n_vectors; /* the order stands behind the matrices */
}

/* cell = P' R P: the mate's rotation as its mirror image does it. */
static void mirror(const double *p, const double *r, int64_t m, double *cell)
{
    double half[NULLS_MAX_GROUP];
    for (int64_t i = 0; i < m; i++) {
        for (int64_t k = 0; k < m; k++) {
            half[k] = 0.0;
            for (int64_t l = 0; l < m; l++)
                half[k] += p[l * m + i] * r[l * m + k];
        }
        for (int64_t j = 0; j < m; j++) {
            cell[i * m + j] = 0.0;
            for (int64_t k = 0; k < m; k++)
                cell[i * m + j] += half[k] * p[k * m + j];
        }
    }
}

/* Which vectors share a group: as they stand, or (pairs) drawn anew for each surrogate. Returns numbers taken. */
static int64_t order_of(const nep_nulls *nulls, uint64_t stream, int64_t b, int32_t *order)
{
    const int64_t k = nulls->n_vectors;
    for (int64_t i = 0; i < k; i++)
        order[i] = (int32_t)i;
    if (nulls->kind != NEP_NULLS_MORAN_PAIR)
        return 0;
    for (int64_t i = k - 1; i > 0; i--) {
        const double u = nep_philox_uniform(nulls->seed, stream, nulls_index(b, i));
        const int64_t j = (int64_t)(u * (double)(i + 1));
        const int32_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    return k;
}

/* A sign for each vector of a group, vector `first` and those behind it. */
static void sign_matrix(const nep_nulls *nulls, uint64_t stream, int64_t b, int64_t first, int64_t m, double *cell)
{
    double sign[NULLS_MAX_GROUP];
    nep_moran_signs(nulls, stream, b, first, m, sign);
    memset(cell, 0, (size_t)(m * m) * sizeof *cell);
    for (int64_t i = 0; i < m; i++)
        cell[i * m + i] = sign[i];
}

void nep_spectral_turn(const nep_nulls *nulls, uint64_t stream, int64_t b, double *turning)
{
    int32_t *order = (int32_t *)(void *)(turning + cells_of(nulls));
    int64_t number = order_of(nulls, stream, b, order);
    if (!nulls->group) {
        nep_moran_signs(nulls, stream, b, 0, nulls->n_vectors, turning);
        return;
    }
    const bool signs = nulls->kind == NEP_NULLS_MORAN || nulls->kind == NEP_NULLS_MORAN_COMPARTMENT;
    for (int64_t g = 0, at = 0, first = 0; g < nulls->n_groups; g++) {
        const int64_t m = size_of(nulls, g), mate = nulls->mate ? nulls->mate[g] : -1;
        if (mate < 0 && signs) {
            sign_matrix(nulls, stream, b, first, m, turning + at);
        } else if (mate < 0) {
            number += nep_spectral_rotation(nulls->seed, stream, b, number, m, turning + at);
        } else {
            int64_t from = 0;
            for (int64_t h = 0; h < mate; h++)
                from += size_of(nulls, h) * size_of(nulls, h);
            mirror(nulls->match + at, turning + from, m, turning + at);
        }
        at += m * m;
        first += m;
    }
}

void nep_spectral_apply(const nep_nulls *nulls, const double *turning, const double *coef, double *out)
{
    if (!nulls->group) {
        for (int64_t k = 0; k < nulls->n_vectors; k++)
            out[k] = turning[k] * coef[k];
        return;
    }
    const int32_t *order = (const int32_t *)(const void *)(turning + cells_of(nulls));
    for (int64_t g = 0, at = 0; g < nulls->n_groups; g++) {
        const int64_t m = size_of(nulls, g);
        for (int64_t i = 0; i < m; i++) {
            double sum = 0.0;
            for (int64_t j = 0; j < m; j++)
                sum += turning[i * m + j] * coef[order[at + j]];
            out[order[at + i]] = sum;
        }
        turning += m * m;
        at += m;
    }
}
