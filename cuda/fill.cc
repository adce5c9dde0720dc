#include "cuda/fill.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "cuda/enqueue.h"

namespace isometry::cuda {
namespace {

// Pieces begin at addresses that are to this boundary what their first element is to the output's: so whole
// Philox blocks are whole packets, and the host's copy has its cache lines.
constexpr uint64_t kAlignment = 64;
// Large parts are cut at multiples of this many elements, for the same reason.
constexpr uint64_t kCutElements = 64;

// A window of one part, at `offset` in its chunk.
struct Piece {
  const HostPart* part;
  uint64_t from, to, offset;
};

// Cuts parts into chunks.
class Cutter {
 public:
  Cutter(const HostPart* parts, size_t count, uint64_t chunkBytes)
      : part_(parts), end_(parts + count), chunkBytes_(chunkBytes) {
    skipEmpty();
  }

  bool done() const { return part_ == end_; }

  // The pieces of the next chunk. At least one, unless done.
  void next(std::vector<Piece>& pieces) {
    pieces.clear();
    for (uint64_t bytes = 0; part_ != end_;) {
      const uint64_t size = byteSize(part_->fill.dtype);
      const uint64_t from = part_->start + taken_;
      const uint64_t offset =
          (bytes + kAlignment - 1) / kAlignment * kAlignment + from % kAlignment * size % kAlignment;
      if (offset + size > chunkBytes_) return;
      const uint64_t room = (chunkBytes_ - offset) / size;
      uint64_t to = part_->end;
      if (to - from > room) {
        to = from + room;
        const uint64_t cut = to / kCutElements * kCutElements;
        if (cut > from) to = cut;
      }
      pieces.push_back({part_, from, to, offset});
      bytes = offset + (to - from) * size;
      taken_ = to - part_->start;
      if (to < part_->end) return;
      ++part_;
      taken_ = 0;
      skipEmpty();
    }
  }

 private:
  void skipEmpty() {
    while (part_ != end_ && part_->start >= part_->end) ++part_;
  }

  const HostPart* part_;
  const HostPart* const end_;
  const uint64_t chunkBytes_;
  uint64_t taken_ = 0;  // elements of *part_
};

uint64_t bytesOf(const std::vector<Piece>& pieces) {
  const Piece& last = pieces.back();
  return last.offset + (last.to - last.from) * byteSize(last.part->fill.dtype);
}

void takeOut(const std::vector<Piece>& pieces, const unsigned char* data) {
  for (const Piece& piece : pieces) {
    const uint64_t size = byteSize(piece.part->fill.dtype);
    std::memcpy(static_cast<unsigned char*>(piece.part->out) + (piece.from - piece.part->start) * size,
                data + piece.offset, (piece.to - piece.from) * size);
  }
}

}  // namespace

Status fillDevice(Device& device, const Part* parts, size_t count, const std::atomic<bool>* cancelled) {
  return guarded([&]() -> Status {
    const Use use(device, Use::kExclusive);
    if (!use.status().ok()) return use.status();
    if (isCancelled(cancelled)) return {Code::kCancelled, "cancelled"};
    Drain drain(device);
    Status status = enqueueFill(device, device.slot(0), device.stream(0), parts, count);
    Status waited = drain.now();
    return status.ok() ? waited : status;
  });
}

Status fillHost(Device& device, const HostPart* parts, size_t count, const std::atomic<bool>* cancelled,
                uint64_t chunkBytes) {
  return guarded([&]() -> Status {
    const Use use(device, Use::kExclusive);
    if (!use.status().ok()) return use.status();
    uint64_t chunks = 0;
    std::vector<Piece> pieces[kSlots];
    for (Cutter cutter(parts, count, chunkBytes); !cutter.done(); ++chunks) cutter.next(pieces[0]);
    Cutter cutter(parts, count, chunkBytes);
    std::vector<Part> queued;
    return pipeline(
        device, chunks, cancelled,
        [&](uint64_t chunk, Slot& slot, Stream stream) -> Status {
          std::vector<Piece>& own = pieces[chunk % kSlots];
          cutter.next(own);
          const uint64_t bytes = bytesOf(own);
          Status status = slot.hostData.reserve(device, bytes);
          if (status.ok()) status = slot.deviceData.reserve(device, bytes);
          if (!status.ok()) return status;
          queued.clear();
          for (const Piece& piece : own) {
            queued.push_back(
                {piece.part->fill, piece.from, piece.to, slot.deviceData.address + piece.offset});
          }
          status = enqueueFill(device, slot, stream, queued.data(), queued.size());
          if (!status.ok()) return status;
          return device.check(
              device.driver().MemcpyDtoHAsync(slot.hostData.data, slot.deviceData.address, bytes, stream),
              "cuMemcpyDtoHAsync");
        },
        [&](uint64_t chunk, const Slot& slot) { takeOut(pieces[chunk % kSlots], slot.hostData.data); });
  });
}

}  // namespace isometry::cuda
