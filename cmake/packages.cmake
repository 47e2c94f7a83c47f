# SPDX-License-Identifier: MIT
# Debian packages, one for each component of install.cmake:
#   cmake --preset debian && cmake --build --preset debian && cpack --preset debian
set(NYSTROMFORMER_DEB_MAINTAINER "nystromformer developers <nystromformer@localhost>" CACHE STRING
    "Who answers for the Debian packages; a distributor sets their own name and address")

set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # or it comes before the synopsis of each package
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${NYSTROMFORMER_DEB_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# nystromformer_debian_package(COMPONENT package section description): it becomes CPACK_DEBIAN_COMPONENT_...
# The first line of a description is the synopsis.
macro(nystromformer_debian_package component package section description)
    list(APPEND CPACK_COMPONENTS_ALL nystromformer_${component})
    string(TOUPPER "CPACK_DEBIAN_NYSTROMFORMER_${component}" variable)
    set(${variable}_PACKAGE_NAME ${package})
    set(${variable}_PACKAGE_SECTION ${section})
    set(${variable}_DESCRIPTION "${description}")
endmacro()

set(CPACK_COMPONENTS_ALL "")
nystromformer_debian_package(program nystromformer science
"text encoders without Python: fill-mask, classification, search
Runs Nyströmformer and BERT models from Hugging Face folders on CPUs: it
fills masks, classifies texts and tokens, answers questions, and embeds,
searches and reranks texts. Long texts can use the Nyström approximation
of attention. Answers are those of Hugging Face's Python library.
.
Input and output are JSON lines in a pipe, or a table on a terminal.
The command takes the folder of a model, or the name of an installed one.")
set(CPACK_DEBIAN_NYSTROMFORMER_PROGRAM_PACKAGE_SHLIBDEPS ON)
if(NYSTROMFORMER_INSTALL_MODELS)
    set(CPACK_DEBIAN_NYSTROMFORMER_PROGRAM_PACKAGE_RECOMMENDS nystromformer-models)
endif()

nystromformer_debian_package(development libnystromformer-dev libdevel
"C++20 library that runs Nyströmformer and BERT text encoders
A header-only library that runs text encoders from Hugging Face folders
on CPUs, without Python: models, tokenizers, and pipelines such as
fill-mask, classification, question answering and sentence embeddings.
.
It has packages for CMake and pkg-config.")
set(CPACK_DEBIAN_NYSTROMFORMER_DEVELOPMENT_PACKAGE_DEPENDS "libeigen3-dev (>= 3.4), nlohmann-json3-dev (>= 3.10.5)")
if(NYSTROMFORMER_INSTALL_COMPILED)
    string(APPEND CPACK_DEBIAN_NYSTROMFORMER_DEVELOPMENT_DESCRIPTION
           " A static library with the\nsame functions makes programs compile in seconds.")
else()
    set(CPACK_DEBIAN_NYSTROMFORMER_DEVELOPMENT_PACKAGE_ARCHITECTURE all)
endif()

if(NYSTROMFORMER_INSTALL_MODELS)
    nystromformer_debian_package(models nystromformer-models science
"small English models for nystromformer
Three small Nyströmformer models for English: one that fills masks, one
for sentiment and one for parts of speech. The command nystromformer
finds them by their names.")
    set(CPACK_DEBIAN_NYSTROMFORMER_MODELS_PACKAGE_ARCHITECTURE all)
endif()

configure_file(packaging/debian/files.cmake.in debian_files.cmake @ONLY)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_BINARY_DIR}/debian_files.cmake")
include(CPack)
