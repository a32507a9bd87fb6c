// Numbers and their bits, inlined so that loops over them are vectorised.
#pragma once

#include <cstdint>

// Otherwise GCC threads jumps through the selections that clamp a number, and what could be a minimum
// and a maximum becomes masks: 10 to 20% more instructions in exp, log, erf.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-thread-jumps")
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define KERASISH_INLINE static __forceinline
#else
#define KERASISH_INLINE inline __attribute__((always_inline))
#endif

namespace kerasish {
namespace KERASISH_ISA {

KERASISH_INLINE uint32_t bits_of(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}
KERASISH_INLINE uint64_t bits_of(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}
KERASISH_INLINE float from_bits(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}
KERASISH_INLINE double from_bits(uint64_t bits) {
  double x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

}  // namespace KERASISH_ISA
}  // namespace kerasish
