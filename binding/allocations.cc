#include "binding/allocations.h"

#include "cuda/device.h"
#include "cuda/memory.h"

namespace isometry::binding {

cuda::Status Allocations::allocate(int device, uint64_t bytes, Allocation* out) {
  cuda::Device* opened = nullptr;
  cuda::Status status = cuda::Device::open(device, &opened);
  if (!status.ok()) return status;
  uint64_t address = 0;
  status = cuda::allocate(*opened, bytes, &address);
  if (!status.ok()) return status;
  *out = Allocation{++lastId_, device, address, bytes};
  status = cuda::guarded([&]() -> cuda::Status {
    byAddress_.emplace(address, *out);
    addresses_.emplace(out->id, address);
    return {};
  });
  if (!status.ok()) {
    byAddress_.erase(address);
    release(*out);
  }
  return status;
}

void Allocations::free(double id) {
  const auto found = addresses_.find(id);
  if (found == addresses_.end()) return;
  const auto at = byAddress_.find(found->second);
  addresses_.erase(found);
  at->second.abandoned = true;
  if (at->second.holders > 0) return;
  release(at->second);
  byAddress_.erase(at);
}

Allocation* Allocations::hold(uint64_t address) {
  auto at = byAddress_.upper_bound(address);
  if (at == byAddress_.begin()) return nullptr;
  Allocation& allocation = (--at)->second;
  if (address - allocation.address >= allocation.bytes || allocation.abandoned) return nullptr;
  allocation.holders++;
  return &allocation;
}

void Allocations::letGo(Allocation* allocation) {
  if (allocation == nullptr || --allocation->holders > 0 || !allocation->abandoned) return;
  release(*allocation);
  byAddress_.erase(allocation->address);
}

void Allocations::freeAll() {
  for (const auto& [address, allocation] : byAddress_) release(allocation);
  byAddress_.clear();
  addresses_.clear();
}

void Allocations::release(const Allocation& allocation) {
  cuda::Device* device = nullptr;
  if (!cuda::Device::open(allocation.device, &device).ok()) return;
  const cuda::Status status = cuda::release(*device, allocation.address);
  static_cast<void>(status);
}

}  // namespace isometry::binding
