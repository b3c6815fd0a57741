# SPDX-License-Identifier: Apache-2.0
# The programs use include/res2net only.
file(GLOB R2N_CLI_SOURCES CONFIGURE_DEPENDS programs/cli/*.c)
if(R2N_CLI_SOURCES)
    add_executable(res2net_cli ${R2N_CLI_SOURCES})
    set_target_properties(res2net_cli PROPERTIES OUTPUT_NAME res2net)
    target_link_libraries(res2net_cli PRIVATE res2net)
endif()
