#include "control.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace fake_cuda {
namespace {

const char* text(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int64_t number(const char* name, int64_t otherwise) {
  const char* value = text(name);
  return *value == 0 ? otherwise : std::strtoll(value, nullptr, 10);
}

// The ordinals that CUDA_VISIBLE_DEVICES leaves. As in the driver, the first one that does not exist ends the
// list.
std::vector<int> visibleOf(int devices) {
  std::vector<int> visible;
  const char* list = std::getenv("CUDA_VISIBLE_DEVICES");
  if (list == nullptr) {
    for (int k = 0; k < devices; k++) visible.push_back(k);
    return visible;
  }
  while (*list != 0) {
    char* end;
    const long k = std::strtol(list, &end, 10);
    if (end == list || k < 0 || k >= devices) break;
    visible.push_back(static_cast<int>(k));
    list = *end == ',' ? end + 1 : end;
  }
  return visible;
}

// Never destroyed: stream threads and other libraries' destructors may still call at exit.
struct Control {
  std::mutex mutex;
  Settings settings;
  int64_t own[kWords] = {};
  int64_t* words = own;  // or the shared file
  int64_t generation = 0;
  int64_t matched = 0;  // calls of the function that is to fail
  bool initialized = false;
  int log = -1;
  std::vector<std::string> damages;

  Control() {
    read();
    mapFile();
    const char* path = text("FAKE_CUDA_LOG");
    if (*path != 0) log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }

  void read() {
    settings = {};
    settings.version = static_cast<int>(number("FAKE_CUDA_VERSION", settings.version));
    settings.devices = static_cast<int>(number("FAKE_CUDA_DEVICES", settings.devices));
    settings.capability = static_cast<int>(number("FAKE_CUDA_CAPABILITY", settings.capability));
    settings.memory =
        static_cast<uint64_t>(number("FAKE_CUDA_MEMORY", static_cast<int64_t>(settings.memory)));
    settings.async = number("FAKE_CUDA_ASYNC", 1) != 0;
    settings.delay = static_cast<unsigned>(number("FAKE_CUDA_DELAY", 0));
    settings.visible = visibleOf(settings.devices);

    std::string at = text("FAKE_CUDA_FAIL_AT");
    const size_t colon = at.find(':');
    std::memset(own + kFailName, 0, sizeof own - kFailName * sizeof *own);
    if (colon != std::string::npos) {
      std::snprintf(reinterpret_cast<char*>(own + kFailName), 64, "%s", at.substr(0, colon).c_str());
      at = at.substr(colon + 1);
    }
    own[kFailAt] = std::strtoll(at.c_str(), nullptr, 10);
    own[kFailCode] = number("FAKE_CUDA_FAIL_CODE", kOutOfMemory);
    own[kFailForever] = number("FAKE_CUDA_FAIL_FOREVER", 0);
    own[kInitCode] = number("FAKE_CUDA_INIT", 0);
  }

  void mapFile() {
    const char* path = text("FAKE_CUDA_CONTROL");
    if (*path == 0) return;
    const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || ftruncate(file, sizeof own) != 0) {
      std::perror("FAKE_CUDA_CONTROL");
      std::abort();
    }
    void* shared = mmap(nullptr, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (shared == MAP_FAILED) std::abort();
    words = static_cast<int64_t*>(shared);
    // A test that wrote its wishes before this process started set a generation.
    if (words[kGeneration] == 0) std::memcpy(words, own, sizeof own);
    words[kReady] = 1;
  }

  int64_t get(int word) { return __atomic_load_n(words + word, __ATOMIC_ACQUIRE); }
  void set(int word, int64_t value) { __atomic_store_n(words + word, value, __ATOMIC_RELEASE); }

  // Whether this call is to fail.
  bool failing(const char* function, Kind kind) {
    const int64_t now = get(kGeneration);
    if (now != generation) {
      generation = now;
      matched = 0;
      set(kCalls, 0);
      set(kInjected, 0);
      set(kHostOnlyFailures, 0);
    }
    set(kCalls, get(kCalls) + 1);
    const char* only = reinterpret_cast<const char*>(words + kFailName);
    if (*only != 0 && std::strcmp(only, function) != 0) return false;
    matched++;
    const int64_t at = get(kFailAt);
    if (at <= 0 || matched < at) return false;
    if (matched > at && (get(kFailForever) == 0 || (*only == 0 && kind == Kind::kHostOnly))) return false;
    set(kInjected, get(kInjected) + 1);
    if (kind == Kind::kHostOnly) set(kHostOnlyFailures, get(kHostOnlyFailures) + 1);
    return true;
  }
};

Control& control() {
  static Control* instance = new Control;
  return *instance;
}

}  // namespace

const Settings& settings() { return control().settings; }

void reload() {
  Control& c = control();
  std::lock_guard<std::mutex> lock(c.mutex);
  c.read();
  c.matched = 0;
  c.own[kCalls] = c.own[kInjected] = 0;
  c.initialized = false;
}

Verdict begin(const char* function, Kind kind) {
  if (kind == Kind::kAlways) return {kOk, true};
  Control& c = control();
  std::lock_guard<std::mutex> lock(c.mutex);
  if (!c.initialized) return {kNotInitialized, false};
  if (!c.failing(function, kind)) return {kOk, true};
  return {static_cast<Result>(c.get(kFailCode)), kind == Kind::kActsFirst};
}

void logCall(const char* function, Result result) {
  Control& c = control();
  if (c.log < 0) return;
  char line[128];
  const int length = std::snprintf(line, sizeof line, "%s %d\n", function, static_cast<int>(result));
  if (write(c.log, line, static_cast<size_t>(length)) != length) std::perror("FAKE_CUDA_LOG");
}

void setInitialized() {
  std::lock_guard<std::mutex> lock(control().mutex);
  control().initialized = true;
}

int64_t word(Word word) { return control().get(word); }

void add(Word word, int64_t difference) {
  Control& c = control();
  __atomic_add_fetch(c.words + word, difference, __ATOMIC_ACQ_REL);
}

void damage(const std::string& what) {
  Control& c = control();
  std::lock_guard<std::mutex> lock(c.mutex);
  c.damages.push_back(what);
  c.set(kDamage, c.get(kDamage) + 1);
  std::fprintf(stderr, "fake libcuda: %s\n", what.c_str());
}

std::vector<std::string> damages() {
  std::lock_guard<std::mutex> lock(control().mutex);
  return control().damages;
}

}  // namespace fake_cuda
