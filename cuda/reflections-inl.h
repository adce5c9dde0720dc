// The kernels that make the reflections: drawing them, their norms, and the triangular matrix of each block.
// Written for GPU and host, see block.h.
#ifndef ISOMETRY_CUDA_REFLECTIONS_INL_H_
#define ISOMETRY_CUDA_REFLECTIONS_INL_H_

#include "cuda/block.h"
#include "cuda/laws.h"
#include "cuda/reflections.h"

namespace isometry::cuda {

// The tensor's standard normals: those that a fill with mean 0 and standard deviation 1 has.
template <class Real>
struct StandardNormals;

template <>
struct StandardNormals<float> {
  static constexpr uint32_t kPerBlock = 4;
  DeviceNormal normal;
  ISOMETRY_HD StandardNormals(const DrawLaunch&, const NormalRows& rows) : normal{&rows} {}
  ISOMETRY_HD float operator()(const uint32_t (&words)[4], uint32_t j) const {
    return fma32(standardNormal(normal, words[j]), 1, 0);
  }
};

template <>
struct StandardNormals<double> {
  static constexpr uint32_t kPerBlock = 2;
  const double* table;
  ISOMETRY_HD StandardNormals(const DrawLaunch& launch, const NormalRows&)
      : table(reinterpret_cast<const double*>(launch.table)) {}
  ISOMETRY_HD double operator()(const uint32_t (&words)[4], uint32_t j) const {
    return scale64(quantile64(words[2 * j + 1], words[2 * j], table), 0, 1);
  }
};

// Rows [begin, end) of one column.
struct Stretch {
  uint64_t matrix, block, chunk, begin, end;
};

// False: the chunk has no row of the block.
ISOMETRY_HD bool stretchOf(const Group& group, uint64_t at, Stretch& stretch) {
  const uint64_t chunks = group.chunks();
  stretch.chunk = at % chunks;
  stretch.block = at / chunks % group.blocks;
  stretch.matrix = at / chunks / group.blocks;
  const uint64_t first = Group::firstRow(stretch.block);
  stretch.begin = stretch.chunk * kChunkRows;
  stretch.end = stretch.begin + kChunkRows;
  if (stretch.begin < first) stretch.begin = first;
  if (stretch.end > group.paddedRows) stretch.end = group.paddedRows;
  return stretch.begin < stretch.end;
}

template <class Real>
ISOMETRY_HD void orthogonalDraw(const DrawLaunch& launch, const Place& place) {
  const Group& group = launch.group;
  Stretch at;
  if (!stretchOf(group, place.block, at)) return;
  constexpr uint32_t kPerBlock = StandardNormals<Real>::kPerBlock;
  const StandardNormals<Real> normal(launch, *place.rows);
  const uint64_t column = at.block * kBlockColumns + place.thread;
  Real* v = reinterpret_cast<Real*>(group.v) + at.matrix * group.vSize() + group.blockOffset(at.block) +
            place.thread;
  v -= Group::firstRow(at.block) * kBlockColumns;
  const uint64_t first =
      (group.firstMatrix + at.matrix) * group.rows * group.cols + column * group.rows;  // element of row 0
  double sum = 0;
  if (column >= group.cols) {
    ISOMETRY_ROLLED
    for (uint64_t row = at.begin; row < at.end; ++row) v[row * kBlockColumns] = 0;
  } else {
    const uint64_t end = (first + at.end + kPerBlock - 1) / kPerBlock;
    ISOMETRY_ROLLED
    for (uint64_t block = (first + at.begin) / kPerBlock; block < end; ++block) {
      uint32_t words[4];
      drawBlock(launch.keys, launch.stream, static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                words);
      ISOMETRY_UNROLL
      for (uint32_t j = 0; j < kPerBlock; ++j) {
        const uint64_t row = block * kPerBlock + j - first;  // beyond every end where it would be negative
        if (row < at.begin || row >= at.end) continue;
        const Real drawn = row >= column && row < group.rows ? normal(words, j) : 0;
        v[row * kBlockColumns] = drawn;
        const double wide = drawn;
        sum = sum + wide * wide;
      }
    }
  }
  double* sums = reinterpret_cast<double*>(group.partials) + at.matrix * group.chunks() * group.columns();
  sums[at.chunk * group.columns() + column] = sum;
}

template <class Real>
ISOMETRY_HD void orthogonalPivot(const GroupLaunch& launch, const Place& place) {
  const Group& group = launch.group;
  const uint64_t columns = group.columns(), step = uint64_t{place.blocks} * kThreads;
  for (uint64_t i = uint64_t{place.block} * kThreads + place.thread; i < group.matrices * columns;
       i += step) {
    const uint64_t matrix = i / columns, column = i % columns, block = column / kBlockColumns;
    Reflection<Real> made{0, 0, 1};
    if (column < group.cols) {
      Real& pivot = reinterpret_cast<Real*>(
          group.v)[matrix * group.vSize() + group.blockOffset(block) +
                   (column - Group::firstRow(block)) * kBlockColumns + column % kBlockColumns];
      const double* sums =
          reinterpret_cast<const double*>(group.partials) + matrix * group.chunks() * columns;
      const uint64_t first = column / kChunkRows;
      double s = sums[first * columns + column];
      for (uint64_t chunk = first + 1; chunk < group.chunks(); ++chunk)
        s = s + sums[chunk * columns + column];
      made = reflection<Real>(pivot, s, column == group.rows - 1);
      pivot = made.diagonal;
    }
    reinterpret_cast<Real*>(group.rho)[i] = made.rho;
    reinterpret_cast<Real*>(group.signs)[i] = made.sign;
  }
}

// U of every block, row-major. Its diagonal and what is below it are never read.
template <class Real>
ISOMETRY_HD void orthogonalGram(const GroupLaunch& launch, const Place& place) {
  const Group& group = launch.group;
  const uint64_t step = uint64_t{place.blocks} * kThreads;
  const uint64_t width = group.partialsWidth;
  const uint64_t count = group.matrices * group.uSize();
  for (uint64_t at = uint64_t{place.block} * kThreads + place.thread; at < count; at += step) {
    const uint64_t matrix = at / group.uSize(), inside = at % group.uSize();
    const uint64_t j = inside % kBlockColumns, i = inside / kBlockColumns % kBlockColumns;
    const uint64_t block = inside / kBlockColumns / kBlockColumns;
    const Real* sums = reinterpret_cast<const Real*>(group.partials) + matrix * group.partialsSize() +
                       i * width + block * kBlockColumns + j;
    uint64_t chunk = Group::firstRow(block) / kChunkRows;
    Real sum = sums[chunk * kBlockColumns * width];
    while (++chunk < group.chunks()) sum = sum + sums[chunk * kBlockColumns * width];
    reinterpret_cast<Real*>(group.u)[at] = sum;
  }
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_REFLECTIONS_INL_H_
