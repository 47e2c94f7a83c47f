// SPDX-License-Identifier: MIT
// The body of heads.hpp.
#pragma once

#include <nystromformer/heads.hpp>
#include <nystromformer/model/head_kind.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2 {

NYSTROMFORMER_INLINE std::vector<HeldHead> held_heads(const NystromformerConfig& config,
                                                      const Checkpoint& checkpoint) {
    std::vector<detail::HeadKind> kinds = detail::FolderHeads(config, checkpoint).kinds();
    kinds.push_back(detail::HeadKind::none);
    std::vector<HeldHead> heads;
    for (const detail::HeadKind kind : kinds) {
        const detail::HeadWords& words = detail::words_of(kind);
        HeldHead& head = heads.emplace_back(HeldHead{std::string(words.name), {}});
        constexpr std::string_view separator = ", ";
        std::string_view rest = words.commands;
        while (!rest.empty()) {
            const std::string_view command = rest.substr(0, rest.find(separator));
            head.commands.emplace_back(command);
            rest.remove_prefix(std::min(command.size() + separator.size(), rest.size()));
        }
    }
    return heads;
}

}  // namespace nystromformer::inline v0_2
