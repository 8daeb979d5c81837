"""A binary tree whose inner nodes choose between two children, and whose leaves say where inside they are.

Yu et al., "Group-aware Contrastive Regression for Action Quality Assessment", ICCV 2021, section 3.3. The
names of the weights are those of the authors' code. Every node has weights of its own: grouped convolutions
of width 1 compute all nodes of a level at once.
"""

from torch import Tensor, nn

WIDTH = 256
DEPTH = 5
NUM_LEAVES = 2 ** (DEPTH - 1)


class RegressionTree(nn.Module):
    """A tree of 16 leaves over vectors; `width` is the number of features of each node."""

    def __init__(self, dim: int, *, width: int = WIDTH) -> None:
        super().__init__()
        levels = [2**level for level in range(DEPTH - 1)]  # nodes of each level above the leaves
        self.first_layer = nn.Sequential(nn.Linear(dim, width), nn.ReLU())
        self.feature_layers = nn.ModuleList(
            [nn.Sequential(_per_node(nodes, width, 2 * width), nn.ReLU()) for nodes in levels]
        )
        self.clf_layers = nn.ModuleList([_per_node(nodes, width, 2) for nodes in levels])
        self.reg_layer = _per_node(NUM_LEAVES, width, 1)

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return log probabilities and positions of the leaves `(batch, leaf)` of vectors `(batch, dim)`."""
        nodes = self.first_layer(vectors)[:, :, None]
        log_probabilities = vectors.new_zeros(len(vectors), 1)
        for grow, choose in zip(self.feature_layers, self.clf_layers, strict=True):
            of_children = choose(nodes).unflatten(1, (-1, 2)).squeeze(-1).log_softmax(dim=-1)
            log_probabilities = (log_probabilities[:, :, None] + of_children).flatten(1)
            nodes = grow(nodes)
        return log_probabilities, self.reg_layer(nodes).squeeze(-1)


def _per_node(num_nodes: int, dim: int, out_dim: int) -> nn.Conv1d:
    """Return a linear layer for each node, from `dim` to `out_dim`."""
    return nn.Conv1d(num_nodes * dim, num_nodes * out_dim, 1, groups=num_nodes)
