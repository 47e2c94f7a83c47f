// SPDX-License-Identifier: MIT
// Loads a folder in any form (pytorch_model.bin, shards, half precision) and saves it as
// config.json and model.safetensors, which transformers reads.
#include <nystromformer/config.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/models.hpp>

#include <iostream>
#include <string>
#include <string_view>

namespace nf = nystromformer;

template <typename Model>
bool save_if(const std::string& architecture, const char* from, const char* to) {
    // "ForMaskedLM" of NystromformerForMaskedLM, BertForMaskedLM, ...
    const std::string_view head = std::string_view(Model::architecture).substr(13);
    if (!architecture.ends_with(head)) return false;
    Model::from_pretrained(from).save_pretrained(to);
    return true;
}

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: to_safetensors FROM-FOLDER TO-FOLDER\n";
        return 2;
    }
    try {
        const auto names = nf::NystromformerConfig::from_pretrained(argv[1]).architectures;
        const std::string name = names.empty() ? "NystromformerModel" : names.front();
        const bool known =
            save_if<nf::NystromformerModel<>>(name, argv[1], argv[2]) ||
            save_if<nf::NystromformerForMaskedLM<>>(name, argv[1], argv[2]) ||
            save_if<nf::NystromformerForSequenceClassification<>>(name, argv[1], argv[2]) ||
            save_if<nf::NystromformerForMultipleChoice<>>(name, argv[1], argv[2]) ||
            save_if<nf::NystromformerForTokenClassification<>>(name, argv[1], argv[2]) ||
            save_if<nf::NystromformerForQuestionAnswering<>>(name, argv[1], argv[2]);
        if (!known) std::cerr << argv[1] << ": no known class in /architectures\n";
        return known ? 0 : 1;
    } catch (const nf::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
