# SPDX-License-Identifier: MIT
"""Conan 2: the headers, or with -o "&:compiled=True" the compiled library, too.

    conan create packaging/conan --build missing -s compiler.cppstd=20
"""
import os

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir

required_conan_version = ">=2.0"


class Nystromformer(ConanFile):
    name = "nystromformer"
    description = "Nyströmformer and BERT text encoders in C++20, with Hugging Face's answers"
    license = "MIT"
    topics = ("nystromformer", "bert", "transformers", "embeddings", "tokenizers")
    settings = "os", "arch", "compiler", "build_type"
    options = {"compiled": [True, False], "shared": [True, False], "fPIC": [True, False]}
    default_options = {"compiled": False, "shared": False, "fPIC": True}
    implements = ["auto_shared_fpic"]

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "..", "..", "CMakeLists.txt"))
        self.version = text.split("project(nystromformer VERSION ")[1].split()[0]

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        for pattern in ("CMakeLists.txt", "cmake/*", "include/*", "src/*", "LICENSE"):
            copy(self, pattern, root, self.export_sources_folder)

    def requirements(self):
        self.requires("eigen/[>=3.4 <6]", transitive_headers=True)
        self.requires("nlohmann_json/[>=3.10.5 <4]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        if not self.info.options.compiled:
            self.info.clear()

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["NYSTROMFORMER_BUILD_PROGRAMS"] = False
        toolchain.cache_variables["NYSTROMFORMER_BUILD_TESTS"] = False
        toolchain.cache_variables["NYSTROMFORMER_INSTALL_COMPILED"] = bool(self.options.compiled)
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        rmdir(self, os.path.join(self.package_folder, "share"))  # CMakeDeps makes its own

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "nystromformer")
        headers = self.cpp_info.components["headers"]
        headers.set_property("cmake_target_name", "nystromformer::nystromformer")
        headers.requires = ["eigen::eigen", "nlohmann_json::nlohmann_json"]
        headers.bindirs = headers.libdirs = []
        if self.settings.os in ("Linux", "FreeBSD"):
            headers.system_libs = ["pthread"]
        if self.options.compiled:
            compiled = self.cpp_info.components["compiled"]
            compiled.set_property("cmake_target_name", "nystromformer::compiled")
            compiled.requires = ["headers"]
            compiled.libs = ["nystromformer"]
            compiled.defines = ["NYSTROMFORMER_COMPILED"]
