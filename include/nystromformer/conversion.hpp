// SPDX-License-Identifier: MIT
// convert_bert: a BERT-family folder to a Nystromformer folder that gives the same numbers.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/options.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2 {

/// What `convert_bert` did.
struct ConversionReport {
    std::string source_architecture;    ///< BertModel, RobertaForMaskedLM, ...
    NystromformerConfig config;         ///< as written
    Index source_positions = 0;         ///< the longest text of the source, in tokens
    std::vector<std::string> left_out;  ///< tensors without a place in the new model (a pooler's)
    std::vector<std::string> files;     ///< names of the files in the new folder, sorted
};

/// Writes to `to` the Nystromformer that equals the BERT, RoBERTa, XLM-RoBERTa, CamemBERT,
/// DistilBERT or ELECTRA in `from`: the encoder with exact attention, and the head. The weights
/// keep their types. This library computes the same numbers from both folders.
///
/// transformers loads the new folder too, with two differences. It does not find a head that
/// computes something else than Nystromformer's (ConversionReport::config has its head_model_type).
/// And padding inside a text shifts the positions of a RoBERTa.
///
/// The new folder also gets the files of the tokenizer and of sentence-transformers. With a larger
/// `max_positions`, these allow texts of that length, too. Everything is checked before anything is
/// written; config.json is written last.
///
/// Errors: IoError, FormatError, UnsafePathError, ConfigError, TensorError, TokenizerError,
/// UnsupportedError (a model or head without an equal), InputError (`to` is not empty, or
/// `max_positions` is out of range).
ConversionReport convert_bert(const std::filesystem::path& from, const std::filesystem::path& to,
                              const ConversionOptions& options = {});

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/conversion/convert.hpp>
#endif
