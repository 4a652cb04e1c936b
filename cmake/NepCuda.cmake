# nepenthe_cuda.so: the CUDA backend as a module loaded at run time. Built when nvcc is found, or as NEP_CUDA says.
# NEP_CUDA_ARCHITECTURES=80 (or another list) cuts the time of a build for one kind of GPU.
set(NEP_CUDA_ARCHITECTURES "80;86;89;90;90a" CACHE STRING "Compute capabilities compiled for; the newest plain one is added as PTX")
if(NEP_CUDA STREQUAL "OFF")
  return()
endif()
find_program(NEP_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda/bin PATH_SUFFIXES bin)
if(NOT NEP_NVCC)
  if(NEP_CUDA STREQUAL "ON")
    message(FATAL_ERROR "NEP_CUDA is ON and nvcc is not found: install the CUDA toolkit or set CUDA_HOME")
  endif()
  message(STATUS "CUDA module: not built, nvcc is not found")
  return()
endif()
get_filename_component(NEP_NVCC_REAL ${NEP_NVCC} REALPATH)
get_filename_component(NEP_CUDA_ROOT ${NEP_NVCC_REAL} DIRECTORY)
get_filename_component(NEP_CUDA_ROOT ${NEP_CUDA_ROOT} DIRECTORY)
find_path(NEP_CUDA_INCLUDE cuda_runtime_api.h HINTS ${NEP_CUDA_ROOT} PATH_SUFFIXES include targets/x86_64-linux/include
  NO_DEFAULT_PATH)
find_library(NEP_CUDART cudart_static HINTS ${NEP_CUDA_ROOT} PATH_SUFFIXES lib64 lib targets/x86_64-linux/lib
  NO_DEFAULT_PATH)
if(NOT NEP_CUDA_INCLUDE OR NOT NEP_CUDART)
  if(NEP_CUDA STREQUAL "ON")
    message(FATAL_ERROR "NEP_CUDA is ON and ${NEP_NVCC} has no cuda_runtime_api.h or libcudart_static.a beside it")
  endif()
  message(STATUS "CUDA module: not built, ${NEP_NVCC} has no runtime beside it")
  return()
endif()

set(NEP_GENCODE "")
set(newest 0)
foreach(arch IN LISTS NEP_CUDA_ARCHITECTURES)
  list(APPEND NEP_GENCODE -gencode=arch=compute_${arch},code=sm_${arch})
  if(arch MATCHES "^[0-9]+$" AND arch GREATER newest)
    set(newest ${arch})
  endif()
endforeach()
list(APPEND NEP_GENCODE -gencode=arch=compute_${newest},code=compute_${newest})

# -fmad=false and -ffp-contract=off: host and device round alike.
file(GLOB NEP_KERNELS CONFIGURE_DEPENDS kernels/*.cu)
set(NEP_KERNEL_OBJECTS "")
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/kernels)
foreach(kernel IN LISTS NEP_KERNELS)
  get_filename_component(op ${kernel} NAME_WE)
  set(object ${CMAKE_BINARY_DIR}/kernels/${op}.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${NEP_NVCC} -std=c++17 -O3 -fmad=false ${NEP_GENCODE} --threads 1
      -Xcompiler=-fPIC,-fno-exceptions,-fno-rtti,-fno-threadsafe-statics,-fvisibility=hidden,-ffp-contract=off,-Wall,-Wextra
      -I${CMAKE_SOURCE_DIR}/include -I${CMAKE_SOURCE_DIR}/src -I${CMAKE_SOURCE_DIR}/kernels
      -MD -MF ${object}.d -c ${kernel} -o ${object}
    DEPENDS ${kernel} DEPFILE ${object}.d COMMENT "Compiling kernels/${op}.cu" VERBATIM)
  list(APPEND NEP_KERNEL_OBJECTS ${object})
endforeach()

add_library(nepenthe_cuda MODULE src/backend/cuda.c src/backend/cuda_memory.c src/backend/cuda_measure.c src/backend/cuda_blas.c
  src/backend/cuda_link_ctx_log_alloc.c src/backend/dft_table.c ${NEP_KERNEL_OBJECTS})
set_source_files_properties(${NEP_KERNEL_OBJECTS} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
set_target_properties(nepenthe_cuda PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
target_include_directories(nepenthe_cuda SYSTEM PRIVATE ${NEP_CUDA_INCLUDE})
target_link_libraries(nepenthe_cuda PRIVATE nep_flags ${NEP_CUDART} rt Threads::Threads ${CMAKE_DL_LIBS} m)
target_link_options(nepenthe_cuda PRIVATE -Wl,--exclude-libs,ALL -Wl,--no-undefined)
install(TARGETS nepenthe_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/nepenthe)
message(STATUS "CUDA module: ${NEP_NVCC}, compute ${NEP_CUDA_ARCHITECTURES} and PTX ${newest}")
