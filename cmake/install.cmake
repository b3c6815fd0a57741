# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: the command with manual pages and completions, headers, both libraries,
# res2net.pc and the CMake package. The installed tree may be moved as a whole.
set(R2N_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/res2net)
set(R2N_GENERATED ${PROJECT_BINARY_DIR}/generated)

install(TARGETS res2net_cli DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/res2net DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES examples/classify.c examples/classify_memory.c examples/classify_memory.cpp
    DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

# ---- manual pages and completions, printed by the command that was built
if(NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR)
    add_custom_command(OUTPUT ${R2N_GENERATED}/done
        COMMAND ${CMAKE_COMMAND} -DOUT=${R2N_GENERATED} -P
            ${PROJECT_SOURCE_DIR}/cmake/print_manual.cmake -- $<TARGET_FILE:res2net_cli>
        DEPENDS res2net_cli ${PROJECT_SOURCE_DIR}/cmake/print_manual.cmake VERBATIM)
    add_custom_target(manual ALL DEPENDS ${R2N_GENERATED}/done)
    install(DIRECTORY ${R2N_GENERATED}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
    install(FILES ${R2N_GENERATED}/res2net.bash RENAME res2net
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES ${R2N_GENERATED}/_res2net
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
    install(FILES ${R2N_GENERATED}/res2net.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

# ---- libraries and the CMake package: one export a kind, so that users of the shared library need
# ---- none of the libraries behind it
set_target_properties(res2net PROPERTIES EXPORT_NAME static)
target_link_libraries(res2net INTERFACE $<INSTALL_INTERFACE:res2net::dependencies>)
install(TARGETS res2net EXPORT res2net-static DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT res2net-static NAMESPACE res2net:: DESTINATION ${R2N_PACKAGE_DIR})
if(TARGET res2net_shared)
    set_target_properties(res2net_shared PROPERTIES EXPORT_NAME shared)
    install(TARGETS res2net_shared EXPORT res2net-shared DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT res2net-shared NAMESPACE res2net:: DESTINATION ${R2N_PACKAGE_DIR})
endif()
include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/res2net-config.cmake.in ${R2N_GENERATED}/res2net-config.cmake
    INSTALL_DESTINATION ${R2N_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${R2N_GENERATED}/res2net-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${R2N_GENERATED}/res2net-config.cmake ${R2N_GENERATED}/res2net-config-version.cmake
    DESTINATION ${R2N_PACKAGE_DIR})

# ---- pkg-config: folders relative to the file itself, unless they were given absolute
set(R2N_PC_REQUIRES "")
foreach(pair jpeg=libjpeg png=libpng webp=libwebp yaml=yaml-0.1)
    string(REPLACE "=" ";" pair ${pair})
    list(GET pair 0 feature)
    if(feature IN_LIST RES2NET_FEATURES)
        list(GET pair 1 module)
        list(APPEND R2N_PC_REQUIRES ${module})
    endif()
endforeach()
list(JOIN R2N_PC_REQUIRES ", " R2N_PC_REQUIRES)
foreach(folder LIBDIR INCLUDEDIR)
    if(IS_ABSOLUTE "${CMAKE_INSTALL_${folder}}")
        set(R2N_PC_${folder} "${CMAKE_INSTALL_${folder}}")
    else()
        set(R2N_PC_${folder} "\${prefix}/${CMAKE_INSTALL_${folder}}")
    endif()
endforeach()
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(R2N_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
    file(RELATIVE_PATH R2N_PC_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
    string(REGEX REPLACE "/$" "" R2N_PC_PREFIX "\${pcfiledir}/${R2N_PC_PREFIX}")
endif()
configure_file(cmake/res2net.pc.in ${R2N_GENERATED}/res2net.pc @ONLY)
install(FILES ${R2N_GENERATED}/res2net.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
