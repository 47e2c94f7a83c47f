# SPDX-License-Identifier: MIT
# For test.sh, which cannot download CPM.cmake: what its CPMAddPackage does with the lines of docs/packages.md.
# It is FetchContent.
include(FetchContent)

function(CPMAddPackage)
    cmake_parse_arguments(package "" "NAME;VERSION;URL;URL_HASH" "" ${ARGN})
    if(package_UNPARSED_ARGUMENTS OR NOT package_NAME OR NOT package_URL)
        message(FATAL_ERROR "the stand-in of CPM knows NAME, VERSION, URL and URL_HASH, not: ${ARGN}")
    endif()
    FetchContent_Declare(${package_NAME} URL ${package_URL} URL_HASH ${package_URL_HASH})
    FetchContent_MakeAvailable(${package_NAME})
endfunction()
