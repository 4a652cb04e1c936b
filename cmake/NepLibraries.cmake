# The libraries of architecture section 5, found once. A missing one is named with its Debian package.
find_package(PkgConfig REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS C)
find_package(Threads REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C HL)

function(nep_need variable library header package)
  find_library(${variable}_LIB NAMES ${library})
  find_path(${variable}_INC NAMES ${header} PATH_SUFFIXES nifti openblas-pthread)
  if(NOT ${variable}_LIB OR NOT ${variable}_INC)
    message(FATAL_ERROR "${library} not found: install the Debian package ${package}")
  endif()
endfunction()

nep_need(NIFTI nifti2 nifti2_io.h libnifti2-dev)
nep_need(NIFTI_ZNZ znz znzlib.h libnifti2-dev)
nep_need(OPENBLAS openblas cblas.h libopenblas-dev)
nep_need(LAPACKE lapacke lapacke.h liblapacke-dev)
nep_need(DEFLATE deflate libdeflate.h libdeflate-dev)
nep_need(ISAL isal isa-l.h libisal-dev)
nep_need(JANSSON jansson jansson.h libjansson-dev)
nep_need(YAML yaml yaml.h libyaml-dev)
nep_need(XXHASH xxhash xxhash.h libxxhash-dev)
nep_need(XLSX xlsxwriter xlsxwriter.h libxlsxwriter-dev)

add_library(nep_deps INTERFACE)
target_include_directories(nep_deps SYSTEM INTERFACE
  ${NIFTI_INC} ${NIFTI_ZNZ_INC} ${OPENBLAS_INC} ${LAPACKE_INC} ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(nep_deps INTERFACE
  ${NIFTI_LIB} ${NIFTI_ZNZ_LIB} ${LAPACKE_LIB} ${OPENBLAS_LIB} ${DEFLATE_LIB} ${ISAL_LIB} ${JANSSON_LIB}
  ${YAML_LIB} ${XXHASH_LIB} ${XLSX_LIB} ${HDF5_C_HL_LIBRARIES} ${HDF5_C_LIBRARIES}
  OpenMP::OpenMP_C Threads::Threads ${CMAKE_DL_LIBS} m)
set(NEP_LIBRARIES nep_deps)
