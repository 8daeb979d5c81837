"""What the operating system refuses, in one line: full and read-only disks, permissions, wrong places."""

import errno
import os

FREE = "Free some space or name another place, then run the same command again."
ELSEWHERE = "Name another place, or change who may write there."

REASONS = {
    errno.ENOSPC: f"the disk is full. {FREE}",
    errno.EDQUOT: f"the disk quota is used up. {FREE}",
    errno.EFBIG: f"the file would be larger than is allowed here. {FREE}",
    errno.EROFS: f"the disk is read-only. {ELSEWHERE}",
    errno.EACCES: f"permission denied. {ELSEWHERE}",
    errno.EPERM: f"the operation is not permitted. {ELSEWHERE}",
    errno.ENOTDIR: "a file stands where a folder is needed. Name another place, or move the file away.",
    errno.EISDIR: "a folder stands where a file is needed. Name another place, or move the folder away.",
    errno.EEXIST: "something is there already. Name another place, or move it away.",
    errno.ENOTEMPTY: "the folder is not empty. Name another place, or move its content away.",
    errno.ENOENT: "it is not there. Was it deleted or moved while the command ran?",
    errno.ENAMETOOLONG: "the name is too long for this disk. Name a shorter path.",
    errno.ELOOP: "its links lead in a circle. Name another place.",
    errno.EIO: "the disk cannot be read or written. Check the disk and its connection.",
    errno.ESTALE: "the network disk has lost it. Check its connection, then run the same command again.",
    errno.EMFILE: "too many files are open. Raise the limit (ulimit -n), or use fewer workers.",
    errno.ENFILE: "too many files are open on this machine. Close other programs.",
}
WRAPPED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # libraries repeat these in their own errors


def explain_disk_error(error: BaseException) -> str | None:
    """One line on what the disk refuses and what to do; None if the error is of another kind."""
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
