#include "cpu/orthogonal.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>
#include <thread>

#include "core/region.h"

namespace isometry::cpu {
namespace {

constexpr uint64_t kAlignment = 64;
// Strips of a panel, at most: it and a chunk of V stay in the caches.
constexpr uint64_t kMaxStrips = 4;
// So many panels for each thread, so that none waits long for the last one.
constexpr uint64_t kPanelsPerThread = 3;
// Of a whole matrix's bytes, for reflections and panels.
constexpr double kMemoryAim = 1.4;
// Where a strip for each thread is more than that: smaller matrices take it, these make do with narrower
// panels and fewer threads. (One vector of columns there must be: a matrix of a few columns takes more.)
constexpr uint64_t kLargeElements = 1 << 22;
// Smaller matrices are not worth sharing; and of many this size each thread has its own.
constexpr uint64_t kSmallElements = 96 * 96, kOwnElements = 512 * 512;
// Elements of a task of small matrices.
constexpr uint64_t kBatchElements = 1 << 15;

}  // namespace

void Factor::draw(uint64_t column, uint64_t row, uint64_t last, void* out) const {
  const uint64_t top = matrix * shape.cols * shape.rows;
  const uint64_t begin = top + column * shape.rows + row, end = top + last * shape.rows;
  Job job{};
  job.kind = work->table == nullptr ? Kind::kNormal : Kind::kQuantile;
  job.stream = work->stream;
  job.params.std = 1;
  job.params.table = work->table;
  job.params.min = -std::numeric_limits<double>::infinity();
  job.params.max = std::numeric_limits<double>::infinity();
  job.region.rank = 1;
  job.region.shape[0] = end;
  job.region.sourceStride[0] = job.region.targetStride[0] = 1;
  const DType precision = work->dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
  target->fill(Fill{work->seed, precision, &job, 1}, out, begin, end);
}

OrthogonalWork::OrthogonalWork(const Orthogonal& orthogonal, const Target& target, void* out, uint64_t start,
                               uint64_t end, unsigned threadCount)
    : orthogonal_(orthogonal),
      target_(target),
      loops_(orthogonal.dtype == DType::kFloat64 ? *target.float64 : *target.float32),
      out_(out),
      start_(start),
      end_(end),
      elementBytes_(orthogonal.dtype == DType::kFloat64 ? 8 : 4),
      needed_(neededColumns(orthogonal, start, end)) {
  threads = std::max(1u, threadCount);
  chunksPerTurn = 1;
  run = [](Work& work, uint64_t task) { static_cast<OrthogonalWork&>(work).computeTask(task); };
  planTasks();
}

void OrthogonalWork::planTasks() {
  const uint64_t rows = orthogonal_.rows, size = rows * orthogonal_.cols;
  uint64_t widest = 0, last = 0;
  firstIndex_.push_back(0);
  for (const Columns& columns : needed_) {
    widest = std::max(widest, columns.lastColumn - columns.firstColumn);
    last = std::max(last, columns.lastColumn);
    firstIndex_.push_back(firstIndex_.back() + columns.lastMatrix - columns.firstMatrix);
  }
  if (needed_.empty()) return;
  const uint64_t strip = Strips{1, loops_.lanes}.full();
  const Shape shape{rows, orthogonal_.cols, last};
  const auto bytesOf = [&](uint64_t elements) { return roundUp(elements * elementBytes_, kAlignment); };
  vBytes_ = bytesOf(shape.elementsOfV());
  uBytes_ = bytesOf(shape.blocks() * kBlockColumns * kBlockColumns);
  rhoBytes_ = bytesOf(shape.blocks() * kBlockColumns);
  factorBytes_ = vBytes_ + uBytes_ + 2 * rhoBytes_;

  small_ = size <= kSmallElements || (size <= kOwnElements && matrices() >= 2 * uint64_t{threads});
  if (small_) {
    batch_ = std::max<uint64_t>(1, kBatchElements / size);
    chunks = (matrices() + batch_ - 1) / batch_;
    panelColumns_ = std::min(roundUp(widest, strip), kMaxStrips * strip);
  } else {
    const uint64_t share = roundUp(widest / (threads * kPanelsPerThread), strip);
    // Columns of all panels together: of what the factors leave of the memory that is aimed at.
    const double aim = kMemoryAim * static_cast<double>(size * byteSize(orthogonal_.dtype));
    const double factor = static_cast<double>(factorBytes_);
    const double left = std::max(aim - factor, (kMemoryAim - 1) * factor);
    const uint64_t column = (roundUp(rows, kPack) + kChunkRows + kBlockColumns) * elementBytes_;
    const uint64_t columns = static_cast<uint64_t>(left / static_cast<double>(column));
    const uint64_t each = columns / threads;
    panelColumns_ = std::clamp(share, strip, std::clamp(each / strip, uint64_t{1}, kMaxStrips) * strip);
    if (each < strip && size >= kLargeElements) {
      const uint64_t lanes = static_cast<uint64_t>(loops_.lanes);
      panelColumns_ = std::max(each / lanes, uint64_t{1}) * lanes;
      threads = static_cast<unsigned>(std::clamp(columns / panelColumns_, uint64_t{1}, uint64_t{threads}));
    }
    firstTask_.push_back(0);
    for (uint64_t k = 0; k < matrices(); ++k) {
      const Shape shape{rows, orthogonal_.cols, needed(k).last};
      firstTask_.push_back(firstTask_.back() + shape.blocks() + panelsOf(k));
    }
    chunks = firstTask_.back();
  }
  slots_ = static_cast<size_t>(std::min<uint64_t>(threads, chunks));
  factors_ = small_ ? slots_ : static_cast<size_t>(std::min<uint64_t>(2, matrices()));

  const uint64_t width = Strips{std::min(widest, panelColumns_), loops_.lanes}.width();
  columnsBytes_ = bytesOf(kPack * roundUp(rows, kPack));
  stripBytes_ = bytesOf(kChunkRows * strip);
  sumsBytes_ = bytesOf(kBlockColumns * std::max(width, strip));  // those of U too
  panelBytes_ = bytesOf(roundUp(rows, kPack) * width);
  storedBytes_ = bytesOf(kChunkRows * width);
  // A block's columns and a panel are never there together.
  slotBytes_ = stripBytes_ + sumsBytes_ + std::max(columnsBytes_, panelBytes_ + storedBytes_);
  bytes_ = factors_ * factorBytes_ + slots_ * slotBytes_;
}

void OrthogonalWork::Free::operator()(void* memory) const {
  ::operator delete(memory, std::align_val_t{kAlignment});
}

bool OrthogonalWork::allocate() {
  if (chunks == 0) return true;
  try {
    for (size_t slot = 0; slot < slots_; ++slot) freeSlots_.push_back(slot);
    if (!small_) {
      blocksDone_ = std::make_unique<std::atomic<uint64_t>[]>(matrices());
      panelsDone_ = std::make_unique<std::atomic<uint64_t>[]>(matrices());
    }
    if (bytes_ > std::numeric_limits<size_t>::max() / 2) return false;
    // A sanitizer ends the process rather than throw.
    memory_.reset(static_cast<char*>(::operator new(bytes_, std::align_val_t{kAlignment}, std::nothrow)));
  } catch (const std::bad_alloc&) {
    return false;
  }
  return memory_ != nullptr;
}

OrthogonalWork::One OrthogonalWork::needed(uint64_t index) const {
  const auto next = std::upper_bound(firstIndex_.begin(), firstIndex_.end(), index);
  const size_t entry = static_cast<size_t>(next - firstIndex_.begin()) - 1;
  const Columns& columns = needed_[entry];
  return {columns.firstMatrix + (index - firstIndex_[entry]), columns.firstColumn, columns.lastColumn};
}

uint64_t OrthogonalWork::panelsOf(uint64_t index) const {
  const One columns = needed(index);
  return (columns.last - columns.first + panelColumns_ - 1) / panelColumns_;
}

Factor OrthogonalWork::factorOf(uint64_t index, size_t buffer) const {
  char* at = memory_.get() + buffer * factorBytes_;
  const One columns = needed(index);
  return {&orthogonal_,
          &target_,
          &cancelled,
          columns.matrix,
          {orthogonal_.rows, orthogonal_.cols, columns.last},
          at,
          at + vBytes_,
          at + vBytes_ + uBytes_,
          at + vBytes_ + uBytes_ + rhoBytes_};
}

Scratch OrthogonalWork::scratchOf(size_t slot) const {
  char* at = memory_.get() + factors_ * factorBytes_ + slot * slotBytes_;
  Scratch scratch;
  scratch.strip = at;
  scratch.sums = at += stripBytes_;
  scratch.panel = scratch.columns = at += sumsBytes_;
  scratch.stored = at + panelBytes_;
  return scratch;
}

size_t OrthogonalWork::takeSlot() {
  std::lock_guard<std::mutex> lock(mutex_);
  const size_t slot = freeSlots_.back();  // there are as many as threads
  freeSlots_.pop_back();
  return slot;
}

void OrthogonalWork::returnSlot(size_t slot) {
  std::lock_guard<std::mutex> lock(mutex_);
  freeSlots_.push_back(slot);
}

// Tasks are begun in their order, so whoever has what is waited for does not wait for this one.
bool OrthogonalWork::waitFor(const std::atomic<uint64_t>& done, uint64_t count) const {
  for (int turn = 0; done.load(std::memory_order_acquire) < count; ++turn) {
    if (cancelled.load(std::memory_order_relaxed)) return false;
    if (turn < 64) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
  return true;
}

void OrthogonalWork::computeTask(uint64_t task) {
  const size_t slot = takeSlot();
  const Scratch scratch = scratchOf(slot);
  if (small_) {
    const uint64_t stop = std::min(matrices(), (task + 1) * batch_);
    for (uint64_t k = task * batch_; k < stop; ++k) makeWhole(k, slot, scratch);
  } else {
    const auto next = std::upper_bound(firstTask_.begin(), firstTask_.end(), task);
    const uint64_t index = static_cast<size_t>(next - firstTask_.begin()) - 1;
    const uint64_t inside = task - firstTask_[index], blocks = factorOf(index, 0).shape.blocks();
    if (inside < blocks) {
      makeBlock(index, inside, scratch);
    } else {
      makePanel(index, inside - blocks, scratch);
    }
  }
  returnSlot(slot);
}

void OrthogonalWork::makeBlock(uint64_t index, uint64_t block, const Scratch& scratch) {
  if (index >= factors_ && !waitFor(panelsDone_[index - factors_], panelsOf(index - factors_))) return;
  loops_.makeBlock(factorOf(index, index % factors_), block, scratch);
  blocksDone_[index].fetch_add(1, std::memory_order_release);
}

void OrthogonalWork::makePanel(uint64_t index, uint64_t panel, const Scratch& scratch) {
  const Factor factor = factorOf(index, index % factors_);
  if (!waitFor(blocksDone_[index], factor.shape.blocks())) return;
  // The last columns first: they take longest.
  const One columns = needed(index);
  const uint64_t last = columns.last - panel * panelColumns_;
  const uint64_t first = std::max(columns.first, last > panelColumns_ ? last - panelColumns_ : 0);
  storeColumns(factor, first, last, scratch);
  panelsDone_[index].fetch_add(1, std::memory_order_release);
}

void OrthogonalWork::makeWhole(uint64_t index, size_t slot, const Scratch& scratch) {
  const Factor factor = factorOf(index, slot);
  for (uint64_t block = 0; block < factor.shape.blocks(); ++block) loops_.makeBlock(factor, block, scratch);
  const One columns = needed(index);
  for (uint64_t first = columns.first; first < columns.last; first += panelColumns_)
    storeColumns(factor, first, std::min(columns.last, first + panelColumns_), scratch);
}

void OrthogonalWork::storeColumns(const Factor& factor, uint64_t first, uint64_t last,
                                  const Scratch& scratch) {
  if (loops_.makePanel(factor, first, last, scratch))
    loops_.storePanel(factor, first, last, scratch, out_, start_, end_);
}

}  // namespace isometry::cpu
