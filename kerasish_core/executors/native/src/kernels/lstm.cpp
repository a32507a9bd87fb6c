// LSTM over a sequence, forward and backward.
//
// A task runs all steps of a block of batch rows: rows do not depend on each other, so that threads
// never wait within a sequence. The recurrent matrix is packed once and then read from the
// second-level cache; states, cells and gates of the block stay in the first.
#include "recurrent.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

// z, kernel, h0, c0, [mask] -> states, last state, last cell, cells, gates (which may be z)
template <class T>
void lstm(const Call& call) {
  const Shape p(call.params);
  const int64_t u = p.units, time = p.time, pitch = pitch_of<T>(u), wide = pitch_of<T>(4 * u);
  void* const* in = call.data;
  const T *z = static_cast<const T*>(in[0]), *h0 = static_cast<const T*>(in[2]);
  const T* c0 = static_cast<const T*>(in[3]);
  const bool* mask = p.masked ? static_cast<const bool*>(in[4]) : nullptr;
  void* const* out = in + 4 + p.masked;
  T *states = static_cast<T*>(out[0]), *last_h = static_cast<T*>(out[1]);
  T *last_c = static_cast<T*>(out[2]), *cells = static_cast<T*>(out[3]), *gates = static_cast<T*>(out[4]);
  const Packed<T> kernel(call, static_cast<const T*>(in[1]), u, 4 * u, 4 * u, 1);
  for_blocks<T>(call, p, 4 * u, 3 * pitch + wide, [&](int64_t first, int64_t rows, T* memory) {
    T *h = memory, *c = h + rows * pitch, *pre = c + rows * pitch, *shown = pre + rows * wide;
    for (int64_t r = 0; r < rows; ++r) {
      copy(h + r * pitch, h0 + (first + r) * u, u);
      copy(c + r * pitch, c0 + (first + r) * u, u);
    }
    for (int64_t s = 0; s < time; ++s) {
      kernel.product(rows, h, pitch, pre, wide);
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t place = (first + r) * time + p.step(s);
        const T *input = z + place * 4 * u, *a = pre + r * wide;
        T *gate = gates + place * 4 * u, *state = h + r * pitch, *cell = c + r * pitch;
        KERASISH_INDEPENDENT for (int64_t i = 0; i < 4 * u; ++i) gate[i] = input[i] + a[i];
        activate(p.gate, gate, 2 * u);
        activate(p.activation, gate + 2 * u, u);
        activate(p.gate, gate + 3 * u, u);
        if (!mask || mask[place]) {
          KERASISH_INDEPENDENT for (int64_t i = 0; i < u; ++i) {
            const T now = gate[u + i] * cell[i] + gate[i] * gate[2 * u + i];
            shown[i] = cell[i] = now;
          }
          activate(p.activation, shown, u);
          for (int64_t i = 0; i < u; ++i) state[i] = gate[3 * u + i] * shown[i];
        }
        copy(states + place * u, state, u);
        copy(cells + place * u, cell, u);
      }
    }
    for (int64_t r = 0; r < rows; ++r) {
      copy(last_h + (first + r) * u, h + r * pitch, u);
      copy(last_c + (first + r) * u, c + r * pitch, u);
    }
  });
}

// kernel, c0, cells, gates, [mask], [dstates], [dh], [dc] -> dz (which may be gates), dh0, dc0
template <class T>
void lstm_grad(const Call& call) {
  const Shape p(call.params);
  const int64_t u = p.units, time = p.time, pitch = pitch_of<T>(u), wide = pitch_of<T>(4 * u);
  void* const* in = call.data;
  const int64_t* flags = call.params + 7;
  const T *c0 = static_cast<const T*>(in[1]), *cells = static_cast<const T*>(in[2]);
  const T* gates = static_cast<const T*>(in[3]);
  const bool* mask = p.masked ? static_cast<const bool*>(in[4]) : nullptr;
  void* const* next = in + 4 + p.masked;
  const T* dstates = flags[0] ? static_cast<const T*>(*next++) : nullptr;
  const T* dlast = flags[1] ? static_cast<const T*>(*next++) : nullptr;
  const T* dcell = flags[2] ? static_cast<const T*>(*next++) : nullptr;
  T *dz = static_cast<T*>(next[0]), *dh0 = static_cast<T*>(next[1]), *dc0 = static_cast<T*>(next[2]);
  const Packed<T> back(call, static_cast<const T*>(in[0]), 4 * u, u, 1, 4 * u);
  const int64_t numbers = 5 * pitch + 2 * wide;
  for_blocks<T>(call, p, 4 * u, numbers, [&](int64_t first, int64_t rows, T* memory) {
    T *dh = memory, *dc = dh + rows * pitch, *held = dc + rows * pitch, *below = held + rows * pitch;
    T *slope = below + rows * wide, *shown = slope + wide, *bend = shown + pitch;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0; i < u; ++i) {
        dh[r * pitch + i] = dlast ? dlast[(first + r) * u + i] : T(0);
        dc[r * pitch + i] = dcell ? dcell[(first + r) * u + i] : T(0);
      }
    for (int64_t s = time - 1; s >= 0; --s) {
      const int64_t t = p.step(s), earlier = p.reverse ? t + 1 : t - 1;
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t row = first + r, place = row * time + t;
        T *state = dh + r * pitch, *cell = dc + r * pitch, *a = below + r * wide;
        if (dstates)
          for (int64_t i = 0; i < u; ++i) state[i] += dstates[place * u + i];
        if (mask && !mask[place]) {
          for (int64_t i = 0; i < 4 * u; ++i) a[i] = 0;
          copy(held + r * pitch, state, u);
        } else {
          const T* before = s ? cells + (row * time + earlier) * u : c0 + row * u;
          const T *in_gate = gates + place * 4 * u, *forget = in_gate + u, *candidate = forget + u;
          const T* out_gate = candidate + u;
          copy(shown, cells + place * u, u);
          activate(p.activation, shown, u);
          slopes(p.activation, shown, bend, u);
          slopes(p.gate, in_gate, slope, 2 * u);
          slopes(p.activation, candidate, slope + 2 * u, u);
          slopes(p.gate, out_gate, slope + 3 * u, u);
          KERASISH_INDEPENDENT for (int64_t i = 0; i < u; ++i) {
            const T d = state[i], now = cell[i] + d * out_gate[i] * bend[i];
            a[i] = now * candidate[i] * slope[i];
            a[u + i] = now * before[i] * slope[u + i];
            a[2 * u + i] = now * in_gate[i] * slope[2 * u + i];
            a[3 * u + i] = d * shown[i] * slope[3 * u + i];
            cell[i] = now * forget[i];
          }
        }
        copy(dz + place * 4 * u, a, 4 * u);
      }
      back.product(rows, below, wide, dh, pitch);
      for (int64_t r = 0; mask && r < rows; ++r)
        if (!mask[(first + r) * time + t]) copy(dh + r * pitch, held + r * pitch, u);
    }
    for (int64_t r = 0; r < rows; ++r) {
      copy(dh0 + (first + r) * u, dh + r * pitch, u);
      copy(dc0 + (first + r) * u, dc + r * pitch, u);
    }
  });
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(lstm, {"lstm_f32", lstm<float>}, {"lstm_f64", lstm<double>},
               {"lstm_grad_f32", lstm_grad<float>}, {"lstm_grad_f64", lstm_grad<double>})
