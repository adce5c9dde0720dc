// What goes wrong on a real device: too much memory, addresses that are none, a second process, two threads,
// a cancelled fill, and a kernel that writes out of bounds.
#include <atomic>
#include <cstring>
#include <thread>

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "cpu/fill.h"
#include "cuda/fill.h"
#include "cuda/memory.h"
#include "test/native/gpu/batch.h"

namespace isometry::gpu {
namespace {

using cuda::Code;
using cuda::Status;

std::string hex(const uint8_t* bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += format("%02x", bytes[i]);
  return text;
}

// The exit status of this program run with these arguments, or -1.
int runSelf(const std::string& program, const std::vector<std::string>& arguments) {
#if defined(_WIN32)
  (void)program, (void)arguments;
  return -1;
#else
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
#endif
}

void allocations(Suite& suite) {
  Report& report = suite.report;
  const auto before = cuda::memoryStats();
  uint64_t address = 0;
  for (const uint64_t bytes : {uint64_t{1} << 50, uint64_t{1} << 62, ~uint64_t{0}, ~uint64_t{0} - 255}) {
    const Status status = cuda::allocate(suite.device, bytes, &address);
    report.check(status.code == Code::kOutOfMemory || status.code == Code::kTooLarge,
                 format("allocating %llx bytes should fail for lack of memory: ",
                        static_cast<unsigned long long>(bytes)) +
                     status.message);
  }
  report.say("oversize: " + cuda::allocate(suite.device, uint64_t{1} << 50, &address).message);
  // All there is, piece by piece, until it is gone; then everything again.
  std::vector<uint64_t> pieces;
  const uint64_t piece = std::max<uint64_t>(suite.gpu.freeBytes() / 5, 1 << 20);
  Status status;
  while (pieces.size() < 64 && (status = cuda::allocate(suite.device, piece, &address)).ok())
    pieces.push_back(address);
  report.check(status.code == Code::kOutOfMemory, "memory never ran out: " + status.message);
  report.check(pieces.size() >= 4, "memory ran out too early: " + status.message);
  // A fill that needs a little memory of its own says that there is none, or works; nothing else.
  if (!pieces.empty()) {
    const Case& test = suite.cases.find("normal(0, 1), float64");
    const Job job = denseJob(test, 1000);
    const cuda::Part part{{kSeed, test.dtype, &job, 1}, 0, 1000, pieces[0]};
    const Status full = cuda::fillDevice(suite.device, &part, 1, nullptr);
    report.check(full.ok() || full.code == Code::kOutOfMemory, "a fill on a full device: " + full.message);
  }
  for (const uint64_t one : pieces) report.check(cuda::release(suite.device, one).ok(), "freeing a piece");
  const auto after = cuda::memoryStats();
  report.check(after.allocations == before.allocations && after.bytes == before.bytes,
               "memory is not all freed");
  report.check(cuda::allocate(suite.device, 1 << 20, &address).ok(), "allocating after memory had run out");
  report.check(cuda::release(suite.device, address).ok(), "freeing");
}

void pointers(Suite& suite) {
  Report& report = suite.report;
  uint64_t address = 0;
  const uint64_t bytes = 5 << 20;
  if (!cuda::allocate(suite.device, bytes, &address).ok()) return report.check(false, "allocating 5 MiB");
  cuda::PointerInfo info{};
  report.check(cuda::pointerInfo(address + 12345, &info).ok() && info.device && info.base <= address &&
                   info.base + info.bytes >= address + bytes && info.ordinal == suite.options.device,
               "an address within device memory is not known as such");
  int onStack = 0;
  info = {};
  (void)cuda::pointerInfo(reinterpret_cast<uint64_t>(&onStack), &info);
  report.check(!info.device, "an address of host memory is taken for device memory");
  Pinned pinned(suite.gpu, 4096);
  info = {};
  (void)cuda::pointerInfo(reinterpret_cast<uint64_t>(pinned.data()), &info);
  report.check(!info.device, "pinned host memory is taken for device memory");
  for (const uint64_t nonsense : {uint64_t{16}, ~uint64_t{15}}) {
    info = {};
    (void)cuda::pointerInfo(nonsense, &info);
    report.check(!info.device, "a nonsense address is taken for device memory");
  }
  report.check(cuda::release(suite.device, address).ok(), "freeing");
}

void twoThreads(Suite& suite) {
  const Case& test = suite.cases.find("normal(0, 1), float32");
  const uint64_t length = suite.options.quick ? 1 << 12 : 1 << 20;
  std::vector<uint32_t> wanted(length);
  const Job job = denseJob(test, length);
  const Fill fill{kSeed, test.dtype, &job, 1};
  cpu::bestTarget()->fill(fill, wanted.data(), 0, length);
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::vector<uint32_t> got(length);
      for (int turn = 0; turn < (suite.options.quick ? 3 : 40); ++turn) {
        std::fill(got.begin(), got.end(), 0xcacacacau);
        Status status;
        if (t % 2 == 0) {
          const cuda::HostPart part{fill, 0, length, got.data()};
          status = cuda::fillHost(suite.device, &part, 1, nullptr);
        } else {
          uint64_t address = 0;
          status = cuda::allocate(suite.device, length * 4, &address);
          const cuda::Part part{fill, 0, length, address};
          if (status.ok()) status = cuda::fillDevice(suite.device, &part, 1, nullptr);
          if (status.ok()) status = cuda::copyToHost(suite.device, address, got.data(), length * 4, nullptr);
          if (address != 0) (void)cuda::release(suite.device, address);
        }
        if (!status.ok() || got != wanted) bad.fetch_add(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  suite.report.check(bad == 0, format("%d of the fills of four threads were wrong", bad.load()));
}

void cancelled(Suite& suite) {
  const Case& test = suite.cases.find("normal(0, 1), float64");
  const uint64_t length = suite.options.quick ? 1 << 16 : 1 << 28;  // 2 GiB
  std::vector<double> out(length);
  const Job job = denseJob(test, length);
  const cuda::HostPart part{{kSeed, test.dtype, &job, 1}, 0, length, out.data()};
  std::atomic<bool> stop{true};
  const Status before = cuda::fillHost(suite.device, &part, 1, &stop);
  suite.report.check(before.code == Code::kCancelled, "a fill cancelled before it began: " + before.message);
  stop = false;
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    stop = true;
  });
  const double began = seconds();
  const Status during = cuda::fillHost(suite.device, &part, 1, &stop);
  const double took = seconds() - began;
  later.join();
  if (suite.options.quick) {
    suite.report.check(during.ok() || during.code == Code::kCancelled,
                       "a short cancelled fill: " + during.message);
  } else {
    suite.report.check(during.code == Code::kCancelled, "a fill cancelled after 20 ms: " + during.message);
    suite.report.say(format("a fill of 2 GiB, cancelled after 20 ms, ended after %.0f ms", took * 1e3));
  }
  Batch batch(suite);
  batch.add("after a cancelled fill", test.dtype, {denseJob(test, 1000)}, 0, 1000);
  batch.onDevice();
}

// What importers use and the library itself does not; a driver without it is a test's.
bool hasImport(const Gpu& gpu) {
  cuda::Library library;
  std::string why;
  return cuda::openLibrary(gpu.driver().path, true, &library, &why) &&
         cuda::findSymbol(library, "cuIpcOpenMemHandle_v2") != nullptr;
}

void secondProcess(Suite& suite) {
  Report& report = suite.report;
  const Case& test = suite.cases.find("normal(0, 1), float32");
  const uint64_t length = 3 << 20, skip = 1 << 20;  // elements; the tensor begins inside its allocation
  uint64_t address = 0;
  if (!cuda::allocate(suite.device, (length + skip) * 4, &address).ok())
    return report.check(false, "allocating");
  const Job job = denseJob(test, length);
  const cuda::Part part{{kSeed, test.dtype, &job, 1}, 0, length, address + skip * 4};
  const Status filled = cuda::fillDevice(suite.device, &part, 1, nullptr);
  report.check(filled.ok(), "fillDevice: " + filled.message);
  uint8_t handle[64] = {};
  uint64_t offset = 0;
  const Status status = cuda::ipcHandle(suite.device, part.address, handle, &offset);
  report.check(status.ok(), "ipcHandle: " + status.message);
  if (status.ok()) {
    const int code =
        runSelf(suite.options.program, {"--open-handle", hex(handle, 64), std::to_string(offset),
                                        std::to_string(length * 4), std::to_string(suite.options.device)});
    report.check(code == 0,
                 format("a second process could not read the tensor by its IPC handle (status %d)", code));
  }
  report.check(cuda::release(suite.device, address).ok(), "freeing");
}

void outOfBounds(Suite& suite) {
  const int code =
      runSelf(suite.options.program, {"--write-out-of-bounds", std::to_string(suite.options.device)});
  suite.report.check(
      code == 0, format("a fill of memory that is not there should give a device error (status %d)", code));
}

}  // namespace

void faults(Suite& suite) {
  suite.report.beginStage("faults");
  allocations(suite);
  pointers(suite);
  twoThreads(suite);
  cancelled(suite);
  if (suite.options.program.empty() || !hasImport(suite.gpu)) {
    const char* const why = suite.options.program.empty()
                                ? "the program does not know its own path"
                                : "this is no driver of NVIDIA's: it opens no IPC handles";
    suite.report.skip("a second process, and a fill out of bounds", why);
    return;
  }
  secondProcess(suite);
  outOfBounds(suite);
}

// In a process of its own: after such an error a context gives nothing but errors.
int writeOutOfBounds(int ordinal) {
  cuda::acquireDevices();
  cuda::Device* device = nullptr;
  const Status opened = cuda::Device::open(ordinal, &device);
  if (!opened.ok()) return std::printf("%s\n", opened.message.c_str()), 2;
  const Case test{"constant", DType::kFloat32, Kind::kConstant, {}};
  const Job job = denseJob(test, 1 << 20);
  const cuda::Part part{{1, test.dtype, &job, 1}, 0, 1 << 20, 0x10000};
  const Status status = cuda::fillDevice(*device, &part, 1, nullptr);
  std::printf("a fill at an address that is not there: %s\n", status.message.c_str());
  if (status.code != Code::kDeviceError) return 3;
  uint64_t address = 0;
  const double began = seconds();
  const Status next = cuda::allocate(*device, 1 << 20, &address);
  std::printf("the call after it: %s\n", next.message.c_str());
  if (next.code != Code::kDeviceError || seconds() - began > 5) return 4;
  cuda::releaseDevices();  // must not hang or crash
  return 0;
}

int openHandle(int ordinal, const std::string& text, uint64_t offset, uint64_t bytes) {
  cuda::IpcHandle handle{};
  for (size_t i = 0; i < sizeof handle.bytes && 2 * i + 1 < text.size(); ++i) {
    handle.bytes[i] = static_cast<unsigned char>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
  }
  Gpu gpu(ordinal);
  cuda::Library library;
  std::string why;
  if (!cuda::openLibrary(gpu.driver().path, true, &library, &why)) return std::printf("%s\n", why.c_str()), 2;
  using Open = int (*)(uint64_t*, cuda::IpcHandle, unsigned);
  using Close = int (*)(uint64_t);
  const auto open = reinterpret_cast<Open>(cuda::findSymbol(library, "cuIpcOpenMemHandle_v2"));
  const auto close = reinterpret_cast<Close>(cuda::findSymbol(library, "cuIpcCloseMemHandle"));
  if (open == nullptr || close == nullptr) return std::printf("no cuIpcOpenMemHandle\n"), 3;
  uint64_t base = 0;
  const int result = open(&base, handle, 1 /* CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS */);
  if (result != 0) return std::printf("%s\n", cuda::describe(gpu.driver(), result).c_str()), 4;
  std::vector<uint32_t> got(bytes / 4), wanted(bytes / 4);
  gpu.copyToHostAsync(got.data(), base + offset, bytes);
  gpu.wait();
  (void)close(base);
  const Case test{"normal", DType::kFloat32, Kind::kNormal, [] {
                    Params params;
                    params.std = 1;
                    return params;
                  }()};
  const Job job = denseJob(test, wanted.size());
  cpu::bestTarget()->fill({kSeed, test.dtype, &job, 1}, wanted.data(), 0, wanted.size());
  return got == wanted ? 0 : 5;
}

}  // namespace isometry::gpu
