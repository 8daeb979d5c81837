"""The triplet loss of GDLT: embeddings of one grade are alike in all videos, and unlike those of others.

It draws the embeddings of a grade together whatever the scores of the videos are.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

MARGIN = 1.0


def triplet_losses(embeddings: Tensor, *, margin: float = MARGIN, with_positives: bool = True) -> Tensor:
    """Return the loss of each video `(batch)` of embeddings `(batch, grade, width)`.

    It is the mean over the video's grades of `relu(positive - negative + margin)`, in cosine distance to the
    hardest embedding of the same grade in another video, and to the nearest one of another grade. Without
    positives every other embedding of the batch counts as a negative, and the positive distance is 0.
    """
    num_videos, num_grades, width = embeddings.shape
    flat = F.normalize(embeddings.reshape(-1, width).float(), dim=-1)
    distances = 1 - flat @ flat.T
    grade = torch.arange(num_grades, device=flat.device).repeat(num_videos)
    itself = torch.eye(len(flat), dtype=torch.bool, device=flat.device)
    alike = grade[:, None] == grade if with_positives else itself
    positive = (distances * (alike & ~itself)).amax(dim=1)
    farthest = distances.amax(dim=1, keepdim=True)
    negative = (distances + farthest * alike).amin(dim=1)
    return F.relu(positive - negative + margin).reshape(num_videos, num_grades).mean(dim=1)
