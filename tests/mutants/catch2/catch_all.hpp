// SPDX-License-Identifier: MIT
// As much of Catch2 as the tests of the loaders use, which compiles in a fraction of the time: for
// tests/mutants/mutants.py, which compiles them hundreds of times. It has the name of Catch2's own
// header so that tests/support/catch.hpp takes it. The first failure ends the program.
#pragma once

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <vector>

namespace small_catch {

struct Test {
    const char* name;
    void (*run)();
};

inline std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

inline bool add(const char* name, void (*run)()) {
    tests().push_back({name, run});
    return true;
}

template <typename What>
[[noreturn]] void fail(const What& what, int line) {
    std::cout << "line " << line << ": " << what << std::endl;
    std::_Exit(1);
}

}  // namespace small_catch

namespace Catch {
struct Approx;  // named by tests/support/catch.hpp
}

#define SMALL_CATCH_JOIN_(a, b) a##b
#define SMALL_CATCH_JOIN(a, b) SMALL_CATCH_JOIN_(a, b)
#define SMALL_CATCH_TEST(function, name, ...)                                               \
    static void function();                                                                 \
    static const bool SMALL_CATCH_JOIN(function, added) = small_catch::add(name, function); \
    static void function()
#define TEST_CASE(...) SMALL_CATCH_TEST(SMALL_CATCH_JOIN(test_, __COUNTER__), __VA_ARGS__, 0)
#define CHECK(...) \
    if (!(__VA_ARGS__)) small_catch::fail(#__VA_ARGS__, __LINE__)
#define REQUIRE(...) CHECK(__VA_ARGS__)
#define CHECK_FALSE(...) CHECK(!(__VA_ARGS__))
#define CHECK_NOTHROW(...) (void)(__VA_ARGS__)
#define REQUIRE_NOTHROW(...) CHECK_NOTHROW(__VA_ARGS__)
#define CHECK_THROWS_AS(expression, type)         \
    try {                                         \
        (void)(expression);                       \
        small_catch::fail("no " #type, __LINE__); \
    } catch (const type&) {                       \
    }
#define REQUIRE_THROWS_AS(expression, type) CHECK_THROWS_AS(expression, type)
#define INFO(...) (void)(std::ostringstream{} << __VA_ARGS__)
#define FAIL_CHECK(...) small_catch::fail((std::ostringstream{} << __VA_ARGS__).str(), __LINE__)
#define FAIL(...) FAIL_CHECK(__VA_ARGS__)
