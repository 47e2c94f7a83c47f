# SPDX-License-Identifier: MIT
# nystromformer::compiled: the bodies of the public headers, compiled once for a project. Targets that link it
# include the same headers, which then only declare. BUILD_SHARED_LIBS chooses a static or a shared
# library. Nothing is compiled unless a target links it or the install asks for it.
file(GLOB sources CONFIGURE_DEPENDS src/*.cpp)
add_library(nystromformer_compiled ${sources})
add_library(nystromformer::compiled ALIAS nystromformer_compiled)
target_link_libraries(nystromformer_compiled PUBLIC nystromformer)
target_compile_definitions(nystromformer_compiled PUBLIC NYSTROMFORMER_COMPILED)
set_target_properties(nystromformer_compiled PROPERTIES
    EXPORT_NAME compiled OUTPUT_NAME nystromformer DEFINE_SYMBOL ""
    POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF
    VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
# A Debug build of a program is still to run its model at a bearable speed.
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    set_source_files_properties(src/kernels.cpp PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Debug>:-O2>")
endif()
# Everyone who includes the headers must know, or the table of backends has two lengths.
if(NYSTROMFORMER_TILE_MODEL)
    target_compile_definitions(nystromformer_compiled PUBLIC NYSTROMFORMER_TILE_MODEL)
endif()
if(NOT NYSTROMFORMER_INSTALL_COMPILED)
    set_target_properties(nystromformer_compiled PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
