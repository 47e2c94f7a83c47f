# SPDX-License-Identifier: MIT
"""The oracle: transformers' own Nystromformer in float64, with every intermediate kept.

Only the self attention is replaced, by ReferenceSelfAttention below. It is a copy of transformers'
class (modeling_nystromformer.py) with the formulas untouched and these repairs, each at a place
where transformers 5.23 raises an error or has no answer:

* Nystrom attention with a padding mask: transformers 5 hands down a (batch, 1, n, n) mask, which
  does not fit the (landmarks, n) scores of kernel_3. Its first row, (batch, 1, 1, n), is what 4.57
  hands down.
* inv_coeff_init_option = true: the constructor reads a misspelt key,
  `config["inv_init_coeff_option"]`. Here it selects the branch it was meant for, 1 / ||kernel_2||_1
  of each matrix.
* Lengths other than segment_means_seq_len: segments of two sizes by the rule of the authors' later
  code (github.com/mlpen/Nystromformer); exact attention where n <= num_landmarks.
* conv_kernel_size = null (no convolution): the attention provides for it, but the config class of
  5.23 refuses it; make_config puts it past the check.
* Options that transformers does not have: the attention of a call, the landmarks, the iterations,
  and the start value for each sequence.

verify.py compares the result with transformers' untouched classes wherever those can run: all cases
that 5.23 accepts, and with 4.57.6 the padded Nystrom cases too.
"""

import json
import math
from dataclasses import dataclass, field

import torch
import transformers
from transformers.models.nystromformer import modeling_nystromformer as hf

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)  # sums in one order, so that the same machine gives the same bytes

PristineSelfAttention = hf.NystromformerSelfAttention

HEADS = {
    "model": transformers.NystromformerModel,
    "masked-lm": transformers.NystromformerForMaskedLM,
    "sequence-classification": transformers.NystromformerForSequenceClassification,
    "multiple-choice": transformers.NystromformerForMultipleChoice,
    "token-classification": transformers.NystromformerForTokenClassification,
    "question-answering": transformers.NystromformerForQuestionAnswering,
}


@dataclass
class AttentionOptions:
    """What the library's ForwardOptions say about attention, and where layer 0 writes its
    intermediates."""

    attention: str = "config"  # config | exact | nystrom
    num_landmarks: int = 0  # 0: the config's
    inverse: str = (
        ""  # batch | sequence | matrix; "": matrix with inv_coeff_init_option, else batch
    )
    iterations: int = 6
    record: dict = field(default_factory=dict)


def segment_means(x, count):
    """(batch, heads, n, d) to (batch, heads, count, d): means of `count` segments, the longer ones
    last."""
    n = x.shape[-2]
    size = n // count
    short = (size + 1) * count - n  # this many segments have `size` rows, the rest one more
    first = x[..., : short * size, :].unflatten(-2, (short, size)).mean(dim=-2)
    if short == count:
        return first
    last = x[..., short * size :, :].unflatten(-2, (count - short, size + 1)).mean(dim=-2)
    return torch.cat([first, last], dim=-2)


def inverse_iterates(kernel, inverse, iterations):
    """The start value and the iterates of `iterative_inv` for kernel (batch, heads, m, m)."""
    sums = kernel.sum(dim=-2)  # (batch, heads, m), column sums
    largest = {
        "batch": lambda: sums.max(),
        "sequence": lambda: sums.amax(dim=(1, 2))[:, None, None, None],
        "matrix": lambda: sums.amax(dim=-1)[:, :, None, None],
    }[inverse]()
    identity = torch.eye(kernel.shape[-1], dtype=kernel.dtype)
    values = [1 / largest * kernel.transpose(-1, -2)]
    for _ in range(iterations):
        product = kernel @ values[-1]
        factor = 15 * identity - product @ (7 * identity - product)
        values.append(0.25 * values[-1] @ (13 * identity - product @ factor))
    return values


class ReferenceSelfAttention(PristineSelfAttention):
    """transformers' self attention with the repairs listed at the top of this file."""

    def __init__(self, config, *args, **kwargs):
        option, config.inv_coeff_init_option = config.inv_coeff_init_option, False
        super().__init__(config, *args, **kwargs)
        config.inv_coeff_init_option = option
        self.default_inverse = "matrix" if option else "batch"
        self.options = AttentionOptions()

    def landmarks_for(self, n):
        """The number of landmarks of this call, or None for exact attention."""
        attention = self.options.attention
        if attention == "config":
            attention = "exact" if self.num_landmarks == self.seq_len else "nystrom"
        count = self.options.num_landmarks or self.num_landmarks
        return None if attention == "exact" or n <= count else count

    def split_heads(self, x):
        """(batch, n, hidden) to (batch, heads, n, d)."""
        return x.unflatten(-1, (self.num_attention_heads, self.attention_head_size)).transpose(1, 2)

    def nystrom(self, q, k, v, mask, count):
        """kernel_1 * inverse (batch, heads, n, m) and the context (batch, heads, n, d)."""
        q_landmarks, k_landmarks = segment_means(q, count), segment_means(k, count)
        kernel_1 = torch.softmax(q @ k_landmarks.transpose(-1, -2), dim=-1)
        kernel_2 = torch.softmax(q_landmarks @ k_landmarks.transpose(-1, -2), dim=-1)
        scores = q_landmarks @ k.transpose(-1, -2)
        kernel_3 = torch.softmax(scores if mask is None else scores + mask, dim=-1)
        start = self.options.inverse or self.default_inverse
        inverse = inverse_iterates(kernel_2, start, self.options.iterations)
        self.options.record.update(q_landmarks=q_landmarks, k_landmarks=k_landmarks)
        self.options.record.update(kernel_1=kernel_1, kernel_2=kernel_2, kernel_3=kernel_3)
        self.options.record.update({f"inverse.{i}": value for i, value in enumerate(inverse)})
        probs = kernel_1 @ inverse[-1]
        return probs, probs @ (kernel_3 @ v)

    def forward(self, hidden_states, attention_mask=None, output_attentions=False):
        project = (self.query, self.key, self.value)
        q, k, v = (self.split_heads(linear(hidden_states)) for linear in project)
        q = q / math.sqrt(math.sqrt(self.attention_head_size))
        k = k / math.sqrt(math.sqrt(self.attention_head_size))
        mask = None if attention_mask is None else attention_mask[:, :, :1, :]
        count = self.landmarks_for(q.shape[-2])
        if count is None:
            scores = q @ k.transpose(-1, -2)
            probs = torch.softmax(scores if mask is None else scores + mask, dim=-1)
            context = probs @ v
        else:
            probs, context = self.nystrom(q, k, v, mask, count)
        self.options.record.update(q=q, k=k, v=v, context=context)
        if self.conv_kernel_size is not None:
            convolution = self.conv(v)
            self.options.record["convolution"] = convolution
            context = context + convolution
        context = context.transpose(1, 2).flatten(-2)
        return (context, probs) if output_attentions else (context,)


def make_config(entries):
    """The config class from the entries of a config.json."""
    rest = dict(entries)
    without_convolution = "conv_kernel_size" in rest and rest["conv_kernel_size"] is None
    if without_convolution:
        del rest["conv_kernel_size"]
    config = transformers.NystromformerConfig(**rest)
    if without_convolution:
        config.__dict__["conv_kernel_size"] = None
    return config


def load(folder, head, dtype=torch.float64, pristine=False):
    """The model of `folder`, weights converted from the files, every one accounted for."""
    hf.NystromformerSelfAttention = PristineSelfAttention if pristine else ReferenceSelfAttention
    config = make_config(json.loads((folder / "config.json").read_text()))
    model, report = HEADS[head].from_pretrained(
        folder, config=config, dtype=dtype, output_loading_info=True, local_files_only=True
    )
    tied = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}
    if set(report["missing_keys"]) - tied or report["mismatched_keys"]:
        raise ValueError(f"{folder}: {report}")
    return model.eval()


def watch(modules, record):
    """Forward hooks that keep the output of each named module in `record`."""

    def keep(name):
        return lambda module, args, output: record.__setitem__(name, output)

    return [module.register_forward_hook(keep(name)) for name, module in modules.items()]


def watched_modules(model, head):
    """The modules of embeddings, layer 0 and the head whose outputs are stored, by stored name."""
    base = model if head == "model" else model.nystromformer
    layer = base.encoder.layer[0]
    modules = {
        "embeddings": base.embeddings,
        "attention_output": layer.attention.output,
        "intermediate": layer.intermediate,
        "layer_output": layer.output,
    }
    if head == "masked-lm":
        modules["transform"] = model.cls.predictions.transform
    if head == "sequence-classification":
        modules["classifier_dense"] = model.classifier.dense  # before the activation
    if head == "multiple-choice":
        modules["pre_classifier"] = model.pre_classifier  # before the ReLU
    return modules


def forward_arguments(inputs, dtype):
    """The keyword arguments of transformers' forward for the tensors of a case."""
    arguments = {name: value for name, value in inputs.items() if name != "float_labels"}
    if "inputs_embeds" in inputs:
        arguments["inputs_embeds"] = inputs["inputs_embeds"].to(dtype)
    if "float_labels" in inputs:
        arguments["labels"] = inputs["float_labels"].to(dtype)
    return arguments


def flatten_outputs(output):
    """transformers' output as one flat dictionary: `hidden_states.0`, `attentions.1`, ..."""
    flat = {}
    for name, value in output.items():
        if isinstance(value, tuple):
            flat.update({f"{name}.{i}": tensor for i, tensor in enumerate(value)})
        elif value is not None:
            flat[name] = value
    return flat


def run(model, head, inputs, options=None, pristine=False):
    """Every output and every intermediate of layer 0 for one input."""
    options = options or AttentionOptions()
    base = model if head == "model" else model.nystromformer
    record = options.record
    problem_type = (
        model.config.problem_type
    )  # transformers' forward writes its guess into the config
    if not pristine:
        for i, layer in enumerate(base.encoder.layer):
            layer.attention.self.options = (
                options
                if i == 0
                else AttentionOptions(
                    options.attention, options.num_landmarks, options.inverse, options.iterations
                )
            )
    hooks = watch(watched_modules(model, head), record)
    arguments = forward_arguments(inputs, next(model.parameters()).dtype)
    with torch.no_grad():
        output = model(**arguments, output_hidden_states=True, output_attentions=True)
    for hook in hooks:
        hook.remove()
    model.config.problem_type = problem_type
    return flatten_outputs(output), record


def deviation(found, expected):
    """max |found - expected| / max(1, max |expected|), the measure of every comparison; NaN equals
    NaN."""
    found, expected = found.double(), expected.double()
    if found.shape != expected.shape or not torch.equal(found.isnan(), expected.isnan()):
        return math.inf
    found, expected = found.nan_to_num(0.0), expected.nan_to_num(0.0)
    if expected.numel() == 0:
        return 0.0
    return float((found - expected).abs().max() / max(1.0, float(expected.abs().max())))
