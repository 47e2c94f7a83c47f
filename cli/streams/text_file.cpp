// SPDX-License-Identifier: MIT
#include "streams/text_file.hpp"

#include "streams/files.hpp"

#include <nystromformer/error.hpp>
#include <nystromformer/text.hpp>

#include <algorithm>
#include <cstdint>
#include <istream>
#include <sstream>
#include <string_view>
#include <utility>

namespace command_line {

namespace nf = nystromformer;

namespace {

constexpr std::size_t max_text = std::size_t{16} << 20;

std::string_view trimmed(std::string_view line) {
    const auto first = line.find_first_not_of(" \t\r\f\v");
    if (first == line.npos) return "";
    return line.substr(first, line.find_last_not_of(" \t\r\f\v") + 1 - first);
}

/// True if a line of the first MiB is blank, with a text before it and one after.
bool has_paragraphs(std::istream& stream, std::uint64_t size) {
    constexpr std::uint64_t max_bytes = std::uint64_t{1} << 20;
    std::string start(static_cast<std::size_t>(std::min(max_bytes, size)), '\0');
    stream.read(start.data(), static_cast<std::streamsize>(start.size()));
    start.resize(static_cast<std::size_t>(stream.gcount()));
    std::istringstream lines(start);
    bool after_text = false, after_blank = false;
    for (std::string line; std::getline(lines, line);) {
        const bool is_blank = trimmed(line).empty();
        if (!is_blank && after_blank) return true;
        after_blank = after_text && is_blank;
        after_text = after_text || !is_blank;
    }
    return false;
}

}  // namespace

TextFile::TextFile(const std::string& path, const std::string& split)
    : path_(path), split_(split), stream_(nf::path_from_utf8(path), std::ios::binary) {
    total_bytes_ = file_size(path);
    if (!stream_) throw nf::IoError({path, "", "a readable file", "a read error"});
    if (split == "auto" && path.ends_with(".jsonl")) split_ = "json";
    skip_mark();
    if (split_ != "auto") return;
    split_ = has_paragraphs(stream_, total_bytes_) ? "paragraphs" : "lines";
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(bytes_));
}

void TextFile::skip_mark() {
    std::string start(4, '\0');
    stream_.read(start.data(), static_cast<std::streamsize>(start.size()));
    start.resize(static_cast<std::size_t>(stream_.gcount()));
    refuse_utf16(start, path_);
    if (split_ != "json") bytes_ = start.size() - without_mark(start, path_).size();
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(bytes_));
}

bool TextFile::read_line(std::string& line) {
    line.clear();
    const std::streambuf::int_type end = std::streambuf::traits_type::eof();
    std::streambuf& buffer = *stream_.rdbuf();
    bool any = false;
    for (auto byte = buffer.sbumpc(); byte != end; byte = buffer.sbumpc()) {
        any = true;
        ++bytes_;
        if (byte == '\n') break;
        line += static_cast<char>(byte);
        if (line.size() > max_text) {
            throw nf::FormatError({path_, "line " + std::to_string(lines_ + 1),
                                   "at most " + std::to_string(max_text) + " bytes", "more"});
        }
    }
    lines_ += any;
    return any;
}

std::optional<std::string> TextFile::next() {
    std::string line, text;
    while (read_line(line)) {
        if (split_ == "json") {
            first_line_ = lines_;
            return line;
        }
        const std::string_view rest = trimmed(line);
        if (rest.empty() && text.empty()) continue;
        if (rest.empty()) return text;
        if (text.empty()) first_line_ = lines_;
        text.append(text.empty() ? "" : " ").append(rest);
        if (split_ == "lines") return text;
        if (text.size() > max_text) {
            throw nf::FormatError({path_, "line " + std::to_string(first_line_),
                                   "a paragraph of at most " + std::to_string(max_text) + " bytes",
                                   "more"});
        }
    }
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace command_line
