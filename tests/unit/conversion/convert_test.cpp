// SPDX-License-Identifier: MIT
// BERTs and RoBERTas, converted, against what transformers computed of the originals.
#include "support/catch.hpp"
#include "support/expected.hpp"
#include "support/library.hpp"
#include "support/temporary_folder.hpp"

#include <nystromformer/core/json.hpp>
#include <nystromformer/nystromformer.hpp>

#include <nystromformer/conversion.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/safetensors.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

namespace convert_test {

namespace nf = nystromformer;
namespace fs = std::filesystem;
using nf::Index;
using nf::Matrix;
using nf::detail::Json;

namespace {

const fs::path data = fs::path(NYSTROMFORMER_TEST_DATA) / "reference" / "conversions";

template <typename Scalar>
constexpr double tolerance = std::is_same_v<Scalar, double> ? 1e-9 : 5e-6;

/// Converts, loads with nothing left over, runs and compares; `logits` are compared by `check`.
template <typename Model, typename Scalar, typename Check>
void compare(const std::string& name, const Check& check) {
    const TemporaryFolder folder;
    const auto report = nf::convert_bert(data / name, folder.path);
    CHECK(report.config.architectures == std::vector<std::string>{Model::architecture});
    const auto model = Model::from_pretrained(folder.path, {.num_threads = 2, .strict = true});
    CHECK(model.config() == report.config);
    const Expected expected(data / name);
    const auto output =
        model(expected.input<Scalar>(), nf::ForwardOptions{.output_hidden_states = true});
    REQUIRE(output.hidden_states.size() == 3);
    for (std::size_t i = 0; i < output.hidden_states.size(); ++i) {
        const std::string state = "hidden_states." + std::to_string(i);
        INFO(name << ' ' << state);
        CHECK(expected.error(state, output.hidden_states[i]) <= tolerance<Scalar>);
    }
    check(expected, output);
}

/// Logits are not normalised as hidden states are: up to 20 here.
template <typename Scalar>
constexpr double logit_tolerance = std::is_same_v<Scalar, double> ? 1e-9 : 2e-5;

template <typename Scalar>
void compare_all() {
    const auto no_head = [](const Expected&, const auto&) {};
    const auto logits = [](const Expected& expected, const auto& output) {
        CHECK(expected.error("logits", output.logits) <= logit_tolerance<Scalar>);
    };
    const auto spans = [](const Expected& expected, const auto& output) {
        CHECK(expected.error("start_logits", output.start_logits) <= logit_tolerance<Scalar>);
        CHECK(expected.error("end_logits", output.end_logits) <= logit_tolerance<Scalar>);
    };
    for (const char* name : {"bert", "bert-scoped", "roberta", "roberta-padding", "roberta-first"})
        compare<nf::NystromformerModel<Scalar>, Scalar>(name, no_head);
    for (const char* name : {"bert-words", "bert-pretraining", "bert-untied", "roberta-words",
                             "roberta-untied", "camembert-words"})
        compare<nf::NystromformerForMaskedLM<Scalar>, Scalar>(name, logits);
    for (const char* name : {"bert-classes", "roberta-classes", "xlm-roberta-classes"})
        compare<nf::NystromformerForSequenceClassification<Scalar>, Scalar>(name, logits);
    for (const char* name : {"bert-tags", "camembert-tags"})
        compare<nf::NystromformerForTokenClassification<Scalar>, Scalar>(name, logits);
    for (const char* name : {"bert-answers", "xlm-roberta-answers"})
        compare<nf::NystromformerForQuestionAnswering<Scalar>, Scalar>(name, spans);
}

}  // namespace

TEMPLATE_TEST_CASE("a converted BERT or RoBERTa gives transformers' numbers of the original",
                   "[convert]", double, float) {
    compare_all<TestType>();
}

namespace {

/// A converted folder beside the original, which runs as it is: the same logits, to rounding.
template <template <typename> typename Model>
void compare_converted(const std::string& name, bool has_equal_head) {
    INFO(name);
    const fs::path from = data.parent_path() / "families" / name;
    const TemporaryFolder folder;
    const auto report = nf::convert_bert(from, folder.path);
    CHECK(report.config.head_model_type.has_value() != has_equal_head);
    const auto original = Model<double>::from_pretrained(from);
    const auto made = Model<double>::from_pretrained(folder.path, {.strict = true});
    nf::ModelInput<double> input;  // two tokens are the padding's
    input.input_ids = {5, *original.config().pad_token_id, 7, *original.config().pad_token_id, 9};
    input.offsets = {0, 5};
    CHECK((made(input).logits - original(input).logits).cwiseAbs().maxCoeff() < 1e-12);
}

}  // namespace

TEST_CASE("heads that Nystromformer has not are kept under their own names, and padding uncounted",
          "[convert]") {
    for (const char* family : {"bert", "roberta", "xlmroberta", "camembert", "distilbert"}) {
        const std::string name = family;
        const bool is_relu = name == "distilbert";
        compare_converted<nf::NystromformerForMaskedLM>(name + "-words", true);
        compare_converted<nf::NystromformerForSequenceClassification>(name + "-classes", false);
        compare_converted<nf::NystromformerForMultipleChoice>(name + "-choices", is_relu);
        compare_converted<nf::NystromformerForTokenClassification>(name + "-tags", true);
    }
    compare_converted<nf::NystromformerForMaskedLM>("roberta-untied", false);
    compare_converted<nf::NystromformerForMaskedLM>("electra-square", false);
    const TemporaryFolder folder;
    CHECK_THROWS_AS(
        nf::convert_bert(data.parent_path() / "families" / "electra-words", folder.path),
        nf::UnsupportedError);
}

namespace {

void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    nf::detail::write_file(path, text);
}
Json read_json(const fs::path& path) { return nf::detail::read_json_file(path, 1 << 20); }

/// A copy of `model` to change.
struct Source : TemporaryFolder {
    explicit Source(const std::string& model) {
        for (const auto& entry : fs::directory_iterator(data / model))
            fs::copy_file(entry.path(), path / entry.path().filename());
    }
    void change_config(const std::function<void(Json&)>& change) const {
        Json json = read_json(path / "config.json");
        change(json);
        write(path / "config.json", json.dump());
    }
};

std::vector<std::string> names(const std::vector<std::string>& all, const std::string& part) {
    std::vector<std::string> some;
    std::copy_if(all.begin(), all.end(), std::back_inserter(some),
                 [&](const std::string& name) { return name.find(part) != std::string::npos; });
    return some;
}

}  // namespace

TEST_CASE("a conversion to more positions repeats the rows of the old ones", "[convert]") {
    const TemporaryFolder plain, longer;
    for (const char* name : {"bert", "roberta-padding"}) {
        fs::remove_all(plain.path);
        fs::remove_all(longer.path);
        const auto report = nf::convert_bert(data / name, plain.path);
        const Index count = report.config.max_position_embeddings;
        CHECK(count == (std::string(name) == "bert" ? 24 : 18));
        CHECK(report.source_positions == count);
        const Index more = 2 * count + 5;
        CHECK(nf::convert_bert(data / name, longer.path, {.max_positions = more})
                  .config.max_position_embeddings == more);
        const auto short_model = nf::NystromformerModel<>::from_pretrained(plain.path);
        const auto long_model = nf::NystromformerModel<>::from_pretrained(longer.path);
        nf::ModelInput<float> input;
        for (Index i = 0; i < more; ++i) input.input_ids.push_back(6 + i % 30);
        input.offsets = {0, more};
        const auto found = long_model(input);
        for (Index i = 0; i < more; ++i) input.position_ids.push_back(2 + i % count);
        const Matrix<float> difference =
            found.last_hidden_state - short_model(input).last_hidden_state;
        CHECK(difference.cwiseAbs().maxCoeff() == 0);
    }
    CHECK_THROWS_AS(nf::convert_bert(data / "bert", plain.path / "x", {.max_positions = 23}),
                    nf::InputError);
    CHECK(!fs::exists(plain.path / "x"));
}

namespace {

/// (rows, 12)
Matrix<float> position_table(const fs::path& folder) {
    const auto checkpoint = nf::Checkpoint::open(folder);
    const auto* table = checkpoint.find("embeddings.position_embeddings.weight");
    REQUIRE(table);
    Matrix<float> rows(table->shape[0], table->shape[1]);
    nf::convert(*table, rows.data());
    return rows;
}

}  // namespace

TEST_CASE("two rows of zeros stand before BERT's positions, and RoBERTa's table stays as it is",
          "[convert]") {
    const TemporaryFolder folder;
    const auto config = nf::convert_bert(data / "bert", folder.path / "bert").config;
    CHECK(config.num_landmarks == config.segment_means_seq_len);  // exact attention
    CHECK(config.conv_kernel_size == 1);                          // the cheapest
    const Matrix<float> made = position_table(folder.path / "bert");
    REQUIRE(made.rows() == 26);
    CHECK(made.topRows(2).cwiseAbs().maxCoeff() == 0);
    CHECK(made.bottomRows(24) == position_table(data / "bert"));
    (void)nf::convert_bert(data / "roberta", folder.path / "roberta");
    CHECK(position_table(folder.path / "roberta") == position_table(data / "roberta"));
}

TEST_CASE("a conversion reports what it leaves out", "[convert]") {
    const TemporaryFolder folder;
    CHECK(nf::convert_bert(data / "bert", folder.path / "a").left_out ==
          std::vector<std::string>{"pooler.dense.bias", "pooler.dense.weight"});
    const auto pretraining = nf::convert_bert(data / "bert-pretraining", folder.path / "b");
    CHECK(pretraining.source_architecture == "BertForPreTraining");
    CHECK(names(pretraining.left_out, "seq_relationship").size() == 2);
    CHECK(pretraining.left_out.size() == 4);
    CHECK(nf::convert_bert(data / "bert-words", folder.path / "c").left_out.empty());
    const auto encoder =
        nf::convert_bert(data / "bert-tags", folder.path / "d", {.encoder_only = true});
    CHECK(encoder.left_out == std::vector<std::string>{"classifier.bias", "classifier.weight"});
    CHECK(encoder.config.architectures == std::vector<std::string>{"NystromformerModel"});
    (void)nf::NystromformerModel<>::from_pretrained(folder.path / "d", {.strict = true});
}

TEST_CASE("a tied decoder is written once and stays as it is in half precision", "[convert]") {
    const TemporaryFolder folder;
    (void)nf::convert_bert(data / "bert-words", folder.path / "a");
    const auto tensors = nf::Checkpoint::open(folder.path / "a").names();
    CHECK(names(tensors, "decoder").empty());
    (void)nf::convert_bert(data / "bert-untied", folder.path / "b");
    CHECK(names(nf::Checkpoint::open(folder.path / "b").names(), "decoder").size() == 2);
    (void)nf::convert_bert(data / "bert-scoped", folder.path / "c");
    const auto halves = nf::Checkpoint::open(folder.path / "c");
    for (const auto& tensor : halves.tensors()) {
        const bool conv = tensor.name.ends_with("conv.weight");
        CHECK(tensor.dtype == (conv ? nf::DType::f32 : nf::DType::bf16));
    }
}

TEST_CASE("the files of tokenizer and sentence-transformers come with a converted model",
          "[convert]") {
    const Source source("bert");
    const fs::path& from = source.path;
    write(from / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nsea\nland\n");
    write(from / "tokenizer_config.json", R"({"do_lower_case": true, "model_max_length": 24})");
    write(from / "special_tokens_map.json", "{}");
    write(from / "modules.json", R"([
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "./1_Pooling/", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "a type without a folder"}])");
    write(from / "1_Pooling" / "config.json", R"({"word_embedding_dimension": 12})");
    write(from / "sentence_bert_config.json", R"({"max_seq_length": 20, "do_lower_case": false})");
    write(from / "README.md", "not copied");
    const TemporaryFolder folder;
    const auto report = nf::convert_bert(from, folder.path);
    CHECK(report.files == std::vector<std::string>{
                              "1_Pooling/config.json", "config.json", "model.safetensors",
                              "modules.json", "sentence_bert_config.json",
                              "special_tokens_map.json", "tokenizer_config.json", "vocab.txt"});
    for (const std::string& file : report.files) CHECK(fs::is_regular_file(folder.path / file));
    // The config of a Nystromformer does not tell the tokenizer's class, as that of a BERT does.
    const Json names = read_json(folder.path / "tokenizer_config.json");
    Json wanted = {{"do_lower_case", true},
                   {"model_max_length", 24},
                   {"tokenizer_class", "BertTokenizer"},
                   {"model_input_names", {"input_ids", "token_type_ids", "attention_mask"}}};
    for (const char* role : {"unk", "sep", "pad", "cls", "mask"}) {
        std::string token = role;
        for (char& letter : token) letter = static_cast<char>(letter - 'a' + 'A');
        wanted[std::string(role) + "_token"] = '[' + token + ']';
    }
    CHECK(names == wanted);
    const auto tokenizer = nf::Tokenizer::from_pretrained(folder.path);
    CHECK(tokenizer.encode("Sea sand land").ids == std::vector<std::int64_t>{2, 5, 1, 6, 3});
    CHECK(read_json(folder.path / "sentence_bert_config.json")["max_seq_length"] == 20);

    // An old folder has the model in one of its own: the new one does not.
    const TemporaryFolder old, flat;
    for (const char* name : {"config.json", "model.safetensors", "vocab.txt"}) {
        fs::create_directories(old.path / "0_Transformer");
        fs::copy_file(from / name, old.path / "0_Transformer" / name);
    }
    write(old.path / "1_Pooling" / "config.json", R"({"word_embedding_dimension": 12})");
    write(old.path / "modules.json",
          R"([{"path": "0_Transformer", "type": "T"}, {"path": "1_Pooling", "type": "P"}])");
    (void)nf::convert_bert(old.path, flat.path);
    CHECK(read_json(flat.path / "modules.json")[0]["path"] == "");
    CHECK(fs::is_regular_file(flat.path / "1_Pooling" / "config.json"));
    CHECK(!fs::exists(flat.path / "0_Transformer"));

    const TemporaryFolder longer;
    (void)nf::convert_bert(from, longer.path, {.max_positions = 50});
    CHECK(read_json(longer.path / "tokenizer_config.json")["model_max_length"] == 50);
    CHECK(read_json(longer.path / "sentence_bert_config.json") ==
          Json{{"max_seq_length", 50}, {"do_lower_case", false}});
}

TEST_CASE("a converted folder's tokenizer.json says what the class of the source made of it",
          "[convert]") {
    const Source source("bert");
    const Json vocab = {{"[PAD]", 0},  {"[UNK]", 1}, {"[CLS]", 2}, {"[SEP]", 3},
                        {"[MASK]", 4}, {"sea", 5},   {"Sea", 6},   {"##s", 7}};
    const Json tokenizer = {{"version", "1.0"},
                            {"added_tokens", Json::array()},
                            {"normalizer", {{"type", "NFC"}}},
                            {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
                            {"model",
                             {{"type", "WordPiece"},
                              {"unk_token", "sea"},
                              {"vocab", vocab},
                              {"continuing_subword_prefix", "##"},
                              {"max_input_chars_per_word", 3}}}};
    write(source.path / "tokenizer.json", tokenizer.dump());
    write(source.path / "tokenizer_config.json", R"({"additional_special_tokens": ["<x>"]})");
    const TemporaryFolder folder;
    (void)nf::convert_bert(source.path, folder.path);
    const auto before = nf::Tokenizer::from_pretrained(source.path),
               after = nf::Tokenizer::from_pretrained(folder.path);
    CHECK(before.encode("Seas, [MASK] <x>", "sea").ids ==
          std::vector<std::int64_t>{2, 5, 7, 1, 4, 8, 3, 5, 3});
    const auto found = after.encode("Seas, [MASK] <x>", "sea");
    CHECK(found.ids == std::vector<std::int64_t>{2, 5, 7, 1, 4, 8, 3, 5, 3});
    CHECK(found.type_ids == std::vector<std::int64_t>{0, 0, 0, 0, 0, 0, 0, 1, 1});
    CHECK(after.mask_token() == "[MASK]");
    CHECK(after.gives_token_type_ids() == true);
    CHECK(after.decode(found.ids) == before.decode(found.ids));
}

TEST_CASE("a class of tokenizer in config.json wins over that of the model type", "[convert]") {
    const Source source("camembert-tags");
    write(source.path / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    const TemporaryFolder folder;
    const auto made = [&](const char* to) {
        (void)nf::convert_bert(source.path, folder.path / to);
        return read_json(folder.path / to / "tokenizer_config.json")["tokenizer_class"];
    };
    CHECK(made("a") == "CamembertTokenizer");
    source.change_config([](Json& json) { json["tokenizer_class"] = "BertTokenizerFast"; });
    CHECK(made("b") == "BertTokenizerFast");
    write(source.path / "tokenizer_config.json", R"({"tokenizer_class": "RobertaTokenizer"})");
    CHECK(made("c") == "RobertaTokenizer");
}

namespace {

/// Expects `Error` at `place` with `told` in what was expected or found, and no folder written.
template <typename Error>
void refuses(const std::string& model, const std::function<void(Json&)>& change,
             const std::string& place, const std::string& told) {
    const Source source(model);
    source.change_config(change);
    const TemporaryFolder folder;
    const fs::path to = folder.path / "to";
    try {
        (void)nf::convert_bert(source.path, to);
        FAIL("converted in spite of " << place << ' ' << told);
    } catch (const Error& error) {
        CHECK(error.place() == place);
        INFO(error.what());
        CHECK(std::string(error.what()).find(told) != std::string::npos);
    }
    CHECK(!fs::exists(to));
}

}  // namespace

TEST_CASE("a model that no Nystromformer equals is refused by name", "[convert]") {
    const auto set = [](const char* key, const Json& value) {
        return [=](Json& json) { json[key] = value; };
    };
    using Unsupported = nf::UnsupportedError;
    refuses<Unsupported>("bert", set("model_type", "albert"), "/model_type", "\"albert\"");
    refuses<Unsupported>("bert", set("model_type", "nystromformer"), "/model_type",
                         "bert, roberta, xlm-roberta, camembert, distilbert, electra");
    refuses<Unsupported>("bert", set("is_decoder", true), "/is_decoder", "true");
    refuses<Unsupported>("bert", set("add_cross_attention", true), "/add_cross_attention", "true");
    refuses<Unsupported>("bert", set("position_embedding_type", "relative_key"),
                         "/position_embedding_type", "\"relative_key\"");
    refuses<Unsupported>("bert", set("quantization_config", Json::object()), "/quantization_config",
                         "quantized");
    refuses<Unsupported>("bert", set("pruned_heads", Json{{"0", {1}}}), "/pruned_heads", "pruned");
    refuses<Unsupported>("bert", set("hidden_act", "prelu"), "/hidden_act", "\"prelu\"");
    refuses<Unsupported>("bert", set("architectures", {"BertForNextSentencePrediction"}),
                         "/architectures/0", "\"BertForNextSentencePrediction\"");
}

TEST_CASE("a folder that does not fit its own config is refused with file and place", "[convert]") {
    const auto set = [](const char* key, const Json& value) {
        return [=](Json& json) { json[key] = value; };
    };
    using nf::ConfigError, nf::TensorError;
    refuses<nf::UnsupportedError>(
        "bert", [](Json& json) { json.erase("model_type"), json.erase("architectures"); },
        "/model_type", "nystromformer");
    refuses<ConfigError>("bert", set("hidden_size", "12"), "/hidden_size", "\"12\"");
    refuses<ConfigError>("roberta", set("pad_token_id", nullptr), "/pad_token_id", "null");
    refuses<ConfigError>("roberta", set("pad_token_id", 23), "/pad_token_id", "-1 to 22");
    refuses<TensorError>("bert", set("max_position_embeddings", 512),
                         "tensor \"embeddings.position_embeddings.weight\"", "[512, 12]");
    refuses<TensorError>("bert", set("intermediate_size", 21),
                         "tensor \"encoder.layer.0.intermediate.dense.weight\"", "[21, 12]");
    refuses<TensorError>("bert", set("num_hidden_layers", 3),
                         "tensor \"encoder.layer.2.attention.self.query.weight\"", "none");
    refuses<TensorError>("bert", set("architectures", {"BertForMultipleChoice"}),
                         "tensor \"classifier.weight\"", "use embed");
    refuses<TensorError>("bert", set("architectures", {"BertForTokenClassification"}),
                         "tensor \"classifier.weight\"", "none");
}

TEST_CASE("a conversion writes to an empty folder only, and from plain names only", "[convert]") {
    const TemporaryFolder folder;
    write(folder.path / "mine.txt", "kept");
    CHECK_THROWS_AS(nf::convert_bert(data / "bert", folder.path), nf::InputError);
    CHECK_THROWS_AS(nf::convert_bert(data / "bert", folder.path / "mine.txt"), nf::InputError);
    CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator{}) == 1);
    const Source source("bert");
    CHECK_THROWS_AS(nf::convert_bert(source.path, source.path), nf::InputError);
    for (const char* name : {"..", "../x", "/etc", "a/../b", "C:x", "a\\\\b"}) {
        write(source.path / "modules.json", R"([{"path": ")" + std::string(name) + R"("}])");
        CHECK_THROWS_AS(nf::convert_bert(source.path, folder.path / "to"), nf::UnsafePathError);
        CHECK(!fs::exists(folder.path / "to"));
    }
    CHECK_THROWS_AS(nf::convert_bert(folder.path / "none", folder.path / "to"), nf::IoError);
}

}  // namespace convert_test
