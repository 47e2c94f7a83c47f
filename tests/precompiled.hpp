// SPDX-License-Identifier: MIT
// The headers of others that every test needs, compiled once.
#pragma once

#include "catch.hpp"

#include <Eigen/Core>
#include <nlohmann/json.hpp>
