#include "pool.h"

#include <cstdlib>
#include <new>

#ifdef _WIN32
#include <malloc.h>
#else
#include <pthread.h>
#endif

namespace kerasish {

namespace {

// About 20 microseconds: longer than the gap between two kernels, shorter than anybody notices.
constexpr int kSpins = 4000;

inline void relax() {
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

thread_local bool inside = false;  // whether this thread runs a task: jobs do not nest

struct Scratch {
  char* data = nullptr;
  size_t size = 0;
  ~Scratch() { ::operator delete(data, std::align_val_t(64)); }

  char* grown(size_t bytes) {
    if (size < bytes) {
      ::operator delete(data, std::align_val_t(64));
      data = nullptr;
      size = 0;
      data = static_cast<char*>(::operator new(bytes, std::align_val_t(64)));
      size = bytes;
    }
    return data;
  }
};
thread_local Scratch scratch, memory_of_block;

}  // namespace

char* thread_scratch(size_t bytes) { return scratch.grown(bytes); }
char* block_memory(size_t bytes) { return memory_of_block.grown(bytes); }

void run_parallel(Pool* pool, int64_t count, void (*task)(void*, int64_t), void* context) {
  pool->run(count, task, context);
}

static Pool* the_pool = nullptr;
static std::mutex making;

Pool& Pool::instance() {
  std::lock_guard<std::mutex> lock(making);
  if (the_pool == nullptr) {
    the_pool = new Pool();  // never destroyed: workers may outlive static objects
#ifndef _WIN32
    static bool told = false;
    if (!told) pthread_atfork(nullptr, nullptr, after_fork);
    told = true;
#endif
  }
  return *the_pool;
}

Pool::Pool() : width_(1) {}

void Pool::after_fork() {
  // The parent's workers do not exist here, and a lock may be held by one of them: leave the old
  // pool where it is and make a new one in its place.
  new (&making) std::mutex();
  inside = false;
  if (the_pool == nullptr) return;
  int width = the_pool->width();
  new (the_pool) Pool();
  the_pool->width_ = width;
}

void Pool::set_width(int width) {
  std::lock_guard<std::mutex> lock(owner_);
  stop();
  width_ = width < 1 ? 1 : width;
}

void Pool::start() {
  closing_ = false;
  for (int i = 1; i < width(); ++i) workers_.emplace_back([this, i] { work(i); });
}

void Pool::stop() {
  {
    std::lock_guard<std::mutex> lock(sleep_);
    closing_ = true;
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
  workers_.clear();
}

void Pool::take_part() {
  inside = true;
  try {
    for (;;) {
      int64_t i = job_.next.fetch_add(1, std::memory_order_relaxed);
      if (i >= job_.count) break;
      job_.task(job_.context, i);
    }
  } catch (const std::bad_alloc&) {  // thread_scratch; told to the caller of `run`
    job_.no_memory = true;
  }
  inside = false;
}

void Pool::work(int) {
  uint64_t seen = 0;
  for (;;) {
    int spins = 0;
    while (generation_.load(std::memory_order_acquire) == seen && !closing_) {
      if (++spins < kSpins) {
        relax();
        continue;
      }
      std::unique_lock<std::mutex> lock(sleep_);
      sleeping_.fetch_add(1);
      wake_.wait(lock, [&] { return generation_.load() != seen || closing_; });
      sleeping_.fetch_sub(1);
    }
    if (closing_) return;
    seen = generation_.load(std::memory_order_acquire);
    active_.fetch_add(1);
    if (open_.load()) take_part();
    active_.fetch_sub(1);
  }
}

void Pool::run(int64_t count, void (*task)(void*, int64_t), void* context) {
  if (count <= 0) return;
  if (count == 1 || inside || width() == 1 || !owner_.try_lock()) {
    for (int64_t i = 0; i < count; ++i) task(context, i);
    return;
  }
  std::lock_guard<std::mutex> lock(owner_, std::adopt_lock);
  if (workers_.empty()) start();
  job_.task = task;
  job_.context = context;
  job_.count = count;
  job_.next.store(0, std::memory_order_relaxed);
  job_.no_memory.store(false, std::memory_order_relaxed);
  open_.store(true);
  generation_.fetch_add(1);
  if (sleeping_.load() > 0) {
    { std::lock_guard<std::mutex> awake(sleep_); }
    wake_.notify_all();
  }
  take_part();
  // A worker that wakes too late finds the job closed: nobody waits for it.
  open_.store(false);
  // One who does not come back soon has lost its processor, perhaps to this thread.
  for (int spins = 0; active_.load() > 0; ++spins) {
    if (spins < kSpins)
      relax();
    else
      std::this_thread::yield();
  }
  if (job_.no_memory) throw std::bad_alloc();
}

}  // namespace kerasish
