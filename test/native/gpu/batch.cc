#include "test/native/gpu/batch.h"

#include <atomic>
#include <cstring>
#include <thread>

#include "cpu/fill.h"
#include "cuda/fill.h"

namespace isometry::gpu {
namespace {

constexpr uint64_t kPlace = 256;  // bytes; also at least as many behind an item are guards
constexpr unsigned char kGuard = 0xca;

}  // namespace

void Batch::add(std::string what, DType dtype, std::vector<Job> jobs, uint64_t start, uint64_t end,
                uint64_t misaligned) {
  const uint64_t offset = bytes_ + misaligned * byteSize(dtype);
  const uint64_t bytes = (end - start) * byteSize(dtype);
  bytes_ = (offset + bytes + 2 * kPlace - 1) / kPlace * kPlace;
  what += format(", elements %llu to %llu, %llu off alignment", static_cast<unsigned long long>(start),
                 static_cast<unsigned long long>(end), static_cast<unsigned long long>(misaligned));
  items_.push_back({std::move(what), dtype, std::move(jobs), start, end, offset, bytes});
}

std::vector<unsigned char> Batch::expected() const {
  std::vector<unsigned char> image(bytes_, kGuard);
  const cpu::Target& target = *cpu::bestTarget();
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); ++t) {
    threads.emplace_back([&] {
      for (size_t k; (k = next.fetch_add(1)) < items_.size();) {
        const Item& item = items_[k];
        target.fill(fillOf(item), image.data() + item.offset, item.start, item.end);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return image;
}

void Batch::compare(const std::vector<unsigned char>& image, const char* path) {
  const auto wanted = expected();
  for (const Item& item : items_) {
    const bool same = std::memcmp(image.data() + item.offset, wanted.data() + item.offset, item.bytes) == 0;
    uint64_t at = 0;
    if (!same) {
      while (image[item.offset + at] == wanted[item.offset + at]) ++at;
    }
    suite_.report.check(same,
                        format("%s: %s: first difference in element %llu", path, item.what.c_str(),
                               static_cast<unsigned long long>(item.start + at / byteSize(item.dtype))));
  }
  // Everything at once: the guards too, and the bytes between the items.
  suite_.report.check(image == wanted, format("%s: memory around %zu fills was written to, or see above",
                                              path, items_.size()));
}

void Batch::onDevice() {
  Buffer buffer(suite_.gpu, bytes_);
  buffer.set(0x01010101u * kGuard);
  std::vector<cuda::Part> parts;
  for (const Item& item : items_) {
    parts.push_back({fillOf(item), item.start, item.end, buffer.address() + item.offset});
  }
  const cuda::Status status = cuda::fillDevice(suite_.device, parts.data(), parts.size(), nullptr);
  suite_.report.check(status.ok(), "fillDevice: " + status.message);
  std::vector<unsigned char> image(bytes_);
  buffer.read(image.data(), bytes_);
  compare(image, "device");
}

void Batch::onHost() {
  std::vector<unsigned char> image(bytes_, kGuard);
  std::vector<cuda::HostPart> parts;
  for (const Item& item : items_) {
    parts.push_back({fillOf(item), item.start, item.end, image.data() + item.offset});
  }
  const cuda::Status status = cuda::fillHost(suite_.device, parts.data(), parts.size(), nullptr);
  suite_.report.check(status.ok(), "fillHost: " + status.message);
  compare(image, "host");
}

}  // namespace isometry::gpu
