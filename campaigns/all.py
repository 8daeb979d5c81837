"""Run all campaigns one after another, and write their figures into docs/reliability.md.

python -m campaigns.all                      in full; three quarters of an hour on two idle cores
python -m campaigns.all --share 0.02         a short form, which leaves the docs as they are
python -m campaigns.all --only bit_flips,concurrent
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from campaigns.results.figures import put_into_docs

# In the order of docs/reliability.md, with their counts in full.
COUNTS: Mapping[str, int] = {
    "kills": 200,
    "ray_kills": 20,
    "fit_kills": 100,
    "concurrent": 50,
    "changed_inputs": 200,
    "bit_flips": 1000,
    "full_disk": 50,
    "mutated_videos": 500,
    "mutated_files": 2000,
    "video_kinds": 60,
    "many_videos": 2000,
}


def main() -> None:
    """Run the campaigns. Exit with 1 if a promise was not kept."""
    arguments = _arguments()
    possible = [name for name in COUNTS if _can_run(name)]
    names = arguments.only.split(",") if arguments.only else possible
    failed = [name for name in names if not _run(name, arguments.share, arguments.out)]
    if arguments.share == 1:
        _write_docs(arguments, possible)
    print(
        f"{len(names) - len(failed)} of {len(names)} promises kept" + "".join(f"\n  not {f}" for f in failed)
    )
    sys.exit(1 if failed else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts; default: all")
    parser.add_argument("--only", help="names, separated by commas; default: all that can run here")
    parser.add_argument("--out", type=Path, default=Path("build/campaigns"), help="default: %(default)s")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="default: %(default)s")
    return parser.parse_args()


def _write_docs(arguments: argparse.Namespace, possible: list[str]) -> None:
    """Write the page's table if every possible campaign has a result; else leave the page as it is."""
    missing = [name for name in possible if not (arguments.out / f"{name}.json").is_file()]
    if missing:
        page = arguments.docs / "reliability.md"
        print(f"{page} was not changed: {arguments.out} has no result of {', '.join(missing)}")
    else:
        put_into_docs(arguments.out, arguments.docs, order=tuple(COUNTS))


def _can_run(name: str) -> bool:
    """Return True if this machine has what the campaign needs; else print what is missing."""
    lacking = {
        "ray_kills": None if find_spec("ray") else "the extra `ray` is not installed",
        "video_kinds": None if shutil.which("ffmpeg") else "there is no `ffmpeg` program",
    }
    if why := lacking.get(name):
        print(f"{name}: left out, {why}")
    return not why


def _run(name: str, share: float, out: Path) -> bool:
    """Run one campaign in a separate process, whose crash cannot stop the others. Return True if it kept."""
    count = max(1, round(COUNTS[name] * share))
    print(f"\n{name}, {count:,}", flush=True)
    words = [sys.executable, "-m", f"campaigns.{name}", "--count", str(count), "--out", str(out)]
    return subprocess.run(words, check=False).returncode == 0


if __name__ == "__main__":
    main()
