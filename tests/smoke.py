"""The wheel alone, without development tools: it is complete, `aqa` answers, and `import aqa` works.

python tests/smoke.py FOLDER_OF_THE_WHEEL
"""

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

MUST_HOLD = (
    "aqa/__init__.py",
    "aqa/py.typed",
    "aqa/serve/static/serve.js",
    "aqa/serve/templates/base.html",
    "cli.py",
    "aqa_pipeline/py.typed",
    "extract/py.typed",
    "heads/py.typed",
    "aqa_pipeline/store/__init__.py",
    "heads/pages/page.css",
    "heads/pages/score.js",
    "heads/pages/templates/score.html",
    "heads/pages/vendor/uPlot.iife.min.js",
    "extract/run/stage.py",
    "heads/models/action_net.py",
)


def main(folder: Path) -> None:
    wheel = max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    names = zipfile.ZipFile(wheel).namelist()
    missing = [name for name in MUST_HOLD if name not in names]
    strangers = [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))]
    assert not missing, f"{wheel.name} lacks {missing}"
    assert not strangers, f"{wheel.name} holds {strangers}"
    with tempfile.TemporaryDirectory() as scratch:
        venv.create(scratch, with_pip=True)
        python = Path(scratch) / "bin" / "python"
        # Only what --help needs: the heavy packages must not be imported for it.
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "click"], check=True)
        subprocess.run([*install, "--no-deps", wheel], check=True)
        answer = subprocess.run([Path(scratch) / "bin" / "aqa", "--help"], check=True, capture_output=True)
        assert b"aqa demo" in answer.stdout, answer.stdout
        subprocess.run([python, "-c", "import aqa; assert aqa.__version__"], check=True)
    print(f"{wheel.name}: complete, and `aqa --help` answers without torch", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
