# SPDX-License-Identifier: MIT
# For a cross build: the build machine's header-only packages, as the targets that dependencies.cmake looks
# for; it fetches what is not installed. /usr/include itself must stay out of the way of the target's own C
# library, so a folder of the build tree holds a link to each package.
set(host_headers "${PROJECT_BINARY_DIR}/host_headers")
file(MAKE_DIRECTORY "${host_headers}")

function(nystromformer_host_headers target folder header)
    if(EXISTS "/usr/include/${folder}/${header}")
        file(CREATE_LINK "/usr/include/${folder}" "${host_headers}/${folder}" SYMBOLIC)
        add_library(${target} INTERFACE IMPORTED GLOBAL)
        target_include_directories(${target} SYSTEM INTERFACE "${host_headers}/${ARGN}")
    endif()
endfunction()

nystromformer_host_headers(Eigen3::Eigen eigen3 Eigen/Core eigen3)
nystromformer_host_headers(nlohmann_json::nlohmann_json nlohmann json.hpp)
nystromformer_host_headers(CLI11::CLI11 CLI CLI.hpp)
# Catch2 2 only: version 3 is a library.
nystromformer_host_headers(Catch2::Catch2 catch2 catch.hpp)
list(APPEND CMAKE_MODULE_PATH /usr/lib/cmake/Catch2)
