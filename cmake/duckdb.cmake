# libduckdb.so and its header, put into third_party/duckdb by scripts/setup (hashes: third_party/pins.txt).
set(DUCKDB_ROOT "${CMAKE_SOURCE_DIR}/third_party/duckdb" CACHE PATH "folder with duckdb.h, libduckdb.so and extensions/")
if(NOT EXISTS ${DUCKDB_ROOT}/libduckdb.so)
  message(FATAL_ERROR "DuckDB is missing in ${DUCKDB_ROOT}: run `make setup`")
endif()
add_library(DuckDB::DuckDB SHARED IMPORTED)
set_target_properties(DuckDB::DuckDB PROPERTIES
  IMPORTED_LOCATION ${DUCKDB_ROOT}/libduckdb.so
  INTERFACE_INCLUDE_DIRECTORIES ${DUCKDB_ROOT}
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${DUCKDB_ROOT})
