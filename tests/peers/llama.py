"""A llama.cpp server whose model is half a megabyte of random numbers, made here: it speaks the protocol and says nothing sensible.

Usage: ``python -m tests.peers.llama FILE`` writes the model to FILE, serves it on a free port of loopback, prints the address, and
ends with its standard input.
"""

from __future__ import annotations

import sys

import gguf
import numpy as np
import xllamacpp

WIDTH, LAYERS, INNER, HEADS = 64, 2, 128, 4
CONTEXT = 8_192
UNKNOWN, NORMAL, CONTROL, BYTE = 2, 1, 3, 6
"""Kinds of tokens, as GGUF numbers them."""
TOKENS = [
    *(("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)),
    *((f"<0x{byte:02X}>", BYTE) for byte in range(256)),
    *((chr(code), NORMAL) for code in range(32, 127)),
]


def write(path: str) -> None:
    """Write a Llama of random weights, whose words are bytes."""
    model = gguf.GGUFWriter(path, "llama")
    model.add_context_length(CONTEXT)
    model.add_embedding_length(WIDTH)
    model.add_block_count(LAYERS)
    model.add_feed_forward_length(INNER)
    model.add_head_count(HEADS)
    model.add_head_count_kv(HEADS)
    model.add_layer_norm_rms_eps(1e-5)
    model.add_rope_dimension_count(WIDTH // HEADS)
    model.add_tokenizer_model("llama")
    model.add_token_list([token for token, _ in TOKENS])
    model.add_token_types([kind for _, kind in TOKENS])
    model.add_token_scores([0.0] * len(TOKENS))
    draw = np.random.default_rng(1)
    square, outward, inward = (WIDTH, WIDTH), (INNER, WIDTH), (WIDTH, INNER)
    shapes = {f"attn_{name}": square for name in ("q", "k", "v", "output")}
    shapes |= {"ffn_gate": outward, "ffn_up": outward, "ffn_down": inward}
    weights = {"token_embd": (len(TOKENS), WIDTH), "output": (len(TOKENS), WIDTH)}
    weights |= {f"blk.{layer}.{name}": shape for layer in range(LAYERS) for name, shape in shapes.items()}
    for name, shape in weights.items():
        model.add_tensor(f"{name}.weight", draw.normal(0, 0.05, shape).astype(np.float32))
    for name in ("output_norm", *(f"blk.{layer}.{part}_norm" for layer in range(LAYERS) for part in ("attn", "ffn"))):
        model.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    model.write_header_to_file()
    model.write_kv_data_to_file()
    model.write_tensors_to_file()
    model.close()


def serve(path: str) -> None:
    """Serve a model until nobody writes to standard input any more."""
    settings = xllamacpp.CommonParams()
    settings.model.path, settings.n_ctx, settings.port = path, CONTEXT, 0
    server = xllamacpp.Server(settings)  # serves while it is referred to
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    write(sys.argv[1])
    serve(sys.argv[1])
