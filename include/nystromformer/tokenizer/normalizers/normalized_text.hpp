// SPDX-License-Identifier: MIT
// Text that is being normalised, with the range of the original that each of its bytes stands for,
// and the one way in which it is rewritten.
#pragma once

#include <nystromformer/tokenizer/growth_limit.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Bytes [begin, end) of the original text.
struct Span {
    std::uint32_t begin;
    std::uint32_t end;
};

/// Text with its alignment. All bytes of a character share one span. The spare buffers let a chain
/// of normalisers run without allocating.
struct NormalizedText {
    std::string text;
    std::vector<Span> spans;
    std::string spare_text;
    std::vector<Span> spare_spans;
    GrowthLimit limit;
    std::uint32_t origin = 0;  // where the original begins
    bool lags = false;  // spans from the start on stand for what came before (see Precompiled)

    void clear() {
        text.clear();
        spans.clear();
        limit = {};
        origin = 0;
        lags = false;
    }

    /// InputError for more bytes than the text may have.
    void check_size(std::size_t bytes) const { limit.check(bytes, "normalizer or pre_tokenizer"); }

    void clear_spare() {
        spare_text.clear();
        spare_spans.clear();
    }
    /// Adds bytes [begin, end) of the text to the spare buffers.
    void copy_to_spare(std::size_t begin, std::size_t end) {
        spare_text.append(text, begin, end - begin);
        const auto from = spans.begin();
        spare_spans.insert(spare_spans.end(), from + static_cast<std::ptrdiff_t>(begin),
                           from + static_cast<std::ptrdiff_t>(end));
    }
    /// What is in the spare buffers becomes the text.
    void take_spare() {
        check_size(spare_text.size());
        text.swap(spare_text);
        spans.swap(spare_spans);
    }

    /// Adds bytes [begin, end) of `original` as they are; both must be character boundaries.
    void append_original(std::string_view original, std::size_t begin, std::size_t end) {
        if (text.empty()) origin = static_cast<std::uint32_t>(begin);
        text.append(original.substr(begin, end - begin));
        limit.add(end - begin);
        const std::size_t start = spans.size();
        spans.resize(start + (end - begin));
        Span* out = spans.data() + start;
        for (std::size_t at = begin; at < end;) {
            const std::size_t size = utf8::length(original[at]);
            const Span span{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + size)};
            for (std::size_t i = 0; i < size; ++i) *out++ = span;
            at += size;
        }
    }
};

/// Rewrites a NormalizedText from left to right with the alignment rules of Hugging Face's
/// NormalizedString::transform: a replacing character takes the span of the character it replaces,
/// an inserted one the span of the byte before, removed ones leave none. Costs nothing until
/// something changes.
class Rewriter {
public:
    explicit Rewriter(NormalizedText& target) : target_(target) {}

    std::string_view rest() const { return std::string_view(target_.text).substr(offset_); }
    std::size_t offset() const { return offset_; }

    /// The next `bytes` stay as they are.
    void keep(std::size_t bytes) {
        if (started_) target_.copy_to_spare(offset_, offset_ + bytes);
        offset_ += bytes;
        if (bytes != 0) last_inserted_ = false;
    }

    /// `point` replaces the next character.
    void replace(char32_t point) {
        start();
        put(point, span_at(offset_));
        last_inserted_ = false;
        skip(1);
    }

    /// `point` is new.
    void insert(char32_t point) {
        start();
        put(point, span_before());
        last_inserted_ = true;
    }

    /// `point` as Hugging Face's transform reports it: new with `change` 1, otherwise it replaces
    /// the next character, and the -`change` characters after that go.
    void transform(char32_t point, std::ptrdiff_t change) {
        if (change > 0) return insert(point);
        replace(point);
        skip(static_cast<std::size_t>(-change));
    }

    /// `content` stands for the next `bytes`, which may be none.
    void substitute(std::size_t bytes, std::string_view content) {
        start();
        offset_ += bytes;
        target_.check_size(target_.spare_text.size() + content.size());
        target_.spare_text.append(content);
        target_.spare_spans.insert(target_.spare_spans.end(), content.size(), span_before());
    }

    /// The next character goes.
    void remove() {
        start();
        skip(1);
    }

    /// The next `count` characters go, as Hugging Face's Precompiled reports it: the removal is
    /// charged to the last character written. If that was an inserted one, it turns into a
    /// replacing one; if there is none, nothing is skipped and every later span lags behind.
    void remove_after_last(std::size_t count) {
        const bool nothing_written = started_ ? target_.spare_text.empty() : offset_ == 0;
        start();
        if (nothing_written || count == 0) return;
        if (last_inserted_) {
            auto& spans = target_.spare_spans;
            const Span span = span_at(offset_);
            for (std::size_t i = utf8::decode_before(target_.spare_text, spans.size()).size; i > 0;
                 --i)
                spans[spans.size() - i] = span;
            last_inserted_ = false;
        }
        skip(count);
    }

    /// Puts the result in place; what was not consumed is dropped.
    void finish() {
        if (started_) target_.take_spare();
    }

private:
    void start() {
        if (started_) return;
        started_ = true;
        target_.clear_spare();
        target_.copy_to_spare(0, offset_);
    }
    void put(char32_t point, Span span) {
        char bytes[4];
        const std::size_t size = utf8::encode(point, bytes);
        target_.check_size(target_.spare_text.size() + size);
        target_.spare_text.append(bytes, size);
        target_.spare_spans.insert(target_.spare_spans.end(), size, span);
    }
    Span span_before() const {
        return offset_ == 0 ? Span{target_.origin, target_.origin} : span_at(offset_ - 1);
    }
    Span span_at(std::size_t at) const {
        return at < target_.spans.size() ? target_.spans[at] : target_.spans.back();
    }
    void skip(std::size_t characters) {
        for (; characters > 0 && offset_ < target_.text.size(); --characters)
            offset_ += utf8::length(target_.text[offset_]);
    }

    NormalizedText& target_;
    std::size_t offset_ = 0;  // of the next byte to consume
    bool started_ = false;
    bool last_inserted_ = false;
};

}  // namespace nystromformer::inline v0_2::detail
