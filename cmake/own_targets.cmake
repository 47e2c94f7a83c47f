# SPDX-License-Identifier: MIT
# What holds for this project's programs and tests, and for nobody else's.

# One place for all programs of a build folder.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release)
endif()

find_program(NYSTROMFORMER_CCACHE ccache)
mark_as_advanced(NYSTROMFORMER_CCACHE)
if(NYSTROMFORMER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # The two liberties are what ccache asks for before it caches users of a precompiled header.
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros "${NYSTROMFORMER_CCACHE}")
endif()

# Links the library into an own target and turns the warnings on.
function(nystromformer_own_target target)
    target_link_libraries(${target} PRIVATE nystromformer::nystromformer)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
    set_target_properties(${target} PROPERTIES
        CXX_EXTENSIONS OFF COMPILE_WARNING_AS_ERROR ${NYSTROMFORMER_WARNINGS_AS_ERRORS})
endfunction()
