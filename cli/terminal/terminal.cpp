// SPDX-License-Identifier: MIT
#include "terminal/terminal.hpp"

#include <cstdio>
#include <memory>
#include <set>
#include <string>

namespace command_line {

void print_message(std::string_view text) {
    const std::string line = "nystromformer: " + for_terminal(text) + '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

std::function<void(const nystromformer::Notice&)> notice_printer() {
    return
        [printed = std::make_shared<std::set<std::string>>()](const nystromformer::Notice& notice) {
            if (printed->insert(notice.text()).second) print_message("note: " + notice.text());
        };
}

}  // namespace command_line
