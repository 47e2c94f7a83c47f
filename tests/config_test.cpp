// SPDX-License-Identifier: MIT
// NystromformerConfig: defaults, round trip, and every way a config.json can be wrong.
#include "catch.hpp"

#include <nystromformer/model/config.hpp>

#include <string>
#include <vector>

namespace nf = nystromformer;

TEST_CASE("an empty config.json gives Hugging Face's defaults", "[config]") {
    const auto config = nf::NystromformerConfig::from_json("{}");
    CHECK(config == nf::NystromformerConfig{});
    CHECK(config.vocab_size == 30000);
    CHECK(config.hidden_size == 768);
    CHECK(config.num_hidden_layers == 12);
    CHECK(config.num_attention_heads == 12);
    CHECK(config.intermediate_size == 3072);
    CHECK(config.hidden_act == "gelu_new");
    CHECK(config.hidden_dropout_prob == 0.1);
    CHECK(config.attention_probs_dropout_prob == 0.1);
    CHECK(config.max_position_embeddings == 510);
    CHECK(config.type_vocab_size == 2);
    CHECK(config.segment_means_seq_len == 64);
    CHECK(config.num_landmarks == 64);
    CHECK(config.conv_kernel_size == 65);
    CHECK_FALSE(config.inv_coeff_init_option);
    CHECK(config.initializer_range == 0.02);
    CHECK(config.layer_norm_eps == 1e-5);
    CHECK(config.pad_token_id == 1);
    CHECK(config.bos_token_id == 0);
    CHECK(config.eos_token_id == std::vector<nf::Index>{2});
    CHECK(config.num_labels == 2);
    CHECK(config.id2label.at(1) == "LABEL_1");
    CHECK(config.label2id.at("LABEL_1") == 1);
    CHECK_FALSE(config.problem_type);
    CHECK(config.tie_word_embeddings);
    CHECK(config.head_dim() == 64);
}

TEST_CASE("to_json is read back by from_json to the same config", "[config]") {
    nf::NystromformerConfig config;
    CHECK(nf::NystromformerConfig::from_json(config.to_json()) == config);
    config.conv_kernel_size.reset();
    config.pad_token_id.reset();
    config.eos_token_id = {2, 7};
    config.num_labels = 3;
    config.id2label = {{0, "no"}, {1, "yes"}, {2, "\"quoted\" \xC3\xA9"}};
    config.label2id = {{"no", 0}, {"yes", 1}, {"\"quoted\" \xC3\xA9", 2}};
    config.problem_type = "multi_label_classification";
    config.tie_word_embeddings = false;
    config.architectures = {"NystromformerForMaskedLM"};
    config.hidden_act = "gelu";
    config.num_landmarks = 8;
    config.inv_coeff_init_option = true;
    config.layer_norm_eps = 1e-12;
    CHECK(nf::NystromformerConfig::from_json(config.to_json()) == config);
}

TEST_CASE("unknown keys are passed over and labels are counted as Hugging Face counts them",
          "[config]") {
    const auto config = nf::NystromformerConfig::from_json(
        R"({"use_cache": true, "torch_dtype": "float16", "classifier_dropout": null, "something": {"new": [1]},
            "id2label": {"1": "b", "0": "a", "2": "c"}, "problem_type": null, "conv_kernel_size": null})");
    CHECK(config.num_labels == 3);
    CHECK(config.id2label.at(2) == "c");
    CHECK(config.label2id.at("b") == 1);
    CHECK_FALSE(config.conv_kernel_size);
    CHECK(nf::NystromformerConfig::from_json(R"({"num_labels": 4})").id2label.size() == 4);
}

TEST_CASE("every activation that the README lists is known and no other", "[config]") {
    for (const char* name : {"gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu",
                             "relu", "silu", "swish", "tanh", "sigmoid", "mish", "linear"}) {
        CHECK(nf::find_activation(name));
    }
    CHECK_FALSE(nf::find_activation("GELU"));
    CHECK_FALSE(nf::find_activation(""));
}

namespace {

struct BadConfig {
    const char* json;
    const char* place;  // must be in the message, with the file's name
};

// The config.json of an attacker or of a slip of the pen: each is told with its place.
const BadConfig wrong_values[] = {
    {R"({"vocab_size": null})", "/vocab_size"},
    {R"({"vocab_size": "30000"})", "/vocab_size"},
    {R"({"vocab_size": 30000.0})", "/vocab_size"},
    {R"({"vocab_size": true})", "/vocab_size"},
    {R"({"vocab_size": 0})", "/vocab_size"},
    {R"({"vocab_size": -1})", "/vocab_size"},
    {R"({"vocab_size": 2147483648})", "/vocab_size"},
    {R"({"vocab_size": 9223372036854775808})", "/vocab_size"},
    {R"({"hidden_size": 0})", "/hidden_size"},
    {R"({"hidden_size": 1000000000})", "/hidden_size"},
    {R"({"hidden_size": 770})", "/hidden_size"},
    {R"({"num_hidden_layers": 1000000000})", "/num_hidden_layers"},
    {R"({"num_hidden_layers": -1})", "/num_hidden_layers"},
    {R"({"num_attention_heads": 0})", "/num_attention_heads"},
    {R"({"intermediate_size": []})", "/intermediate_size"},
    {R"({"max_position_embeddings": {}})", "/max_position_embeddings"},
    {R"({"type_vocab_size": 0})", "/type_vocab_size"},
    {R"({"num_landmarks": 0})", "/num_landmarks"},
    {R"({"num_landmarks": 65})", "/num_landmarks"},
    {R"({"num_landmarks": 48})", "/num_landmarks"},
    {R"({"segment_means_seq_len": 0})", "/segment_means_seq_len"},
    {R"({"conv_kernel_size": 0})", "/conv_kernel_size"},
    {R"({"conv_kernel_size": -3})", "/conv_kernel_size"},
    {R"({"inv_coeff_init_option": "original"})", "/inv_coeff_init_option"},
    {R"({"layer_norm_eps": 0})", "/layer_norm_eps"},
    {R"({"layer_norm_eps": -1e-5})", "/layer_norm_eps"},
    {R"({"layer_norm_eps": 1e30})", "/layer_norm_eps"},
    {R"({"layer_norm_eps": "1e-5"})", "/layer_norm_eps"},
    {R"({"initializer_range": -1})", "/initializer_range"},
    {R"({"hidden_dropout_prob": 1.5})", "/hidden_dropout_prob"},
    {R"({"hidden_act": null})", "/hidden_act"},
    {R"({"hidden_act": {}})", "/hidden_act"},
    {R"({"pad_token_id": 1.5})", "/pad_token_id"},
    {R"({"eos_token_id": [1, "2"]})", "/eos_token_id/1"},
    {R"({"num_labels": 0})", "/num_labels"},
    {R"({"num_labels": 100000000})", "/num_labels"},
    {R"({"id2label": {}})", "/id2label"},
    {R"({"id2label": {"0": "a", "2": "b"}})", "/id2label/1"},
    {R"({"id2label": {"0": 1}})", "/id2label/0"},
    {R"({"id2label": ["a"]})", "/id2label"},
    {R"({"id2label": {"0": "a"}, "num_labels": 2})", "/id2label"},
    {R"({"label2id": {"a": 2}})", "/label2id/a"},
    {R"({"label2id": {"a": "0"}})", "/label2id/a"},
    {R"({"problem_type": "ranking"})", "/problem_type"},
    {R"({"problem_type": 3})", "/problem_type"},
    {R"({"architectures": "NystromformerModel"})", "/architectures"},
    {R"({"architectures": [1]})", "/architectures/0"},
    {R"({"tie_word_embeddings": 1})", "/tie_word_embeddings"},
    {R"({"is_decoder": null})", "/is_decoder"},
    {R"({"model_type": 3})", "/model_type"},
    {R"([])", "/"},
    {R"(3)", "/"},
};

const BadConfig not_run_here[] = {
    {R"({"model_type": "bert"})", "/model_type"},
    {R"({"is_decoder": true})", "causal"},
    {R"({"conv_kernel_size": 64})", "odd"},
    {R"({"hidden_act": "gelu_accurate"})", "gelu_new"},
    {R"({"hidden_act": ""})", "/hidden_act"},
};

const BadConfig not_json[] = {
    {"", "byte"},
    {"{", "byte"},
    {R"({"vocab_size": 3,})", "byte"},
    {R"({"vocab_size": NaN})", "byte"},
    {R"({"layer_norm_eps": Infinity})", "byte"},
    {R"({"layer_norm_eps": 1e400})", "out of range"},
    {R"({"vocab_size": 3, "vocab_size": 4})", "\"vocab_size\" twice"},
    {R"({"id2label": {"0": "a", "0": "b"}})", "\"0\" twice"},
    {"{} {}", "byte"},
    {"\xEF\xBB\xBF{}", "byte order mark"},
    {"{\"a\xFF\": 1}", "byte"},
};

template <typename ErrorType, std::size_t size>
void check_refused(const BadConfig (&cases)[size]) {
    for (const BadConfig& bad : cases) {
        INFO(bad.json);
        try {
            nf::NystromformerConfig::from_json(bad.json, "some/config.json");
            FAIL("accepted");
        } catch (const ErrorType& error) {
            const std::string message = error.what();
            INFO(message);
            CHECK(message.find("some/config.json") == 0);
            CHECK(message.find(bad.place) != std::string::npos);
            CHECK_FALSE(error.expected().empty());
            CHECK_FALSE(error.found().empty());
        }
    }
}

}  // namespace

TEST_CASE(
    "a wrong value in config.json is told with its path, what was expected and what was found",
    "[config]") {
    check_refused<nf::ConfigError>(wrong_values);
}

TEST_CASE("what this library does not run is refused with the reason", "[config]") {
    check_refused<nf::UnsupportedError>(not_run_here);
}

TEST_CASE("a config.json that is not strict JSON is told with its place", "[config]") {
    check_refused<nf::FormatError>(not_json);
    CHECK_THROWS_AS(nf::NystromformerConfig::from_json(std::string_view("{}\0{", 4)),
                    nf::FormatError);
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += "[";
    CHECK_THROWS_AS(nf::NystromformerConfig::from_json("{\"a\":" + deep), nf::FormatError);
}

TEST_CASE("a folder without config.json is an IoError that names the file", "[config]") {
    try {
        nf::NystromformerConfig::from_pretrained("/nonexistent");
        FAIL("accepted");
    } catch (const nf::IoError& error) {
        CHECK(error.file() == "/nonexistent/config.json");
    }
}

TEST_CASE("no more labels than a config.json that can be read back has room to name", "[config]") {
    const auto most = nf::NystromformerConfig::from_json(R"({"num_labels": 16384})");
    CHECK(most.to_json().size() < nf::detail::max_config_size);
    CHECK_THROWS_AS(nf::NystromformerConfig::from_json(R"({"num_labels": 16385})"),
                    nf::ConfigError);
}
