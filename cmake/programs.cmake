# SPDX-License-Identifier: Apache-2.0
# The programs and examples use include/res2net only.
file(GLOB R2N_CLI_SOURCES CONFIGURE_DEPENDS programs/cli/*.c)
add_executable(res2net_cli ${R2N_CLI_SOURCES})
set_target_properties(res2net_cli PROPERTIES OUTPUT_NAME res2net)
target_link_libraries(res2net_cli PRIVATE res2net)

add_executable(example_classify examples/classify.c)
set_target_properties(example_classify PROPERTIES OUTPUT_NAME classify
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/examples)
target_link_libraries(example_classify PRIVATE res2net)
