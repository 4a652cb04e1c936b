/* SPDX-License-Identifier: Apache-2.0 */
/* radiomics_mesh - the surface half-way between the region's voxels and the others: its volume and its area.
 *
 * Each cube of eight voxel centres is cut half-way along its edges. On a face with two opposite corners
 * inside, the inside corners are kept apart on both sides of it, so that the surface is closed. A patch that
 * is not flat is fanned from the vertex that makes it convex around the fewer corners, inside or outside.
 *
 * PyRadiomics 3 (doi:10.1158/0008-5472.CAN-17-0339) does otherwise: it swaps inside and outside where corner
 * (0, 1, 1) is inside, so that the surface can have holes, and cuts patches that are not flat in the way of
 * the table of Lorensen & Cline's followers. That is a definition here. */
#include "imaging/radiomics_parts.h"

#include <string.h>

enum { EDGES = 12, MOST_CORNERS = 12, FACES = 6 };

/* Corner k lies at (k & 1, k >> 1 & 1, k >> 2). Edges run between corners that differ in one bit. */
typedef struct {
    int from[EDGES], to[EDGES];
    int of[8][8];       /* edge between two corners */
    int face[FACES][4]; /* corners counter-clockwise, seen from outside */
} cube;

static cube make_cube(void)
{
    cube q = {0};
    int n = 0;
    for (int a = 0; a < 8; a++)
        for (int bit = 1; bit < 8; bit *= 2)
            if (!(a & bit)) {
                q.from[n] = a;
                q.to[n] = a | bit;
                q.of[a][a | bit] = q.of[a | bit][a] = n++;
            }
    for (int axis = 0; axis < 3; axis++)
        for (int far = 0; far < 2; far++) {
            const int base = far << axis, u = 1 << (axis + 1) % 3, v = 1 << (axis + 2) % 3;
            const int round[4] = {base, base | u, base | u | v, base | v};
            for (int k = 0; k < 4; k++)
                q.face[2 * axis + far][k] = far ? round[k] : round[3 - k];
        }
    return q;
}

/* For each cut edge the next one around the surface; -1 elsewhere. On every face an inside stretch of its
 * boundary is entered at one edge and left at another: these two are joined. */
static void join(const cube *q, int inside, int next[EDGES])
{
    for (int e = 0; e < EDGES; e++)
        next[e] = -1;
    for (int f = 0; f < FACES; f++)
        for (int k = 0; k < 4; k++) {
            const int a = q->face[f][k], b = q->face[f][(k + 1) % 4];
            int c = b, d = 0;
            if (inside >> a & 1 || !(inside >> b & 1))
                continue; /* not an entry */
            for (int m = k + 2;; m++) {
                d = q->face[f][m % 4];
                if (!(inside >> d & 1))
                    break;
                c = d;
            }
            next[q->of[a][b]] = q->of[c][d];
        }
}

static void place(const cube *q, int edge, const double mm[3], double p[3])
{
    for (int a = 0; a < 3; a++)
        p[a] = mm[a] * 0.5 * (double)((q->from[edge] >> a & 1) + (q->to[edge] >> a & 1));
}

/* Twice the area vector of a triangle. */
static void cross(const double a[3], const double b[3], const double c[3], double out[3])
{
    for (int i = 0; i < 3; i++) {
        const int j = (i + 1) % 3, k = (i + 2) % 3;
        out[i] = (b[j] - a[j]) * (c[k] - a[k]) - (b[k] - a[k]) * (c[j] - a[j]);
    }
}

/* Area of a fan, three times the volume between it and the corner of the cube, positive outwards, and its
 * area vector. */
typedef struct {
    double area, flux, vector[3];
} patch;

static patch fan(double p[][3], int n, int first)
{
    patch out = {0};
    for (int k = 1; k + 1 < n; k++) {
        const double *a = p[first], *b = p[(first + k) % n], *c = p[(first + k + 1) % n];
        double v[3];
        cross(a, b, c, v);
        out.area += sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) / 2;
        for (int i = 0; i < 3; i++) {
            out.vector[i] += v[i] / 2;
            out.flux += a[i] * v[i] / 2;
        }
    }
    return out;
}

/* PyRadiomics' cuts: in cubes with these corners inside (bit k: corner k) the one patch of five edges or more
 * loses its vertices on these edges ('a' is edge 0) one after the other, each with the triangle between its
 * neighbours, down to three. */
static const struct {
    int inside;
    const char *clipped;
} peer_cuts[] = {{0x07, "fd"},  {0x0b, "bf"},  {0x0d, "da"},   {0x0e, "ab"},   {0x13, "ei"},   {0x15, "jg"},
                 {0x17, "jig"}, {0x1b, "hie"}, {0x1d, "had"},  {0x1e, "ab"},   {0x1f, "ji"},   {0x23, "ic"},
                 {0x27, "dik"}, {0x2a, "hk"},  {0x2b, "hfk"},  {0x2d, "da"},   {0x2e, "iba"},  {0x2f, "ik"},
                 {0x31, "ae"},  {0x32, "ca"},  {0x35, "kgj"},  {0x36, "ak"},   {0x37, "fk"},   {0x39, "ae"},
                 {0x3a, "ahf"}, {0x3b, "hf"},  {0x3d, "dhgj"}, {0x3e, "cjkh"}, {0x87, "fd"},   {0x8a, "ke"},
                 {0x8b, "ebc"}, {0x8c, "gl"},  {0x8d, "clg"},  {0x8e, "gbl"},  {0x8f, "kl"},   {0x93, "ei"},
                 {0x95, "jg"},  {0x97, "jig"}, {0x9a, "ke"},   {0x9b, "klfb"}, {0x9c, "gl"},   {0x9d, "jiad"},
                 {0x9e, "gbl"}, {0x9f, "kli"}, {0xa2, "dh"},   {0xa3, "bhd"},  {0xa6, "dh"},   {0xa7, "fgci"},
                 {0xa8, "ed"},  {0xa9, "ed"},  {0xab, "bc"},   {0xac, "ide"},  {0xad, "eilg"}, {0xae, "gb"},
                 {0xb0, "lj"},  {0xb1, "lbj"}, {0xb2, "lac"},  {0xb3, "lb"},   {0xb4, "lj"},   {0xb5, "lhea"},
                 {0xb6, "lac"}, {0xb7, "fgh"}, {0xb8, "fjl"},  {0xb9, "abjl"}, {0xba, "cj"},   {0xbc, "gbde"},
                 {0xbe, "cjb"}};

static const char *peer_cut(int inside)
{
    for (int k = 0; k < NEP_LEN(peer_cuts); k++)
        if (peer_cuts[k].inside == inside)
            return peer_cuts[k].clipped;
    return NULL;
}

static void add_patch(patch *sum, const patch *one)
{
    sum->area += one->area;
    sum->flux += one->flux;
    for (int i = 0; i < 3; i++)
        sum->vector[i] += one->vector[i];
}

static patch clip(double p[][3], int *edge, int n, const char *clipped)
{
    patch out = {0};
    for (; *clipped; clipped++) {
        int k = 0;
        while (edge[k] != *clipped - 'a')
            k++;
        double ear[3][3];
        memcpy(ear[0], p[(k + n - 1) % n], sizeof ear[0]);
        memcpy(ear[1], p[k], sizeof ear[1]);
        memcpy(ear[2], p[(k + 1) % n], sizeof ear[2]);
        const patch one = fan(ear, 3, 0);
        add_patch(&out, &one);
        n--;
        memmove(p + k, p + k + 1, (size_t)(n - k) * sizeof *p);
        memmove(edge + k, edge + k + 1, (size_t)(n - k) * sizeof *edge);
    }
    const patch last = fan(p, n, 0);
    add_patch(&out, &last);
    return out;
}

/* The fan that bulges most to the outside (sign 1) or the inside (-1); of equal ones the smallest. tiny: a
 * volume that is none. */
static patch fullest_fan(double p[][3], int n, double sign, double tiny)
{
    patch best = fan(p, n, 0);
    for (int k = 1; k < n; k++) {
        const patch one = fan(p, n, k);
        const double more = sign * (one.flux - best.flux);
        if (more > tiny || (more > -tiny && one.area < best.area))
            best = one;
    }
    return best;
}

/* What a cube with these corners inside adds to the surface. */
static patch cut(const cube *q, int inside, const double mm[3], const char *clipped)
{
    int next[EDGES];
    const double sign = __builtin_popcount((unsigned)inside) > 4 ? -1 : 1,
                 tiny = 1e-12 * mm[0] * mm[1] * mm[2];
    patch out = {0};
    join(q, inside, next);
    for (int e = 0; e < EDGES; e++) {
        double p[MOST_CORNERS][3];
        int edge[MOST_CORNERS], n = 0;
        for (int at = e; next[at] >= 0;) {
            const int to = next[at];
            edge[n] = at;
            place(q, at, mm, p[n++]);
            next[at] = -1;
            at = to;
        }
        if (n < 3)
            continue;
        const patch one = n > 4 && clipped ? clip(p, edge, n, clipped) : fullest_fan(p, n, sign, tiny);
        add_patch(&out, &one);
    }
    return out;
}

static patch peer_patch(const cube *q, int inside, const double mm[3])
{
    const bool swap = inside >> 6 & 1;
    const int shown = swap ? 255 - inside : inside;
    patch out = cut(q, shown, mm, peer_cut(shown));
    if (swap) {
        out.flux = -out.flux;
        for (int i = 0; i < 3; i++)
            out.vector[i] = -out.vector[i];
    }
    return out;
}

static int corners(const nep_radiomics_region *r, int64_t at)
{
    int inside = 0;
    for (int k = 0; k < 8; k++)
        inside |= (r->level[at + (k & 1) + (k >> 1 & 1) * r->stride[1] + (k >> 2) * r->stride[2]] > 0) << k;
    return inside;
}

void nep_radiomics_mesh(const nep_radiomics_region *r, bool pyradiomics, double *volume, double *area)
{
    const cube q = make_cube();
    patch table[256];
    for (int k = 0; k < 256; k++)
        table[k] = pyradiomics ? peer_patch(&q, k, r->mm) : cut(&q, k, r->mm, NULL);
    *volume = *area = 0;
    for (int64_t z = 0; z + 1 < r->side[2]; z++)
        for (int64_t y = 0; y + 1 < r->side[1]; y++)
            for (int64_t x = 0; x + 1 < r->side[0]; x++) {
                const patch *t = &table[corners(r, x + y * r->stride[1] + z * r->stride[2])];
                *area += t->area;
                *volume += t->flux + (double)x * r->mm[0] * t->vector[0] +
                           (double)y * r->mm[1] * t->vector[1] + (double)z * r->mm[2] * t->vector[2];
            }
    *volume = fabs(*volume) / 3;
}
