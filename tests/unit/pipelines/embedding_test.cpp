// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/library.hpp"
#include "support/temporary_folder.hpp"

#include <nystromformer/core/embeddings.hpp>
#include <nystromformer/nystromformer.hpp>

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/feature_extraction.hpp>
#include <nystromformer/semantic_search.hpp>
#include <nystromformer/sentence_embedding.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace embedding_test {

namespace nf = nystromformer;
using nf::detail::Json;

namespace {

const std::filesystem::path data =
    std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference" / "sentences";

const Json& record() {
    static const Json json =
        nf::detail::read_json_file(data / "sentences.json", std::uint64_t{1} << 24);
    return json;
}
const std::vector<std::string>& texts() {
    static const auto list = record()["texts"].get<std::vector<std::string>>();
    return list;
}

/// The pipeline of a folder of the reference data, loaded once.
const nf::SentenceEmbeddingPipeline& pipeline(const std::string& folder) {
    static std::map<std::string, std::unique_ptr<const nf::SentenceEmbeddingPipeline>> loaded;
    auto& slot = loaded[folder];
    if (!slot) slot = std::make_unique<const nf::SentenceEmbeddingPipeline>(data / folder);
    return *slot;
}

/// sentence-transformers' arguments as our options; it cuts without being asked.
nf::SentenceEmbeddingOptions options_of(const Json& recorded) {
    nf::SentenceEmbeddingOptions ours{.long_text = {.truncation = true}};
    for (const auto& [key, value] : recorded["options"].items()) {
        if (key == "prompt") ours.prompt = value.get<std::string>();
        if (key == "prompt_name") ours.prompt_name = value.get<std::string>();
        if (key == "truncate_dim") ours.truncate_dim = value.get<nf::Index>();
        if (key == "normalize_embeddings") ours.normalize_embeddings = value.get<bool>();
    }
    if (recorded["method"] == "encode_query") ours.prompt_name = "query";
    if (recorded["method"] == "encode_document") ours.prompt_name = "document";
    return ours;
}

using nf::detail::embeddings_of;

/// Embeddings for Eigen.
nf::Matrix<float> matrix_of(const nf::Embeddings& embeddings) {
    return nf::detail::matrix_of(embeddings);
}

/// The largest difference from a recorded matrix; infinity where the shapes differ.
double difference(const nf::Embeddings& found, const Json& expected) {
    double largest = std::numeric_limits<double>::infinity();
    if (found.rows != static_cast<nf::Index>(expected.size())) return largest;
    largest = 0;
    for (nf::Index i = 0; i < found.rows; ++i) {
        const Json& row = expected[static_cast<std::size_t>(i)];
        if (found.cols != static_cast<nf::Index>(row.size()))
            return std::numeric_limits<double>::infinity();
        for (nf::Index j = 0; j < found.cols; ++j) {
            const double value = row[static_cast<std::size_t>(j)].get<double>();
            largest = std::max(largest, std::abs(static_cast<double>(found(i, j)) - value));
        }
    }
    return largest;
}

nf::Matrix<float> random_matrix(nf::Index rows, nf::Index cols, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    return nf::Matrix<float>::NullaryExpr(rows, cols, [&] { return normal(generator); });
}

std::string long_text() {
    std::string text;
    for (int i = 0; i < 30; ++i) text += "We believed every word of it. ";
    return text;
}

/// A copy of a reference folder, to be broken.
struct BrokenFolder {
    std::filesystem::path path;

    explicit BrokenFolder(const std::string& of)
        : path(std::filesystem::temp_directory_path() /
               ("nystromformer-" + of + '-' + std::to_string(std::random_device{}()))) {
        std::filesystem::remove_all(path);
        std::filesystem::copy(data / of, path, std::filesystem::copy_options::recursive);
    }
    BrokenFolder(const BrokenFolder&) = delete;
    BrokenFolder& operator=(const BrokenFolder&) = delete;
    ~BrokenFolder() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST_CASE("sentence embeddings equal what sentence-transformers recorded", "[embedding]") {
    std::size_t count = 0;
    for (const Json& recorded : record()["cases"]) {
        const auto folder = recorded["folder"].get<std::string>();
        INFO(folder << " " << recorded["method"] << " " << recorded["options"]);
        const auto options = options_of(recorded);
        const nf::Index columns = pipeline(folder).embedding_dimension();
        if (options.truncate_dim.value_or(1) > columns) continue;  // it has no effect there
        const auto found = pipeline(folder).batch(texts(), options);
        CHECK(difference(found, recorded["output"]) <= 1e-5);
        if (recorded["options"].empty()) CHECK(found.cols == columns);
        ++count;
    }
    CHECK(count >= 90);
}

TEST_CASE("each activation of torch.nn gives the embeddings that were recorded", "[embedding]") {
    const BrokenFolder folder("dense");
    const auto file = folder.path / "2_Dense" / "config.json";
    for (const auto& [name, expected] : record()["activations"].items()) {
        INFO(name);
        Json config = nf::detail::read_json_file(file, 1 << 20).value;
        config["activation_function"] = name;
        nf::detail::write_file(file, config.dump());
        const nf::SentenceEmbeddingPipeline embed(folder.path);
        nf::SentenceEmbeddingOptions options{.truncate_dim = 5, .long_text = {.truncation = true}};
        CHECK(difference(embed.batch(texts(), options), expected) <= 1e-5);
    }
}

TEST_CASE("similarity equals what sentence-transformers recorded", "[embedding]") {
    for (const auto& [folder, expected] : record()["similarity"].items()) {
        INFO(folder);
        const auto found = pipeline(folder).batch(texts(), {.long_text = {.truncation = true}});
        CHECK(difference(pipeline(folder).similarity(found, found), expected) <= 2e-5);
    }
    CHECK(pipeline("cls").similarity_function() == nf::Similarity::dot);
    CHECK(pipeline("mean-sqrt").similarity_function() == nf::Similarity::manhattan);
    CHECK(pipeline("all-old").similarity_function() == nf::Similarity::cosine);
}

TEST_CASE("features equal what transformers recorded", "[embedding]") {
    const nf::FeatureExtractionPipeline features(data / "plain");
    for (std::size_t i = 0; i < texts().size(); ++i) {
        INFO(texts()[i]);
        CHECK(difference(features(texts()[i], {.long_text = {.truncation = true}}),
                         record()["features"][i][0]) <= 1e-5);
    }
    CHECK_THROWS_AS(features(long_text()), nf::InputError);
}

TEST_CASE("an embedding is the same bit for bit alone and in any batch", "[embedding]") {
    std::vector<std::string> some = texts();
    some.push_back(long_text());
    const nf::FeatureExtractionPipeline features(data / "plain");
    for (const char* folder : {"all-new", "last-cls", "dense-many"}) {
        for (const nf::Attention attention : {nf::Attention::exact, nf::Attention::nystrom}) {
            for (const nf::Index batch_tokens : {1, 30, 4096}) {
                const nf::SentenceEmbeddingOptions options{
                    .prompt = "He said: ",
                    .long_text = {.stride = 5},
                    .run = {
                        .attention = attention, .num_landmarks = 4, .batch_tokens = batch_tokens}};
                const nf::FeatureExtractionOptions feature_options{
                    .long_text = {.stride = 5},
                    .run = {
                        .attention = attention, .num_landmarks = 4, .batch_tokens = batch_tokens}};
                const auto together = pipeline(folder).batch(some, options);
                const auto states = features.batch(some, feature_options);
                for (std::size_t i = 0; i < some.size(); ++i) {
                    const auto row = together.row(static_cast<nf::Index>(i));
                    CHECK(pipeline(folder)(some[i], options) ==
                          std::vector<float>(row.begin(), row.end()));
                    CHECK(features(some[i], feature_options) == states[i]);
                }
            }
        }
    }
}

TEST_CASE("the states of single tokens are those that all tokens have", "[embedding]") {
    // The last columns of all-new are cls and the first lasttoken; last-cls computes these rows
    // alone. Both folders have weights of their own, so compare with the features.
    const nf::FeatureExtractionPipeline features(data / "last-cls");
    const auto states = features(texts()[0]);
    const auto embedding = pipeline("last-cls")(texts()[0]);
    const auto last = states.row(states.rows - 1), first = states.row(0);
    REQUIRE(embedding.size() == 16);
    CHECK(std::equal(last.begin(), last.end(), embedding.begin()));
    CHECK(std::equal(first.begin(), first.end(), embedding.begin() + 8));
}

TEST_CASE("a text that is too long for its embedding is refused, cut or read in windows",
          "[embedding]") {
    const auto& mean = pipeline("all-new");
    const std::string text = long_text();
    CHECK(mean.max_seq_length() == 48);
    CHECK(pipeline("lower").max_seq_length() == 20);
    CHECK(pipeline("moved").max_seq_length() == 80);
    CHECK_THROWS_AS(mean(text), nf::InputError);
    std::vector<nf::TruncationNotice> cuts;
    const auto note = [&](const nf::TruncationNotice& cut) { cuts.push_back(cut); };
    (void)mean(text, {.long_text = {.truncation = true, .on_truncation = note}});
    (void)mean(text, {.long_text = {.stride = 8, .on_truncation = note}});
    (void)mean("A garden.", {.long_text = {.truncation = true, .on_truncation = note}});
    (void)mean(text,
               {.max_seq_length = 90, .long_text = {.truncation = true, .on_truncation = note}});
    REQUIRE(cuts.size() == 3);
    CHECK((cuts[0].input == 0 && cuts[0].tokens > 90 && cuts[0].length == 48));
    CHECK(cuts[0].windows == 1);
    CHECK(cuts[1].windows == (cuts[1].tokens - 2 - 8 + 37) / 38);
    CHECK(cuts[2].length == 90);
}

TEST_CASE("windows are averaged by their tokens before the other modules", "[embedding]") {
    const auto& dense = pipeline("max");  // and Normalize
    const std::string text = long_text();
    const std::vector<float> found = dense(text, {.long_text = {.stride = 3}});
    const nf::RowVector<float> embedding =
        Eigen::Map<const nf::RowVector<float>>(found.data(), static_cast<nf::Index>(found.size()));
    const nf::FeatureExtractionPipeline features(data / "max");
    nf::EncodeOptions encode = nf::detail::encode_options();
    encode.truncation = {.max_length = 48, .stride = 3};
    auto first = dense.tokenizer().encode(text, encode);
    auto windows = first.overflowing;
    first.overflowing.clear();
    windows.insert(windows.begin(), first);
    REQUIRE(windows.size() > 2);
    nf::RowVector<double> sum = nf::RowVector<double>::Zero(8);
    for (const auto& window : windows) {
        const auto states =
            features.model()(nf::ModelInput<float>::stacked({window.ids})).last_hidden_state;
        sum += static_cast<double>(window.size()) * states.colwise().maxCoeff().cast<double>();
    }
    CHECK((embedding.cast<double>() - sum.normalized()).cwiseAbs().maxCoeff() <= 1e-6);
}

TEST_CASE("windows start at the prompt whichever side is cut", "[embedding]") {
    const BrokenFolder folder("weighted");
    const auto file = folder.path / "tokenizer_config.json";
    Json settings = nf::detail::read_json_file(file, std::uint64_t{1} << 20);
    settings["truncation_side"] = "left";
    nf::detail::write_file(file, settings.dump());
    const nf::SentenceEmbeddingPipeline left(folder.path);
    REQUIRE(left.tokenizer().truncation_side() == nf::Direction::left);
    const std::string text = long_text();
    const nf::SentenceEmbeddingOptions windows{.prompt = "He said: ", .long_text = {.stride = 5}};
    CHECK(left(text, windows) == pipeline("weighted")(text, windows));
    const nf::SentenceEmbeddingOptions cut{.long_text = {.truncation = true}};
    CHECK(left(text, cut) != pipeline("weighted")(text, cut));
}

TEST_CASE("a token has the states of the window that shows most around it", "[embedding]") {
    const nf::FeatureExtractionPipeline features(data / "plain");
    const std::string text = long_text();
    std::vector<nf::TruncationNotice> cuts;
    const nf::Matrix<float> states = matrix_of(features(
        text, {.long_text = {.stride = 11, .on_truncation = [&](const nf::TruncationNotice& cut) {
                                 cuts.push_back(cut);
                             }}}));
    REQUIRE(cuts.size() == 1);
    CHECK(states.rows() == cuts[0].tokens);
    CHECK(cuts[0].length == 90);
    nf::EncodeOptions encode = nf::detail::encode_options();
    encode.truncation = {.max_length = 90, .stride = 11};
    const auto first = features.tokenizer().encode(text, encode);
    const auto of = [&](const nf::Encoding& window) {
        return features.model()(nf::ModelInput<float>::stacked({window.ids})).last_hidden_state;
    };
    const auto start = of(first), next = of(first.overflowing.front()),
               end = of(first.overflowing.back());
    // 88 tokens of the text in each window: of the 11 that two share the first six are the first's.
    CHECK(states.topRows(1 + 77 + 6) == start.topRows(1 + 77 + 6));
    CHECK(states.middleRows(1 + 77 + 6, 20) == next.middleRows(1 + 6, 20));
    CHECK(states.bottomRows(2) == end.bottomRows(2));
}

TEST_CASE("embedding options that are out of range are refused", "[embedding]") {
    const auto& mean = pipeline("mean");
    CHECK_THROWS_AS(mean.check({.prompt_name = "no such"}), nf::InputError);
    CHECK_THROWS_AS(mean.check({.truncate_dim = 0}), nf::InputError);
    CHECK_THROWS_AS(mean.check({.truncate_dim = 9}), nf::InputError);
    CHECK_THROWS_AS(mean.check({.max_seq_length = 0}), nf::InputError);
    CHECK_THROWS_AS(mean.check({.max_seq_length = 91}), nf::InputError);
    CHECK_THROWS_AS(mean.check({.long_text = {.stride = 48}}), nf::InputError);
    CHECK_THROWS_AS(mean.check({.long_text = {.stride = -1}}), nf::InputError);
    CHECK_THROWS_AS(mean.check({.long_text = {.truncation = true, .stride = 1}}), nf::InputError);
    CHECK_THROWS_AS(mean.check({.run = {.batch_tokens = 0}}), nf::InputError);
    CHECK_NOTHROW(
        mean.check({.prompt_name = "query", .truncate_dim = 8, .long_text = {.stride = 0}}));
    const nf::FeatureExtractionPipeline features(data / "plain");
    CHECK_THROWS_AS(features.check({.long_text = {.truncation = true, .stride = 1}}),
                    nf::InputError);
    CHECK_THROWS_AS(features.check({.long_text = {.stride = 90}}), nf::InputError);
    CHECK(!pipeline("plain").has_modules());
    CHECK(mean.has_modules());
}

TEST_CASE("one query is searched as a batch of one, and rows are erased by a list") {
    const nf::Embeddings corpus{4, 2, {1, 0, 0, 1, 1, 1, -1, 0}}, query{1, 2, {2, 1}};
    const nf::SemanticIndex index(corpus);
    const auto alone = index.search(query.row(0), {.top_k = 2}),
               first = index.search(query, {.top_k = 2}).front();
    REQUIRE(alone.size() == 2);
    CHECK(alone[0].corpus_id == first[0].corpus_id);
    CHECK(alone[0].score == first[0].score);
    CHECK(index.erase({alone[0].corpus_id}).search(query.row(0)).front().corpus_id ==
          alone[1].corpus_id);
    CHECK_THROWS_AS(index.search(std::vector<float>{1}), nf::InputError);
    CHECK(index.scores(query)(0, 2) == alone[0].score);
    CHECK(nf::similarity(query, corpus, nf::Similarity::dot).values ==
          std::vector<float>{2, 1, 3, -2});
}

TEST_CASE("the progress of embeddings is reported after each batch", "[embedding]") {
    std::vector<nf::Index> told;
    const std::vector<std::string> some(3, "A garden.");
    (void)pipeline("mean").batch(
        some, {.run = {.batch_tokens = 1, .progress = [&](nf::Index done, nf::Index total) {
                           told.push_back(done * 10 + total);
                       }}});
    CHECK(told == std::vector<nf::Index>{13, 23, 33});
}

TEST_CASE("the search finds what comparing every row finds", "[embedding]") {
    const nf::Matrix<float> queries = random_matrix(70, 12, 1);
    nf::Matrix<float> corpus = random_matrix(5000, 12, 2);
    corpus.row(4321) = corpus.row(17);
    nf::ThreadPool one(1), four(4);
    for (const auto similarity : {nf::Similarity::cosine, nf::Similarity::dot,
                                  nf::Similarity::euclidean, nf::Similarity::manhattan}) {
        const nf::SemanticIndex index(embeddings_of(corpus), similarity);
        const auto scores =
            nf::similarity(embeddings_of(queries), embeddings_of(corpus), similarity, one);
        const auto hits = index(embeddings_of(queries), 7, one);
        REQUIRE(hits.size() == 70);
        for (nf::Index i = 0; i < queries.rows(); ++i) {
            std::vector<nf::Index> order(5000);
            for (std::size_t j = 0; j < order.size(); ++j) order[j] = static_cast<nf::Index>(j);
            std::stable_sort(order.begin(), order.end(),
                             [&](nf::Index a, nf::Index b) { return scores(i, a) > scores(i, b); });
            const auto& found = hits[static_cast<std::size_t>(i)];
            REQUIRE(found.size() == 7);
            const nf::Matrix<float> alone = queries.row(i);
            const auto again = index(embeddings_of(alone), 7, four).front();
            for (std::size_t k = 0; k < found.size(); ++k) {
                CHECK(found[k].corpus_id == order[k]);
                CHECK(found[k].score == scores(i, order[k]));
                CHECK(again[k].corpus_id == found[k].corpus_id);
                CHECK(again[k].score == found[k].score);
            }
            const nf::RowVector<double> a = queries.row(i).cast<double>(),
                                        b = corpus.row(order[0]).cast<double>();
            const double exact = similarity == nf::Similarity::cosine
                                     ? a.dot(b) / a.norm() / b.norm()
                                 : similarity == nf::Similarity::dot       ? a.dot(b)
                                 : similarity == nf::Similarity::euclidean ? -(a - b).norm()
                                                                           : -(a - b).lpNorm<1>();
            CHECK(std::abs(exact - static_cast<double>(found[0].score)) <= 1e-5);
        }
        CHECK(index(embeddings_of(queries), 9000, four)[0].size() == 5000);
    }
}

TEST_CASE("an index grows, forgets rows, and is the same after a file", "[embedding]") {
    const auto queries = embeddings_of(random_matrix(5, 12, 1));
    const nf::Matrix<float> corpus = random_matrix(5000, 12, 2);
    const TemporaryFolder folder;
    nf::ThreadPool threads(2);
    const auto same = [](const auto& a, const auto& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
            return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                              [](const nf::SearchHit& one, const nf::SearchHit& other) {
                                  return one.corpus_id == other.corpus_id &&
                                         one.score == other.score;
                              });
        });
    };
    for (const auto similarity : {nf::Similarity::cosine, nf::Similarity::euclidean}) {
        nf::Embeddings all = embeddings_of(corpus);
        all.fingerprint = 7;
        const nf::SemanticIndex whole(all, similarity);
        nf::Embeddings first = embeddings_of(corpus.topRows(2100)),
                       rest = embeddings_of(corpus.bottomRows(2900));
        first.fingerprint = 7;
        const nf::SemanticIndex begun(first, similarity);
        const nf::SemanticIndex grown = begun.append(rest);
        CHECK(begun.rows() == 2100);
        CHECK(grown.rows() == 5000);
        CHECK(same(grown.search(queries), whole.search(queries)));
        CHECK(grown.row(4999) == whole.row(4999));
        CHECK_THROWS_AS(grown.row(5000), nf::InputError);
        CHECK_THROWS_AS(grown.append(embeddings_of(random_matrix(1, 11, 3))), nf::InputError);

        const auto best = whole.search(queries, {.top_k = 2}).front();
        const std::vector<nf::Index> gone{best[0].corpus_id};
        const nf::SemanticIndex without = whole.erase(gone);
        CHECK(without.search(queries, {.top_k = 1}).front()[0].corpus_id == best[1].corpus_id);
        CHECK(without.is_erased(gone[0]));
        CHECK_FALSE(whole.is_erased(gone[0]));
        CHECK_THROWS_AS(whole.erase(std::vector<nf::Index>{5000}), nf::InputError);
        const auto even =
            whole.search(queries, {.filter = [](nf::Index id) { return id % 2 == 0; }});
        for (const nf::SearchHit& hit : even.front()) CHECK(hit.corpus_id % 2 == 0);

        const auto file = folder.path / "index.safetensors";
        without.save(file);
        const nf::SemanticIndex loaded = nf::SemanticIndex::load(file);
        CHECK(loaded.similarity() == similarity);
        CHECK(loaded.is_erased(gone[0]));
        CHECK(same(loaded.search(queries), without.search(queries)));
        CHECK(same(loaded.append(rest).search(queries), without.append(rest).search(queries)));
        nf::Embeddings foreign = queries;
        foreign.fingerprint = 8;
        CHECK_THROWS_AS(loaded.search(foreign), nf::InputError);
        foreign.fingerprint = 7;
        CHECK(same(loaded.search(foreign), loaded.search(queries)));
    }
}

TEST_CASE("an index of one model is not searched with queries of another", "[embedding]") {
    const std::vector<std::string> some(2, "A garden.");
    const nf::SemanticIndex index(pipeline("mean").batch(some));
    CHECK(index.fingerprint() != 0);
    CHECK(index.fingerprint() ==
          nf::SentenceEmbeddingPipeline(data / "mean", {.precision = nf::Precision::bf16})
              .batch(some)
              .fingerprint);
    CHECK(index.search(pipeline("mean").batch(some)).size() == 2);
    CHECK_THROWS_AS(index.search(pipeline("cls").batch(some)), nf::InputError);
}

TEST_CASE("a file that is no index is refused", "[embedding]") {
    const TemporaryFolder folder;
    const auto file = folder.path / "index.safetensors";
    const std::vector<float> values(6);
    const std::vector<std::byte> flags(3);
    const auto save = [&](nf::Index rows, nf::Index cols, std::size_t num_flags,
                          std::map<std::string, std::string> metadata) {
        nf::TensorView a, b;
        a.name = "embeddings";
        a.shape = {rows, cols};
        a.bytes = std::as_bytes(std::span(values).first(static_cast<std::size_t>(rows * cols)));
        b.name = "erased";
        b.dtype = nf::DType::u8;
        b.shape = {static_cast<nf::Index>(num_flags)};
        b.bytes = std::span(flags).first(num_flags);
        nf::save_safetensors(file, {a, b}, metadata);
        return nf::SemanticIndex::load(file);
    };
    CHECK(save(3, 2, 3, {{"similarity", "dot"}, {"fingerprint", "1"}}).rows() == 3);
    CHECK(save(3, 0, 3, {{"similarity", "dot"}, {"fingerprint", "1"}}).rows() == 3);
    CHECK_THROWS_AS(save(3, 2, 2, {{"similarity", "dot"}, {"fingerprint", "1"}}), nf::FormatError);
    CHECK_THROWS_AS(save(3, 2, 3, {{"similarity", "dots"}, {"fingerprint", "1"}}), nf::FormatError);
    CHECK_THROWS_AS(save(3, 2, 3, {{"similarity", "dot"}, {"fingerprint", "x"}}), nf::FormatError);
    CHECK_THROWS_AS(save(3, 2, 3, {{"fingerprint", "1"}}), nf::FormatError);
    CHECK_THROWS_AS(nf::SemanticIndex::load(std::filesystem::path(NYSTROMFORMER_MODELS) /
                                            "nystromformer-small-en" / "model.safetensors"),
                    nf::FormatError);
}

TEST_CASE("equal rows are found in order and a NaN last", "[embedding]") {
    nf::Matrix<float> corpus = nf::Matrix<float>::Ones(4, 3);
    corpus(0, 1) = std::numeric_limits<float>::quiet_NaN();
    nf::ThreadPool threads(1);
    for (const auto similarity : {nf::Similarity::cosine, nf::Similarity::manhattan}) {
        const nf::SemanticIndex index(embeddings_of(corpus), similarity);
        const auto hits = index(embeddings_of(nf::Matrix<float>::Ones(1, 3)), 4, threads).front();
        CHECK((hits[0].corpus_id == 1 && hits[1].corpus_id == 2 && hits[2].corpus_id == 3));
        CHECK(hits[3].corpus_id == 0);
        CHECK_THROWS_AS(index(embeddings_of(nf::Matrix<float>::Ones(1, 2)), 4, threads),
                        nf::InputError);
        CHECK_THROWS_AS(index(embeddings_of(nf::Matrix<float>::Ones(1, 3)), 0, threads),
                        nf::InputError);
    }
    CHECK(nf::SemanticIndex(nf::Embeddings{0, 3})(embeddings_of(nf::Matrix<float>::Ones(1, 3)), 4,
                                                  threads)
              .front()
              .empty());
}

TEST_CASE("Dense weights that do not fit are refused", "[embedding]") {
    BrokenFolder folder("dense");
    nf::detail::write_file(folder.path / "2_Dense" / "config.json",
                           R"({"in_features": 8, "out_features": 6})");
    CHECK_THROWS_AS(nf::SentenceEmbeddingPipeline(folder.path), nf::TensorError);
    // sentence-transformers refuses a tensor that the config does not ask for, too.
    nf::detail::write_file(folder.path / "2_Dense" / "config.json",
                           R"({"in_features": 8, "out_features": 5, "bias": false})");
    try {
        const nf::SentenceEmbeddingPipeline accepted(folder.path);
        FAIL("accepted");
    } catch (const nf::TensorError& error) {
        CHECK(error.place().find("linear.bias") != std::string::npos);
    }
    std::filesystem::remove(folder.path / "2_Dense" / "model.safetensors");
    CHECK_THROWS_AS(nf::SentenceEmbeddingPipeline(folder.path), nf::IoError);
    std::filesystem::remove(folder.path / "1_Pooling" / "config.json");
    CHECK_THROWS_AS(nf::SentenceEmbeddingPipeline(folder.path), nf::IoError);
}

}  // namespace embedding_test
