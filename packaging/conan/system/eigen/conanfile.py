# SPDX-License-Identifier: MIT
"""Debian's headers of eigen as a Conan package, for tests without a network."""
import os

from conan import ConanFile
from conan.tools.files import copy


class System(ConanFile):
    name = "eigen"
    version = "3.4.0"
    package_type = "header-library"

    def package(self):
        copy(self, "eigen3/*", "/usr/include", os.path.join(self.package_folder, "include"))

    def package_id(self):
        self.info.clear()

    def package_info(self):
        self.cpp_info.includedirs = ["include/eigen3"]
        self.cpp_info.set_property("cmake_file_name", "Eigen3")
        self.cpp_info.set_property("cmake_target_name", "Eigen3::Eigen")
