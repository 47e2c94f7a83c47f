// SPDX-License-Identifier: MIT
// The main function of the tests where Catch2 is version 2 and brings none.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
