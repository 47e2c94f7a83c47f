// SPDX-License-Identifier: MIT
// Notices: how the code that reads files reports what it repaired, skipped or did not use.
#pragma once

#include <nystromformer/options.hpp>

#include <string>
#include <utility>

namespace nystromformer::inline v0_2 {

inline std::string Notice::text() const {
    return file + ": " + (place.empty() ? "" : place + ": ") + what;
}

namespace detail {

/// Reports a notice to the caller's `on_notice`, if there is one.
inline void give_notice(const FileOptions& files, std::string file, std::string place,
                        std::string what) {
    if (files.on_notice) files.on_notice({std::move(file), std::move(place), std::move(what)});
}

/// The file options of a load: they report to LoadOptions::on_notice if that is set.
inline FileOptions file_options(const LoadOptions& options) {
    FileOptions files = options.files;
    if (options.on_notice) files.on_notice = options.on_notice;
    return files;
}

}  // namespace detail
}  // namespace nystromformer::inline v0_2
