#include "table.h"

#include "control.h"

#include <cstring>
#include <string>
#include <unordered_map>

#if defined(KERASISH_X86) && defined(_MSC_VER)
#include <immintrin.h>
#include <intrin.h>
#endif

// families.inc, written by the build: KERASISH_FAMILY(gemm) for each file in kernels/.
#define KERASISH_FAMILY(family) extern const Entry family##_table[];
namespace kerasish {
namespace plain {
#include "families.inc"
}
#ifdef KERASISH_WITH_AVX2
namespace avx2 {
#include "families.inc"
}
#endif
#ifdef KERASISH_WITH_AVX512
namespace avx512 {
#include "families.inc"
}
#endif
#undef KERASISH_FAMILY

namespace {

using Families = const Entry* const*;

#define KERASISH_FAMILY(family) KERASISH_HERE::family##_table,
#define KERASISH_HERE plain
const Entry* const plain_families[] = {
#include "families.inc"
    nullptr};
#undef KERASISH_HERE
#ifdef KERASISH_WITH_AVX2
#define KERASISH_HERE avx2
const Entry* const avx2_families[] = {
#include "families.inc"
    nullptr};
#undef KERASISH_HERE
#endif
#ifdef KERASISH_WITH_AVX512
#define KERASISH_HERE avx512
const Entry* const avx512_families[] = {
#include "families.inc"
    nullptr};
#undef KERASISH_HERE
#endif

struct Set {
  const char* name;
  Families families;
};

#if defined(KERASISH_X86) && defined(_MSC_VER)
// What __builtin_cpu_supports tells elsewhere: clang-cl links no library that knows it.
__attribute__((target("xsave"))) bool supported(const char* name) {
  int basic[4], more[4];
  __cpuid(basic, 1);
  __cpuidex(more, 7, 0);
  const bool saves = basic[2] >> 27 & 1, fma = basic[2] >> 12 & 1;
  const uint64_t saved = saves ? _xgetbv(0) : 0;  // registers that the system keeps
  if (!std::strcmp(name, "avx512"))
    return fma && (saved & 0xe6) == 0xe6 && (more[1] >> 16 & 1) && (more[1] >> 17 & 1) &&
           (more[1] >> 30 & 1) && (more[1] >> 31 & 1);
  if (!std::strcmp(name, "avx2")) return fma && (saved & 6) == 6 && (more[1] >> 5 & 1);
  return !std::strcmp(name, "plain");
}
#else
bool supported(const char* name) {
#ifdef KERASISH_X86
  __builtin_cpu_init();
  if (!std::strcmp(name, "avx512"))
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma");
  if (!std::strcmp(name, "avx2"))
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return !std::strcmp(name, "plain");
}
#endif

const Set sets[] = {  // the best first
#ifdef KERASISH_WITH_AVX512
    {"avx512", avx512_families},
#endif
#ifdef KERASISH_WITH_AVX2
    {"avx2", avx2_families},
#endif
    {"plain", plain_families}};

const Set* chosen = nullptr;
std::unordered_map<std::string, Kernel>& kernels() {
  static std::unordered_map<std::string, Kernel> found;
  return found;
}

void fill(const Set& set) {
  chosen = &set;
  kernels().clear();
  for (Families family = set.families; *family; ++family)
    for (const Entry* entry = *family; entry->name; ++entry) kernels()[entry->name] = entry->kernel;
  for (const Entry* entry = control_table; entry->name; ++entry) kernels()[entry->name] = entry->kernel;
}

void ensure() {
  if (chosen) return;
  for (const Set& set : sets)
    if (supported(set.name)) return fill(set);
}

}  // namespace

const char* instruction_set() {
  ensure();
  return chosen->name;
}

bool choose_instruction_set(const char* name) {
  for (const Set& set : sets)
    if (!std::strcmp(set.name, name) && supported(name)) {
      fill(set);
      return true;
    }
  return false;
}

Kernel find_kernel(const char* name) {
  ensure();
  auto found = kernels().find(name);
  return found == kernels().end() ? nullptr : found->second;
}

}  // namespace kerasish
