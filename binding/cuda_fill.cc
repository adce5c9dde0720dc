#include "binding/cuda_fill.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "core/quantile.h"
#include "cuda/device.h"
#include "cuda/memory.h"

namespace isometry::binding {
namespace {

// Of any sum below: offsets and lengths are whole numbers below 2^53, an element has at most 8 bytes.
constexpr uint64_t kLargest = uint64_t{1} << 57;

std::string hex(uint64_t address) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
  return text;
}

}  // namespace

const char* CudaFill::add(const double* words, size_t count, uint64_t start, uint64_t length,
                          uint64_t byteOffset) {
  auto piece = std::make_unique<Piece>();
  piece->words.assign(words, words + count);
  const char* problem = decodeRequest(piece->words.data(), piece->words.size(), piece->request);
  if (problem != nullptr) return problem;
  if (length == 0) return nullptr;
  piece->start = start;
  piece->end = start + length;
  piece->byteOffset = byteOffset;
  if (!pieces_.empty() && pieces_.front()->request.seed != piece->request.seed) {
    return "the parts must have one seed";
  }
  shareTables(*piece);
  begin_ = std::min(begin_, byteOffset);
  end_ = std::max(end_, byteOffset + piece->bytes());
  pieces_.push_back(std::move(piece));
  return nullptr;
}

// Tensors of one law and dtype have equal quantile tables: each is uploaded once, if equal ones are one.
void CudaFill::shareTables(Piece& piece) {
  constexpr size_t kBytes = kQuantileTableSize * sizeof(double);
  for (Job& job : piece.request.jobs) {
    if (job.params.table == nullptr) continue;
    // The neighbours are the likely ones. More are not looked at, so that this stays linear.
    size_t looks = 4;
    for (auto at = pieces_.rbegin(); at != pieces_.rend() && looks > 0; ++at) {
      for (const Job& other : (*at)->request.jobs) {
        if (other.params.table == nullptr || looks == 0) continue;
        looks--;
        if (std::memcmp(other.params.table, job.params.table, kBytes) == 0) {
          job.params.table = other.params.table;
          looks = 0;
        }
      }
    }
  }
}

const char* CudaFill::place(const Destination& destination) {
  destination_ = destination;
  if (pieces_.empty()) return nullptr;
  if (end_ > kLargest) return "the parts reach beyond what can be addressed";
  const uint64_t base =
      destination.host != nullptr ? reinterpret_cast<uintptr_t>(destination.host) : destination.address;
  if (base > UINT64_MAX - end_) return "the parts reach beyond the address space";
  if (destination.host == nullptr && destination.address == 0)
    return "the parts do not fit into the destination";
  if (destination.host != nullptr && end_ > destination.bytes)
    return "the parts do not fit into the destination";
  for (const auto& piece : pieces_) {
    const uint64_t at = base + piece->byteOffset;
    if (at % byteSize(piece->request.dtype) != 0) return "a part is not aligned to its dtype";
    const Fill fill = piece->request.fill();
    if (destination.host != nullptr) {
      hostParts_.push_back({fill, piece->start, piece->end, destination.host + piece->byteOffset});
    } else {
      deviceParts_.push_back({fill, piece->start, piece->end, at});
    }
  }
  return nullptr;
}

cuda::Status CudaFill::run(cuda::Device& device, const std::atomic<bool>* cancelled) const {
  if (pieces_.empty()) return {};
  if (destination_.host != nullptr) {
    return cuda::fillHost(device, hostParts_.data(), hostParts_.size(), cancelled);
  }
  const cuda::Status status = checkDeviceRange(device, destination_.address + begin_, end_ - begin_);
  if (!status.ok()) return status;
  return cuda::fillDevice(device, deviceParts_.data(), deviceParts_.size(), cancelled);
}

cuda::Status checkDeviceRange(const cuda::Device& device, uint64_t address, uint64_t bytes) {
  cuda::PointerInfo info;
  const cuda::Status status = cuda::pointerInfo(address, &info);
  if (!status.ok()) return status;
  const std::string wanted = "expected " + std::to_string(bytes) +
                             " bytes of memory of cuda:" + std::to_string(device.ordinal()) +
                             " for target but received " + hex(address) + ", ";
  if (!info.device) {
    return {cuda::Code::kInvalidTarget, wanted + "which is not memory of any GPU, or was freed"};
  }
  if (info.ordinal != device.ordinal()) {
    return {cuda::Code::kInvalidTarget, wanted + "which is memory of cuda:" + std::to_string(info.ordinal)};
  }
  const uint64_t left =
      address >= info.base && address - info.base <= info.bytes ? info.bytes - (address - info.base) : 0;
  if (bytes <= left) return {};
  return {cuda::Code::kInvalidTarget,
          wanted + "where the allocation has " + std::to_string(left) + " bytes left"};
}

}  // namespace isometry::binding
