// SPDX-License-Identifier: MIT
// Loading, tokenizing and running while the system fails: the n-th allocation, for every n; reads
// that fail, come short or are interrupted; threads that do not start. Each gives the right result,
// an Error or std::bad_alloc, leaks nothing and leaves the objects usable.
// Usage: nystromformer_failures TESTS_FOLDER
#include "support/library.hpp"

#include <nystromformer/models.hpp>
#include <nystromformer/sentence_embedding.hpp>
#include <nystromformer/text_classification.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

namespace {

std::atomic<long> live = 0;          // blocks that are not freed yet
std::atomic<long> countdown = -1;    // allocations until one fails; below 0: none does
std::atomic<bool> keeps_on = false;  // all after that one fail, too
std::atomic<bool> has_failed = false;

bool fails() {
    if (countdown < 0) return false;
    const long left = countdown--;
    if (left > 0) return false;
    if (keeps_on) countdown = 0;
    has_failed = true;
    return true;
}

void* counted(void* memory) {
    if (memory != nullptr) ++live;
    return memory;
}

enum class Reading { whole, one_byte, interrupted, fails, ends };
std::atomic<Reading> reading = Reading::whole;
std::atomic<int> reads = 0;
std::atomic<bool> refuses_threads = false;

}  // namespace

// glibc's own functions do the work; operator new and Eigen come through these, too.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) { return fails() ? nullptr : counted(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) {
    return fails() ? nullptr : counted(__libc_calloc(count, size));
}
void* realloc(void* memory, std::size_t size) {
    if (memory == nullptr) return malloc(size);
    return fails() ? nullptr : __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
    return fails() ? nullptr : counted(__libc_memalign(alignment, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
    *memory = memalign(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
    if (memory != nullptr) --live;
    __libc_free(memory);
}

ssize_t read(int descriptor, void* buffer, std::size_t size) {
    using Read = ssize_t (*)(int, void*, std::size_t);
    static const auto real = reinterpret_cast<Read>(::dlsym(RTLD_NEXT, "read"));
    const int number = reads++;
    const auto fail = [](int error) -> ssize_t {
        errno = error;
        return -1;
    };
    switch (reading.load()) {
        case Reading::whole:
            break;
        case Reading::one_byte:
            return real(descriptor, buffer, size < 7 ? size : 7);
        case Reading::interrupted:
            if (number % 2 == 0) return fail(EINTR);
            return real(descriptor, buffer, size < 100 ? size : 100);
        case Reading::fails:
            return fail(EIO);
        case Reading::ends:
            return 0;
    }
    return real(descriptor, buffer, size);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
    using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
    static const auto real = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
    return refuses_threads ? EAGAIN : real(thread, attributes, start, argument);
}
}

namespace nf = nystromformer;
namespace fs = std::filesystem;

namespace {

int failures = 0;

void expect(bool good, const std::string& what) {
    if (good) return;
    ++failures;
    std::printf("FAILED: %s\n", what.c_str());
}

/// What an operation gives: some text to compare.
using Operation = std::function<std::string()>;

std::string text_of(const nf::Matrix<float>& matrix) {
    std::string text(static_cast<std::size_t>(matrix.size()) * sizeof(float), '\0');
    std::memcpy(text.data(), matrix.data(), text.size());
    return text;
}

/// For n = 0, 1, ...: the n-th allocation of `operation` fails, until it has no n-th.
void fail_allocations(const std::string& name, const Operation& operation,
                      bool has_threads = false) {
    const std::string expected = operation();
    operation();
    const long at_first = live;
    for (const bool all_after : {false, true}) {
        long n = 0;
        long survived = 0;
        for (;; ++n) {
            nf::release_scratch();
            const long before = live;
            std::string outcome = "nothing";
            keeps_on = all_after;
            has_failed = false;
            countdown = n;
            try {
                const std::string result = operation();
                countdown = -1;
                ++survived;
                if (result != expected) outcome = "another result";
            } catch (const std::bad_alloc&) {
                countdown = -1;
            } catch (const nf::Error& error) {
                countdown = -1;
                if (!has_failed) outcome = error.what();
            } catch (const std::exception& error) {
                countdown = -1;
                outcome = std::string("another exception: ") + error.what();
            }
            nf::release_scratch();
            const long leaked = live - before;
            const std::string at = name + ", allocation " + std::to_string(n);
            expect(outcome == "nothing", at + ": " + outcome);
            expect(has_threads || leaked <= 0,
                   at + ": leaks " + std::to_string(leaked) + " blocks");
            if (!has_failed) break;
            if (n % 50 == 0) expect(operation() == expected, at + ": unusable afterwards");
        }
        std::printf("%-32s %s: %5ld allocations failed, %ld survived\n", name.c_str(),
                    all_after ? "all from n on" : "the n-th alone", n, survived - 1);
        expect(n > 2, name + ": no allocation failed");
    }
    expect(operation() == expected, name + ": unusable at the end");
    // Threads of a pool keep their own scratch memory, and glibc the stacks of some that have
    // ended.
    expect(live - at_first < 20, name + ": leaks " + std::to_string(live - at_first) + " blocks");
}

/// Reads that come in pieces give the same; those that fail give an IoError with the file's name.
void fail_reads(const std::string& name, const std::string& file, const Operation& operation) {
    const std::string expected = operation();
    for (const Reading way : {Reading::one_byte, Reading::interrupted}) {
        reading = way;
        const std::string found = operation();
        reading = Reading::whole;
        expect(found == expected, name + " read in pieces");
    }
    for (const Reading way : {Reading::fails, Reading::ends}) {
        reading = way;
        std::string message = "nothing thrown";
        bool is_told = false;
        try {
            operation();
        } catch (const nf::IoError& error) {
            message = error.what();
            is_told = message.find(file) != std::string::npos;
        } catch (const std::exception& error) {
            message = error.what();
        }
        reading = Reading::whole;
        expect(is_told, name + ": " + message);
    }
    std::printf("%-32s reads in pieces, interrupted, failing and ending\n", name.c_str());
}

/// Each thread's first scratch memory. A loop that is all begun before its threads are there is
/// done by those that are.
std::string use_new_threads() {
    nf::ThreadPool threads(3);
    std::atomic<int> done = 0;
    threads.parallel_for(6, [&](nf::Index) {
        nf::detail::Scratch scratch;
        scratch.array<char>(100)[99] = 1;
        std::this_thread::sleep_for(std::chrono::microseconds(100));
        ++done;
    });
    return std::to_string(done);
}

void run_all(const fs::path& tests) {
    const fs::path folder = tests / "reference" / "sentences" / "dense";
    const fs::path checkpoints = tests / "checkpoint" / "data";
    const std::string tokenizer_text =
        nf::detail::read_file(folder / "tokenizer.json", std::uint64_t{1} << 24);
    const auto load = [&](nf::Precision precision, nf::Index threads) -> Operation {
        return [=] {
            const auto model = nf::NystromformerModel<float>::from_pretrained(
                folder, {.num_threads = threads, .precision = precision});
            return std::to_string(model.config().hidden_size);
        };
    };
    const auto names = [](const nf::Checkpoint& checkpoint) {
        std::string all;
        for (const auto& tensor : checkpoint.tensors()) all += tensor.name + ' ';
        return all;
    };
    fail_allocations("load fp32", load(nf::Precision::fp32, 1));
    fail_allocations("load bf16", load(nf::Precision::bf16, 1));
    fail_allocations("load int8", load(nf::Precision::int8, 1));
    fail_allocations("load with 4 threads", load(nf::Precision::fp32, 4), true);
    fail_allocations("load shards",
                     [&] { return names(nf::Checkpoint::open(checkpoints / "sharded")); });
    fail_allocations("load torch shards",
                     [&] { return names(nf::Checkpoint::open(checkpoints / "torch_sharded")); });
    fail_allocations("load a tokenizer", [&] {
        return std::to_string(nf::Tokenizer::from_pretrained(folder).vocab_size());
    });
    fail_allocations("load sentences", [&] {
        const nf::SentenceEmbeddingPipeline pipeline(folder, {.num_threads = 1});
        return std::to_string(pipeline.embedding_dimension());
    });

    const auto tokenizer = nf::Tokenizer::from_json(tokenizer_text);
    fail_allocations("tokenize", [&] {
        const auto encoding =
            tokenizer.encode("She opened the d\u00f3or, [MASK] 12 \x80.", "A pair",
                             {.truncation = {.max_length = 9, .stride = 1}});
        std::string text;
        for (const auto id : encoding.ids) text += std::to_string(id) + ' ';
        return text + tokenizer.decode(encoding.ids);
    });

    std::vector<std::vector<std::int64_t>> ids(2);
    for (std::int64_t i = 0; i < 40; ++i)
        ids[static_cast<std::size_t>(i / 25)].push_back(5 + i * 7 % 300);
    const auto input = nf::ModelInput<float>::stacked(ids);
    for (const nf::Index threads : {1, 3}) {
        const auto model =
            nf::NystromformerModel<float>::from_pretrained(folder, {.num_threads = threads});
        for (const auto attention : {nf::Attention::exact, nf::Attention::nystrom}) {
            const nf::ForwardOptions options{.attention = attention,
                                             .num_landmarks = 6,
                                             .output_hidden_states = true,
                                             .output_attentions = true};
            fail_allocations(
                "forward", [&] { return text_of(model(input, options).last_hidden_state); },
                threads > 1);
        }
    }
    const auto model = nf::NystromformerModel<float>::from_pretrained(folder, {.num_threads = 1});
    const auto shorter = nf::ModelInput<float>::stacked({{5, 12, 19}});
    fail_allocations("forward into a used output", [&] {
        nf::BaseModelOutput<float> output;
        model(shorter, {}, output);
        const std::string text = text_of(output.last_hidden_state);
        model(input, {}, output);
        return text + text_of(output.last_hidden_state);
    });
    fail_allocations("new threads", use_new_threads, true);

    const nf::TextClassificationPipeline classes(tests / "reference" / "pipelines" / "classes",
                                                 {.num_threads = 1});
    fail_allocations("classify", [&] { return classes("A garden and a ship.").front().label; });
    const std::vector<std::string> texts{"A garden.", "A ship at sea, and more of it."};
    const nf::SentenceEmbeddingPipeline pipeline(folder, {.num_threads = 1});
    fail_allocations("embed",
                     [&] { return text_of(nf::detail::matrix_of(pipeline.batch(texts, {}))); });

    fail_reads("config.json", "config.json",
               [&] { return nf::NystromformerConfig::from_pretrained(folder).to_json(); });
    fail_reads("tokenizer files", "tokenizer",
               [&] { return std::to_string(nf::Tokenizer::from_pretrained(folder).vocab_size()); });
    fail_reads("an index", "model.safetensors.index.json",
               [&] { return names(nf::Checkpoint::open(checkpoints / "sharded")); });

    const std::string expected = text_of(nf::detail::matrix_of(pipeline.batch(texts, {})));
    refuses_threads = true;
    const nf::SentenceEmbeddingPipeline alone(folder, {.num_threads = 4});
    expect(text_of(nf::detail::matrix_of(alone.batch(texts, {}))) == expected, "without threads");
    expect(nf::ThreadPool(8).num_threads() == 1, "a pool without threads");
    refuses_threads = false;
    expect(nf::ThreadPool(8).num_threads() == 8, "a pool with threads");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    // glibc has room for 32 keys of a thread, and takes memory for the values of more.
    for (int i = 0; i < 40; ++i) {
        pthread_key_t key{};
        pthread_key_create(&key, nullptr);
    }
    try {
        run_all(argv[1]);
    } catch (const std::exception& error) {
        expect(false, error.what());
    }
    std::printf("%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
