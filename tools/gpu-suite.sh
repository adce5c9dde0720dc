#!/usr/bin/env bash
# The GPU suite, in one command, on a machine with an NVIDIA GPU and CUDA's compiler. No Node, no network.
#
#   tools/gpu-suite.sh                 builds, checks, measures; 9 minutes at most
#   tools/gpu-suite.sh --checks        builds and checks only
#   tools/gpu-suite.sh --dry-run       without a GPU: on the tests' stand-in for the driver, small sizes, to see that
#                                      the suite itself works
#
# Everything goes to $OUT (build/gpu-out when unset): log.txt, machine.txt, checks.jsonl, sanitizer.txt, bench.jsonl,
# peers.jsonl, gpu.md, gpu.json. A part that cannot run here is named with the reason. Exit status 1 when a check of
# what could run failed, or when nothing could.
#
# Needs: nvcc, CMake and a C++ compiler; cuRAND's headers in build/cuda-headers (node tools/fetch-cuda-headers.mjs on
# a machine with Node and a network), in the toolkit, or in a Python package. Used where they are: compute-sanitizer,
# Python with PyTorch, CuPy and JAX, and what tools/pack-gpu.mjs packed, for the tests in TypeScript.
set -uo pipefail
cd "$(dirname "$0")/.."

mode=all
case "${1:-}" in
  '') ;;
  --checks) mode=checks ;;
  --dry-run) mode=dry ;;
  *) echo "usage: tools/gpu-suite.sh [--checks | --dry-run]" >&2; exit 2 ;;
esac
out=${OUT:-$PWD/build/gpu-out}
build=build/gpu-suite
limit=${ISOMETRY_GPU_SECONDS:-530} # all of it
mkdir -p "$out"
exec > >(tee "$out/log.txt") 2>&1
unset CDPATH

results=()
failed=0

left() { echo $((limit - SECONDS)); }

# part NAME SECONDS COMMAND...: runs it for at most so long and for at most what is left; notes how it ended.
part() {
  local name=$1 most=$2 status=0 began=$SECONDS rest
  shift 2
  rest=$(left)
  if [ "$rest" -lt 10 ]; then
    results+=("skipped  $name: no time left")
    return 1
  fi
  printf '\n==== %s\n' "$name"
  timeout --kill-after=5 $((most < rest ? most : rest)) "$@" || status=$?
  if [ "$status" -eq 0 ]; then
    results+=("ok       $name, $((SECONDS - began)) s")
  else
    failed=$((failed + 1))
    [ "$status" -eq 124 ] && status="124: it took longer than $most s, or time was up"
    results+=("FAILED   $name, $((SECONDS - began)) s, status $status")
    return 1
  fi
}

skip() { results+=("skipped  $1: $2"); printf '\n==== %s: skipped: %s\n' "$1" "$2"; }

finish() {
  printf '\n==== summary\n'
  printf '%s\n' "${results[@]}"
  echo "$((SECONDS)) s in all; results are in $out"
  sleep 0.2 # tee has the last word
  [ "$failed" -gt 0 ] && exit 1
  exit 0
}

python=$(command -v python3 || command -v python || true)

# What a Python package of NVIDIA's brings: in_packages PATTERN prints the first file that matches.
in_packages() {
  [ -n "$python" ] && "$python" - "$1" <<'PY'
import glob, os, sys
for folder in sys.path:
    for match in sorted(glob.glob(os.path.join(folder, sys.argv[1]))):
        print(match)
        sys.exit()
PY
}

# --- the machine ------------------------------------------------------------------------------------------------------
{
  date -u +%FT%TZ
  git rev-parse HEAD 2> /dev/null
  uname -srm
  grep -m1 'model name' /proc/cpuinfo
  nproc
  nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,power.limit --format=csv,noheader
  nvcc --version | tail -2
  "${python:-python3}" --version
} > "$out/machine.txt" 2>&1
cat "$out/machine.txt"

# --- building ---------------------------------------------------------------------------------------------------------
configure=(-DISOMETRY_CUDA=ON -DISOMETRY_TESTS=ON)
command -v ninja > /dev/null && configure+=(-G Ninja)
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2> /dev/null | head -1 | tr -d '. ')
# Only for the card at hand: all architectures take minutes.
if [[ "$capability" =~ ^[0-9]+$ ]]; then
  configure+=("-DISOMETRY_GPU_ARCHITECTURES=$capability")
elif [ "$mode" = dry ]; then
  configure+=(-DISOMETRY_GPU_ARCHITECTURES=90)
fi
if [ ! -e build/cuda-headers/include/curand_kernel.h ]; then
  header=$(in_packages 'nvidia/*/include/curand_kernel.h')
  [ -n "$header" ] && configure+=("-DISOMETRY_CURAND_INCLUDE=$(dirname "$header")")
fi
targets=(isometry_gpu_suite)
[ "$mode" = dry ] && targets+=(isometry_fake_cuda)
part 'configure' 60 cmake -S . -B "$build" "${configure[@]}" || finish
part 'build' 240 cmake --build "$build" --parallel "$(nproc)" --target "${targets[@]}" || finish
suite=$build/test/native/gpu/isometry_gpu_suite
size=()
if [ "$mode" = dry ]; then
  export LD_LIBRARY_PATH="$PWD/$build/test/native/fake_cuda/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  size=(--quick)
fi

# --- checks -----------------------------------------------------------------------------------------------------------
part 'exhaustive, parity, orthogonal, cuRAND, faults' 180 "$suite" exhaustive parity orthogonal curand faults "${size[@]}" --json "$out/checks.jsonl"

sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer /usr/local/cuda*/compute-sanitizer/compute-sanitizer 2> /dev/null | head -1)
: > "$out/sanitizer.txt"
# check_memory TOOL: parity on small sizes under one of its tools; the end of what it says, and all of it in a file.
check_memory() {
  local status=0
  "$sanitizer" --tool "$1" --error-exitcode 9 --print-limit 20 "$suite" parity orthogonal --quick > "$out/sanitizer-$1.part" 2>&1 || status=$?
  { echo "==== $1"; cat "$out/sanitizer-$1.part"; } >> "$out/sanitizer.txt"
  tail -5 "$out/sanitizer-$1.part"
  # A device that it does not support is no error of ours.
  if grep -q 'Device not supported' "$out/sanitizer-$1.part"; then status=77; fi
  rm -f "$out/sanitizer-$1.part"
  return $status
}
if [ "$mode" = dry ]; then
  skip 'compute-sanitizer' 'a dry run'
elif [ -z "$sanitizer" ]; then
  skip 'compute-sanitizer' 'not found'
else
  export -f check_memory
  export sanitizer suite out
  for tool in memcheck racecheck initcheck synccheck; do
    before=$failed
    if ! part "compute-sanitizer, $tool" 45 bash -c "check_memory $tool" && [[ "${results[-1]}" == *'status 77' ]]; then
      failed=$before
      results[-1]="skipped  compute-sanitizer, $tool: it does not support this device"
    fi
  done
fi
if [ ! -x build/gpu-pack/run.sh ]; then
  skip 'TypeScript tests' 'they were not brought along (node tools/pack-gpu.mjs)'
elif [ "$mode" = dry ]; then
  ISOMETRY_TEST_FAKE_GPU=1 part 'TypeScript tests' 120 build/gpu-pack/run.sh "$PWD/$build/unpacked" test/gpu
else
  part 'TypeScript tests' 120 build/gpu-pack/run.sh "$PWD/$build/unpacked" test/gpu
fi
[ "$mode" = checks ] && finish

# --- measurements -----------------------------------------------------------------------------------------------------
curand=$(in_packages 'nvidia/*/lib/libcurand.so.10')
[ -z "$curand" ] && curand=$(ls /usr/local/cuda*/lib64/libcurand.so.10 2> /dev/null | head -1)
# cuSOLVER as Python's packages bring it, where the system has none.
solver=$(in_packages 'nvidia/*/lib/libcusolver.so.1[12]')
[ -n "$solver" ] && [ -z "${ISOMETRY_CUDA_LIB_DIR:-}" ] && export ISOMETRY_CUDA_LIB_DIR=$(dirname "$solver")
part 'bench' 170 "$suite" micro sweep bench orthogonal-bench "${size[@]}" ${curand:+--curand "$curand"} --json "$out/bench.jsonl"

peers=(--json "$out/peers.jsonl")
[ "$mode" = dry ] && peers+=(--device cpu --quick)
if [ -z "$python" ]; then
  skip 'peers' 'no Python'
elif [ "$mode" = dry ] && ! "$python" -c 'import torch' 2> /dev/null; then
  skip 'peers' 'a dry run, and no PyTorch'
else
  # Stops by itself when its time is up, so that what it has is kept.
  seconds=$(($(left) - 40))
  part 'peers' 240 "$python" -u bench/gpu/peers.py "${peers[@]}" --seconds $((seconds < 150 ? seconds : 150))
fi
if [ -n "$python" ]; then
  cat "$out/checks.jsonl" "$out/bench.jsonl" > "$out/suite.jsonl" 2> /dev/null
  part 'report' 20 "$python" bench/gpu/report.py --suite "$out/suite.jsonl" --peers "$out/peers.jsonl" --out "$out"
  rm -f "$out/suite.jsonl"
fi
finish
