// The one thread pool of the process.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "kernel.h"

namespace kerasish {

// Workers start with the first job, spin for a few microseconds after each and then sleep. The
// caller works too. A job that finds the pool busy runs on its own thread alone: as work is split
// by sizes only, its result is the same.
class Pool {
 public:
  static Pool& instance();

  // Threads that work on a job, the caller among them.
  int width() const { return width_.load(std::memory_order_relaxed); }
  void set_width(int width);

  void run(int64_t count, void (*task)(void*, int64_t), void* context);

  // In the child of a fork: no workers, fresh locks.
  static void after_fork();

 private:
  Pool();
  void start();
  void stop();
  void work(int number);
  void take_part();

  struct Job {
    void (*task)(void*, int64_t) = nullptr;
    void* context = nullptr;
    int64_t count = 0;
    std::atomic<int64_t> next{0};
    std::atomic<bool> no_memory{false};
  };

  std::atomic<int> width_;
  std::mutex owner_;  // held while a job runs
  Job job_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<bool> open_{false};  // whether a worker that looks at the job may take part
  std::atomic<int> active_{0};     // workers that look at it
  std::atomic<int> sleeping_{0};
  std::atomic<bool> closing_{false};
  std::mutex sleep_;
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
};

}  // namespace kerasish
