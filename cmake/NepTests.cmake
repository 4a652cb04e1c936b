# One ctest program per tests/<room>/test_<thing>.c; exit 77 counts as skipped, never as passed. Tests share the cores: threads that
# wait do not spin.
if(NOT NEP_TESTS)
  return()
endif()
enable_testing()
find_library(CMOCKA_LIB cmocka REQUIRED)
file(GLOB NEP_TEST_SOURCES CONFIGURE_DEPENDS tests/*/test_*.c)
foreach(source IN LISTS NEP_TEST_SOURCES)
  get_filename_component(folder ${source} DIRECTORY)
  get_filename_component(room ${folder} NAME)
  get_filename_component(thing ${source} NAME_WE)
  set(name ${room}_${thing})
  string(REPLACE "_test_" "_" name ${name})
  add_executable(test_${name} ${source})
  target_link_libraries(test_${name} PRIVATE nep_flags nepenthe_lib ${CMOCKA_LIB})
  target_include_directories(test_${name} PRIVATE tests)
  target_compile_definitions(test_${name} PRIVATE NEP_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 LABELS ${room}
    ENVIRONMENT "NEP_BINARY=$<TARGET_FILE:nepenthe>;OMP_WAIT_POLICY=passive")
endforeach()

# The module is looked for beside the program that loads it.
if(TARGET nepenthe_rdkit AND TARGET test_molecule_convert)
  add_dependencies(test_molecule_convert nepenthe_rdkit)
endif()

# The whole set of the evaluation data is made by the program once, into the build folder.
if(TARGET test_similarity_bits_molecules)
  add_test(NAME similarity_fingerprints COMMAND sh ${CMAKE_SOURCE_DIR}/tests/similarity/fingerprints.sh ${CMAKE_BINARY_DIR}/fp2048.bin)
  set_tests_properties(similarity_fingerprints PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 LABELS similarity FIXTURES_SETUP fp2048
    ENVIRONMENT "NEPENTHE=$<TARGET_FILE:nepenthe>;OMP_WAIT_POLICY=passive")
  set_tests_properties(similarity_bits_molecules PROPERTIES FIXTURES_REQUIRED fp2048
    ENVIRONMENT "NEPENTHE_FP2048=${CMAKE_BINARY_DIR}/fp2048.bin;OMP_WAIT_POLICY=passive")
endif()

# Hetionet's edge lists are converted once, into the build folder.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET test_graph_rephetio AND Python3_FOUND)
  add_test(NAME graph_hetionet COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/studies/make_hetionet.py ${CMAKE_BINARY_DIR}/hetionet)
  set_tests_properties(graph_hetionet PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 LABELS graph FIXTURES_SETUP hetionet)
  set_tests_properties(graph_rephetio PROPERTIES FIXTURES_REQUIRED hetionet
    ENVIRONMENT "NEPENTHE_HETIONET=${CMAKE_BINARY_DIR}/hetionet;OMP_WAIT_POLICY=passive")
endif()

find_program(NEP_BATS bats)
file(GLOB NEP_BATS_FILES CONFIGURE_DEPENDS tests/cli/*.bats)
if(NEP_SANITIZE) # what is instrumented is not for others to link or carry away; the ordinary build tries the package and the bundle
  list(FILTER NEP_BATS_FILES EXCLUDE REGEX "(install|bundle)\\.bats$")
endif()
foreach(source IN LISTS NEP_BATS_FILES)
  get_filename_component(thing ${source} NAME_WE)
  add_test(NAME cli_${thing} COMMAND ${NEP_BATS} ${source})
  set_tests_properties(cli_${thing} PROPERTIES TIMEOUT 600 LABELS cli SKIP_RETURN_CODE 77
    ENVIRONMENT "NEPENTHE=$<TARGET_FILE:nepenthe>;OMP_WAIT_POLICY=passive")
endforeach()

file(GLOB NEP_LINTS CONFIGURE_DEPENDS tests/lint/*.sh)
foreach(source IN LISTS NEP_LINTS)
  get_filename_component(thing ${source} NAME_WE)
  add_test(NAME lint_${thing} COMMAND sh ${source} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(lint_${thing} PROPERTIES LABELS lint SKIP_RETURN_CODE 77)
endforeach()

# The shipped tables: sources, licences, keys, sha256.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
  add_test(NAME data_tables COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/data/check_tables.py)
  set_tests_properties(data_tables PROPERTIES LABELS data)
  add_test(NAME data_tiers COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/data/check_tiers.py)
  add_test(NAME data_directions COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/data/check_directions.py)
  set_tests_properties(data_tiers data_directions PROPERTIES LABELS data SKIP_RETURN_CODE 77)
  add_test(NAME studies_enigma COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/studies/check_enigma.py)
  set_tests_properties(studies_enigma PROPERTIES LABELS data SKIP_RETURN_CODE 77 TIMEOUT 120)
endif()
