// SPDX-License-Identifier: MIT
// The small public functions that programs around the library use.
#include "support/catch.hpp"

#include <nystromformer/nystromformer.hpp>

#include <nystromformer/json.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faces_test {

namespace nf = nystromformer;

namespace {

std::filesystem::path model(const char* name) {
    return std::filesystem::path(NYSTROMFORMER_MODELS) / name;
}

std::vector<std::string> names_of(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    const auto config = nf::NystromformerConfig::from_pretrained(folder);
    for (const auto& head : nf::held_heads(config, nf::Checkpoint::open(folder)))
        names.push_back(head.name);
    return names;
}

}  // namespace

TEST_CASE("strip leaves out the white space of Python's str.strip", "[faces]") {
    CHECK(nf::strip(" \t\n a b\x1C\x1F ") == "a b");
    CHECK(nf::strip("\xC2\xA0\xE2\x80\x83text\xE3\x80\x80") == "text");  // U+00A0, U+2003, U+3000
    CHECK(nf::strip("\xE2\x80\x8Btext") == "\xE2\x80\x8Btext");          // U+200B is none
    CHECK(nf::strip(" \xFF ") == "\xFF");
    CHECK(nf::strip("  ").empty());
    CHECK(nf::strip("").empty());
}

TEST_CASE("text for a terminal has no control character and only UTF-8", "[faces]") {
    CHECK(nf::for_terminal("a\x1B[2Jb\n") == "a\\x1b[2Jb\\x0a");
    CHECK(nf::for_terminal("\x7F\xC2\x9B") == "\\x7f\\xc2\\x9b");  // DEL, and a C1 control
    CHECK(nf::for_terminal("\xFF\xC3\xA9\xE2\x82") == "\\xff\xC3\xA9\\xe2\\x82");
}

TEST_CASE("is_utf8 takes the well-formed UTF-8 of the Unicode Standard", "[faces]") {
    for (const char* good : {"", "a", "\xC3\xA9", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"})
        CHECK(nf::is_utf8(good));
    CHECK(nf::is_utf8(std::string_view("\0", 1)));
    for (const char* bad : {"\x80", "a\xC3", "\xC0\x80", "\xE0\x9F\xBF", "\xED\xA0\x80",
                            "\xF4\x90\x80\x80", "\xE2\x82z", "\xFF"})
        CHECK_FALSE(nf::is_utf8(bad));
    CHECK_FALSE(nf::is_utf8(std::string_view("\xE2\x82\xAC", 2)));
}

TEST_CASE("paths are UTF-8, and other bytes of their names stay", "[faces]") {
    const std::string name = "caf\xC3\xA9/\xE6\x97\xA5 \xF0\x9F\x98\x80";
    CHECK(nf::path_from_utf8(name).filename() == std::filesystem::path(u8"\u65e5 \U0001f600"));
    CHECK(nf::path_to_utf8(nf::path_from_utf8(name)) == name);
#if !defined(_WIN32)
    CHECK(nf::path_to_utf8(std::filesystem::path("\xFF")) == "\xFF");
#endif
}

TEST_CASE("messages quote names with their control characters escaped", "[faces]") {
    CHECK(nf::in_quotes("a\x01\xC3\xA9") == "\"a\\x01\\xc3\\xa9\"");
    CHECK(nf::in_quotes(std::string(200, 'a')) == '"' + std::string(128, 'a') + "...\"");
    CHECK(nf::shape_text({2, 3}) == "[2, 3]");
    CHECK(nf::shape_text({}) == "[]");
}

TEST_CASE("read_json refuses what nlohmann lets pass", "[faces]") {
    CHECK(nf::read_json(R"({"a": [1, 2.5, null]})")["a"][1] == 2.5);
    const std::pair<std::string, std::string> refused[] = {
        {"\xEF\xBB\xBF{}", "lines: byte 0: expected JSON, found a byte order mark"},
        {std::string("{}\0", 3), "lines: byte 2: expected JSON, found a zero byte"},
        {R"({"a": 1, "a": 2})", "lines: expected no duplicate key, found \"a\" twice"},
        {std::string(33, '['), "lines: expected a depth of at most 32, found a deeper value"},
        {"1e400", "lines: byte 5: expected JSON, found a number out of range at \"1e400\""},
        {"[1", "lines: byte 3: expected JSON, found invalid JSON at \"1\""}};
    for (const auto& [text, message] : refused) {
        std::string what;
        try {
            (void)nf::read_json(text, "lines");
        } catch (const nf::FormatError& error) {
            what = error.what();
        }
        CHECK(what == message);
    }
    CHECK_THROWS_AS(nf::read_json('"' + std::string(9 << 20, 'a') + '"'), nf::FormatError);
}

TEST_CASE("JSON values are described, and members keep order and spelling", "[faces]") {
    CHECK(nf::describe(nf::Json::array({1, 2, 3})) == "an array of 3");
    CHECK(nf::describe(nf::Json("a\n")) == "\"a\\x0a\"");
    CHECK(nf::json_string_size(R"("a\"b": 1)") == 6);
    std::vector<std::pair<std::string, std::string>> members;
    nf::for_each_json_member(R"({"b": 1.0,"\u0061": {"c": [2]} })",
                             [&](auto key, auto value) { members.emplace_back(key, value); });
    const std::vector<std::pair<std::string, std::string>> expected{{"b", " 1.0"},
                                                                    {"a", " {\"c\": [2]} "}};
    CHECK(members == expected);
}

TEST_CASE("the heads of a folder end with the encoder", "[faces]") {
    using Names = std::vector<std::string>;
    CHECK(names_of(model("nystromformer-small-en")) == Names{"masked-lm", "model"});
    CHECK(names_of(model("nystromformer-small-en-sentiment")) ==
          Names{"sequence-classification", "model"});
    CHECK(names_of(model("nystromformer-small-en-tags")) == Names{"token-classification", "model"});
    const auto folder = model("nystromformer-small-en-sentiment");
    const auto heads = nf::held_heads(nf::NystromformerConfig::from_pretrained(folder),
                                      nf::Checkpoint::open(folder));
    CHECK(heads[0].commands == Names{"classify", "zero-shot", "rerank"});
}

TEST_CASE("options of a forward pass can be checked before a call", "[faces]") {
    CHECK_NOTHROW(nf::check_options(nf::ForwardOptions{.num_landmarks = 64}));
    CHECK_THROWS_AS(nf::check_options(nf::ForwardOptions{.num_landmarks = -1}), nf::InputError);
    CHECK_THROWS_AS(nf::check_options(nf::ForwardOptions{.inverse_iterations = 1001}),
                    nf::InputError);
}

}  // namespace faces_test
