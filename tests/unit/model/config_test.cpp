// SPDX-License-Identifier: MIT
// NystromformerConfig: defaults, round trip, and what is refused (tests/robustness/malformed has
// the table).
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/nystromformer.hpp>

#include <nystromformer/config.hpp>
#include <nystromformer/core/python_json.hpp>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
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

TEST_CASE("unknown keys are ignored and labels are counted as Hugging Face counts them",
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
        R"({"id2label": {"0": "a", "1": "m", "2": "z"}, "label2id": {"z": 2, "\u0061": 0, "m": 1}, "x": {"label2id": {"q": 1}}})");
    CHECK(config.label2id_order == std::vector<std::string>{"z", "a", "m"});
    CHECK(nf::NystromformerConfig::from_json(config.to_json()) == config);
    const auto by_id = nf::NystromformerConfig::from_json(
        R"({"id2label": {"0": "z", "1": "a"}, "label2id": {"z": 0, "a": 1}})");
    CHECK(by_id.label2id_order.empty());
    CHECK(by_id.to_json().find("\"z\"") < by_id.to_json().find("\"a\""));
    const auto of_default = nf::NystromformerConfig::from_json(
        R"({"label2id": {"LABEL_0": 0, "LABEL_2": 2, "LABEL_3": 3}})");
    CHECK(of_default.label2id_order.empty());
    CHECK(nf::NystromformerConfig::from_json(of_default.to_json()) == of_default);
}

TEST_CASE("every activation of transformers without weights is known and no other", "[config]") {
    for (const char* name : {"gelu",
                             "gelu_10",
                             "gelu_accurate",
                             "gelu_fast",
                             "gelu_new",
                             "gelu_python",
                             "gelu_python_tanh",
                             "gelu_pytorch_tanh",
                             "hardswish",
                             "laplace",
                             "leaky_relu",
                             "linear",
                             "mish",
                             "quick_gelu",
                             "relu",
                             "relu2",
                             "relu6",
                             "sigmoid",
                             "silu",
                             "sqrtsoftplus",
                             "swish",
                             "tanh"}) {
        CHECK(nf::find_activation(name));
    }
    for (const char* name : {"prelu", "xielu", "GELU", ""}) CHECK_FALSE(nf::find_activation(name));
}

TEST_CASE("labels that contradict each other are read as transformers reads them", "[config]") {
    std::vector<std::string> notices;
    const auto read = [&](const char* json) {
        notices.clear();
        nf::FileOptions files;
        files.on_notice = [&](const nf::Notice& notice) { notices.push_back(notice.text()); };
        return nf::NystromformerConfig::from_json(json, "c", files);
    };
    using Names = std::map<nf::Index, std::string>;
    using Ids = std::map<std::string, nf::Index>;
    // transformers 5.24: num_labels wins over an id2label of another size, and the names with it.
    const auto five = read(R"({"id2label": {"0": "no", "1": "yes"}, "num_labels": 3})");
    CHECK(five.num_labels == 3);
    CHECK(five.id2label == Names{{0, "LABEL_0"}, {1, "LABEL_1"}, {2, "LABEL_2"}});
    CHECK(five.label2id == Ids{{"LABEL_0", 0}, {"LABEL_1", 1}, {"LABEL_2", 2}});
    CHECK(notices == std::vector<std::string>{
                         "c: /id2label: 2 labels, but num_labels is 3: they are called LABEL_0, "
                         "LABEL_1, ..."});
    CHECK(read(R"({"id2label": {"0": "no", "1": "yes"}, "_num_labels": 5})").id2label.at(1) ==
          "yes");
    CHECK(notices.empty());
    CHECK(read(R"({"id2label": {}})").num_labels == 0);
    CHECK(read(R"({"num_labels": 0})").num_labels == 0);
    CHECK(read(R"({"label2id": {"a": 0, "b": 1}})").label2id ==
          Ids{{"LABEL_0", 0}, {"LABEL_1", 1}});
    CHECK(notices.size() == 1);
    const auto odd =
        read(R"({"id2label": {"0": "a", "1": "b"}, "label2id": {"a": "0", "b": 7, "c": null}})");
    CHECK(odd.label2id == Ids{{"a", 0}});
    CHECK(notices ==
          std::vector<std::string>{"c: /label2id/b: 7 is no label of id2label: not used"});
    CHECK(read(R"({"id2label": {"0": 1, "1": null}})").id2label == Names{{0, "1"}, {1, "null"}});
    CHECK(notices == std::vector<std::string>{"c: /id2label/0: no text: the label is 1"});
    // What is not used does not come back in the order of the labels.
    CHECK(nf::NystromformerConfig::from_json(odd.to_json()) == odd);
    CHECK(read(R"({"id2label": {"1": "a", "2": "b"}})").id2label == Names{{1, "a"}, {2, "b"}});
}

TEST_CASE("the ids of labels are whole numbers as Python's int() reads them", "[config]") {
    const auto names = [](const std::string& keys) {
        return nf::NystromformerConfig::from_json(R"({"id2label": {)" + keys + "}}", "c").id2label;
    };
    CHECK(names(R"(" 0": "a", "+1\t": "b", "0_2": "c", "-4": "d")") ==
          std::map<nf::Index, std::string>{{-4, "d"}, {0, "a"}, {1, "b"}, {2, "c"}});
    for (const char* bad : {"_1", "1_", "1__2", "+-1", "--1", "", " ", "+", "1.0", "0x1", "1 2"})
        CHECK_THROWS_AS(names('"' + std::string(bad) + R"(": "a")"), nf::ConfigError);
}

TEST_CASE("values that nothing here reads may be what Python takes for them", "[config]") {
    const auto read = [](const char* json) {
        return nf::NystromformerConfig::from_json(json, "c");
    };
    for (const char* json :
         {R"({"initializer_range": NaN})", R"({"initializer_range": -Infinity})"})
        CHECK(read(json).initializer_range == 0.02);
    CHECK_THROWS_AS(read(R"({"layer_norm_eps": NaN})"), nf::ConfigError);
    CHECK(read(R"({"model_type": "bert", "architectures": "BertModel"})").architectures ==
          std::vector<std::string>{"BertModel"});
    // No token has the id -1, and the first position is in the first row.
    const auto roberta =
        read(R"({"model_type": "roberta", "pad_token_id": -1, "max_position_embeddings": 30})");
    CHECK(roberta.first_position() == 0);
    CHECK(roberta.max_length() == 30);
}

TEST_CASE("config.json is read as Python's json reads it", "[config]") {
    std::vector<std::string> notices;
    nf::FileOptions files;
    files.on_notice = [&](const nf::Notice& notice) { notices.push_back(notice.text()); };
    const auto config = nf::NystromformerConfig::from_json(
        R"({"x": [NaN, Infinity, -Infinity, 1e400, -1E+999, "NaN", "a\"NaN"], "vocab_size": 3,
            "y": {"b": NaN}, "vocab_size": 4, "best": 123456789012345678901234567890})",
        "c", files);
    CHECK(config.vocab_size == 4);
    CHECK(notices == std::vector<std::string>{
                         "c: vocab_size: a key that stands more than once: its last value counts, "
                         "as in Python"});
    const auto json =
        nf::detail::parse_python_json(R"([NaN,-Infinity,1e400,"\u0001","NaN",Infinity])", "c");
    CHECK(std::isnan(json.value[0].get<double>()));
    CHECK(json.value[1].get<double>() == -std::numeric_limits<double>::infinity());
    CHECK(json.value[2] == json.value[5]);
    CHECK(json.value[3] == "\1");
    CHECK(json.value[4] == "NaN");
    for (const char* bad :
         {"nan", "NaN1", "[NaN NaN]", "+Infinity", "{NaN:1}", "1e4000x", "Infinit"})
        CHECK_THROWS_AS(nf::detail::parse_python_json(bad, "c"), nf::FormatError);
    CHECK_THROWS_AS(nf::detail::parse_json("[NaN]", "c"), nf::FormatError);
}

TEST_CASE("each family has its own defaults, names of fields and positions", "[config]") {
    const auto read = [](const char* json) { return nf::NystromformerConfig::from_json(json); };
    const auto bert = read(R"({"model_type": "bert", "num_landmarks": 7, "pad_token_id": 3})");
    CHECK(bert.vocab_size == 30522);
    CHECK(bert.hidden_act == "gelu");
    CHECK(bert.layer_norm_eps == 1e-12);
    CHECK(bert.uses_exact_attention());
    CHECK_FALSE(bert.conv_kernel_size);
    CHECK(bert.max_length() == 512);
    CHECK_FALSE(bert.uncounted_id());
    const auto roberta = read(R"({"model_type": "roberta", "max_position_embeddings": 514})");
    CHECK(roberta.vocab_size == 50265);
    CHECK(roberta.position_rows() == 514);
    CHECK(roberta.first_position() == 2);
    CHECK(roberta.max_length() == 512);
    CHECK(roberta.uncounted_id() == 1);
    const auto distilbert = read(
        R"({"model_type": "distilbert", "dim": 24, "n_heads": 3, "n_layers": 2, "hidden_dim": 40,
            "activation": "relu", "intermediate_size": 7, "type_vocab_size": 9})");
    CHECK(distilbert.hidden_size == 24);
    CHECK(distilbert.num_attention_heads == 3);
    CHECK(distilbert.num_hidden_layers == 2);
    CHECK(distilbert.intermediate_size == 40);
    CHECK(distilbert.hidden_act == "relu");
    CHECK(distilbert.type_vocab_size == 0);
    // DistilBertConfig.attribute_map
    CHECK(read(R"({"model_type": "distilbert", "dim": 24, "hidden_size": 36})").hidden_size == 36);
    CHECK(read(R"({"model_type": "electra"})").embedding_width() == 128);
    CHECK(read(R"({"architectures": ["XLMRobertaForMaskedLM"]})").model_type == "xlm-roberta");
    CHECK(read(R"({"architectures": ["BertlikeModel"]})").model_type == "nystromformer");
    for (const auto& config : {bert, roberta, distilbert})
        CHECK(nf::NystromformerConfig::from_json(config.to_json()) == config);
    const auto converted = read(R"({"padding_idx": 1, "head_model_type": "roberta"})");
    CHECK(converted.uncounted_id() == 1);
    CHECK(nf::NystromformerConfig::from_json(converted.to_json()) == converted);
}

TEST_CASE("a folder without config.json is an IoError that names the file", "[config]") {
    try {
        (void)nf::NystromformerConfig::from_pretrained("/nonexistent");
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

TEST_CASE("a config that a program changed is checked when a model is loaded", "[config]") {
    const auto folder =
        std::filesystem::path(NYSTROMFORMER_TEST_DATA) / "reference" / "pipelines" / "classes";
    const auto checkpoint = nf::Checkpoint::open(folder);
    const auto field_refused = [&](const auto& change) -> std::string {
        auto config = nf::NystromformerConfig::from_pretrained(folder);
        change(config);
        try {
            (void)nf::NystromformerModel<float>::from_checkpoint(config, checkpoint);
        } catch (const nf::ConfigError& error) {
            return error.place();
        }
        return "";
    };
    using Config = nf::NystromformerConfig;
    CHECK(field_refused([](Config&) {}).empty());
    CHECK(field_refused([](Config& config) { config.num_landmarks = 0; }) == "num_landmarks");
    CHECK(field_refused([](Config& config) { config.num_landmarks = -4; }) == "num_landmarks");
    CHECK(field_refused([](Config& config) { config.num_landmarks = 63; }) == "num_landmarks");
    CHECK(field_refused([](Config& config) { config.segment_means_seq_len = 0; }) ==
          "segment_means_seq_len");
    CHECK(field_refused([](Config& config) { config.num_hidden_layers = -1; }) ==
          "num_hidden_layers");
    CHECK(field_refused([](Config& config) { config.num_attention_heads = 0; }) ==
          "num_attention_heads");
    CHECK(field_refused([](Config& config) { config.num_attention_heads = 5; }) == "hidden_size");
    CHECK(field_refused([](Config& config) { config.layer_norm_eps = -1; }) == "layer_norm_eps");
    CHECK(field_refused([](Config& config) {
              config.layer_norm_eps = std::numeric_limits<double>::quiet_NaN();
          }) == "layer_norm_eps");
    CHECK(field_refused([](Config& config) { config.embedding_size = 0; }) == "embedding_size");
    CHECK(field_refused([](Config& config) { config.eos_token_id = {2, -5}; }) == "eos_token_id");
    Config headless;
    headless.num_attention_heads = 0;
    CHECK(headless.head_dim() == 0);
}

}  // namespace config_test
