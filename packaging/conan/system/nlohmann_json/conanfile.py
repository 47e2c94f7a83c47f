# SPDX-License-Identifier: MIT
"""Debian's headers of nlohmann_json as a Conan package, for tests without a network."""
import os

from conan import ConanFile
from conan.tools.files import copy


class System(ConanFile):
    name = "nlohmann_json"
    version = "3.11.2"
    package_type = "header-library"

    def package(self):
        copy(self, "nlohmann/*", "/usr/include", os.path.join(self.package_folder, "include"))

    def package_id(self):
        self.info.clear()

    def package_info(self):
        self.cpp_info.includedirs = ["include"]
        self.cpp_info.set_property("cmake_file_name", "nlohmann_json")
        self.cpp_info.set_property("cmake_target_name", "nlohmann_json::nlohmann_json")
