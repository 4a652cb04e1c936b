/* SPDX-License-Identifier: Apache-2.0 */
/* index - in-memory indexes of bits and vectors, and the 16-bit formats under them. */
#include "support.h"

#include <float.h>

#include <nepenthe/index.h>
#include <nepenthe/math/half.h>

/* ---- 16-bit numbers ---- */

static void test_half_golden(void **state)
{
    (void)state;
    FILE *f = fopen(TEST_GOLDEN("half.tsv"), "r");
    assert_non_null(f);
    unsigned u, h, b;
    int n = 0;
    assert_int_equal(fscanf(f, "f32 f16 bf16"), 0);
    for (; fscanf(f, "%x %x %x", &u, &h, &b) == 3; n++) {
        if (nep_half_pack_f16(nep_half_float(u)) != h || nep_half_pack_bf16(nep_half_float(u)) != b)
            fail_msg("%08x: got %04x %04x want %04x %04x", u, nep_half_pack_f16(nep_half_float(u)), nep_half_pack_bf16(nep_half_float(u)), h, b);
    }
    fclose(f);
    assert_true(n > 2000);
}

/* Every finite half comes back as itself; halfway between neighbours the even one wins, a hair beside it the nearer. */
static void test_half_every_value(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 0x7c00; h++) {
        const float a = nep_half_unpack_f16((uint16_t)h), b = h == 0x7bff ? 65536.0f : nep_half_unpack_f16((uint16_t)(h + 1));
        const float middle = (a + b) / 2; /* exact */
        assert_int_equal(nep_half_pack_f16(a), h);
        assert_int_equal(nep_half_pack_f16(-a), h | 0x8000);
        assert_int_equal(nep_half_pack_f16(middle), h + (h & 1));
        assert_int_equal(nep_half_pack_f16(nextafterf(middle, 0)), h);
        assert_int_equal(nep_half_pack_f16(nextafterf(middle, INFINITY)), h + 1);
    }
    for (unsigned h = 0; h <= 0x7f80; h++)
        assert_int_equal(nep_half_pack_bf16(nep_half_unpack_bf16((uint16_t)h)), h);
    assert_true(isnan(nep_half_unpack_f16(nep_half_pack_f16(NAN))) && isnan(nep_half_unpack_bf16(nep_half_pack_bf16(-NAN))));
    assert_true(isnan(nep_half_unpack_bf16(nep_half_pack_bf16(nep_half_float(0x7f800001u))))); /* a payload that rounding would lose */
    assert_near(nep_half_unpack_f16(0x3c00), 1, 0);
    assert_near(nep_half_unpack_f16(0x8001), -0x1p-24, 0);
    assert_true(signbit(nep_half_unpack_f16(0x8000)) && isinf(nep_half_unpack_f16(0xfc00)));
}

/* ---- bits ---- */

static uint64_t *some_bits(int64_t n, int64_t n_bits)
{
    const int64_t words = (n_bits + 63) / 64;
    uint64_t *bits = calloc((size_t)(n * words), 8);
    for (int64_t i = 0; i < n; i++)
        for (int64_t b = 0; b < n_bits; b++)
            if (nep_philox_uniform(7, (uint64_t)i, (uint64_t)b) < 0.02 + 0.04 * (double)(i % 5))
                bits[i * words + b / 64] |= (uint64_t)1 << (b % 64);
    return bits;
}

static void check_bits(const nep_index *x, const uint64_t *bits, int64_t n, int64_t n_bits)
{
    const int64_t words = (n_bits + 63) / 64;
    uint8_t *seen = calloc((size_t)n, 1);
    assert_int_equal(x->n, n);
    assert_int_equal(x->bits.words, words);
    for (int64_t p = 0; p < n; p++) {
        const int64_t i = nep_index_number(x, p);
        assert_true(i >= 0 && i < n && !seen[i]);
        seen[i] = 1;
        assert_memory_equal(x->bits.row + p * words, bits + i * words, (size_t)words * 8);
        int count = 0, part[16] = {0};
        for (int64_t b = 0; b < n_bits; b++)
            if (bits[i * words + b / 64] >> (b % 64) & 1) {
                count++;
                part[b / (words * 4)]++;
            }
        assert_int_equal(x->bits.popcount[p], count);
        assert_true(p == 0 || x->bits.popcount[p - 1] < count || (x->bits.popcount[p - 1] == count && nep_index_number(x, p - 1) < i));
        for (int s = 0; x->bits.sketch && s < 16; s++)
            assert_int_equal(x->bits.sketch[p * 16 + s], part[s]);
    }
    free(seen);
}

static void test_bits(void **state)
{
    (void)state;
    static const int64_t widths[] = {1, 63, 64, 166, 881, 1024, 2048, 4032, 4033, 8192};
    for (int w = 0; w < NEP_LEN(widths); w++) {
        uint64_t *bits = some_bits(97, widths[w]);
        uint64_t content = 0;
        for (int threads = 1; threads <= 3; threads++) {
            nep_ctx *ctx = test_ctx(threads);
            nep_index x = {0};
            assert_ok(ctx, nep_index_from_bits(ctx, bits, 97, widths[w], NULL, true, "made up", &x));
            check_bits(&x, bits, 97, widths[w]);
            assert_int_equal(x.bits.sketch != NULL, widths[w] <= 63 * 64);
            assert_true(threads == 1 || x.content == content);
            content = x.content;
            nep_index_free(&x);
            nep_index_free(&x);
            assert_int_equal(nep_alloc_used(ctx), 0);
            nep_ctx_free(ctx);
        }
        free(bits);
    }
}

static void test_bits_full_part(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    uint64_t bits[63];
    nep_index x = {0};
    memset(bits, 0xff, sizeof bits);
    assert_ok(ctx, nep_index_from_bits(ctx, bits, 1, 63 * 64, NULL, true, NULL, &x));
    for (int s = 0; s < 16; s++)
        assert_int_equal(x.bits.sketch[s], 252);
    assert_string_equal(x.about, "");
    nep_index_free(&x);
    nep_ctx_free(ctx);
}

static void test_ids(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    const uint64_t bits[3] = {7, 1, 3};
    char a[] = "seven", c[] = "", buf[8];
    char *ids[3] = {a, NULL, c};
    nep_index x = {0}, y = {0};
    assert_ok(ctx, nep_index_from_bits(ctx, bits, 3, 3, ids, false, "", &x));
    assert_string_equal(nep_index_id(&x, 0, buf, sizeof buf), "1"); /* without an id a row goes by its number */
    assert_string_equal(nep_index_id(&x, 1, buf, sizeof buf), "2");
    assert_string_equal(nep_index_id(&x, 2, buf, sizeof buf), "seven");
    assert_string_equal(nep_index_id(&x, 2, buf, 4), "sev");
    assert_null(x.bits.sketch);
    assert_ok(ctx, nep_index_from_bits(ctx, bits, 3, 3, NULL, false, "", &y));
    assert_true(x.content != y.content); /* ids are part of the content */
    nep_index_free(&x);
    nep_index_free(&y);
    nep_ctx_free(ctx);
}

static void test_bits_refused(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    const uint64_t bits[2] = {7, 9};
    nep_index x = {.n = 42};
    assert_fails(nep_index_from_bits(ctx, bits, 2, 3, NULL, true, "", &x), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "row 1"));
    nep_ctx_clear(ctx);
    assert_fails(nep_index_from_bits(ctx, bits, 0, 3, NULL, true, "", &x), NEP_E_ARG);
    assert_fails(nep_index_from_bits(ctx, bits, 1, 8193, NULL, true, "", &x), NEP_E_ARG);
    assert_fails(nep_index_from_bits(ctx, bits, 1, 0, NULL, true, "", &x), NEP_E_ARG);
    assert_int_equal(x.n, 42);
    nep_ctx_free(ctx);
}

/* ---- vectors ---- */

static void fill_vectors(float *x, int64_t n, int64_t dims)
{
    for (int64_t i = 0; i < n * dims; i++)
        x[i] = (float)nep_philox_normal(3, 1, (uint64_t)i) * (float)(1 + i / dims % 7);
    memset(x + dims, 0, (size_t)dims * sizeof *x); /* a row of zeros */
    x[2 * dims] = 0x1p-149f;                       /* a row of the least numbers but one */
    for (int64_t j = 1; j < dims; j++)
        x[2 * dims + j] = (float)j * 0x1p-149f;
}

static double decode(const nep_index_vectors *v, int64_t i, int64_t j)
{
    const int64_t at = i * v->stride + j;
    switch (v->type) {
    case NEP_VECTOR_F32:
        return (double)((const float *)v->row)[at];
    case NEP_VECTOR_F16:
        return (double)nep_half_unpack_f16(((const uint16_t *)v->row)[at]);
    case NEP_VECTOR_BF16:
        return (double)nep_half_unpack_bf16(((const uint16_t *)v->row)[at]);
    case NEP_VECTOR_I8:
        break;
    }
    return (double)((const int8_t *)v->row)[at] * (double)v->scale[i];
}

static void check_shadow(const nep_index_vectors *v, int64_t i)
{
    long double sum = 0;
    for (int64_t j = 0; j < v->dims; j++) {
        const long double d = (long double)decode(v, i, j) - (long double)v->shadow[i * v->shadow_stride + j] * (long double)v->shadow_scale[i];
        sum += d * d;
    }
    const long double residual = sqrtl(sum); /* 11 bits more than float64, so a fair judge of a bound rounded up to float32 */
    assert_true((long double)v->shadow_residual[i] >= residual);
    assert_true((long double)v->shadow_residual[i] <= residual * 1.000001L + 0x1p-148L);
    for (int64_t j = v->dims; j < v->shadow_stride; j++)
        assert_int_equal(v->shadow[i * v->shadow_stride + j], 0);
}

static void check_vectors(const nep_index *x, const float *in)
{
    const nep_index_vectors *v = &x->vectors;
    const double relative[] = {0, 0, 0x1p-11, 0x1p-8, 0};
    const size_t item = nep_index_item_size(v->type);
    assert_int_equal((uintptr_t)v->row % 64, 0);
    assert_int_equal((size_t)v->stride * item % 64, 0);
    for (int64_t i = 0; i < x->n; i++) {
        double largest = 0, sum = 0;
        for (int64_t j = 0; j < v->dims; j++)
            largest = fmax(largest, fabs((double)in[i * v->dims + j]));
        for (int64_t j = 0; j < v->dims; j++) {
            const double want = (double)in[i * v->dims + j], got = decode(v, i, j);
            sum += got * got;
            const double slack = v->type == NEP_VECTOR_I8 ? largest / 254 * 1.0001 + 0x1p-149 : relative[v->type] * fabs(want) + (relative[v->type] > 0 ? 0x1p-25 : 0);
            assert_true(fabs(got - want) <= slack);
        }
        assert_near(v->norm[i], sqrt(sum), 1e-13);
        for (int64_t b = v->dims * (int64_t)item; b < v->stride * (int64_t)item; b++)
            assert_int_equal(((const char *)v->row)[i * v->stride * (int64_t)item + b], 0);
        if (v->shadow)
            check_shadow(v, i);
    }
}

static void test_vectors(void **state)
{
    (void)state;
    static const int64_t dims[] = {1, 5, 64, 100, 8192 + 77};
    for (int d = 0; d < NEP_LEN(dims); d++)
        for (int type = NEP_VECTOR_F32; type <= NEP_VECTOR_I8; type++) {
            float *in = calloc((size_t)(11 * dims[d]), sizeof *in);
            uint64_t content = 0;
            fill_vectors(in, 11, dims[d]);
            for (int threads = 1; threads <= 3; threads += 2) {
                nep_ctx *ctx = test_ctx(threads);
                nep_index x = {0};
                assert_ok(ctx, nep_index_from_vectors(ctx, in, 11, dims[d], (nep_vector_type)type, NULL, true, "made up", &x));
                assert_int_equal(x.vectors.shadow != NULL, type != NEP_VECTOR_I8);
                check_vectors(&x, in);
                assert_true(threads == 1 || x.content == content);
                content = x.content;
                nep_index_free(&x);
                assert_int_equal(nep_alloc_used(ctx), 0);
                nep_ctx_free(ctx);
            }
            free(in);
        }
}

static void test_vectors_by_hand(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(1);
    const float in[] = {127, -63.4f, 0.5f};
    nep_index x = {0};
    assert_ok(ctx, nep_index_from_vectors(ctx, in, 1, 3, NEP_VECTOR_I8, NULL, false, "", &x));
    const int8_t *row = x.vectors.row;
    assert_near(x.vectors.scale[0], 1, 0);
    assert_int_equal(row[0], 127);
    assert_int_equal(row[1], -63);
    assert_int_equal(row[2], 0); /* ties to even */
    assert_near(x.vectors.norm[0], sqrt(127.0 * 127 + 63 * 63), 0);
    nep_index_free(&x);
    nep_ctx_free(ctx);
}

static void test_vectors_refused(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    float in[6] = {1, 2, 3, 4, NAN, INFINITY};
    nep_index x = {.n = 42};
    assert_fails(nep_index_from_vectors(ctx, in, 2, 3, NEP_VECTOR_F32, NULL, true, "", &x), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "row 1, column 1 (from 0) is not a number"));
    nep_ctx_clear(ctx);
    in[4] = 65519;
    in[5] = 65520;
    assert_fails(nep_index_from_vectors(ctx, in, 2, 3, NEP_VECTOR_F16, NULL, true, "", &x), NEP_E_FORMAT);
    assert_non_null(strstr(nep_ctx_error(ctx), "column 2 (from 0) is 65520, which f16 cannot hold"));
    nep_ctx_clear(ctx);
    in[5] = FLT_MAX;
    assert_fails(nep_index_from_vectors(ctx, in, 2, 3, NEP_VECTOR_BF16, NULL, true, "", &x), NEP_E_FORMAT);
    nep_ctx_clear(ctx);
    assert_fails(nep_index_from_vectors(ctx, in, 2, 0, NEP_VECTOR_F32, NULL, true, "", &x), NEP_E_ARG);
    assert_fails(nep_index_from_vectors(ctx, in, 2, 3, (nep_vector_type)9, NULL, true, "", &x), NEP_E_ARG);
    assert_int_equal(x.n, 42);
    nep_ctx_free(ctx);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    nep_ctx *ctx = test_ctx(2);
    const uint64_t bits[2] = {7, 9};
    const float in[2] = {1, 2};
    char a[] = "a", b[] = "b";
    char *ids[2] = {a, b};
    for (int which = 0; which < 2; which++) {
        nep_status st = NEP_E_NOMEM;
        for (int k = 0; st != NEP_OK; k++) {
            nep_index x = {0};
            nep_alloc_fail_at(ctx, k);
            st = which ? nep_index_from_bits(ctx, bits, 2, 60, ids, true, "", &x)
                       : nep_index_from_vectors(ctx, in, 2, 1, NEP_VECTOR_F16, ids, true, "", &x);
            nep_alloc_fail_at(ctx, -1);
            assert_true(st == NEP_OK || st == NEP_E_NOMEM);
            assert_int_equal(x.n, st == NEP_OK ? 2 : 0);
            nep_index_free(&x);
            nep_ctx_clear(ctx);
            assert_int_equal(nep_alloc_used(ctx), 0);
        }
    }
    nep_ctx_free(ctx);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(nep_index_type_name(NEP_VECTOR_BF16), "bf16");
    assert_null(nep_index_type_name((nep_vector_type)0));
    assert_int_equal(nep_index_item_size((nep_vector_type)5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_golden), cmocka_unit_test(test_half_every_value), cmocka_unit_test(test_bits),
        cmocka_unit_test(test_bits_full_part), cmocka_unit_test(test_ids), cmocka_unit_test(test_bits_refused),
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_vectors_by_hand), cmocka_unit_test(test_vectors_refused),
        cmocka_unit_test(test_allocation_failures), cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
