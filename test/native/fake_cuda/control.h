// What the fake is told and what it tells: settings from the environment, injected failures, counters.
//
//   FAKE_CUDA_VERSION=13000       what cuDriverGetVersion says
//   FAKE_CUDA_INIT=0              what cuInit returns
//   FAKE_CUDA_DEVICES=1           GPUs in the machine; CUDA_VISIBLE_DEVICES hides some, as with the real one
//   FAKE_CUDA_CAPABILITY=90       10·major + minor of every GPU
//   FAKE_CUDA_MEMORY=1073741824   bytes of every GPU
//   FAKE_CUDA_ASYNC=1             0: copies and launches are done before the call returns
//   FAKE_CUDA_DELAY=0             microseconds that every queued copy or launch takes at least
//   FAKE_CUDA_FAIL_AT=N           the N-th call after cuInit fails; NAME:N: the N-th call of that function
//   FAKE_CUDA_FAIL_CODE=2         with this code
//   FAKE_CUDA_FAIL_FOREVER=0      1: and so do all such calls after it
//   FAKE_CUDA_LOG=PATH            one line per call
//   FAKE_CUDA_REPORT=PATH         when the process ends: what is still alive and what was done wrong, as JSON
//   FAKE_CUDA_CONTROL=PATH        a file of kWords 64-bit words, shared: a test sets failures and reads
//   counters while
//                                 the process runs
//
// Counted, and so able to fail, is every call but cuInit, cuDriverGetVersion and the texts of errors. A call
// that frees or waits does its work also when it is told to fail, as the real one does when it reports an
// earlier fault. What asks nothing of a device (cuCtxPushCurrent) fails when it is its turn, but not for ever
// after some other call.
#ifndef ISOMETRY_TEST_FAKE_CUDA_CONTROL_H_
#define ISOMETRY_TEST_FAKE_CUDA_CONTROL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "results.h"

namespace fake_cuda {

// The 64-bit words of FAKE_CUDA_CONTROL; test/helpers/fake-cuda.ts has the same list. A test writes the first
// ones and then a new generation, upon which the fake counts its calls from 0 again.
enum Word : int {
  kReady,             // by the fake: 1, it has seen the file
  kGeneration,        // by the test
  kFailAt,            // by the test, as are those up to kInitCode; 0: nothing fails
  kFailCode,          //
  kFailForever,       //
  kInitCode,          //
  kCalls,             // by the fake: calls since the generation was seen
  kLive,              // objects that are not freed, or were not when their context went
  kLiveBytes,         // of device memory
  kDamage,            // things done wrong
  kLaunches,          // kernels
  kInjected,          // failures since the generation was seen
  kAllocations,       // device allocations ever made
  kHostOnlyFailures,  // of these, of calls that ask nothing of a device
  kFailName = 16      // by the test: a function's name in 64 bytes, or nothing for any
};
inline constexpr int kWords = 24;

struct Settings {
  int version = 13000;
  int devices = 1;
  int capability = 90;
  uint64_t memory = 1ull << 30;
  bool async = true;
  unsigned delay = 0;
  std::vector<int> visible;  // physical ordinals
};

const Settings& settings();

// Reads the environment again and counts from 0. For tests in C++; nothing else may run meanwhile.
void reload();

enum class Kind {
  kAlways,     // works before cuInit, is not counted and never made to fail
  kOrdinary,   // does nothing when it is made to fail
  kHostOnly,   // the same, but a failure for ever of any function leaves it out
  kActsFirst,  // frees or waits; does so also when it is made to fail
};

struct Verdict {
  Result result;
  bool act;
};

// Counts a call and says whether it is to do its work and what it is to return if that succeeds.
Verdict begin(const char* function, Kind kind);
void logCall(const char* function, Result result);

// One exported function: `body` does its work.
template <class Body>
int call(const char* function, Kind kind, const Body& body) {
  const Verdict verdict = begin(function, kind);
  Result result = verdict.result;
  if (verdict.act) {
    const Result own = body();
    if (result == kOk) result = own;
  }
  logCall(function, result);
  return result;
}

void setInitialized();
int64_t word(Word word);
void add(Word word, int64_t difference);

// Something that a correct caller never does. Printed, counted, reported.
void damage(const std::string& what);
std::vector<std::string> damages();

}  // namespace fake_cuda

#define FAKE_CUDA_EXPORT extern "C" __attribute__((visibility("default")))

#endif  // ISOMETRY_TEST_FAKE_CUDA_CONTROL_H_
