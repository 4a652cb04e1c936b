# cmake --install: program, library, headers, data, man page; pkg-config and find_package(nepenthe).
include(CMakePackageConfigHelpers)

install(TARGETS nepenthe RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS nepenthe_lib ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/nepenthe DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/nepenthe/data PATTERN "*.py" EXCLUDE)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The man page comes from the option tables of the program itself.
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/nepenthe.1
  COMMAND $<TARGET_FILE:nepenthe> completion man > ${CMAKE_BINARY_DIR}/nepenthe.1 DEPENDS nepenthe VERBATIM)
add_custom_target(nep_man ALL DEPENDS ${CMAKE_BINARY_DIR}/nepenthe.1)
install(FILES ${CMAKE_BINARY_DIR}/nepenthe.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# From <libdir>/cmake/nepenthe back to the prefix, so that the tree can be moved.
file(RELATIVE_PATH NEP_UP /p/${CMAKE_INSTALL_LIBDIR}/cmake/nepenthe /p)

# The archive is static: whoever links it names the same libraries that were found here.
get_target_property(NEP_LINK nep_deps INTERFACE_LINK_LIBRARIES)
list(TRANSFORM NEP_LINK REPLACE "^OpenMP::OpenMP_C$" "-fopenmp")
list(TRANSFORM NEP_LINK REPLACE "^Threads::Threads$" "-lpthread")
list(TRANSFORM NEP_LINK REPLACE "^(m|dl)$" "-l\\1")
list(JOIN NEP_LINK " " NEP_LINK_FLAGS)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/nepenthe.pc @ONLY CONTENT "prefix=@CMAKE_INSTALL_PREFIX@
libdir=\${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=\${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: nepenthe
Description: Ranks drug candidates for disorders of the nervous system
Version: @PROJECT_VERSION@
Cflags: -I\${includedir}
Libs: -L\${libdir} -lnepenthe @NEP_LINK_FLAGS@
")
install(FILES ${CMAKE_BINARY_DIR}/nepenthe.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/nepentheConfig.cmake @ONLY CONTENT "
get_filename_component(nepenthe_PREFIX \"\${CMAKE_CURRENT_LIST_DIR}/@NEP_UP@\" ABSOLUTE)
if(NOT TARGET nepenthe::nepenthe)
  add_library(nepenthe::nepenthe STATIC IMPORTED)
  set_target_properties(nepenthe::nepenthe PROPERTIES
    IMPORTED_LOCATION \"\${nepenthe_PREFIX}/@CMAKE_INSTALL_LIBDIR@/libnepenthe.a\"
    INTERFACE_INCLUDE_DIRECTORIES \"\${nepenthe_PREFIX}/@CMAKE_INSTALL_INCLUDEDIR@\"
    INTERFACE_LINK_LIBRARIES \"@NEP_LINK@\")
endif()
")
write_basic_package_version_file(${CMAKE_BINARY_DIR}/nepentheConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/nepentheConfig.cmake ${CMAKE_BINARY_DIR}/nepentheConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nepenthe)
