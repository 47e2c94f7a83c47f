// SPDX-License-Identifier: MIT
// The options that models, tokenizers and pipelines share: which files are read, how a model is
// loaded, which attention a call runs.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/file_bytes.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

class ThreadPool;

/// Something in a file that the library repaired, skipped or did not use. The answers are still
/// those of Python.
struct Notice {
    std::string file;   ///< the file, or the folder
    std::string place;  ///< JSON path, tensor name or line; may be empty
    std::string what;   ///< what was found, and what the library did with it

    /// "file: place: what".
    std::string text() const;
};

/// Files that the caller keeps in memory: paths, written with '/', and bytes.
using MemoryFiles = std::map<std::string, FileBytes, std::less<>>;

/// Which files of a model folder are read, how large they may be, and where notices go.
struct FileOptions {
    /// false: IoError for a file, or a folder in the model's folder, that is a symbolic link. (The
    /// Hugging Face cache is made of links, so the default follows them.)
    bool follow_symlinks = true;
    /// Size limit of a weight file; FormatError for a larger one.
    std::uint64_t max_weight_bytes = std::numeric_limits<std::uint64_t>::max();
    /// Size limit of any other file. Each kind also has a limit of its own (SECURITY.md).
    std::uint64_t max_text_bytes = std::uint64_t{64} << 20;
    /// Size limit of the header of a safetensors file. The format allows 100,000,000 bytes.
    std::uint64_t max_header_bytes = 100'000'000;
    /// Called for each Notice while the files are read, on the calling thread.
    std::function<void(const Notice&)> on_notice = {};
    /// If there are any, every file is looked up here, and nothing is read from the disk: the
    /// folder "small" has its config under "small/config.json", the folder "" under "config.json".
    /// All checks and limits are those of files on the disk, and errors name the same paths.
    /// Models, tokenizers and pipelines need the bytes only while they load. A Checkpoint,
    /// SafetensorsFile or SemanticIndex, and its copies, need them as long as they are used.
    MemoryFiles memory = {};
};

/// How the weights of the encoder's linear layers are kept. With bf16 and int8, CPUs that multiply
/// bf16 faster than float also use it in attention.
enum class Precision {
    fp32,       ///< exact
    bf16,       ///< half the memory; float arithmetic unless the CPU multiplies bf16 faster
    int8,       ///< a quarter of the memory, faster; activations are rounded block by block
    automatic,  ///< bf16 if the CPU multiplies it faster than float, else fp32
};

/// "fp32", "bf16", "int8" or "auto".
std::string_view name(Precision precision);
/// The precision of that name, or nothing.
std::optional<Precision> precision_named(std::string_view word);

/// How a model is loaded.
struct LoadOptions {
    /// Threads of a pool of the model's own, at most ThreadPool::max_threads. 0: the pool of every
    /// core that models share (ThreadPool::shared).
    Index num_threads = 0;
    /// A pool to use instead; num_threads is 0 then, or it is an InputError.
    std::shared_ptr<ThreadPool> threads = nullptr;
    bool strict = false;  ///< TensorError if the files hold a tensor that the model does not use
    Precision precision = Precision::fp32;  ///< of the encoder's linear layers; all else is fp32
    /// Components whose layers stay in fp32, each a path in the model or a part of one: "layer.0",
    /// "attention", "layer.11.output.dense". InputError for a name that no layer has.
    std::vector<std::string> keep_fp32 = {};
    bool check_finite = false;  ///< TensorError for weights that are NaN or infinite
    FileOptions files = {};     ///< which files are read, and how large they may be
    /// Called for each Notice while the model and its tokenizer load, on the calling thread.
    std::function<void(const Notice&)> on_notice = {};
};

/// Which attention a call runs.
enum class Attention {
    config,   ///< as Hugging Face: exact if num_landmarks == segment_means_seq_len, else nystrom
    exact,    ///< softmax over all keys, in memory that grows with n
    nystrom,  ///< landmarks; exact for texts of at most num_landmarks tokens
};

/// "config", "exact" or "nystrom".
std::string_view name(Attention attention);
/// The attention of that name, or nothing.
std::optional<Attention> attention_named(std::string_view word);

/// How a text that is too long for the model was truncated or split, as the call's options allow.
struct TruncationNotice {
    Index input;    ///< number of the text, from 0
    Index tokens;   ///< tokens of the whole input, special ones included
    Index length;   ///< most tokens of a window, special ones included
    Index windows;  ///< windows that are computed; 1: the text was truncated
};

/// What a pipeline does with a text that is too long for the model. By default it is a LengthError.
// (Members of this type and of RunOptions are written "= LongText()": of "= {}" GCC 12 warns at -O3
// where a call sets the other one.)
struct LongText {
    bool truncation = false;  ///< truncate it; not together with a stride
    /// Split it into windows that share this many tokens. The options of each pipeline say how the
    /// windows' results become one.
    std::optional<Index> stride = std::nullopt;
    /// Called for each text that was truncated or split, before it is computed.
    std::function<void(const TruncationNotice&)> on_truncation = {};
};

/// How a pipeline runs its model.
struct RunOptions {
    Attention attention = Attention::config;
    /// 0: the config's num_landmarks. Attention::exact has no use for it. InputError for a number
    /// if it is the config that makes the attention exact.
    Index num_landmarks = 0;
    Index batch_tokens = 4096;  ///< tokens computed at once: changes memory and speed, not answers
    /// Called after each batch. Counts the model's inputs: texts, or windows of texts. An exception
    /// that it throws cancels the call and reaches the caller; the pipeline can be used again at
    /// once. A batch is computed to its end: batch_tokens decides how soon a call can stop.
    std::function<void(Index done, Index total)> progress = {};
    /// Called after each text is tokenized (or pair: a text with a label, choice or query). A large
    /// call spends seconds on this before the first `progress`. An exception cancels the call, too.
    std::function<void(Index done, Index total)> on_tokenized = {};
    /// Called for each text that cannot be answered; error.input() is its number. Its answer stays
    /// empty (zeros for a vector), and the other texts are answered. Without this function, the
    /// error of the first such text is thrown. With it, `progress` and `on_tokenized` start to
    /// count again after each such text. An exception that it throws cancels the call; `throw;`
    /// throws the text's own error.
    std::function<void(const InputError& error)> on_error = {};
};

namespace detail {
/// C++ reads the two texts of {{"a", "b"}} as the ends of one, past the end of "a". Functions of
/// texts delete this overload, so that the call does not compile. Write {"a", "b"}. (A template
/// would let {} compile, but then Clang takes the two braces.)
using TextsInTwoBraces = std::initializer_list<std::pair<std::string, std::string>>;
/// The same for {"a", "b"} where one text is expected. Call `batch`.
using TextsInBraces = std::initializer_list<const char*>;
}  // namespace detail

/// How a BERT is converted to a Nystromformer.
struct ConversionOptions {
    /// The longest text of the new model in tokens; 0: that of the old model. A larger number, up
    /// to 2^24, repeats the position rows of the old model one after another.
    Index max_positions = 0;
    /// Leaves the head out.
    bool encoder_only = false;
};

}  // namespace nystromformer::inline v0_2

#include <nystromformer/core/notice.hpp>
#include <nystromformer/core/option_names.hpp>
