// Adding rows where indices say, in the order of the indices: positions are sorted by what they name,
// then each run of equal places is summed from its first position to its last.

// Entries (place as key) of `count` positions, filled up to whole blocks; each block of them sorted.
DEVICE void sort_blocks(const int32_t* places, uint64_t* out, int64_t count) {
  __shared__ uint64_t keys[kSorted];
  const int64_t base = blockIdx.x * int64_t(kSorted);
  for (int e = threadIdx.x; e < kSorted; e += 256) {
    const int64_t i = base + e;
    const bool within = i < count && places[i] >= 0;
    keys[e] = within ? uint64_t(uint32_t(places[i])) << 32 | uint64_t(i) : ~uint64_t(0);
  }
  __syncthreads();
  sort_shared(keys, kSorted);
  for (int e = threadIdx.x; e < kSorted; e += 256) out[base + e] = keys[e];
}

constexpr int kTile = 32;  // sorted entries that are walked at once
DEVICE int64_t place_of(uint64_t entry) { return int64_t(entry >> 32); }

// Of each run of equal places only the last position is marked.
DEVICE void last_of_runs(const uint64_t* entries, int32_t* lasts, int64_t total) {
  const int64_t e = blockIdx.x * int64_t(256) + threadIdx.x;
  if (e >= total || entries[e] == ~uint64_t(0)) return;
  lasts[entries[e] & 0xffffffffu] = e + 1 == total || place_of(entries[e + 1]) != place_of(entries[e]);
}

// What a sum of a run reads and writes: element (position, column) of the values, and where the
// column of a place lies in the result.
struct Columns {
  int64_t front, rest;    // columns: front x rest
  int64_t positions;      // values are [front, positions, rest]
  int64_t front_step, rest_step, start;
};
DEVICE int64_t value_at(const Columns& c, int64_t position, int64_t column) {
  return (column / c.rest * c.positions + position) * c.rest + column % c.rest;
}
DEVICE int64_t result_at(const Columns& c, int64_t place, int64_t column) {
  return c.start + column / c.rest * c.front_step + column % c.rest * c.rest_step + place;
}

// The runs of a tile of sorted entries. A run within the tile is added to the result; of one that
// began before, the part here goes to `head`, of one that goes on to `tail`.
template <class T>
DEVICE void add_runs(const uint64_t* entries, const T* values, T* out, In<T>* head, In<T>* tail,
                     int64_t total, const Columns& c) {
  using R = In<T>;
  const int64_t columns = c.front * c.rest, blocks = (columns + 255) / 256;
  const int64_t tile = blockIdx.x / blocks, first = tile * kTile;
  const int64_t column = blockIdx.x % blocks * 256 + threadIdx.x;
  if (column >= columns) return;
  const int64_t last = first + kTile < total ? first + kTile : total;
  R sum = R(0);
  bool before = first > 0 && place_of(entries[first - 1]) == place_of(entries[first]);
  for (int64_t e = first; e < last && entries[e] != ~uint64_t(0); ++e) {
    sum += k::get(values[value_at(c, int64_t(entries[e] & 0xffffffffu), column)]);
    const int64_t place = place_of(entries[e]);
    const bool ends = e + 1 == total || place_of(entries[e + 1]) != place;
    if (!ends && e + 1 < last) continue;
    const int64_t at = result_at(c, place, column);
    if (before)
      head[tile * columns + column] = sum;
    else if (ends)
      out[at] = k::put<T>(k::get(out[at]) + sum);
    else
      tail[tile * columns + column] = sum;
    before = false;
    sum = R(0);
  }
}
// Runs over several tiles: the tile in which one begins adds it up.
template <class T>
DEVICE void add_long_runs(const uint64_t* entries, T* out, const In<T>* head, const In<T>* tail,
                          int64_t total, const Columns& c) {
  using R = In<T>;
  const int64_t columns = c.front * c.rest, blocks = (columns + 255) / 256;
  const int64_t tile = blockIdx.x / blocks, last = (tile + 1) * kTile;
  const int64_t column = blockIdx.x % blocks * 256 + threadIdx.x;
  if (column >= columns || last >= total || entries[last - 1] == ~uint64_t(0)) return;
  const int64_t place = place_of(entries[last - 1]);
  if (place_of(entries[last]) != place || entries[last] == ~uint64_t(0)) return;
  if (tile > 0 && place_of(entries[tile * kTile - 1]) == place) return;  // began before
  R sum = tail[tile * columns + column];
  for (int64_t t = tile + 1; t * kTile < total; ++t) {
    if (place_of(entries[t * kTile]) != place || entries[t * kTile] == ~uint64_t(0)) break;
    sum += head[t * columns + column];
  }
  const int64_t at = result_at(c, place, column);
  out[at] = k::put<T>(k::get(out[at]) + sum);
}
