// SPDX-License-Identifier: MIT
// A call whose bad inputs do not fail the others: RunOptions::on_error.
#pragma once

#include <nystromformer/core/embeddings.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/numbered_error.hpp>
#include <nystromformer/embeddings.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/options.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// What `options` call for texts that are cut.
template <typename Options>
auto& truncation_callback(Options& options) {
    if constexpr (requires { options.long_text; }) {
        return options.long_text.on_truncation;
    } else {
        return options.on_truncation;
    }
}

/// Calls `on_error` where the error is being handled, so that it may end the call by `throw;`.
inline void report(const std::exception_ptr& error,
                   const std::function<void(const InputError&)>& on_error) {
    try {
        std::rethrow_exception(error);
    } catch (const InputError& caught) {
        on_error(caught);
    }
}

/// The functions of the caller that `run` calls. What they throw is no error of a text.
class CallersFunctions {
public:
    template <typename... Arguments>
    std::function<void(Arguments...)> watched(const std::function<void(Arguments...)>& function) {
        if (!function) return {};
        return [this, &function](Arguments... arguments) {
            has_thrown_ = true;
            function(arguments...);
            has_thrown_ = false;
        };
    }
    bool has_thrown() const { return has_thrown_; }

private:
    bool has_thrown_ = false;
};

/// `run(inputs, options)`, an answer for each input. With on_error, a bad input gets an empty
/// answer: the inputs before it and those after it are run apart.
template <typename Answer, typename Input, typename Options, typename Run>
std::vector<Answer> answer_apart(std::span<const Input> inputs, const Options& options,
                                 const Run& run) {
    if (!options.run.on_error) return run(inputs, options);
    struct Part {
        std::size_t begin, end;
        std::exception_ptr error = nullptr;  // of the one input that it has
    };
    CallersFunctions callers;
    Options part_options = options;
    part_options.run.on_error = {};
    part_options.run.progress = callers.watched(options.run.progress);
    part_options.run.on_tokenized = callers.watched(options.run.on_tokenized);
    std::vector<TruncationNotice> notices;
    if (truncation_callback(options)) {
        truncation_callback(part_options) = [&](const auto& notice) { notices.push_back(notice); };
    }
    std::vector<Answer> answers;
    std::vector<Part> waiting{{0, inputs.size()}};  // the next at the end
    while (!waiting.empty()) {
        const Part part = std::move(waiting.back());
        waiting.pop_back();
        if (part.error) {
            report(part.error, options.run.on_error);
            answers.emplace_back();
            continue;
        }
        if (part.begin == part.end) continue;
        notices.clear();
        std::vector<Answer> some;
        try {
            some = run(inputs.subspan(part.begin, part.end - part.begin), part_options);
        } catch (const InputError& error) {
            if (callers.has_thrown() || !error.input()) throw;
            const std::size_t bad = part.begin + *error.input();
            waiting.push_back({bad + 1, part.end});
            waiting.push_back({bad, bad + 1, numbered(error, bad)});
            waiting.push_back({part.begin, bad});
            continue;
        }
        for (TruncationNotice& notice : notices) {
            notice.input += static_cast<Index>(part.begin);
            truncation_callback(options)(notice);
        }
        std::move(some.begin(), some.end(), std::back_inserter(answers));
    }
    return answers;
}

/// The same for a matrix of a row for each input; the row of a bad one is zeros.
template <typename Input, typename Options, typename Run>
Embeddings rows_apart(std::span<const Input> inputs, const Options& options, Index columns,
                      const Run& run) {
    if (!options.run.on_error) return embeddings_of(run(inputs, options));
    Embeddings all{static_cast<Index>(inputs.size()), columns};
    const auto rows_of = [&](auto some, const Options& part) {
        const Matrix<float> matrix = run(some, part);
        std::vector<std::vector<float>> rows;
        for (Index i = 0; i < matrix.rows(); ++i)
            rows.emplace_back(matrix.row(i).begin(), matrix.row(i).end());
        return rows;
    };
    for (auto& row : answer_apart<std::vector<float>>(inputs, options, rows_of)) {
        row.resize(static_cast<std::size_t>(columns));
        all.values.insert(all.values.end(), row.begin(), row.end());
    }
    return all;
}

}  // namespace nystromformer::inline v0_2::detail
