"""What the functions of `aqa` take as a path."""

import os

PathLike = str | os.PathLike[str]
