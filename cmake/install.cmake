# SPDX-License-Identifier: MIT
# `cmake --install`: the headers, the package for find_package, pkg-config's files, and where it is built the
# command line with its manual page and completions. Each component becomes a package (packages.cmake).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/nystromformer")

install(TARGETS nystromformer EXPORT nystromformer
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT nystromformer_development
        FILE_SET fragments DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT nystromformer_development)
install(EXPORT nystromformer NAMESPACE nystromformer:: FILE nystromformerTargets.cmake
        DESTINATION "${package_dir}" COMPONENT nystromformer_development)

if(NYSTROMFORMER_INSTALL_COMPILED)
    install(TARGETS nystromformer_compiled EXPORT nystromformer_compiled COMPONENT nystromformer_development)
    install(EXPORT nystromformer_compiled NAMESPACE nystromformer:: FILE nystromformerCompiledTargets.cmake
            DESTINATION "${package_dir}" COMPONENT nystromformer_development)
endif()

# pkg-config: `nystromformer` for the headers, `nystromformer-compiled` for the library, which depends on the CPU
# and so is where libraries are. Both find the prefix from their own place: an installed tree may be moved.
function(nystromformer_pkg_config name folder)
    string(APPEND folder /pkgconfig)
    set(prefix "${CMAKE_INSTALL_PREFIX}")
    if(NOT IS_ABSOLUTE "${folder}")
        cmake_path(RELATIVE_PATH prefix BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}/${folder}")
        string(PREPEND prefix "\${pcfiledir}/")
    endif()
    foreach(part INCLUDEDIR LIBDIR)
        set(${part} "${CMAKE_INSTALL_${part}}")
        if(NOT IS_ABSOLUTE "${${part}}")
            string(PREPEND ${part} "\${prefix}/")
        endif()
    endforeach()
    configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${folder}"
            COMPONENT nystromformer_development)
endfunction()
nystromformer_pkg_config(nystromformer "${CMAKE_INSTALL_DATADIR}")
if(NYSTROMFORMER_INSTALL_COMPILED)
    nystromformer_pkg_config(nystromformer-compiled "${CMAKE_INSTALL_LIBDIR}")
endif()

configure_package_config_file(cmake/nystromformerConfig.cmake.in nystromformerConfig.cmake
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(nystromformerConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/nystromformerConfig.cmake"
              "${PROJECT_BINARY_DIR}/nystromformerConfigVersion.cmake"
        DESTINATION "${package_dir}" COMPONENT nystromformer_development)

# What cli/CMakeLists.txt makes; a cross build without an emulator has no manual page and no completions.
if(NYSTROMFORMER_BUILD_PROGRAMS)
    install(TARGETS nystromformer_program RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
            COMPONENT nystromformer_program)
    set(NYSTROMFORMER_INSTALL_ZSHDIR "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" CACHE STRING
        "Where completions of zsh are installed; Debian's own folder is share/zsh/vendor-completions")
    if(NYSTROMFORMER_DESCRIPTIONS)
        install(FILES "${NYSTROMFORMER_DESCRIPTIONS}/nystromformer.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1"
                COMPONENT nystromformer_program)
        install(FILES "${NYSTROMFORMER_DESCRIPTIONS}/bash" RENAME nystromformer
                DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" COMPONENT nystromformer_program)
        install(FILES "${NYSTROMFORMER_DESCRIPTIONS}/zsh" RENAME _nystromformer
                DESTINATION "${NYSTROMFORMER_INSTALL_ZSHDIR}" COMPONENT nystromformer_program)
        install(FILES "${NYSTROMFORMER_DESCRIPTIONS}/fish" RENAME nystromformer.fish
                DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" COMPONENT nystromformer_program)
    endif()
endif()

# `--model NAME` finds them there. A release archive has none.
if(NYSTROMFORMER_INSTALL_MODELS)
    file(GLOB models CONFIGURE_DEPENDS models/nystromformer-*)
    if(NOT models)
        message(FATAL_ERROR "NYSTROMFORMER_INSTALL_MODELS needs the folder models, which only a clone has")
    endif()
    install(DIRECTORY ${models} DESTINATION "${CMAKE_INSTALL_DATADIR}/nystromformer/models"
            COMPONENT nystromformer_models)
endif()

if(PROJECT_IS_TOP_LEVEL AND NYSTROMFORMER_BUILD_PROGRAMS)
    include(cmake/packages.cmake)
endif()
