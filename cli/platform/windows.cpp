// SPDX-License-Identifier: MIT
#include "platform/platform.hpp"

#include <nystromformer/text.hpp>

#include <array>
#include <cstdlib>
#include <memory>
#include <system_error>

#define WIN32_LEAN_AND_MEAN
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#include <windows.h>
// After windows.h, which they need.
#include <psapi.h>
#include <shellapi.h>

namespace command_line {

namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(static_cast<int>(::GetLastError()), std::system_category(), what);
}

std::string utf8_of(std::wstring_view text) {
    const int size = static_cast<int>(text.size());
    const auto convert = [&](char* to, int room) {
        return ::WideCharToMultiByte(CP_UTF8, 0, text.data(), size, to, room, nullptr, nullptr);
    };
    std::string result(static_cast<std::size_t>(convert(nullptr, 0)), '\0');
    convert(result.data(), static_cast<int>(result.size()));
    return result;
}

std::wstring wide_of(std::string_view text) {
    const int size = static_cast<int>(text.size());
    const auto convert = [&](wchar_t* to, int room) {
        return ::MultiByteToWideChar(CP_UTF8, 0, text.data(), size, to, room);
    };
    std::wstring result(static_cast<std::size_t>(convert(nullptr, 0)), L'\0');
    convert(result.data(), static_cast<int>(result.size()));
    return result;
}

bool is_terminal(DWORD stream) {
    DWORD mode = 0;
    return ::GetConsoleMode(::GetStdHandle(stream), &mode) != 0;
}

/// The code page of the console, for as long as the program runs. What a program leaves there would
/// be that of the user's next command.
class ConsoleInUtf8 {
public:
    ConsoleInUtf8() : before_(::GetConsoleOutputCP()) { ::SetConsoleOutputCP(CP_UTF8); }
    ~ConsoleInUtf8() { ::SetConsoleOutputCP(before_); }
    ConsoleInUtf8(const ConsoleInUtf8&) = delete;
    ConsoleInUtf8& operator=(const ConsoleInUtf8&) = delete;

private:
    UINT before_;
};

/// A line that the user types, in UTF-8. The console gives bytes only of its old code pages.
std::string read_console() {
    std::array<wchar_t, 4096> part;
    std::wstring typed;
    do {
        DWORD count = 0;
        if (!::ReadConsoleW(::GetStdHandle(STD_INPUT_HANDLE), part.data(),
                            static_cast<DWORD>(part.size()), &count, nullptr))
            fail("reading the console");
        typed.append(part.data(), count);
    } while (!typed.empty() && typed.back() != L'\n');
    return typed.starts_with(L'\x1A') ? std::string() : utf8_of(typed);  // Ctrl-Z ends the input
}

std::string waiting;  // of a line that was typed

}  // namespace

const char list_separator = ';';

std::vector<std::string> arguments_of_main(int, char**) {
    int count = 0;
    const std::unique_ptr<LPWSTR, decltype(&::LocalFree)> wide(
        ::CommandLineToArgvW(::GetCommandLineW(), &count), &::LocalFree);
    if (!wide) fail("the command line");
    std::vector<std::string> arguments;
    for (int i = 0; i < count; ++i) arguments.push_back(utf8_of(wide.get()[i]));
    return arguments;
}

std::optional<std::string> environment(const char* name) {
    const wchar_t* value = ::_wgetenv(wide_of(name).c_str());
    return value == nullptr || *value == L'\0' ? std::nullopt : std::optional(utf8_of(value));
}

std::filesystem::path program_file() {
    std::wstring path(32768, L'\0');  // the longest path that Windows has
    path.resize(::GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
    return path;
}

std::filesystem::path home_folder() {
    return nystromformer::path_from_utf8(environment("USERPROFILE").value_or(""));
}

std::optional<double> peak_memory_mib() {
    PROCESS_MEMORY_COUNTERS counters{};
    counters.cb = sizeof counters;
    if (!::GetProcessMemoryInfo(::GetCurrentProcess(), &counters, sizeof counters))
        return std::nullopt;
    return static_cast<double>(counters.PeakWorkingSetSize) / (1 << 20);
}

void prepare_streams() { static const ConsoleInUtf8 console; }

bool stdin_is_terminal() { return is_terminal(STD_INPUT_HANDLE); }
bool stdout_is_terminal() { return is_terminal(STD_OUTPUT_HANDLE); }
bool stderr_is_terminal() { return is_terminal(STD_ERROR_HANDLE); }

std::size_t read_stdin(std::span<char> to) {
    if (stdin_is_terminal()) {
        if (waiting.empty()) waiting = read_console();
        const std::size_t count = waiting.copy(to.data(), to.size());
        waiting.erase(0, count);
        return count;
    }
    DWORD count = 0;
    const auto room = static_cast<DWORD>(to.size());
    if (::ReadFile(::GetStdHandle(STD_INPUT_HANDLE), to.data(), room, &count, nullptr))
        return count;
    if (::GetLastError() == ERROR_BROKEN_PIPE) return 0;  // how a pipe ends
    fail("reading stdin");
}

bool stdin_is_ready() {
    const HANDLE handle = ::GetStdHandle(STD_INPUT_HANDLE);
    if (::GetFileType(handle) == FILE_TYPE_DISK) return true;
    if (stdin_is_terminal()) return !waiting.empty();
    DWORD bytes = 0;
    return ::PeekNamedPipe(handle, nullptr, 0, nullptr, &bytes, nullptr) && bytes > 0;
}

std::uint64_t stdin_size() {
    const HANDLE handle = ::GetStdHandle(STD_INPUT_HANDLE);
    LARGE_INTEGER size{};
    const bool is_file = ::GetFileType(handle) == FILE_TYPE_DISK && ::GetFileSizeEx(handle, &size);
    return is_file ? static_cast<std::uint64_t>(size.QuadPart) : 0;
}

std::size_t write_stdout(std::string_view text) {
    constexpr std::size_t most = std::size_t{1} << 20;
    DWORD written = 0;
    if (!::WriteFile(::GetStdHandle(STD_OUTPUT_HANDLE), text.data(),
                     static_cast<DWORD>(text.size() < most ? text.size() : most), &written,
                     nullptr))
        fail("writing to stdout");
    return written;
}

}  // namespace command_line
