# SPDX-License-Identifier: MIT
# nystromformer::compiled: the bodies of the public headers, compiled once for a project. Who links it
# includes the same headers, which then only declare.
#
# BUILD_SHARED_LIBS chooses a static or a shared library. Nothing is compiled unless a target links it.
file(GLOB nystromformer_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/*.cpp")
add_library(nystromformer_compiled ${nystromformer_sources})
add_library(nystromformer::compiled ALIAS nystromformer_compiled)
target_link_libraries(nystromformer_compiled PUBLIC nystromformer)
target_compile_definitions(nystromformer_compiled PUBLIC NYSTROMFORMER_COMPILED)
set_target_properties(nystromformer_compiled PROPERTIES
    EXPORT_NAME compiled
    OUTPUT_NAME nystromformer
    POSITION_INDEPENDENT_CODE ON
    VERSION "${PROJECT_VERSION}"
    SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}"
    EXCLUDE_FROM_ALL "$<NOT:$<BOOL:${NYSTROMFORMER_INSTALL_COMPILED}>>")
