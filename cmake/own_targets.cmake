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
    set(CMAKE_CXX_COMPILER_LAUNCHER "${NYSTROMFORMER_CCACHE}")
endif()

# Links the library, compiled once for all, into an own target and turns the warnings on.
function(nystromformer_own_target target)
    target_link_libraries(${target} PRIVATE nystromformer::compiled)
    nystromformer_own_flags(${target})
endfunction()
function(nystromformer_own_flags target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
    set_target_properties(${target} PROPERTIES
        CXX_EXTENSIONS OFF COMPILE_WARNING_AS_ERROR ${NYSTROMFORMER_WARNINGS_AS_ERRORS})
endfunction()
nystromformer_own_flags(nystromformer_compiled)
set_target_properties(nystromformer_compiled PROPERTIES CXX_COMPILER_LAUNCHER "${CMAKE_CXX_COMPILER_LAUNCHER}")
