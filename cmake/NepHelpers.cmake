# The HDF5 reader helper: a program of its own, so that a crash of libhdf5 on a hostile file stays over there.
add_executable(nepenthe-h5read src/cli/helper_h5read.c)
target_link_libraries(nepenthe-h5read PRIVATE nep_flags ${HDF5_C_LIBRARIES})
target_include_directories(nepenthe-h5read SYSTEM PRIVATE ${HDF5_C_INCLUDE_DIRS})
add_dependencies(nepenthe nepenthe-h5read)
install(TARGETS nepenthe-h5read RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/nepenthe)
