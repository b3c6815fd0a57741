# SPDX-License-Identifier: Apache-2.0
# libres2net: one object library a room, so that each ISA room has its own flags.
file(GLOB R2N_ROOM_SOURCES CONFIGURE_DEPENDS
    src/base/*.c src/formats/*.c src/data/*.c src/image/*.c src/weights/*.c src/model/*.c
    src/kernels/*.c src/plan/*.c src/import/*.c src/export/*.c src/predict/*.c src/quantize/*.c
    src/train/*.c src/drawing/*.c)
add_library(res2net_objects OBJECT ${R2N_ROOM_SOURCES})

function(add_kernel_room name)
    file(GLOB sources CONFIGURE_DEPENDS src/kernels/${name}/*.c)
    if(sources)
        set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "${ARGN}")
        target_sources(res2net_objects PRIVATE ${sources})
    endif()
endfunction()

add_kernel_room(reference)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    add_kernel_room(x86_avx2 -mavx2 -mfma)
    set(R2N_AVX512_FLAGS -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)
    add_kernel_room(x86_avx512 ${R2N_AVX512_FLAGS})
    add_kernel_room(x86_avx512_vnni ${R2N_AVX512_FLAGS} -mavx512vnni)
    add_kernel_room(x86_avx512_bf16 ${R2N_AVX512_FLAGS} -mavx512bf16)
    add_kernel_room(x86_amx ${R2N_AVX512_FLAGS} -mavx512bf16 -mamx-tile -mamx-bf16 -mamx-int8)
endif()

target_include_directories(res2net_objects PUBLIC include PRIVATE src)
target_compile_definitions(res2net_objects PRIVATE R2N_VERSION="${PROJECT_VERSION}")
target_link_libraries(res2net_objects PUBLIC Threads::Threads m res2net_optional)

if(RES2NET_EMBED_MODEL AND EXISTS ${CMAKE_SOURCE_DIR}/models/default.r2n)
    enable_language(ASM)
    set(embedded ${CMAKE_SOURCE_DIR}/src/predict/embedded_model.S)
    set_source_files_properties(${embedded} PROPERTIES
        COMPILE_DEFINITIONS R2N_EMBEDDED_PATH="${CMAKE_SOURCE_DIR}/models/default.r2n"
        OBJECT_DEPENDS ${CMAKE_SOURCE_DIR}/models/default.r2n)
    target_sources(res2net_objects PRIVATE ${embedded})
    target_compile_definitions(res2net_optional INTERFACE R2N_HAVE_EMBEDDED_MODEL=1)
endif()

# The objects are compiled once, with position-independent code, for both libraries. The command and
# the tests use the static one.
add_library(res2net STATIC $<TARGET_OBJECTS:res2net_objects>)
target_link_libraries(res2net PUBLIC $<BUILD_INTERFACE:Threads::Threads;m;res2net_optional>)
set(R2N_LIBRARIES res2net)

if(RES2NET_SHARED AND NOT RES2NET_FUZZ)
    add_library(res2net_shared SHARED $<TARGET_OBJECTS:res2net_objects>)
    target_link_libraries(res2net_shared PRIVATE Threads::Threads m res2net_optional)
    # Before 1.0 any minor version may change the binary interface.
    set_target_properties(res2net_shared PROPERTIES OUTPUT_NAME res2net
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    # Its threads outlive a dlclose(): the code has to stay.
    target_link_options(res2net_shared PRIVATE -Wl,-z,nodelete)
    if(NOT RES2NET_SANITIZE)
        target_link_options(res2net_shared PRIVATE -Wl,--no-undefined)
    endif()
    list(APPEND R2N_LIBRARIES res2net_shared)
endif()

foreach(library ${R2N_LIBRARIES})
    target_include_directories(${library} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
