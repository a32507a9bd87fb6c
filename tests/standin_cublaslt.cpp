// A stand-in for cuBLASLt on the host's memory: it multiplies, and refuses what cublasLt.h does not allow.
//
// What a call is about is told by attributes of the sizes that the header gives them. An algorithm serves
// only addresses as aligned as was said when it was asked for, and 256 bytes where nothing was said.
#include <cmath>
#include <cstdint>
#include <cstring>

enum { SUCCESS = 0, INVALID = 7, UNSUPPORTED = 15 };
struct Operation {
  int compute, scale, transposed[2];
  uint32_t epilogue;
  const void* bias;
};
struct Layout {
  int type;
  uint64_t rows, columns;
  int64_t lead, stride;
  int32_t count;
};
struct Preference {
  uint64_t workspace;
  uint32_t alignment[4];
};
struct Algorithm {
  uint64_t data[8];
};
struct Heuristic {
  Algorithm algorithm;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
static int handle_mark;
extern "C" {
int asked = 0, multiplied = 0, last_compute = 0, last_count = 0;

int cublasLtCreate(void** handle) {
  *handle = &handle_mark;
  return SUCCESS;
}
int cublasLtMatmulDescCreate(Operation** made, int compute, int scale) {
  const bool of_float = (compute == 68 || compute == 77) && scale == 0;
  if (!of_float && !(compute == 70 && scale == 1)) return INVALID;
  *made = new Operation{compute, scale, {0, 0}, 1, nullptr};
  return SUCCESS;
}
int cublasLtMatmulDescSetAttribute(Operation* to, int attribute, const void* value, size_t size) {
  if (attribute == 3 || attribute == 4) {
    if (size != 4) return INVALID;
    memcpy(&to->transposed[attribute - 3], value, 4);
    return to->transposed[attribute - 3] > 1 ? INVALID : SUCCESS;
  }
  if (attribute == 7 && size == 4) {
    memcpy(&to->epilogue, value, 4);
    return to->epilogue == 1 || to->epilogue == 2 || to->epilogue == 4 || to->epilogue == 6 ? SUCCESS
                                                                                           : INVALID;
  }
  if (attribute == 8 && size == 8) {
    memcpy(&to->bias, value, 8);
    return SUCCESS;
  }
  return INVALID;
}
int cublasLtMatrixLayoutCreate(Layout** made, int type, uint64_t rows, uint64_t columns, int64_t lead) {
  if (lead < int64_t(rows) || !rows || !columns) return INVALID;
  *made = new Layout{type, rows, columns, lead, 0, 1};
  return SUCCESS;
}
int cublasLtMatrixLayoutSetAttribute(Layout* to, int attribute, const void* value, size_t size) {
  if (attribute == 5 && size == 4)
    memcpy(&to->count, value, 4);
  else if (attribute == 6 && size == 8)
    memcpy(&to->stride, value, 8);
  else
    return INVALID;
  return SUCCESS;
}
int cublasLtMatmulPreferenceCreate(Preference** made) {
  *made = new Preference{0, {256, 256, 256, 256}};
  return SUCCESS;
}
int cublasLtMatmulPreferenceSetAttribute(Preference* to, int attribute, const void* value, size_t size) {
  if (attribute == 1 && size == 8)
    memcpy(&to->workspace, value, 8);
  else if (attribute >= 5 && attribute <= 8 && size == 4) {
    uint32_t bytes;
    memcpy(&bytes, value, 4);
    if (!bytes || bytes > 256 || bytes & (bytes - 1)) return INVALID;
    to->alignment[attribute - 5] = bytes;
  } else
    return INVALID;
  return SUCCESS;
}
int cublasLtMatmulPreferenceDestroy(Preference* given) {
  delete given;
  return SUCCESS;
}
static bool fits(const Operation* op, const Layout* a, const Layout* b, const Layout* d) {
  const uint64_t m = op->transposed[0] ? a->columns : a->rows, k = op->transposed[0] ? a->rows : a->columns;
  const uint64_t k2 = op->transposed[1] ? b->columns : b->rows, n = op->transposed[1] ? b->rows : b->columns;
  const bool types = a->type == b->type && a->type == d->type &&
                     (op->scale == 1 ? a->type == 1 : a->type == 0 || a->type == 2 || a->type == 14) &&
                     (op->compute != 77 || a->type == 0);
  return types && k == k2 && d->rows == m && d->columns == n && a->count == b->count &&
         a->count == d->count && (op->epilogue < 4 || op->bias);
}
int cublasLtMatmulAlgoGetHeuristic(void* handle, Operation* op, Layout* a, Layout* b, Layout* c, Layout* d,
                                   Preference* preference, int wanted, Heuristic* found, int* returned) {
  ++asked;
  *returned = 0;
  if (handle != &handle_mark || c != d || wanted != 1 || !fits(op, a, b, d)) return INVALID;
  memset(found, 0, sizeof *found);
  for (int i = 0; i < 4; ++i) found->algorithm.data[i] = preference->alignment[i];
  found->algorithm.data[4] = 4711;
  found->workspace = preference->workspace;
  *returned = 1;
  return SUCCESS;
}

static double read(const void* from, int64_t i, int type) {
  if (type == 0) return static_cast<const float*>(from)[i];
  if (type == 1) return static_cast<const double*>(from)[i];
  if (type == 2) return static_cast<const _Float16*>(from)[i];
  const uint32_t bits = uint32_t(static_cast<const uint16_t*>(from)[i]) << 16;
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
static void write(void* to, int64_t i, int type, double x) {
  if (type == 0) static_cast<float*>(to)[i] = float(x);
  if (type == 1) static_cast<double*>(to)[i] = x;
  if (type == 2) static_cast<_Float16*>(to)[i] = _Float16(float(x));
  if (type == 14) {
    const float narrow = float(x);
    uint32_t bits;
    memcpy(&bits, &narrow, 4);
    static_cast<uint16_t*>(to)[i] = uint16_t((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
  }
}
int cublasLtMatmul(void* handle, Operation* op, const void* alpha, const void* a, Layout* la, const void* b,
                   Layout* lb, const void* beta, const void* c, Layout* lc, void* d, Layout* ld,
                   const Algorithm* algorithm, void* workspace, size_t bytes, void* stream) {
  const bool wide = op->scale == 1;
  const double one = wide ? *static_cast<const double*>(alpha) : *static_cast<const float*>(alpha);
  const double zero = wide ? *static_cast<const double*>(beta) : *static_cast<const float*>(beta);
  if (handle != &handle_mark || one != 1 || zero != 0 || c != d || lc != ld || !fits(op, la, lb, ld))
    return INVALID;
  if (algorithm->data[4] != 4711 || !workspace || bytes < (32u << 20))
    return INVALID;
  const void* addresses[4] = {a, b, c, d};
  for (int i = 0; i < 4; ++i)
    if (reinterpret_cast<uint64_t>(addresses[i]) % algorithm->data[i]) return INVALID;
  const int64_t inner = op->transposed[0] ? la->rows : la->columns;
  for (int32_t n = 0; n < ld->count; ++n)
    for (int64_t i = 0; i < int64_t(ld->rows); ++i)
      for (int64_t j = 0; j < int64_t(ld->columns); ++j) {
        double sum = 0;
        for (int64_t k = 0; k < inner; ++k)
          sum += read(a, n * la->stride + (op->transposed[0] ? k + i * la->lead : i + k * la->lead), la->type) *
                 read(b, n * lb->stride + (op->transposed[1] ? j + k * lb->lead : k + j * lb->lead), lb->type);
        if (op->epilogue & 4) sum += read(op->bias, i, ld->type);
        if (op->epilogue & 2) sum = sum < 0 ? 0 : sum;
        write(d, n * ld->stride + i + j * ld->lead, ld->type, sum);
      }
  ++multiplied;
  last_compute = op->compute;
  last_count = ld->count;
  return SUCCESS;
}
}
