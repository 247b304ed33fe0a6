# Every file src/connect/builtin/<name>.cc defines `void Register_<name>(Registry&)`; the call of all of
# them is written here, so that a new connector is found by lying in the folder.
file(GLOB connectors CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/connect/builtin/*.cc)
list(FILTER connectors EXCLUDE REGEX "_test\\.cc$")
set(declarations "")
set(calls "")
foreach(file ${connectors})
  get_filename_component(name ${file} NAME_WE)
  string(APPEND declarations "void Register_${name}(Registry& registry);\n")
  string(APPEND calls "  Register_${name}(registry);\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/connect/register_builtin.inc @ONLY
     CONTENT "${declarations}\nvoid RegisterBuiltin([[maybe_unused]] Registry& registry) {\n${calls}}\n")
include_directories(${CMAKE_BINARY_DIR}/generated)
