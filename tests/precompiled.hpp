// SPDX-License-Identifier: MIT
// What every test needs, compiled once: headers, and the models and kernels that instances.cpp
// makes of their templates. To the compiler what is precompiled is of the system, without warnings:
// those are told by instances.cpp, the programs, and each header compiled alone.
#pragma once

#include "catch.hpp"
#include "instances.hpp"

#include <Eigen/Core>
#include <nlohmann/json.hpp>

NYSTROMFORMER_TEST_INSTANCES(extern)
