# SPDX-License-Identifier: MIT
"""What the generators of random models share: their parameters, and the names of files from before 2019."""
import zlib

import numpy
import torch


def draw_parameters(model, name):
    """Draws every parameter at random, as `name` seeds it: norms around 1, all others around 0."""
    generator = numpy.random.default_rng(zlib.crc32(name.encode()))
    for parameter_name, parameter in sorted(model.named_parameters()):
        centre = 1.0 if "norm.weight" in parameter_name.lower() else 0.0
        values = centre + 0.25 * generator.standard_normal(tuple(parameter.shape))
        parameter.data.copy_(torch.from_numpy(values))


def old_names(state):
    """bert-base-uncased's names of layer norms, position_ids, and both sides of the tied pairs."""
    renamed = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in state.items()
    }
    return renamed | {"bert.embeddings.position_ids": torch.arange(24)[None]}
