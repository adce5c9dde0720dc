# Finds what compiles the GPU code: nvcc and cuRAND's headers, which some installations of nvcc come without. CMake's
# own CUDA language is not used: it wants to link programs with the CUDA runtime, which nothing here needs, and fails
# where only the compiler is installed.
#
# isometry_find_gpu_compiler() sets in the caller's scope
#   ISOMETRY_NVCC            the compiler, or a false value
#   ISOMETRY_NVCC_COMMAND    compiler, flags and architectures as a list, or an empty value when GPU code cannot be
#                            compiled here; ISOMETRY_GPU_REPORT then says why, and what to do
#   ISOMETRY_NVCC_VERSION    as 1000 * major + 10 * minor, which is how CUDA itself writes 13.0: 13000

set(ISOMETRY_GPU_ARCHITECTURES "" CACHE STRING "Architectures to compile for, as 90;100. Empty: all that are supported")
set(ISOMETRY_NVCC_FLAGS "" CACHE STRING "More flags for nvcc, as a list")

function(isometry_find_gpu_compiler)
  set(ISOMETRY_NVCC_COMMAND "" PARENT_SCOPE)
  set(ISOMETRY_NVCC_VERSION 0 PARENT_SCOPE)
  find_program(ISOMETRY_NVCC nvcc HINTS ENV CUDACXX ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES bin)
  if(NOT ISOMETRY_NVCC)
    set(ISOMETRY_GPU_REPORT "no nvcc found, so the addon is built without GPU code" PARENT_SCOPE)
    return()
  endif()

  execute_process(COMMAND ${ISOMETRY_NVCC} --version OUTPUT_VARIABLE version ERROR_QUIET)
  execute_process(COMMAND ${ISOMETRY_NVCC} --list-gpu-code OUTPUT_VARIABLE known ERROR_QUIET)
  if(NOT version MATCHES "release ([0-9]+)\\.([0-9]+)")
    set(ISOMETRY_GPU_REPORT "${ISOMETRY_NVCC} does not run, so the addon is built without GPU code" PARENT_SCOPE)
    return()
  endif()
  math(EXPR number "1000 * ${CMAKE_MATCH_1} + 10 * ${CMAKE_MATCH_2}")
  set(release "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}")

  # The numbers stand in a file that the checks in tools/ read too.
  file(READ ${PROJECT_SOURCE_DIR}/cuda/nvcc.json json)
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS cuda/nvcc.json)
  isometry_json_list(flags "${json}" flags)
  set(wanted ${ISOMETRY_GPU_ARCHITECTURES})
  if(NOT wanted)
    isometry_json_list(wanted "${json}" architectures)
  endif()
  set(compiled "")
  foreach(architecture IN LISTS wanted)
    if(known MATCHES "sm_${architecture}[^0-9]") # an older nvcc lacks the newest ones; their GPUs run the PTX
      list(APPEND compiled ${architecture})
    endif()
  endforeach()
  if(NOT compiled)
    set(ISOMETRY_GPU_REPORT "nvcc ${release} knows none of sm_${wanted}, so the addon is built without GPU code" PARENT_SCOPE)
    return()
  endif()

  get_filename_component(folder ${ISOMETRY_NVCC} DIRECTORY)
  find_path(
    ISOMETRY_CURAND_INCLUDE curand_philox4x32_x.h
    HINTS ${PROJECT_SOURCE_DIR}/build/cuda-headers ${folder}/.. ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda
    PATH_SUFFIXES include targets/x86_64-linux/include targets/sbsa-linux/include)
  if(NOT ISOMETRY_CURAND_INCLUDE)
    set(ISOMETRY_GPU_REPORT
        "nvcc ${release} found, but not cuRAND's headers, so the addon is built without GPU code; to get them: node tools/fetch-cuda-headers.mjs"
        PARENT_SCOPE)
    return()
  endif()

  set(command ${ISOMETRY_NVCC} ${flags} ${ISOMETRY_NVCC_FLAGS} -I${PROJECT_SOURCE_DIR} -isystem ${ISOMETRY_CURAND_INCLUDE})
  if(number GREATER_EQUAL 13000)
    list(APPEND command --compress-mode=size) # nearly halves the code; drivers of all CUDA 13 releases unpack it
  endif()
  list(TRANSFORM compiled REPLACE "(.+)" "-gencode=arch=compute_\\1,code=sm_\\1" OUTPUT_VARIABLE codes)
  # PTX, for GPUs yet to come and those of 9.0 and later that have no code of their own (11.0).
  list(GET compiled -1 virtual)
  if(90 IN_LIST compiled)
    set(virtual 90)
  endif()
  list(APPEND command ${codes} -gencode=arch=compute_${virtual},code=compute_${virtual})
  isometry_try_nvcc("${command}" failure)
  if(failure)
    set(ISOMETRY_GPU_REPORT
        "nvcc ${release} cannot compile here, so the addon is built without GPU code. It says: ${failure}" PARENT_SCOPE)
    return()
  endif()
  list(JOIN compiled " sm_" names)
  set(ISOMETRY_GPU_REPORT "GPU code by nvcc ${release} for sm_${names}" PARENT_SCOPE)
  set(ISOMETRY_NVCC_COMMAND ${command} PARENT_SCOPE)
  set(ISOMETRY_NVCC_VERSION ${number} PARENT_SCOPE)
endfunction()

function(isometry_json_list out json key)
  set(values "")
  string(JSON count LENGTH "${json}" ${key})
  math(EXPR last "${count} - 1")
  foreach(i RANGE ${last})
    string(JSON value GET "${json}" ${key} ${i})
    list(APPEND values ${value})
  endforeach()
  set(${out} "${values}" PARENT_SCOPE)
endfunction()

# An nvcc that refuses the host compiler, or headers of another toolkit, are no failure of a build that can do without
# GPU code; so they are found out here, with a small kernel, and not by the build. Once per command.
function(isometry_try_nvcc command failure)
  string(SHA256 key "${command}")
  if(NOT ISOMETRY_NVCC_TRIED STREQUAL key)
    set(folder ${CMAKE_BINARY_DIR}/try-nvcc)
    file(WRITE ${folder}/try.cu "#include <curand_philox4x32_x.h>\nextern \"C\" __global__ void k(uint4* x, uint2 y) { *x = curand_Philox4x32_10(*x, y); }\n")
    execute_process(
      COMMAND ${command} -fatbin ${folder}/try.cu -o ${folder}/try.fatbin
      RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT status EQUAL 0)
      string(SUBSTRING "${output}" 0 500 output)
      string(REGEX REPLACE "[\n ]+" " " output "${output}")
      set(${failure} "${output}" PARENT_SCOPE)
      return()
    endif()
    set(ISOMETRY_NVCC_TRIED ${key} CACHE INTERNAL "the last command for nvcc that compiled a kernel")
  endif()
  set(${failure} "" PARENT_SCOPE)
endfunction()
