// SimpleRNN and GRU over sequences, forward and backward. See recurrent.h and lstm.cpp.
#include "recurrent.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

// z, kernel, h0, [mask] -> states, last state
template <class T>
void simple_rnn(const Call& call) {
  const Shape p(call.params);
  const int64_t u = p.units, time = p.time, pitch = pitch_of<T>(u);
  void* const* in = call.data;
  const T* z = static_cast<const T*>(in[0]);
  const T* h0 = static_cast<const T*>(in[2]);
  const bool* mask = p.masked ? static_cast<const bool*>(in[3]) : nullptr;
  void* const* out = in + 3 + p.masked;
  T *states = static_cast<T*>(out[0]), *last = static_cast<T*>(out[1]);
  const Packed<T> kernel(call, static_cast<const T*>(in[1]), u, u, u, 1);
  for_blocks<T>(call, p, u, 2 * pitch, [&](int64_t first, int64_t rows, T* memory) {
    T *h = memory, *pre = h + rows * pitch;
    for (int64_t r = 0; r < rows; ++r) copy(h + r * pitch, h0 + (first + r) * u, u);
    for (int64_t s = 0; s < time; ++s) {
      kernel.product(rows, h, pitch, pre, pitch);
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t place = (first + r) * time + p.step(s);
        T *now = h + r * pitch, *a = pre + r * pitch;
        if (!mask || mask[place]) {
          const T* input = z + place * u;
          for (int64_t i = 0; i < u; ++i) a[i] += input[i];
          activate(p.activation, a, u);
          copy(now, a, u);
        }
        copy(states + place * u, now, u);
      }
    }
    for (int64_t r = 0; r < rows; ++r) copy(last + (first + r) * u, h + r * pitch, u);
  });
}

// The cotangents that were given, one after another; null for the others.
template <class T, int N>
struct Given {
  const T* of[N];
  Given(void* const* data, const int64_t* flags) {
    for (int i = 0; i < N; ++i) of[i] = flags[i] ? static_cast<const T*>(*data++) : nullptr;
  }
};

template <class T>
void start(T* to, const T* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from ? from[i] : T(0);
}

// kernel, states, [mask], [dstates], [dh] -> dz, dh0
template <class T>
void simple_rnn_grad(const Call& call) {
  const Shape p(call.params);
  const int64_t u = p.units, time = p.time, pitch = pitch_of<T>(u);
  void* const* in = call.data;
  const int64_t* flags = call.params + 7;
  const T* states = static_cast<const T*>(in[1]);
  const bool* mask = p.masked ? static_cast<const bool*>(in[2]) : nullptr;
  const Given<T, 2> g(in + 2 + p.masked, flags);
  void* const* out = in + 2 + p.masked + flags[0] + flags[1];
  T *dz = static_cast<T*>(out[0]), *dh0 = static_cast<T*>(out[1]);
  const Packed<T> back(call, static_cast<const T*>(in[0]), u, u, 1, u);
  for_blocks<T>(call, p, u, 4 * pitch, [&](int64_t first, int64_t rows, T* memory) {
    T *dh = memory, *held = dh + rows * pitch, *da = held + rows * pitch, *slope = da + rows * pitch;
    for (int64_t r = 0; r < rows; ++r)
      start(dh + r * pitch, g.of[1] ? g.of[1] + (first + r) * u : nullptr, u);
    for (int64_t s = time - 1; s >= 0; --s) {
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t place = (first + r) * time + p.step(s);
        T *now = dh + r * pitch, *a = da + r * pitch;
        if (g.of[0])
          for (int64_t i = 0; i < u; ++i) now[i] += g.of[0][place * u + i];
        if (mask && !mask[place]) {
          start<T>(a, nullptr, u);
          copy(held + r * pitch, now, u);
        } else {
          slopes(p.activation, states + place * u, slope, u);
          for (int64_t i = 0; i < u; ++i) a[i] = now[i] * slope[i];
        }
        copy(dz + place * u, a, u);
      }
      back.product(rows, da, pitch, dh, pitch);
      for (int64_t r = 0; mask && r < rows; ++r)
        if (!mask[(first + r) * time + p.step(s)]) copy(dh + r * pitch, held + r * pitch, u);
    }
    for (int64_t r = 0; r < rows; ++r) copy(dh0 + (first + r) * u, dh + r * pitch, u);
  });
}

// z, kernel, bias, h0, [mask] -> states, last state, gates
template <class T>
void gru(const Call& call) {
  const Shape p(call.params);
  const int64_t u = p.units, time = p.time, pitch = pitch_of<T>(u), wide = pitch_of<T>(3 * u);
  void* const* in = call.data;
  const T *z = static_cast<const T*>(in[0]), *bias = static_cast<const T*>(in[2]);
  const T* h0 = static_cast<const T*>(in[3]);
  const bool* mask = p.masked ? static_cast<const bool*>(in[4]) : nullptr;
  void* const* out = in + 4 + p.masked;
  T *states = static_cast<T*>(out[0]), *last = static_cast<T*>(out[1]), *gates = static_cast<T*>(out[2]);
  const Packed<T> kernel(call, static_cast<const T*>(in[1]), u, 3 * u, 3 * u, 1);
  for_blocks<T>(call, p, 3 * u, pitch + wide, [&](int64_t first, int64_t rows, T* memory) {
    T *h = memory, *pre = h + rows * pitch;
    for (int64_t r = 0; r < rows; ++r) copy(h + r * pitch, h0 + (first + r) * u, u);
    for (int64_t s = 0; s < time; ++s) {
      kernel.product(rows, h, pitch, pre, wide);
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t place = (first + r) * time + p.step(s);
        const T *input = z + place * 3 * u, *a = pre + r * wide;
        T *gate = gates + place * 4 * u, *now = h + r * pitch;
        T *reset = gate + u, *candidate = gate + 2 * u, *inner = gate + 3 * u;
        for (int64_t i = 0; i < 2 * u; ++i) gate[i] = input[i] + (a[i] + bias[i]);
        activate(p.gate, gate, 2 * u);
        KERASISH_INDEPENDENT for (int64_t i = 0; i < u; ++i) {
          const T b = a[2 * u + i] + bias[2 * u + i];
          inner[i] = b;
          candidate[i] = input[2 * u + i] + reset[i] * b;
        }
        activate(p.activation, candidate, u);
        if (!mask || mask[place])
          KERASISH_INDEPENDENT for (int64_t i = 0; i < u; ++i)
            now[i] = gate[i] * now[i] + (1 - gate[i]) * candidate[i];
        copy(states + place * u, now, u);
      }
    }
    for (int64_t r = 0; r < rows; ++r) copy(last + (first + r) * u, h + r * pitch, u);
  });
}

// kernel, h0, states, gates, [mask], [dstates], [dh] -> dz, cotangent of the recurrent product, dh0
template <class T>
void gru_grad(const Call& call) {
  const Shape p(call.params);
  const int64_t u = p.units, time = p.time, pitch = pitch_of<T>(u), wide = pitch_of<T>(3 * u);
  void* const* in = call.data;
  const int64_t* flags = call.params + 7;
  const T *h0 = static_cast<const T*>(in[1]), *states = static_cast<const T*>(in[2]);
  const T* gates = static_cast<const T*>(in[3]);
  const bool* mask = p.masked ? static_cast<const bool*>(in[4]) : nullptr;
  const Given<T, 2> g(in + 4 + p.masked, flags);
  void* const* out = in + 4 + p.masked + flags[0] + flags[1];
  T *dz = static_cast<T*>(out[0]), *db = static_cast<T*>(out[1]), *dh0 = static_cast<T*>(out[2]);
  const Packed<T> back(call, static_cast<const T*>(in[0]), 3 * u, u, 1, 3 * u);
  const int64_t numbers = 3 * pitch + 2 * wide;
  for_blocks<T>(call, p, 3 * u, numbers, [&](int64_t first, int64_t rows, T* memory) {
    T *dh = memory, *passed = dh + rows * pitch, *below = passed + rows * pitch;
    T *slope = below + rows * wide;
    for (int64_t r = 0; r < rows; ++r)
      start(dh + r * pitch, g.of[1] ? g.of[1] + (first + r) * u : nullptr, u);
    for (int64_t s = time - 1; s >= 0; --s) {
      const int64_t t = p.step(s), earlier = p.reverse ? t + 1 : t - 1;
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t row = first + r, place = row * time + t;
        const T* before = s ? states + (row * time + earlier) * u : h0 + row * u;
        T *now = dh + r * pitch, *beyond = passed + r * pitch, *b = below + r * wide;
        T* a = dz + place * 3 * u;
        if (g.of[0])
          for (int64_t i = 0; i < u; ++i) now[i] += g.of[0][place * u + i];
        if (mask && !mask[place]) {
          start<T>(b, nullptr, 3 * u);
          start<T>(a, nullptr, 3 * u);
          copy(beyond, now, u);
        } else {
          const T *update = gates + place * 4 * u, *reset = update + u, *candidate = reset + u;
          const T* inner = candidate + u;
          slopes(p.gate, update, slope, 2 * u);
          slopes(p.activation, candidate, slope + 2 * u, u);
          KERASISH_INDEPENDENT for (int64_t i = 0; i < u; ++i) {
            const T d = now[i], da = d * (1 - update[i]) * slope[2 * u + i];
            beyond[i] = d * update[i];
            b[i] = d * (before[i] - candidate[i]) * slope[i];
            b[u + i] = da * inner[i] * slope[u + i];
            b[2 * u + i] = da * reset[i];
            a[2 * u + i] = da;
          }
          copy(a, b, 2 * u);
        }
        copy(db + place * 3 * u, b, 3 * u);
      }
      back.product(rows, below, wide, dh, pitch);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t i = 0; i < u; ++i) dh[r * pitch + i] += passed[r * pitch + i];
    }
    for (int64_t r = 0; r < rows; ++r) copy(dh0 + (first + r) * u, dh + r * pitch, u);
  });
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(rnn, {"simple_rnn_f32", simple_rnn<float>}, {"simple_rnn_f64", simple_rnn<double>},
               {"simple_rnn_grad_f32", simple_rnn_grad<float>},
               {"simple_rnn_grad_f64", simple_rnn_grad<double>}, {"gru_f32", gru<float>},
               {"gru_f64", gru<double>}, {"gru_grad_f32", gru_grad<float>},
               {"gru_grad_f64", gru_grad<double>})
