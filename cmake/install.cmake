# SPDX-License-Identifier: MIT
# `cmake --install`: the headers, the package for find_package, and the command line where it is built.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/nystromformer")

install(TARGETS nystromformer EXPORT nystromformer
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILE_SET fragments DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT nystromformer NAMESPACE nystromformer:: FILE nystromformerTargets.cmake
        DESTINATION "${package_dir}")

if(NYSTROMFORMER_INSTALL_COMPILED)
    install(TARGETS nystromformer_compiled EXPORT nystromformer_compiled)
    install(EXPORT nystromformer_compiled NAMESPACE nystromformer:: FILE nystromformerCompiledTargets.cmake
            DESTINATION "${package_dir}")
endif()

# pkg-config: `nystromformer` for the headers, `nystromformer-compiled` for the library.
foreach(name nystromformer nystromformer-compiled)
    if(name STREQUAL "nystromformer" OR NYSTROMFORMER_INSTALL_COMPILED)
        configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
        install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
    endif()
endforeach()

configure_package_config_file(cmake/nystromformerConfig.cmake.in nystromformerConfig.cmake
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(nystromformerConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/nystromformerConfig.cmake"
              "${PROJECT_BINARY_DIR}/nystromformerConfigVersion.cmake"
        DESTINATION "${package_dir}")

if(NYSTROMFORMER_BUILD_PROGRAMS)
    install(TARGETS nystromformer_program RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
