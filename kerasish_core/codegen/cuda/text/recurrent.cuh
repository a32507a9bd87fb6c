// Recurrent layers, a launch for each step. A block has 8 rows of the batch and 16 units; two threads have a
// state, each half of the sums along k. Arrays are (batch, time, ...), gates as `ops/_rnn_steps.py` has
// them. ACT and GATE are activations by number, MASK says whether rows may keep their state.
//
// Sums come from `product`, which a library made, unless that is null.

struct Sequence {
  int64_t batch, time, units, reverse, step;
};
// The step's place in time, and that of the one before it.
DEVICE int64_t moment(const Sequence& s) { return s.reverse ? s.time - 1 - s.step : s.step; }
DEVICE int64_t earlier(const Sequence& s) { return s.reverse ? s.time - s.step : s.step - 1; }

constexpr int kBatch = 8, kUnits = 16;

template <int KIND, class R>
DEVICE R activated(R x) {
  return KIND == 0   ? k::tanh(x)
         : KIND == 1 ? k::sigmoid(x)
         : KIND == 2 ? k::minimum(k::maximum(x + R(3), 0), 6) / R(6)
         : KIND == 3 ? k::maximum(x, 0)
                     : x;
}
// The derivative, of the value.
template <int KIND, class R>
DEVICE R slope(R y) {
  return KIND == 0   ? 1 - y * y
         : KIND == 1 ? y * (1 - y)
         : KIND == 2 ? (y > 0 && y < 1 ? R(1) / 6 : R(0))
         : KIND == 3 ? R(y > 0)
                     : R(1);
}

struct Own {
  int64_t row, unit, state;  // `state`: of (batch, units)
  bool first, within;        // whether this thread finishes the state, and whether that exists
};
DEVICE Own own_of(const Sequence& s) {
  const int64_t across = (s.units + kUnits - 1) / kUnits;
  const int64_t row = blockIdx.x / across * kBatch + threadIdx.x / kUnits % kBatch;
  const int64_t unit = blockIdx.x % across * kUnits + threadIdx.x % kUnits;
  return Own{row, unit, row * s.units + unit, threadIdx.x < 128, row < s.batch && unit < s.units};
}

// sums[g] = sum over k of from(row, k) weight(k, g, unit), for the threads that finish. Weights lie dense
// along k or along units.
template <class R, int G, bool ALONG_K, class From, class Weight>
DEVICE void multiply(R (&sums)[G], const Own& own, int64_t inner, const From& from, const Weight& weight) {
  constexpr int K = 512 / sizeof(R), PITCH = G == 1 ? kUnits + 1 : kUnits * G;
  __shared__ R left[kBatch][K + 1], right[K * PITCH], other[128][G];
  const int64_t row0 = own.row - threadIdx.x / kUnits % kBatch, unit0 = own.unit - threadIdx.x % kUnits;
  const int row = threadIdx.x / kUnits % kBatch, unit = threadIdx.x % kUnits, half = threadIdx.x / 128;
  for (int64_t k0 = 0; k0 < inner; k0 += K) {
    for (int e = threadIdx.x; e < kBatch * K; e += 256)
      left[e / K][e % K] = k0 + e % K < inner ? from(row0 + e / K, k0 + e % K) : R(0);
    for (int e = threadIdx.x; e < K * kUnits * G; e += 256) {
      const int kk = ALONG_K ? e % K : e / (kUnits * G), u = ALONG_K ? e / K % kUnits : e % kUnits;
      const int g = ALONG_K ? e / (K * kUnits) : e / kUnits % G;
      right[kk * PITCH + u * G + g] = k0 + kk < inner ? weight(k0 + kk, g, unit0 + u) : R(0);
    }
    __syncthreads();
    for (int kk = half * (K / 2); kk < (half + 1) * (K / 2); ++kk)
      for (int g = 0; g < G; ++g) sums[g] += left[row][kk] * right[kk * PITCH + unit * G + g];
    __syncthreads();
  }
  if (half == 1)
    for (int g = 0; g < G; ++g) other[threadIdx.x - 128][g] = sums[g];
  __syncthreads();
  if (half == 0)
    for (int g = 0; g < G; ++g) sums[g] += other[threadIdx.x][g];
}

// h U of the state before, all gates of the own unit.
template <class R, int G>
DEVICE void of_state(R (&sums)[G], const Own& own, const R* kernel, const R* h0, const R* states,
                     const R* product, const Sequence& s) {
  const int64_t units = s.units;
  if (product) {
    if (own.within)
      for (int g = 0; g < G; ++g) sums[g] = product[(own.row * G + g) * units + own.unit];
    return;
  }
  const R* from = s.step ? states + earlier(s) * units : h0;
  const int64_t apart = s.step ? s.time * units : units;
  multiply<R, G, false>(
      sums, own, units,
      [&](int64_t row, int64_t k) { return row < s.batch ? from[row * apart + k] : R(0); },
      [&](int64_t k, int g, int64_t unit) { return unit < units ? kernel[(k * G + g) * units + unit] : R(0); });
}
// What the cotangents `d` of the step after this one, (batch, time, G units), give the own state.
template <class R, int G>
DEVICE R of_cotangents(const Own& own, const R* kernel, const R* d, const R* product, const Sequence& s) {
  if (s.step == 0) return R(0);
  if (product) return own.within ? product[own.state] : R(0);
  const int64_t inner = G * s.units;
  R sums[1] = {};
  const R* from = d + earlier(s) * inner;
  multiply<R, 1, true>(
      sums, own, inner,
      [&](int64_t row, int64_t k) { return row < s.batch ? from[row * s.time * inner + k] : R(0); },
      [&](int64_t k, int, int64_t unit) { return unit < s.units ? kernel[unit * inner + k] : R(0); });
  return sums[0];
}

// -- forward

template <int ACT, bool MASK, class R>
DEVICE void simple_rnn_step(const R* z, const R* kernel, const R* h0, const truth* mask, const R* product,
                            R* states, R* last, const Sequence& s) {
  const Own own = own_of(s);
  R sums[1] = {};
  of_state<R, 1>(sums, own, kernel, h0, states, product, s);
  if (!own.first || !own.within) return;
  const int64_t place = own.row * s.time + moment(s), before = own.row * s.time + earlier(s);
  R h = activated<ACT>(z[place * s.units + own.unit] + sums[0]);
  if (MASK && !mask[place].bits) h = s.step ? states[before * s.units + own.unit] : h0[own.state];
  states[place * s.units + own.unit] = h;
  if (s.step == s.time - 1) last[own.state] = h;
}

template <int ACT, int GATE, bool MASK, class R>
DEVICE void lstm_step(const R* z, const R* kernel, const R* h0, const R* c0, const truth* mask,
                      const R* product, R* states, R* last, R* last_cell, R* cells, R* gates,
                      const Sequence& s) {
  const Own own = own_of(s);
  R sums[4] = {};
  of_state<R, 4>(sums, own, kernel, h0, states, product, s);
  if (!own.first || !own.within) return;
  const int64_t units = s.units, place = own.row * s.time + moment(s);
  const int64_t now = place * units + own.unit, before = (own.row * s.time + earlier(s)) * units + own.unit;
  const R* a = z + place * 4 * units + own.unit;
  const R in = activated<GATE>(a[0] + sums[0]), forget = activated<GATE>(a[units] + sums[1]);
  const R candidate = activated<ACT>(a[2 * units] + sums[2]), out = activated<GATE>(a[3 * units] + sums[3]);
  const R old = s.step ? cells[before] : c0[own.state];
  R c = forget * old + in * candidate, h = out * activated<ACT>(c);
  if (MASK && !mask[place].bits) c = old, h = s.step ? states[before] : h0[own.state];
  R* kept = gates + place * 4 * units + own.unit;
  kept[0] = in, kept[units] = forget, kept[2 * units] = candidate, kept[3 * units] = out;
  states[now] = h, cells[now] = c;
  if (s.step == s.time - 1) last[own.state] = h, last_cell[own.state] = c;
}

template <int ACT, int GATE, bool MASK, class R>
DEVICE void gru_step(const R* z, const R* kernel, const R* bias, const R* h0, const truth* mask,
                     const R* product, R* states, R* last, R* gates, const Sequence& s) {
  const Own own = own_of(s);
  R sums[3] = {};
  of_state<R, 3>(sums, own, kernel, h0, states, product, s);
  if (!own.first || !own.within) return;
  const int64_t units = s.units, place = own.row * s.time + moment(s);
  const int64_t before = (own.row * s.time + earlier(s)) * units + own.unit;
  for (int g = 0; g < 3; ++g) sums[g] += bias[g * units + own.unit];
  const R* a = z + place * 3 * units + own.unit;
  const R update = activated<GATE>(a[0] + sums[0]), reset = activated<GATE>(a[units] + sums[1]);
  const R candidate = activated<ACT>(a[2 * units] + reset * sums[2]);
  const R old = s.step ? states[before] : h0[own.state];
  R h = update * old + (1 - update) * candidate;
  if (MASK && !mask[place].bits) h = old;
  R* kept = gates + place * 4 * units + own.unit;
  kept[0] = update, kept[units] = reset, kept[2 * units] = candidate, kept[3 * units] = sums[2];
  states[place * units + own.unit] = h;
  if (s.step == s.time - 1) last[own.state] = h;
}

// -- backward, in the other direction, a launch more than there are steps: each first pulls back through the
// product of the step before. `dh` and `dc` hold what goes on to the next launch beside that. `from` are
// cotangents of all states, null for none; those of the last state (and cell) are in `dh` (and `dc`).

// The cotangent of the own state at this step; false where nothing is left to do.
template <int G, class R>
DEVICE bool pulled(R* found, const Own& own, const R* kernel, const R* d, const R* from, const R* product,
                   R* dh, const Sequence& s) {
  const R through = of_cotangents<R, G>(own, kernel, d, product, s);
  if (!own.first || !own.within) return false;
  *found = through + dh[own.state];
  if (s.step == s.time) {
    dh[own.state] = *found;
    return false;
  }
  if (from) *found += from[(own.row * s.time + moment(s)) * s.units + own.unit];
  return true;
}

template <int ACT, bool MASK, class R>
DEVICE void simple_rnn_grad_step(const R* kernel, const R* states, const truth* mask, const R* from,
                                 const R* product, R* dh, R* dz, const Sequence& s) {
  const Own own = own_of(s);
  R d;
  if (!pulled<1>(&d, own, kernel, dz, from, product, dh, s)) return;
  const int64_t place = own.row * s.time + moment(s), now = place * s.units + own.unit;
  const bool keep = MASK && !mask[place].bits;
  dz[now] = keep ? R(0) : d * slope<ACT>(states[now]);
  dh[own.state] = keep ? d : R(0);
}

template <int ACT, int GATE, bool MASK, class R>
DEVICE void lstm_grad_step(const R* kernel, const R* c0, const R* cells, const R* gates, const truth* mask,
                           const R* from, const R* product, R* dh, R* dc, R* dz, const Sequence& s) {
  const Own own = own_of(s);
  R d;
  if (!pulled<4>(&d, own, kernel, dz, from, product, dh, s)) return;
  const int64_t units = s.units, t = moment(s), place = own.row * s.time + t;
  const bool keep = MASK && !mask[place].bits;
  const R* of_gates = gates + place * 4 * units + own.unit;
  const R in = of_gates[0], forget = of_gates[units], candidate = of_gates[2 * units];
  const R out = of_gates[3 * units], shown = activated<ACT>(cells[place * units + own.unit]);
  // The cell before this one in the forward direction, which is the next one here.
  const int64_t next = s.reverse ? t - 1 : t + 1;
  const R old = s.step == s.time - 1 ? c0[own.state] : cells[(own.row * s.time + next) * units + own.unit];
  const R cell = dc[own.state] + d * out * slope<ACT>(shown);
  R* to = dz + place * 4 * units + own.unit;
  to[0] = keep ? R(0) : cell * candidate * slope<GATE>(in);
  to[units] = keep ? R(0) : cell * old * slope<GATE>(forget);
  to[2 * units] = keep ? R(0) : cell * in * slope<ACT>(candidate);
  to[3 * units] = keep ? R(0) : d * shown * slope<GATE>(out);
  dh[own.state] = keep ? d : R(0);
  if (!keep) dc[own.state] = cell * forget;
}

template <int ACT, int GATE, bool MASK, class R>
DEVICE void gru_grad_step(const R* kernel, const R* h0, const R* states, const R* gates, const truth* mask,
                          const R* from, const R* product, R* dh, R* dz, R* db, const Sequence& s) {
  const Own own = own_of(s);
  R d;
  if (!pulled<3>(&d, own, kernel, db, from, product, dh, s)) return;
  const int64_t units = s.units, t = moment(s), place = own.row * s.time + t;
  const bool keep = MASK && !mask[place].bits;
  const R* of_gates = gates + place * 4 * units + own.unit;
  const R update = of_gates[0], reset = of_gates[units], candidate = of_gates[2 * units];
  const R inner = of_gates[3 * units];
  const int64_t next = s.reverse ? t - 1 : t + 1;
  const R old = s.step == s.time - 1 ? h0[own.state] : states[(own.row * s.time + next) * units + own.unit];
  const R of_candidate = keep ? R(0) : d * (1 - update) * slope<ACT>(candidate);
  const R of_update = keep ? R(0) : d * (old - candidate) * slope<GATE>(update);
  const R of_reset = keep ? R(0) : of_candidate * inner * slope<GATE>(reset);
  R *to = dz + place * 3 * units + own.unit, *of_b = db + place * 3 * units + own.unit;
  to[0] = of_b[0] = of_update, to[units] = of_b[units] = of_reset;
  to[2 * units] = of_candidate, of_b[2 * units] = of_candidate * reset;
  dh[own.state] = keep ? d : d * update;
}
