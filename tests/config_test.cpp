// SPDX-License-Identifier: MIT
// NystromformerConfig: defaults, round trip, and what is refused (tests/malformed has the table).
#include "catch.hpp"
#include "library.hpp"

#include <nystromformer/nystromformer.hpp>

#include <nystromformer/config.hpp>

#include <string>
#include <vector>

namespace config_test {

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

TEST_CASE("labels keep the order of the file, also when they are written", "[config]") {
    const auto config = nf::NystromformerConfig::from_json(
        R"({"num_labels": 3, "label2id": {"z": 2, "\u0061": 0, "m": 1}, "x": {"label2id": {"q": 1}}})");
    CHECK(config.label2id_order == std::vector<std::string>{"z", "a", "m"});
    CHECK(nf::NystromformerConfig::from_json(config.to_json()) == config);
    const auto by_id =
        nf::NystromformerConfig::from_json(R"({"num_labels": 2, "label2id": {"z": 0, "a": 1}})");
    CHECK(by_id.label2id_order.empty());
    CHECK(by_id.to_json().find("\"z\"") < by_id.to_json().find("\"a\""));
}

TEST_CASE("every activation that the README lists is known and no other", "[config]") {
    for (const char* name : {"gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu",
                             "relu", "silu", "swish", "tanh", "sigmoid", "mish", "linear"}) {
        CHECK(nf::find_activation(name));
    }
    CHECK_FALSE(nf::find_activation("GELU"));
    CHECK_FALSE(nf::find_activation(""));
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

}  // namespace config_test
