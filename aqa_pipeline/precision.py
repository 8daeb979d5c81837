"""Check before the work that a device can compute in a precision, so that no network fails midway."""

from aqa_pipeline.errors import AqaError


def check_precision(precision: str, *, device: str) -> None:
    """Raise `AqaError` for a precision that torch cannot compute in on that device."""
    if precision == "fp32" or not device.startswith("cpu"):
        return
    if precision == "fp16":
        raise AqaError("fp16 needs a GPU: on a CPU use fp32, or bf16 if the CPU supports it")
    if not cpu_has_bf16():
        raise AqaError(
            f"this CPU cannot compute in {precision}: torch's oneDNN needs AVX-512 (avx512bw, avx512vl and"
            " avx512dq) or avx_ne_convert for it. Use fp32, or another machine."
        )


def cpu_has_bf16() -> bool:
    """Return whether torch computes in bfloat16 on this CPU. Without oneDNN, torch uses its own code."""
    import torch

    return not torch.backends.mkldnn.is_available() or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
