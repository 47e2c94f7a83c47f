// SPDX-License-Identifier: MIT
// What every table of malformed files holds: one file of a model folder that must be refused.
#pragma once

#include "checkpoint/bytes.hpp"

#include <map>
#include <string>
#include <vector>

namespace nystromformer::testing {

/// A file to be written into a folder that loads without it.
struct MalformedFile {
    std::string title;
    std::string file;  // its place in the folder, or that of the file that is blamed
    std::string bytes;
    std::string kind;                                // the class of the error
    std::vector<std::string> parts;                  // of the message, which names the file too
    std::vector<std::string> without = {};           // files of the folder that are taken away
    std::map<std::string, std::string> others = {};  // more files that are written
};

}  // namespace nystromformer::testing
