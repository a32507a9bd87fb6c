// Philox4x32-10: word i of a stream is word i % 4 of the block whose counter is i / 4.
//
// Source: J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#include "simd.h"

#include "kernel.h"
#include "types.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr uint32_t kMultiply0 = 0xD2511F53, kMultiply1 = 0xCD9E8D57;
constexpr uint32_t kAdd0 = 0x9E3779B9, kAdd1 = 0xBB67AE85;

// Lanes of 64 bits, of which the lower half is a word; the upper one is anything.
#if defined(KERASISH_ISA_AVX512)
constexpr int kLanes64 = 8;
typedef uint64_t Words __attribute__((vector_size(64)));
inline Words multiply(Words a, Words b) {
  return (Words)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}
#elif defined(KERASISH_ISA_AVX2)
constexpr int kLanes64 = 4;
typedef uint64_t Words __attribute__((vector_size(32)));
inline Words multiply(Words a, Words b) {
  return (Words)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
#else
constexpr int kLanes64 = 2;
typedef uint64_t Words __attribute__((vector_size(16)));
inline Words multiply(Words a, Words b) {
#if defined(__SSE2__)
  return (Words)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  for (int i = 0; i < 2; ++i)
    a[i] = static_cast<uint64_t>(static_cast<uint32_t>(a[i])) * static_cast<uint32_t>(b[i]);
  return a;
#endif
}
#endif

// The lanes of two vectors in turn.
inline void weave(Words& a, Words& b) {
#if defined(KERASISH_ISA_AVX512)
  Words low = KERASISH_SHUFFLE(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  b = KERASISH_SHUFFLE(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif defined(KERASISH_ISA_AVX2)
  Words low = KERASISH_SHUFFLE(a, b, 0, 4, 1, 5);
  b = KERASISH_SHUFFLE(a, b, 2, 6, 3, 7);
#else
  Words low = KERASISH_SHUFFLE(a, b, 0, 2);
  b = KERASISH_SHUFFLE(a, b, 1, 3);
#endif
  a = low;
}

alignas(64) const uint64_t kNumbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};

struct Stream {
  uint32_t key0, key1;
  uint64_t stream;
};

constexpr int kGroups = 2;  // vectors at a time: a multiplication takes several cycles
constexpr int64_t kWords = 4 * kLanes64 * kGroups;

// The words of kLanes64 * kGroups blocks.
inline void blocks(const Stream& stream, uint64_t block, uint32_t* words) {
  Words c0[kGroups], c1[kGroups], c2[kGroups], c3[kGroups];
  for (int g = 0; g < kGroups; ++g) {
    Words numbers;
    __builtin_memcpy(&numbers, kNumbers, sizeof numbers);
    c0[g] = numbers + (block + static_cast<uint64_t>(g * kLanes64));
    c1[g] = c0[g] >> 32;
    c2[g] = Words{} + stream.stream;
    c3[g] = Words{} + (stream.stream >> 32);
  }
  uint32_t key0 = stream.key0, key1 = stream.key1;
  const Words m0 = Words{} + kMultiply0, m1 = Words{} + kMultiply1;
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    const Words k0 = Words{} + key0, k1 = Words{} + key1;
    for (int g = 0; g < kGroups; ++g) {
      Words p0 = multiply(c0[g], m0), p1 = multiply(c2[g], m1);
      c0[g] = (p1 >> 32) ^ c1[g] ^ k0;
      c1[g] = p1;
      c2[g] = (p0 >> 32) ^ c3[g] ^ k1;
      c3[g] = p0;
    }
    key0 += kAdd0;
    key1 += kAdd1;
  }
  const Words low = Words{} + 0xffffffffu;
  for (int g = 0; g < kGroups; ++g) {
    Words first = (c0[g] & low) | c1[g] << 32, second = (c2[g] & low) | c3[g] << 32;
    weave(first, second);
    __builtin_memcpy(words, &first, sizeof first);
    __builtin_memcpy(words + 2 * kLanes64, &second, sizeof second);
    words += 4 * kLanes64;
  }
}

// What becomes of words: `words` of them make one number.
struct Bits {
  using Item = uint32_t;
  static constexpr int words = 1;
  static void make(const uint32_t* in, int64_t count, uint32_t* out) {
    __builtin_memcpy(out, in, static_cast<size_t>(count) * 4);
  }
};
struct Uniform32 {
  using Item = float;
  static constexpr int words = 1;
  static void make(const uint32_t* in, int64_t count, float* out) {
    for (int64_t i = 0; i < count; ++i)
      out[i] = static_cast<float>(static_cast<int32_t>(in[i] >> 8)) * 0x1p-24f;
  }
};
struct Uniform64 {
  using Item = double;
  static constexpr int words = 2;
  static double above(uint64_t digits) {
    digits |= 0x4330000000000000;
    double value;
    __builtin_memcpy(&value, &digits, sizeof value);
    return value - 0x1p52;
  }
  static void make(const uint32_t* in, int64_t count, double* out) {
    // The 32 bits of one word and 21 of the next, each made a number in the last places of
    // 2**52; all steps are exact.
    for (int64_t i = 0; i < count; ++i) {
      uint64_t pair;
      __builtin_memcpy(&pair, in + 2 * i, sizeof pair);
      out[i] = above(pair & 0xffffffffu) * 0x1p-32 + above(pair >> 43) * 0x1p-53;
    }
  }
};
struct Uniform16 {
  using Item = Half;
  static constexpr int words = 1;
  static void make(const uint32_t* in, int64_t count, Half* out) {
    for (int64_t i = 0; i < count; ++i)
      narrow(static_cast<float>(in[i] >> 21) * 0x1p-11f, out + i);
  }
};
struct UniformBrain {
  using Item = Brain;
  static constexpr int words = 1;
  static void make(const uint32_t* in, int64_t count, Brain* out) {
    for (int64_t i = 0; i < count; ++i) narrow(static_cast<float>(in[i] >> 24) * 0x1p-8f, out + i);
  }
};

template <class Form>
void draw(const Call& call) {
  const uint32_t* key = static_cast<const uint32_t*>(call.data[0]);
  const Stream stream{key[0], key[1], static_cast<uint64_t>(call.params[0])};
  auto* out = static_cast<typename Form::Item*>(call.data[1]);
  const int64_t total = call.params[1];
  constexpr int64_t batch = kWords / Form::words;  // numbers at a time
  constexpr int64_t piece = batch * (32768 / batch);
  parallel_for(call.pool, (total + piece - 1) / piece, [&](int64_t k) {
    int64_t first = k * piece, last = first + piece < total ? first + piece : total;
    alignas(64) uint32_t words[kWords];
    for (; first < last; first += batch) {
      blocks(stream, static_cast<uint64_t>(first * Form::words / 4), words);
      if (last - first >= batch)
        Form::make(words, batch, out + first);
      else
        Form::make(words, last - first, out + first);
    }
  });
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

// data: the seed, the result; params: stream, elements
KERASISH_TABLE(random, {"random_bits", draw<Bits>}, {"random_uniform_f32", draw<Uniform32>},
               {"random_uniform_f64", draw<Uniform64>}, {"random_uniform_f16", draw<Uniform16>},
               {"random_uniform_bf16", draw<UniformBrain>})
