// Vectors of float and double, as wide as the instruction set of the file that includes this.
//
//   using V = Vec<float>;
//   V acc = V::zero();
//   for (; i + V::lanes <= n; i += V::lanes) acc = fma(V::load(x + i), V::load(y + i), acc);
//   auto tail = V::mask(n - i);                       // the first n - i lanes, 0 <= n - i <= lanes
//   acc = fma(V::load(x + i, tail), V::load(y + i, tail), acc);   // the other lanes read as 0
//   float total = sum(acc);                           // always added in the same order
//
// Loads and stores need no alignment; masked ones touch no memory of the other lanes.
// max(a, b) is a > b ? a : b and min(a, b) is a < b ? a : b, lane by lane: b where either is NaN,
// so that max(zero, x) keeps the NaN of x. Without a fused instruction fma rounds twice.
#pragma once

#include <cstdint>

#if defined(KERASISH_ISA_AVX512) || defined(KERASISH_ISA_AVX2)
#if defined(__GNUC__) && !defined(__clang__)
// GCC's own header passes undefined vectors on and then warns of it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define KERASISH_INLINE inline __attribute__((always_inline))

namespace kerasish {
namespace KERASISH_ISA {

template <class T>
struct Vec;

#if defined(KERASISH_ISA_AVX512)

// TYPE of LANES in REGISTER; the intrinsics' suffix, the mask's type
#define KERASISH_VEC(TYPE, LANES, REGISTER, S, MASK)                                             \
  template <>                                                                                    \
  struct Vec<TYPE> {                                                                             \
    static constexpr int lanes = LANES;                                                          \
    using Mask = MASK;                                                                           \
    REGISTER v;                                                                                  \
    static KERASISH_INLINE Vec zero() { return {_mm512_setzero_##S()}; }                         \
    static KERASISH_INLINE Vec broadcast(TYPE x) { return {_mm512_set1_##S(x)}; }                \
    static KERASISH_INLINE Vec load(const TYPE* p) { return {_mm512_loadu_##S(p)}; }             \
    static KERASISH_INLINE Vec load(const TYPE* p, Mask m) {                                     \
      return {_mm512_maskz_loadu_##S(m, p)};                                                     \
    }                                                                                            \
    static KERASISH_INLINE Mask mask(int64_t n) { return static_cast<Mask>((1u << n) - 1); }     \
    KERASISH_INLINE void store(TYPE* p) const { _mm512_storeu_##S(p, v); }                       \
    KERASISH_INLINE void store(TYPE* p, Mask m) const { _mm512_mask_storeu_##S(p, m, v); }       \
  };                                                                                             \
  KERASISH_INLINE Vec<TYPE> operator+(Vec<TYPE> a, Vec<TYPE> b) { return {_mm512_add_##S(a.v, b.v)}; } \
  KERASISH_INLINE Vec<TYPE> operator-(Vec<TYPE> a, Vec<TYPE> b) { return {_mm512_sub_##S(a.v, b.v)}; } \
  KERASISH_INLINE Vec<TYPE> operator*(Vec<TYPE> a, Vec<TYPE> b) { return {_mm512_mul_##S(a.v, b.v)}; } \
  KERASISH_INLINE Vec<TYPE> operator/(Vec<TYPE> a, Vec<TYPE> b) { return {_mm512_div_##S(a.v, b.v)}; } \
  KERASISH_INLINE Vec<TYPE> max(Vec<TYPE> a, Vec<TYPE> b) { return {_mm512_max_##S(a.v, b.v)}; }  \
  KERASISH_INLINE Vec<TYPE> min(Vec<TYPE> a, Vec<TYPE> b) { return {_mm512_min_##S(a.v, b.v)}; }  \
  KERASISH_INLINE Vec<TYPE> sqrt(Vec<TYPE> a) { return {_mm512_sqrt_##S(a.v)}; }                 \
  KERASISH_INLINE Vec<TYPE> fma(Vec<TYPE> a, Vec<TYPE> b, Vec<TYPE> c) {                         \
    return {_mm512_fmadd_##S(a.v, b.v, c.v)};                                                    \
  }

KERASISH_VEC(float, 16, __m512, ps, __mmask16)
KERASISH_VEC(double, 8, __m512d, pd, __mmask8)
#undef KERASISH_VEC

#elif defined(KERASISH_ISA_AVX2)

alignas(64) static const int32_t kLanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

#define KERASISH_VEC(TYPE, LANES, REGISTER, S)                                                   \
  template <>                                                                                    \
  struct Vec<TYPE> {                                                                             \
    static constexpr int lanes = LANES;                                                          \
    using Mask = __m256i;                                                                        \
    REGISTER v;                                                                                  \
    static KERASISH_INLINE Vec zero() { return {_mm256_setzero_##S()}; }                         \
    static KERASISH_INLINE Vec broadcast(TYPE x) { return {_mm256_set1_##S(x)}; }                \
    static KERASISH_INLINE Vec load(const TYPE* p) { return {_mm256_loadu_##S(p)}; }             \
    static KERASISH_INLINE Vec load(const TYPE* p, Mask m) {                                     \
      return {_mm256_maskload_##S(p, m)};                                                        \
    }                                                                                            \
    static KERASISH_INLINE Mask mask(int64_t n) {                                                \
      return _mm256_loadu_si256(                                                                 \
          reinterpret_cast<const __m256i*>(kLanes + 8 - n * (8 / LANES)));                       \
    }                                                                                            \
    KERASISH_INLINE void store(TYPE* p) const { _mm256_storeu_##S(p, v); }                       \
    KERASISH_INLINE void store(TYPE* p, Mask m) const { _mm256_maskstore_##S(p, m, v); }         \
  };                                                                                             \
  KERASISH_INLINE Vec<TYPE> operator+(Vec<TYPE> a, Vec<TYPE> b) { return {_mm256_add_##S(a.v, b.v)}; } \
  KERASISH_INLINE Vec<TYPE> operator-(Vec<TYPE> a, Vec<TYPE> b) { return {_mm256_sub_##S(a.v, b.v)}; } \
  KERASISH_INLINE Vec<TYPE> operator*(Vec<TYPE> a, Vec<TYPE> b) { return {_mm256_mul_##S(a.v, b.v)}; } \
  KERASISH_INLINE Vec<TYPE> operator/(Vec<TYPE> a, Vec<TYPE> b) { return {_mm256_div_##S(a.v, b.v)}; } \
  KERASISH_INLINE Vec<TYPE> max(Vec<TYPE> a, Vec<TYPE> b) { return {_mm256_max_##S(a.v, b.v)}; }  \
  KERASISH_INLINE Vec<TYPE> min(Vec<TYPE> a, Vec<TYPE> b) { return {_mm256_min_##S(a.v, b.v)}; }  \
  KERASISH_INLINE Vec<TYPE> sqrt(Vec<TYPE> a) { return {_mm256_sqrt_##S(a.v)}; }                 \
  KERASISH_INLINE Vec<TYPE> fma(Vec<TYPE> a, Vec<TYPE> b, Vec<TYPE> c) {                         \
    return {_mm256_fmadd_##S(a.v, b.v, c.v)};                                                    \
  }

KERASISH_VEC(float, 8, __m256, ps)
KERASISH_VEC(double, 4, __m256d, pd)
#undef KERASISH_VEC

#else

// The compiler's own vectors: SSE2 or NEON registers.
typedef float Floats __attribute__((vector_size(16)));
typedef double Doubles __attribute__((vector_size(16)));

KERASISH_INLINE Floats fused(Floats a, Floats b, Floats c) {
#if defined(__aarch64__)
  return (Floats)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}
KERASISH_INLINE Doubles fused(Doubles a, Doubles b, Doubles c) {
#if defined(__aarch64__)
  return (Doubles)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
  return a * b + c;
#endif
}
KERASISH_INLINE float root(float x) { return __builtin_sqrtf(x); }
KERASISH_INLINE double root(double x) { return __builtin_sqrt(x); }

#define KERASISH_VEC(TYPE, LANES, REGISTER)                                                      \
  template <>                                                                                    \
  struct Vec<TYPE> {                                                                             \
    static constexpr int lanes = LANES;                                                          \
    using Mask = int64_t;                                                                        \
    REGISTER v;                                                                                  \
    static KERASISH_INLINE Vec zero() { return {REGISTER{}}; }                                   \
    static KERASISH_INLINE Vec broadcast(TYPE x) { return {REGISTER{} + x}; }                    \
    static KERASISH_INLINE Vec load(const TYPE* p) {                                             \
      Vec r;                                                                                     \
      __builtin_memcpy(&r.v, p, sizeof r.v);                                                     \
      return r;                                                                                  \
    }                                                                                            \
    static KERASISH_INLINE Vec load(const TYPE* p, Mask n) {                                     \
      Vec r = zero();                                                                            \
      for (int i = 0; i < LANES; ++i)                                                            \
        if (i < n) r.v[i] = p[i];                                                                \
      return r;                                                                                  \
    }                                                                                            \
    static KERASISH_INLINE Mask mask(int64_t n) { return n; }                                    \
    KERASISH_INLINE void store(TYPE* p) const { __builtin_memcpy(p, &v, sizeof v); }             \
    KERASISH_INLINE void store(TYPE* p, Mask n) const {                                          \
      for (int i = 0; i < LANES; ++i)                                                            \
        if (i < n) p[i] = v[i];                                                                  \
    }                                                                                            \
  };                                                                                             \
  KERASISH_INLINE Vec<TYPE> operator+(Vec<TYPE> a, Vec<TYPE> b) { return {a.v + b.v}; }          \
  KERASISH_INLINE Vec<TYPE> operator-(Vec<TYPE> a, Vec<TYPE> b) { return {a.v - b.v}; }          \
  KERASISH_INLINE Vec<TYPE> operator*(Vec<TYPE> a, Vec<TYPE> b) { return {a.v * b.v}; }          \
  KERASISH_INLINE Vec<TYPE> operator/(Vec<TYPE> a, Vec<TYPE> b) { return {a.v / b.v}; }          \
  KERASISH_INLINE Vec<TYPE> max(Vec<TYPE> a, Vec<TYPE> b) { return {a.v > b.v ? a.v : b.v}; }    \
  KERASISH_INLINE Vec<TYPE> min(Vec<TYPE> a, Vec<TYPE> b) { return {a.v < b.v ? a.v : b.v}; }    \
  KERASISH_INLINE Vec<TYPE> sqrt(Vec<TYPE> a) {                                                  \
    for (int i = 0; i < LANES; ++i) a.v[i] = root(a.v[i]);                                       \
    return a;                                                                                    \
  }                                                                                              \
  KERASISH_INLINE Vec<TYPE> fma(Vec<TYPE> a, Vec<TYPE> b, Vec<TYPE> c) {                         \
    return {fused(a.v, b.v, c.v)};                                                               \
  }

KERASISH_VEC(float, 4, Floats)
KERASISH_VEC(double, 2, Doubles)
#undef KERASISH_VEC

#endif

// The sum of all lanes: halves are added to halves.
#if defined(KERASISH_ISA_AVX512) || defined(KERASISH_ISA_AVX2)
KERASISH_INLINE float sum_quad(__m128 x) {
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_shuffle_ps(x, x, 1)));
}
KERASISH_INLINE double sum_pair(__m128d x) {
  return _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)));
}
KERASISH_INLINE float sum_eight(__m256 x) {
  return sum_quad(_mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1)));
}
KERASISH_INLINE double sum_four(__m256d x) {
  return sum_pair(_mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1)));
}
#endif
#if defined(KERASISH_ISA_AVX512)
KERASISH_INLINE float sum(Vec<float> x) {
  return sum_eight(_mm256_add_ps(_mm512_castps512_ps256(x.v), _mm512_extractf32x8_ps(x.v, 1)));
}
KERASISH_INLINE double sum(Vec<double> x) {
  return sum_four(_mm256_add_pd(_mm512_castpd512_pd256(x.v), _mm512_extractf64x4_pd(x.v, 1)));
}
#elif defined(KERASISH_ISA_AVX2)
KERASISH_INLINE float sum(Vec<float> x) { return sum_eight(x.v); }
KERASISH_INLINE double sum(Vec<double> x) { return sum_four(x.v); }
#else
KERASISH_INLINE float sum(Vec<float> x) { return (x.v[0] + x.v[2]) + (x.v[1] + x.v[3]); }
KERASISH_INLINE double sum(Vec<double> x) { return x.v[0] + x.v[1]; }
#endif

// Keeps a vector that is used several times in a register: compilers would load it at each use.
template <class T>
KERASISH_INLINE void hold(Vec<T>& x) {
#if defined(KERASISH_ISA_AVX512)
  asm("" : "+v"(x.v));
#elif defined(KERASISH_X86)
  asm("" : "+x"(x.v));
#else
  (void)x;
#endif
}

// Rows become columns: the square of as many vectors as one has lanes.
template <class T>
KERASISH_INLINE void transpose(Vec<T> (&rows)[Vec<T>::lanes]);

#if defined(KERASISH_ISA_AVX512)
template <>
KERASISH_INLINE void transpose(Vec<float> (&r)[16]) {
  __m512 t[16], u[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
    t[i + 1] = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 4)
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {  // lane q of u[i + c] is column 4 q + c of rows i to i + 3
      __m512d low = _mm512_castps_pd(t[i + j]), high = _mm512_castps_pd(t[i + 2 + j]);
      u[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      u[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    __m512 a = _mm512_shuffle_f32x4(u[c], u[4 + c], 0x88);
    __m512 b = _mm512_shuffle_f32x4(u[c], u[4 + c], 0xdd);
    __m512 d = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0x88);
    __m512 e = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0xdd);
    r[c].v = _mm512_shuffle_f32x4(a, d, 0x88);
    r[4 + c].v = _mm512_shuffle_f32x4(b, e, 0x88);
    r[8 + c].v = _mm512_shuffle_f32x4(a, d, 0xdd);
    r[12 + c].v = _mm512_shuffle_f32x4(b, e, 0xdd);
  }
}
template <>
KERASISH_INLINE void transpose(Vec<double> (&r)[8]) {
  __m512d t[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm512_unpacklo_pd(r[i].v, r[i + 1].v);
    t[i + 1] = _mm512_unpackhi_pd(r[i].v, r[i + 1].v);
  }
#pragma GCC unroll 2
  for (int c = 0; c < 2; ++c) {
    __m512d a = _mm512_shuffle_f64x2(t[c], t[2 + c], 0x88);
    __m512d b = _mm512_shuffle_f64x2(t[c], t[2 + c], 0xdd);
    __m512d d = _mm512_shuffle_f64x2(t[4 + c], t[6 + c], 0x88);
    __m512d e = _mm512_shuffle_f64x2(t[4 + c], t[6 + c], 0xdd);
    r[c].v = _mm512_shuffle_f64x2(a, d, 0x88);
    r[2 + c].v = _mm512_shuffle_f64x2(b, e, 0x88);
    r[4 + c].v = _mm512_shuffle_f64x2(a, d, 0xdd);
    r[6 + c].v = _mm512_shuffle_f64x2(b, e, 0xdd);
  }
}
#elif defined(KERASISH_ISA_AVX2)
template <>
KERASISH_INLINE void transpose(Vec<float> (&r)[8]) {
  __m256 t[8], u[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i].v, r[i + 1].v);
    t[i + 1] = _mm256_unpackhi_ps(r[i].v, r[i + 1].v);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4)
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      u[i + 2 * j] = _mm256_shuffle_ps(t[i + j], t[i + 2 + j], 0x44);
      u[i + 2 * j + 1] = _mm256_shuffle_ps(t[i + j], t[i + 2 + j], 0xee);
    }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    r[c].v = _mm256_permute2f128_ps(u[c], u[4 + c], 0x20);
    r[4 + c].v = _mm256_permute2f128_ps(u[c], u[4 + c], 0x31);
  }
}
template <>
KERASISH_INLINE void transpose(Vec<double> (&r)[4]) {
  __m256d t[4];
#pragma GCC unroll 2
  for (int i = 0; i < 4; i += 2) {
    t[i] = _mm256_unpacklo_pd(r[i].v, r[i + 1].v);
    t[i + 1] = _mm256_unpackhi_pd(r[i].v, r[i + 1].v);
  }
#pragma GCC unroll 2
  for (int c = 0; c < 2; ++c) {
    r[c].v = _mm256_permute2f128_pd(t[c], t[2 + c], 0x20);
    r[2 + c].v = _mm256_permute2f128_pd(t[c], t[2 + c], 0x31);
  }
}
#else
template <class T>
KERASISH_INLINE void transpose(Vec<T> (&rows)[Vec<T>::lanes]) {
  for (int i = 0; i < Vec<T>::lanes; ++i)
    for (int j = 0; j < i; ++j) {
      T x = rows[i].v[j];
      rows[i].v[j] = rows[j].v[i];
      rows[j].v[i] = x;
    }
}
#endif

// out[i * pitch + j] = rows[j * apart + i] for the i below n that fill whole vectors and the lanes j
// that `kept` has, zero from row `count` on; the number of i.
template <class T>
KERASISH_INLINE int64_t copy_turned(const T* rows, int64_t apart, int64_t count, int64_t n, T* out,
                                    int64_t pitch, typename Vec<T>::Mask kept) {
  using V = Vec<T>;
  constexpr int64_t L = V::lanes;
  int64_t i = 0;
  for (; i + L <= n; i += L) {
    V square[L];
    for (int64_t j = 0; j < L; ++j)
      square[j] = j < count ? V::load(rows + j * apart + i) : V::zero();
    transpose<T>(square);
    for (int64_t j = 0; j < L; ++j) square[j].store(out + (i + j) * pitch, kept);
  }
  return i;
}

}  // namespace KERASISH_ISA
}  // namespace kerasish
