# SPDX-License-Identifier: Apache-2.0
# The programs and examples use include/res2net only.
file(GLOB R2N_CLI_SOURCES CONFIGURE_DEPENDS programs/cli/*.c)
add_executable(res2net_cli ${R2N_CLI_SOURCES})
set_target_properties(res2net_cli PROPERTIES OUTPUT_NAME res2net)
target_link_libraries(res2net_cli PRIVATE res2net)

foreach(example classify.c classify_memory.c classify_memory.cpp)
    string(REPLACE ".c" "" name ${example})
    string(REPLACE "pp" "_cpp" name ${name})
    add_executable(example_${name} examples/${example})
    set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name}
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/examples)
    target_link_libraries(example_${name} PRIVATE res2net)
endforeach()
