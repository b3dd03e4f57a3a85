"""transformers: GPT-2, BERT, Llama and T5 from small configurations, with weights made by seed.

Each is evaluated, trained with AdamW, saved and read again (safetensors), and generates: greedily with and without its
cache, by sampling, by beams. Nothing comes from the network.
"""

import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
sys.modules["torchvision"] = None  # for images, which these models do not take

import torch  # noqa: E402
from tokenizers import Tokenizer, models as vocabularies, pre_tokenizers  # noqa: E402
from transformers import (  # noqa: E402
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
    get_linear_schedule_with_warmup,
)
from transformers.utils import logging  # noqa: E402

logging.set_verbosity_error()
logging.disable_progress_bar()
SPECIAL = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "vocab_size": 60}
SMALL = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 64}
BERT = BertConfig(**SMALL, max_position_embeddings=40, num_labels=3, pad_token_id=2, vocab_size=60)
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 2}
MODELS = {
    "GPT-2": (GPT2LMHeadModel, GPT2Config(**SPECIAL, n_layer=2, n_head=4, n_embd=32, n_positions=40)),
    "BERT, classes": (BertForSequenceClassification, BERT),
    "BERT, masked": (BertForMaskedLM, BERT),
    "Llama": (LlamaForCausalLM, LlamaConfig(**SPECIAL, **SMALL, num_key_value_heads=2, max_position_embeddings=40)),
    "T5": (T5ForConditionalGeneration, T5Config(**T5, **SPECIAL)),
}
WAYS = {
    "sampled": {"do_sample": True},
    "narrowly sampled": {
        "do_sample": True, "top_k": 10, "top_p": 0.9, "temperature": 1.5, "num_return_sequences": 2,
    },
    "by beams": {"do_sample": False, "num_beams": 3, "no_repeat_ngram_size": 2},
}  # fmt: skip


def show(name, *values):
    print(f"{name:18}", *(f"{v.item():.4f}" if isinstance(v, torch.Tensor) else v for v in values))


def batch(name):
    """Return the arguments of a model's call: three sequences, one of them padded, and what is to come of them."""
    torch.manual_seed(1)
    tokens = torch.randint(3, 60, (3, 10))
    mask = torch.ones_like(tokens)
    mask[1, 7:] = 0
    labels = tokens.masked_fill(mask == 0, -100)
    if name == "BERT, classes":
        labels = torch.tensor([0, 2, 1])
    elif name == "T5":
        labels = labels.flip(1)[:, :6].contiguous()
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}


def evaluate(model, inputs):
    model.eval()
    with torch.no_grad():
        out = model(**inputs, output_hidden_states=True)
    show("evaluated", out.loss, tuple(out.logits.shape), out.logits.std(), *sorted(out))


def train(model, inputs, steps=4):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    schedule = get_linear_schedule_with_warmup(optimizer, 2, 10)
    model.train()
    for _ in range(steps):
        loss = model(**inputs).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        show("trained", loss, norm, schedule.get_last_lr())


def saved_and_read(make, model):
    model.eval().save_pretrained("saved")
    again = make.from_pretrained("saved")
    before, after = model.state_dict(), again.state_dict()
    same = list(before) == list(after) and all(torch.equal(before[name], after[name]) for name in before)
    tied = [p.data_ptr() for p in again.state_dict(keep_vars=True).values()]
    show("saved and read", same, again.training, len(tied) - len(set(tied)), sorted(os.listdir("saved")))
    return again


def generate(model, inputs):
    start = {"inputs": inputs["input_ids"][:2, :6], "attention_mask": inputs["attention_mask"][:2, :6]}
    greedy = model.generate(**start, max_new_tokens=12, do_sample=False)
    without = model.generate(**start, max_new_tokens=12, do_sample=False, use_cache=False)
    print("greedy", greedy.tolist(), "the same without cache" if torch.equal(greedy, without) else without.tolist())
    for name, settings in WAYS.items():
        torch.manual_seed(2)
        print(name, model.generate(**start, max_new_tokens=12, **settings).tolist())


for name, (make, config) in MODELS.items():
    torch.manual_seed(0)
    model = make(config)
    inputs = batch(name)
    show(name, sum(p.numel() for p in model.parameters()), len(model.state_dict()))
    evaluate(model, inputs)
    train(model, inputs)
    again = saved_and_read(make, model)
    if again.can_generate():
        generate(again, inputs)

# Attention written out gives what the kernel gives, and its probabilities; checkpoints the same gradients.
torch.manual_seed(0)
model = LlamaForCausalLM(MODELS["Llama"][1])
inputs = batch("Llama")
loss = model(**inputs).loss
loss.backward()
expected = model.model.embed_tokens.weight.grad.clone()
model.zero_grad()
model.set_attn_implementation("eager")
model.activation_checkpointing_enable()
model.train()
out = model(**inputs, output_attentions=True, use_cache=False)
out.loss.backward()
show("eager", torch.allclose(loss, out.loss), [tuple(a.shape) for a in out.attentions], out.attentions[0].std())
print(torch.allclose(model.model.embed_tokens.weight.grad, expected, atol=1e-6))
model.resize_token_embeddings(64, mean_resizing=False)
show("resized", model(inputs["input_ids"]).logits.shape[-1], sum(p.numel() for p in model.parameters()))

words = "[PAD] [UNK] the cat sat on a mat and slept".split()
tokenizer = Tokenizer(vocabularies.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")
encoded = tokenizer(["the cat sat", "the dog slept on a mat"], padding=True, return_tensors="pt")
print({name: (value.dtype, value.tolist()) for name, value in encoded.items()})
print(tokenizer.batch_decode(encoded["input_ids"], skip_special_tokens=True))
show("of words", model(**{k: encoded[k] for k in ("input_ids", "attention_mask")}).logits.std())
