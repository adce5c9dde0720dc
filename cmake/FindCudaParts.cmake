# Looks for the CUDA compiler and for cuRAND's headers, which some installations of nvcc come without.
# Sets ISOMETRY_NVCC and ISOMETRY_CURAND_INCLUDE (a path, or a false value).

include(CheckLanguage)
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES OFF) # cuda/ has its own list; must be set before the compiler is looked for
endif()
check_language(CUDA) # never an error
set(ISOMETRY_NVCC ${CMAKE_CUDA_COMPILER})

if(ISOMETRY_NVCC)
  get_filename_component(nvcc_real ${ISOMETRY_NVCC} REALPATH)
  get_filename_component(cuda_bin ${nvcc_real} DIRECTORY)
  find_path(
    ISOMETRY_CURAND_INCLUDE curand_kernel.h
    HINTS ${CMAKE_CURRENT_SOURCE_DIR}/build/cuda-headers ${cuda_bin}/..
    PATH_SUFFIXES include targets/x86_64-linux/include)
endif()

# One line for people, kept in a file too, because tools/build-native.mjs shows it when nothing is configured anew.
function(isometry_report_cuda)
  if(NOT ISOMETRY_NVCC)
    set(report "no nvcc found; CPU only")
  elseif(NOT ISOMETRY_CURAND_INCLUDE)
    set(report "nvcc found (${ISOMETRY_NVCC}), cuRAND headers not found: what needs them is skipped; to get them: node tools/fetch-cuda-headers.mjs")
  else()
    set(report "nvcc found (${ISOMETRY_NVCC}), cuRAND headers found (${ISOMETRY_CURAND_INCLUDE})")
  endif()
  message(STATUS "CUDA: ${report}")
  file(WRITE ${CMAKE_BINARY_DIR}/cuda-report.txt "CUDA: ${report}\n")
endfunction()
