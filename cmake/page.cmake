# The web page in the executable: web/ is built by scripts/page and assembled into the serve room.
enable_language(ASM)
file(GLOB_RECURSE PAGE_INPUTS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/* ${CMAKE_SOURCE_DIR}/web/public/*)
list(FILTER PAGE_INPUTS EXCLUDE REGEX "/schema\\.ts$")  # written on the way
foreach(file .npmrc embed.mjs index.html package.json package-lock.json tsconfig.json vite.config.ts)
  list(APPEND PAGE_INPUTS ${CMAKE_SOURCE_DIR}/web/${file})
endforeach()
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/page/page.s
  COMMAND ${CMAKE_SOURCE_DIR}/scripts/page ${CMAKE_BINARY_DIR}/page
  DEPENDS ${PAGE_INPUTS} ${CMAKE_SOURCE_DIR}/scripts/page ${CMAKE_SOURCE_DIR}/src/serve/openapi.json
  COMMENT "Building the web page"
  VERBATIM)
target_sources(caudal_serve PRIVATE ${CMAKE_BINARY_DIR}/page/page.s)
