// Setting memory.
#include "kernel.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

// params: bytes
void zero(const Call& call) { __builtin_memset(call.data[0], 0, static_cast<size_t>(call.params[0])); }

// data: source, target; params: bytes
void copy(const Call& call) {
  __builtin_memcpy(call.data[1], call.data[0], static_cast<size_t>(call.params[0]));
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(fill, {"zero", zero}, {"copy", copy})
