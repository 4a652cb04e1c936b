# The report's style, script and template, embedded from readable files.
set(NEP_ASSET_FOLDER ${CMAKE_SOURCE_DIR}/src/report/assets)
set(NEP_ASSET_SOURCE ${CMAKE_BINARY_DIR}/report_assets.c)
set(NEP_ASSET_SCRIPTS dom.js figures.js viewer.js drawer.js candidates.js terms.js report.js evaluation.js selftest.js boot.js)
list(JOIN NEP_ASSET_SCRIPTS "+" scripts)
list(TRANSFORM NEP_ASSET_SCRIPTS PREPEND ${NEP_ASSET_FOLDER}/ OUTPUT_VARIABLE script_files)
add_custom_command(OUTPUT ${NEP_ASSET_SOURCE}
  COMMAND ${CMAKE_COMMAND} -DOUT=${NEP_ASSET_SOURCE} -DFOLDER=${NEP_ASSET_FOLDER} -DFOLDER_NAME=src/report/assets
          "-DITEMS=css:report.css js:${scripts} html:report.html" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${script_files} ${NEP_ASSET_FOLDER}/report.css ${NEP_ASSET_FOLDER}/report.html
          ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  VERBATIM)
list(APPEND NEP_SOURCES ${NEP_ASSET_SOURCE})
