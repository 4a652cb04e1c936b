# cmake -DOUT=file.c -DITEMS="name=a.css name=b.js+c.js" -DFOLDER=... -P embed.cmake: files as byte arrays in one C file;
# `+` joins files in that order.
set(text "/* Made from ${FOLDER_NAME} by cmake/embed.cmake. */\n#include \"report/doc.h\"\n")
separate_arguments(ITEMS)
foreach(item IN LISTS ITEMS)
  string(REGEX MATCH "^([a-z]+)=(.+)$" unused "${item}")
  set(name ${CMAKE_MATCH_1})
  string(REPLACE "+" ";" parts "${CMAKE_MATCH_2}")
  set(hex "")
  foreach(part IN LISTS parts)
    file(READ ${FOLDER}/${part} more HEX)
    string(APPEND hex "${more}")
  endforeach()
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND text "static const unsigned char ${name}[] = {\n${hex}};\n"
                     "const nep_asset nep_asset_${name} = {${name}, sizeof ${name}};\n")
endforeach()
file(WRITE ${OUT} "${text}")
