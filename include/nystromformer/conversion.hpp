// SPDX-License-Identifier: MIT
// convert_bert: a BERT or RoBERTa folder to a Nystromformer folder that gives the same numbers.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/options.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2 {

/// What `convert_bert` has done.
struct ConversionReport {
    std::string source_architecture;    ///< BertModel, RobertaForMaskedLM, ...
    NystromformerConfig config;         ///< as written
    Index source_positions = 0;         ///< the longest text of the source, in tokens
    std::vector<std::string> left_out;  ///< tensors that the new model has no place for: poolers
    std::vector<std::string> files;     ///< what the new folder holds, sorted
};

/// Writes to `to` the Nystromformer that equals the BERT, RoBERTa, XLM-RoBERTa or CamemBERT in
/// `from`: the encoder with exact attention, and the head if Nystromformer has it. The weights keep
/// their types. The numbers are the same for texts alone and for texts with padding after them;
/// RoBERTas also skip padding elsewhere when they count positions, Nystromformers do not.
///
/// This library and transformers load the new folder, which also gets the files of the tokenizer
/// and of sentence-transformers. If `max_positions` is more than before, these allow texts of that
/// length, too. Everything is checked before anything is written; config.json is written last.
///
/// Errors: IoError, FormatError, UnsafePathError, ConfigError, TensorError, TokenizerError,
/// UnsupportedError (a model, or a head, that has no equal), InputError (`to` is not empty,
/// `max_positions` too few).
ConversionReport convert_bert(const std::filesystem::path& from, const std::filesystem::path& to,
                              const ConversionOptions& options = {});

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/conversion/convert.hpp>
#endif
