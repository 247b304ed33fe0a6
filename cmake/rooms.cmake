# The rooms of Caudal and whom each may include: the one place where the edges stand.
# CMake gives every room an include path that shows only these; tests/tidy and the picture in
# ARCHITECTURE.md read the same table.
set(CAUDAL_ROOMS
    base data store state engine duckdb connect worker lake project quality flow ops serve app)

set(CAUDAL_DEPS_base)
set(CAUDAL_DEPS_data base)
set(CAUDAL_DEPS_store base)
set(CAUDAL_DEPS_state base)
set(CAUDAL_DEPS_engine store data base)
set(CAUDAL_DEPS_duckdb engine data base)
set(CAUDAL_DEPS_connect engine store data base)
set(CAUDAL_DEPS_worker connect duckdb engine store data base)
set(CAUDAL_DEPS_lake engine store data base)
set(CAUDAL_DEPS_project data base)
set(CAUDAL_DEPS_quality project engine data base)
set(CAUDAL_DEPS_flow quality project lake connect engine state store data base)
set(CAUDAL_DEPS_ops project state data base)
set(CAUDAL_DEPS_serve ops flow quality project lake engine state store data base)
set(CAUDAL_DEPS_app serve ops flow quality project lake worker connect duckdb engine state store data base)

# room(name LIBS library...): a static library of src/<name>/**.cc and <name>_test of its *_test.cc.
# LIBS are the third-party libraries that only this room links and sees.
function(room name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  set(view ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${view})
  foreach(seen ${name} ${CAUDAL_DEPS_${name}})
    file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${seen} ${view}/${seen} SYMBOLIC)
  endforeach()

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  add_library(caudal_${name} STATIC ${sources} ${CMAKE_SOURCE_DIR}/cmake/room.cc)
  target_include_directories(caudal_${name} PRIVATE ${view})
  set(links)
  foreach(dep ${CAUDAL_DEPS_${name}})
    list(APPEND links caudal_${dep})
  endforeach()
  target_link_libraries(caudal_${name} PUBLIC ${links} PRIVATE fmt::fmt ${ARG_LIBS})

  if(tests AND BUILD_TESTING)
    add_executable(${name}_test ${tests})
    target_include_directories(${name}_test PRIVATE ${view})
    target_link_libraries(${name}_test PRIVATE caudal_${name} ${links} fmt::fmt ${ARG_LIBS}
                          GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "CAUDAL_BINARY=${CMAKE_BINARY_DIR}/caudal")
  endif()
endfunction()
