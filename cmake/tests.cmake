# SPDX-License-Identifier: Apache-2.0
# tests/unit/test_*.c: one cmocka program each, linked with the whole library and its private headers.
function(use_private_headers target)
    target_include_directories(${target} PRIVATE src tests)
    target_link_libraries(${target} PRIVATE res2net)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE
        R2N_SOURCE_DIR="${CMAKE_SOURCE_DIR}" R2N_BINARY_DIR="${CMAKE_BINARY_DIR}")
endfunction()

if(RES2NET_TESTS)
    find_library(CMOCKA_LIBRARY cmocka REQUIRED)
    file(GLOB unit_sources CONFIGURE_DEPENDS tests/unit/test_*.c)
    foreach(source ${unit_sources})
        get_filename_component(name ${source} NAME_WE)
        add_executable(${name} ${source})
        use_private_headers(${name})
        target_link_libraries(${name} PRIVATE ${CMOCKA_LIBRARY})
        add_test(NAME unit_${name} COMMAND ${name})
    endforeach()

    add_executable(train_parts_driver tests/oracle/train_parts.c) # for tests/oracle/train_parts.py
    use_private_headers(train_parts_driver)

    file(GLOB kernelcheck_sources CONFIGURE_DEPENDS tests/kernelcheck/*.c)
    if(kernelcheck_sources)
        add_executable(kernelcheck ${kernelcheck_sources})
        use_private_headers(kernelcheck)
        if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64") # the tiles that are not emulated
            set_source_files_properties(tests/kernelcheck/emulated_kernels.c
                tests/kernelcheck/tile_emulation.c PROPERTIES COMPILE_OPTIONS "${R2N_AVX512_FLAGS}")
        endif()
        add_test(NAME kernelcheck COMMAND kernelcheck check)
        add_test(NAME kernelcheck_grad COMMAND kernelcheck grad)
    endif()
endif()

# tests/fuzz/fuzz_*.c: with libFuzzer under RES2NET_FUZZ; otherwise a main() that replays the corpus.
file(GLOB fuzz_sources CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(source ${fuzz_sources})
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE "fuzz_" "" corpus ${name})
    if(RES2NET_FUZZ)
        add_executable(${name} ${source})
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(${name} ${source} tests/fuzz/replay.c)
        add_test(NAME ${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${corpus})
    endif()
    use_private_headers(${name})
endforeach()

# What the comparisons with PyTorch and Paddle drive (tests/oracle/).
if(RES2NET_TESTS AND NOT RES2NET_FUZZ)
    add_executable(train_driver tests/oracle/train_driver.c)
    use_private_headers(train_driver)
endif()

# Every public header alone, as strict C11 and as C++17; the C++ one as C++17.
file(GLOB public_headers CONFIGURE_DEPENDS include/res2net/*.h include/res2net/*.hpp)
foreach(header ${public_headers})
    get_filename_component(name ${header} NAME)
    if(name MATCHES "hpp$")
        set(languages cpp)
    else()
        set(languages c cpp)
    endif()
    foreach(language ${languages})
        set(file ${CMAKE_BINARY_DIR}/headers/${name}.${language})
        file(CONFIGURE OUTPUT ${file} CONTENT "#include \"res2net/${name}\"\n")
        list(APPEND header_files ${file})
    endforeach()
endforeach()
add_library(public_headers OBJECT ${header_files})
target_include_directories(public_headers PRIVATE include)
target_compile_options(public_headers PRIVATE -Wpedantic -Wshadow -Wconversion)
set_target_properties(public_headers PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON
    CXX_EXTENSIONS OFF)

# For tests/scripts/test_cli_memory.sh and test_cli_train_full_disk.sh; sanitizers have allocators of
# their own, and want to be loaded first.
if(RES2NET_TESTS AND NOT RES2NET_SANITIZE AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
    add_library(failing_malloc MODULE tests/scripts/failing_malloc.c)
    target_compile_definitions(failing_malloc PRIVATE _GNU_SOURCE)
    add_library(full_disk MODULE tests/scripts/full_disk.c)
    target_link_libraries(full_disk PRIVATE ${CMAKE_DL_LIBS})
endif()

file(GLOB script_tests CONFIGURE_DEPENDS tests/scripts/test_*.sh)
foreach(script ${script_tests})
    get_filename_component(name ${script} NAME_WE)
    add_test(NAME script_${name} COMMAND sh ${script} ${CMAKE_BINARY_DIR})
    set_tests_properties(script_${name} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
add_test(NAME include_rules COMMAND python3 ${CMAKE_SOURCE_DIR}/tools/check_includes.py)
add_test(NAME code_budgets COMMAND python3 ${CMAKE_SOURCE_DIR}/tools/count_code.py --check)
add_test(NAME user_reports COMMAND python3 ${CMAKE_SOURCE_DIR}/tools/check_user_reports.py)
