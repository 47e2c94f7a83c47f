# SPDX-License-Identifier: MIT
"""Debian's headers of a dependency as a Conan package, for tests without a network.

    conan create packaging/conan/system --name eigen --version 3.4.0
    conan create packaging/conan/system --name nlohmann_json --version 3.11.2
"""
import os

from conan import ConanFile
from conan.tools.files import copy

# name: folder in /usr/include, folder to search, CMake's package and target
PACKAGES = {
    "eigen": ("eigen3", "include/eigen3", "Eigen3", "Eigen3::Eigen"),
    "nlohmann_json": ("nlohmann", "include", "nlohmann_json", "nlohmann_json::nlohmann_json"),
}


class System(ConanFile):
    package_type = "header-library"

    def package(self):
        folder = PACKAGES[self.name][0]
        copy(self, f"{folder}/*", "/usr/include", os.path.join(self.package_folder, "include"))

    def package_id(self):
        self.info.clear()

    def package_info(self):
        _, include, file, target = PACKAGES[self.name]
        self.cpp_info.includedirs = [include]
        self.cpp_info.set_property("cmake_file_name", file)
        self.cpp_info.set_property("cmake_target_name", target)
