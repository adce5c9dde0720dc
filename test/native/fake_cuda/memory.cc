#include "memory.h"

#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "context.h"
#include "control.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) (void)0
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) (void)0
#endif

namespace fake_cuda {
namespace {

constexpr uint64_t kAlign = 512;     // the driver's own, at least 256
constexpr uint64_t kGuard = kAlign;  // before, and at least as much after
constexpr unsigned char kGuardByte = 0xfd;
constexpr unsigned char kFreedByte = 0xdd;
// What was freed stays for a while, to see whether something still writes to it.
constexpr size_t kKeptBlocks = 64;
constexpr uint64_t kKeptBytes = 1 << 20;

struct Memory {
  std::mutex mutex;
  std::map<uint64_t, Block> live;
  std::deque<Block> freed;
  std::map<int, uint64_t> used;
};

Memory& memory() {
  static Memory* instance = new Memory;
  return *instance;
}

unsigned char* at(uint64_t address) { return reinterpret_cast<unsigned char*>(address); }

uint64_t wholeSize(uint64_t bytes) { return kGuard + (bytes + kAlign - 1) / kAlign * kAlign + kGuard; }

bool allAre(const unsigned char* from, const unsigned char* to, unsigned char byte) {
  for (; from < to; from++) {
    if (*from != byte) return false;
  }
  return true;
}

std::string describe(const Block& block) {
  return std::to_string(block.bytes) + (block.device ? " bytes of device memory" : " bytes of pinned memory");
}

void checkGuard(const Block& block) {
  unsigned char* whole = at(block.address - kGuard);
  unsigned char* end = at(block.address + block.bytes);
  ASAN_UNPOISON_MEMORY_REGION(whole, wholeSize(block.bytes));
  if (!allAre(whole, at(block.address), kGuardByte)) damage("written before " + describe(block));
  if (!allAre(end, whole + wholeSize(block.bytes), kGuardByte)) damage("written after " + describe(block));
}

void checkFreed(const Block& block) {
  if (!allAre(at(block.address), at(block.address + block.bytes), kFreedByte)) {
    damage("written to after it was freed: " + describe(block));
  }
}

void giveBack(const Block& block) { std::free(at(block.address - kGuard)); }

// With the lock held.
void retire(Memory& m, Block block) {
  checkGuard(block);
  if (block.device) {
    m.used[block.context->ordinal] -= block.bytes;
    add(kLiveBytes, -static_cast<int64_t>(block.bytes));
  }
  if (block.bytes > kKeptBytes) return giveBack(block);
  std::memset(at(block.address), kFreedByte, block.bytes);
  ASAN_POISON_MEMORY_REGION(at(block.address - kGuard), wholeSize(block.bytes));
  m.freed.push_back(block);
  if (m.freed.size() <= kKeptBlocks) return;
  const Block oldest = m.freed.front();
  m.freed.pop_front();
  ASAN_UNPOISON_MEMORY_REGION(at(oldest.address - kGuard), wholeSize(oldest.bytes));
  checkFreed(oldest);
  giveBack(oldest);
}

// With the lock held.
Block find(Memory& m, uint64_t address) {
  auto next = m.live.upper_bound(address);
  if (next == m.live.begin()) return {};
  const Block& block = std::prev(next)->second;
  return address - block.address < block.bytes ? block : Block{};
}

}  // namespace

uint64_t allocate(Context* context, uint64_t bytes, bool device) {
  Memory& m = memory();
  std::lock_guard<std::mutex> lock(m.mutex);
  if (device && bytes > settings().memory - m.used[context->ordinal]) return 0;
  if (bytes > UINT64_MAX / 2) return 0;
  void* whole = std::aligned_alloc(kAlign, wholeSize(bytes));
  if (whole == nullptr) return 0;
  std::memset(whole, kGuardByte, wholeSize(bytes));
  const uint64_t address = reinterpret_cast<uint64_t>(whole) + kGuard;
  std::memset(at(address), kPoison, bytes);
  ASAN_POISON_MEMORY_REGION(whole, kGuard);
  ASAN_POISON_MEMORY_REGION(at(address + bytes), wholeSize(bytes) - kGuard - bytes);
  m.live[address] = {address, bytes, device, context};
  if (device) {
    m.used[context->ordinal] += bytes;
    add(kLiveBytes, static_cast<int64_t>(bytes));
    add(kAllocations, 1);
  }
  add(kLive, 1);
  return address;
}

Block findBlock(uint64_t address) {
  std::lock_guard<std::mutex> lock(memory().mutex);
  return find(memory(), address);
}

bool inOneBlock(uint64_t address, uint64_t bytes, bool device) {
  const Block block = findBlock(address);
  return block.bytes > 0 && block.device == device && bytes <= block.bytes - (address - block.address);
}

bool freeBlock(uint64_t address, bool device) {
  Memory& m = memory();
  std::lock_guard<std::mutex> lock(m.mutex);
  const auto found = m.live.find(address);
  if (found == m.live.end() || found->second.device != device) {
    damage(std::to_string(address) + " was freed, which is no live block of " +
           (device ? "device" : "pinned") + " memory");
    return false;
  }
  const Block block = found->second;
  m.live.erase(found);
  retire(m, block);
  add(kLive, -1);
  return true;
}

int freeBlocksOf(Context* context) {
  Memory& m = memory();
  std::lock_guard<std::mutex> lock(m.mutex);
  int count = 0;
  for (auto each = m.live.begin(); each != m.live.end();) {
    if (each->second.context != context) {
      ++each;
      continue;
    }
    damage("left behind when its context went: " + describe(each->second));
    const Block block = each->second;
    each = m.live.erase(each);
    retire(m, block);  // and it stays counted as alive: it leaked
    count++;
  }
  return count;
}

uint64_t bytesUsed(int ordinal) {
  std::lock_guard<std::mutex> lock(memory().mutex);
  return memory().used[ordinal];
}

void checkGuards() {
  Memory& m = memory();
  std::lock_guard<std::mutex> lock(m.mutex);
  for (const auto& [address, block] : m.live) checkGuard(block);
  for (const Block& block : m.freed) {
    ASAN_UNPOISON_MEMORY_REGION(at(block.address - kGuard), wholeSize(block.bytes));
    checkFreed(block);
  }
}

}  // namespace fake_cuda
