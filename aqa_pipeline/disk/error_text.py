"""Explain errors of the disk in one line: full and read-only disks, permissions, wrong paths."""

import errno
import os

FREE = "Free some space or choose another path, then run the same command again."
ELSEWHERE = "Choose another path, or change who may write there."

REASONS = {
    errno.ENOSPC: f"the disk is full. {FREE}",
    errno.EDQUOT: f"the disk quota is used up. {FREE}",
    errno.EFBIG: f"the file would be larger than this disk allows. {FREE}",
    errno.EROFS: f"the disk is read-only. {ELSEWHERE}",
    errno.EACCES: f"permission denied. {ELSEWHERE}",
    errno.EPERM: f"the operation is not permitted. {ELSEWHERE}",
    errno.ENOTDIR: "this is a file, but a folder is needed. Choose another path, or move the file away.",
    errno.EISDIR: "this is a folder, but a file is needed. Choose another path, or move the folder away.",
    errno.EEXIST: "a file of this name exists already. Choose another path, or move the file away.",
    errno.ENOTEMPTY: "the folder is not empty. Choose another path, or move its content away.",
    errno.ENOENT: "the file does not exist. Was it deleted or moved while the command ran?",
    errno.ENAMETOOLONG: "the name is too long for this disk. Choose a shorter path.",
    errno.ELOOP: "its symbolic links form a circle. Choose another path.",
    errno.EIO: "the disk cannot be read or written. Check the disk and its connection.",
    errno.ESTALE: "the network disk has lost this file. Check its connection, then run the command again.",
    errno.EMFILE: "too many files are open. Raise the limit (ulimit -n), or use fewer workers.",
    errno.ENFILE: "too many files are open on this machine. Close other programs.",
}
WRAPPED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # libraries repeat these in their own errors


def explain_disk_error(error: BaseException) -> str | None:
    """Return one line on the error of the disk and what to do; None for any other error."""
    if isinstance(error, OSError) and error.errno in REASONS:
        place = error.filename2 or error.filename
        return (
            f"{os.fspath(place)}: {REASONS[error.errno]}" if _is_path(place) else _first_capital(error.errno)
        )
    number = next((each for each in WRAPPED if os.strerror(each) in str(error)), None)
    return None if number is None else _first_capital(number)


def _is_path(place: object) -> bool:
    return isinstance(place, str | os.PathLike)


def _first_capital(number: int) -> str:
    reason = REASONS[number]
    return reason[0].upper() + reason[1:]
