// SPDX-License-Identifier: MIT
// What every test needs, compiled once: headers, and the models and kernels that instances.cpp
// makes of their templates.
#pragma once

#include "catch.hpp"
#include "instances.hpp"

#include <Eigen/Core>
#include <nlohmann/json.hpp>

NYSTROMFORMER_TEST_INSTANCES(extern)
