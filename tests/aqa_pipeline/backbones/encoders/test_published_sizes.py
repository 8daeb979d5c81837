"""Files of the hub have exactly the bytes of the library's whole models: names, shapes and types agree."""

import json

import pytest
import torch

from aqa_pipeline.weights import WEIGHTS

COUNT_BYTES = 8
GEMMAS_WORDS = {"vocab_size": 256_000, "bos_token_id": 2, "eos_token_id": 1}


def size_as_safetensors(state):
    """Return the bytes of a safetensors file of these float32 tensors, as save_pretrained writes it.

    A count comes first, then a header padded to whole eights, then the numbers in the order of their names.
    """
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(state):
        start, end = end, end + state[name].numel() * 4
        header[name] = {"dtype": "F32", "shape": list(state[name].shape), "data_offsets": [start, end]}
    num_bytes = len(json.dumps(header, separators=(",", ":")))
    return COUNT_BYTES + -(-num_bytes // 8) * 8 + end


@pytest.mark.parametrize(
    ("weights", "kind", "config"),
    [
        ("vjepa2-vitl-fpc64-256", "VJEPA2", {}),
        ("siglip2-base-patch16-224", "Siglip", {"text_config": GEMMAS_WORDS}),
    ],
)
def test_the_published_size_is_that_of_the_librarys_model(transformers, weights, kind, config):
    with torch.device("meta"):
        whole = getattr(transformers, f"{kind}Model")(getattr(transformers, f"{kind}Config")(**config))
    assert WEIGHTS[weights].size == size_as_safetensors(whole.state_dict())
