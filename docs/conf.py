"""Sphinx: the guides (MyST) and the reference from docstrings (autodoc), as pages that work offline."""

from importlib.metadata import version as installed_version

project = "AQA pipeline"
author = "The AQA pipeline maintainers"
release = installed_version("aqa-pipeline")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
default_role = "code"
smartquotes = False  # `""` is code in docstrings
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
autodoc_member_order = "bysource"
html_theme = "furo"
html_title = "AQA pipeline"
html_static_path: list[str] = []
