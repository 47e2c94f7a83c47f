// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/nystromformer.hpp>

#include <limits>
#include <string>
#include <vector>

namespace answers_json_test {

namespace nf = nystromformer;

TEST_CASE("answers become the JSON that Hugging Face's pipelines return") {
    using Classified = std::vector<nf::ClassificationAnswer>;
    CHECK(nf::to_json(Classified{{"a\"b", 0.5}, {"c", 0.25}}) ==
          R"([{"label":"a\"b","score":0.5},{"label":"c","score":0.25}])");
    CHECK(nf::to_json(Classified{}) == "[]");
    CHECK(nf::to_json(nf::ZeroShotAnswer{"t", {"x", "y"}, {0.75, 0.25}}) ==
          R"({"labels":["x","y"],"scores":[0.75,0.25],"sequence":"t"})");
    CHECK(nf::to_json(nf::MultipleChoiceAnswer{1, "b", {0.25, 0.75}}) ==
          R"({"choice":1,"scores":[0.25,0.75],"text":"b"})");

    using Entities = std::vector<nf::TokenClassificationAnswer>;
    const Entities token{{"B-LOC", 0.5, 3, 2, "x", 1, 2, 2, 4}};
    CHECK(nf::to_json(token) ==
          R"([{"end":2,"entity":"B-LOC","index":3,"score":0.5,"start":1,"word":"x"}])");
    CHECK(nf::to_json(token, {.byte_offsets = true, .word_ids = true}) ==
          R"([{"byte_end":4,"byte_start":2,"end":2,"entity":"B-LOC","index":3,"score":0.5,)"
          R"("start":1,"word":"x","word_id":2}])");
    CHECK(nf::to_json(Entities{{"LOC", 0.5, std::nullopt, std::nullopt, "x", 1, 2, 2, 4}}) ==
          R"([{"end":2,"entity_group":"LOC","score":0.5,"start":1,"word":"x"}])");

    using Found = std::vector<nf::QuestionAnsweringAnswer>;
    const nf::QuestionAnsweringAnswer found{0.5, 1, 2, "x", 2, 4};
    CHECK(nf::to_json(Found{found}) == R"({"answer":"x","end":2,"score":0.5,"start":1})");
    CHECK(nf::to_json(Found{found, found}).substr(0, 2) == "[{");
    CHECK(nf::to_json(Found{found}, {.byte_offsets = true}) ==
          R"({"answer":"x","byte_end":4,"byte_start":2,"end":2,"score":0.5,"start":1})");

    using Masks = std::vector<std::vector<nf::FillMaskAnswer>>;
    const std::vector<nf::FillMaskAnswer> mask{{0.5, 7, "x", "an x"}};
    const std::string of_mask = R"([{"score":0.5,"sequence":"an x","token":7,"token_str":"x"}])";
    CHECK(nf::to_json(Masks{mask}) == of_mask);
    CHECK(nf::to_json(Masks{mask, mask}) == "[" + of_mask + "," + of_mask + "]");

    const std::vector<std::string> texts{"a", "b"};
    CHECK(nf::to_json(std::vector<nf::RerankAnswer>{{1, 0.5}}) ==
          R"([{"corpus_id":1,"score":0.5}])");
    CHECK(nf::to_json(std::vector<nf::RerankAnswer>{{1, 0.5}}, texts) ==
          R"([{"corpus_id":1,"score":0.5,"text":"b"}])");
    CHECK(nf::to_json(std::vector<nf::SearchHit>{{0, 0.5F}}, texts) ==
          R"([{"corpus_id":0,"score":0.5,"text":"a"}])");
}

TEST_CASE("a hit whose text is not given, and sizes that contradict each other, are refused") {
    const std::vector<std::string> texts{"a", "b"};
    CHECK_THROWS_WITH(nf::to_json(std::vector<nf::SearchHit>{{2, 0.5F}}, texts),
                      "texts: expected a text for corpus_id 2, found 2 texts");
    CHECK_THROWS_AS(nf::to_json(std::vector<nf::RerankAnswer>{{-1, 0.5}}, texts), nf::InputError);
    const std::vector<nf::Embeddings> bad{
        {2, 2, {1, 2, 3}}, {1, 2, {}}, {-1, -1, {1}}, {1, 0, {1}}, {nf::Index{1} << 62, 4, {}}};
    for (const nf::Embeddings& embeddings : bad) {
        CHECK_THROWS_AS(nf::to_json(embeddings), nf::InputError);
        CHECK_THROWS_AS(embeddings.row(0), nf::InputError);
        CHECK_THROWS_AS(nf::SemanticIndex(embeddings), nf::InputError);
    }
    CHECK_THROWS_WITH(nf::SemanticIndex(bad[0]), "values: expected 2 x 2 numbers, found 3");
    const nf::SemanticIndex index(nf::Embeddings{1, 2, {1, 2}});
    CHECK_THROWS_AS(index.search(nf::Embeddings{2, 2, {1, 2, 3}}), nf::InputError);
    const nf::Embeddings one_row{1, 2, {1, 2}};
    CHECK_THROWS_AS(one_row.row(1), nf::InputError);
    CHECK(nf::to_json(nf::Embeddings{}) == "[]");
}

TEST_CASE("vectors are written with the fewest digits, and what JSON does not have is null") {
    const std::vector<float> row{0.1F,   1,        -0.0F,
                                 1e-20F, 16777216, std::numeric_limits<float>::infinity(),
                                 3e38F,  -2.5F,    std::numeric_limits<float>::quiet_NaN()};
    CHECK(nf::to_json(std::span<const float>(row)) ==
          "[0.1,1.0,-0.0,1e-20,16777216.0,null,3e+38,-2.5,null]");
    CHECK(nf::to_json(nf::Embeddings{2, 1, {0.5F, 2}}) == "[[0.5],[2.0]]");
    CHECK(nf::to_json(nf::Embeddings{}) == "[]");
    CHECK(nf::to_json(std::vector<nf::ClassificationAnswer>{{"\xFF", 1}}) ==
          "[{\"label\":\"\xEF\xBF\xBD\",\"score\":1.0}]");
}

}  // namespace answers_json_test
