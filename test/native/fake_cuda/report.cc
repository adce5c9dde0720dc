// Exported for tests, and not by the real driver: counters, and the report that is written when the process
// ends.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "context.h"
#include "control.h"
#include "fake_cuda.h"
#include "memory.h"

using namespace fake_cuda;

FAKE_CUDA_EXPORT int64_t fake_cuda_live() { return word(kLive); }

FAKE_CUDA_EXPORT int64_t fake_cuda_calls() { return word(kCalls); }

FAKE_CUDA_EXPORT int64_t fake_cuda_injected() { return word(kInjected); }

FAKE_CUDA_EXPORT int64_t fake_cuda_launches() { return word(kLaunches); }

FAKE_CUDA_EXPORT int64_t fake_cuda_damage() { return word(kDamage); }

FAKE_CUDA_EXPORT void fake_cuda_reload() { reload(); }

static std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

__attribute__((destructor)) static void writeReport() {
  const char* path = std::getenv("FAKE_CUDA_REPORT");
  if (path == nullptr || *path == 0) return;
  checkGuards();
  std::string list;
  for (const std::string& each : damages()) list += (list.empty() ? "" : ", ") + quoted(each);
  const Alive left = alive();
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) return std::perror("FAKE_CUDA_REPORT");
  std::fprintf(file,
               "{\"live\": %lld, \"bytes\": %lld, \"streams\": %zu, \"events\": %zu, \"modules\": %zu, "
               "\"contexts\": %zu, "
               "\"calls\": %lld, \"launches\": %lld, \"allocations\": %lld, \"damage\": [%s]}\n",
               static_cast<long long>(word(kLive)), static_cast<long long>(word(kLiveBytes)), left.streams,
               left.events, left.modules, left.contexts, static_cast<long long>(word(kCalls)),
               static_cast<long long>(word(kLaunches)), static_cast<long long>(word(kAllocations)),
               list.c_str());
  std::fclose(file);
}
