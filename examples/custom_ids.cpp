// SPDX-License-Identifier: MIT
// Runs ids of your own through an encoder, two sequences of different lengths without padding, and
// prints the norm of each sequence's first hidden state.
#include <nystromformer/error.hpp>
#include <nystromformer/models.hpp>

#include <iostream>

namespace nf = nystromformer;

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: custom_ids FOLDER\n";
        return 2;
    }
    try {
        const auto model = nf::NystromformerModel<float>::from_pretrained(argv[1]);
        const auto input = nf::ModelInput<float>::stacked({{2, 5, 6, 7, 3}, {2, 8, 3}});
        const auto output = model(input, {.attention = nf::Attention::exact});  // (8, hidden)
        for (nf::Index i = 0; i < input.num_sequences(); ++i) {
            const nf::Index first = input.offsets[static_cast<std::size_t>(i)];
            std::cout << output.last_hidden_state.row(first).norm() << '\n';
        }
    } catch (const nf::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
