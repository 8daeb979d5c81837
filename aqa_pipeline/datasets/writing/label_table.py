"""Change single rows of a user's table of scores, and keep every other byte of the file.

Columns that nobody here knows, their order, the separator, the encoding, line ends and blank lines stay as
they are. A table is written only if its file is still the one that was read.
"""

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from aqa_pipeline.datasets.adapters.folder import USUAL_CSV_NAMES, find_csv, names_of_targets
from aqa_pipeline.datasets.reading.field_values import inner_path
from aqa_pipeline.datasets.reading.score_table import (
    check_names_differ,
    find_delimiter,
    without_separator_line,
)
from aqa_pipeline.datasets.reading.video_endings import without_video_suffix
from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.untrusted.bounded_files import LABEL_BYTES, read_bounded_bytes

FIRST_COLUMNS = ("video", "score")
CODECS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class TableChanged(DatasetError):
    """The file of a table is not the one that was read."""


@dataclass(frozen=True)
class _Record:
    """One record of the file as it stands there, with its line end, and its fields without blanks around."""

    text: str
    fields: tuple[str, ...]
    line: int

    @property
    def is_blank(self) -> bool:
        return not any(self.fields)


@dataclass(frozen=True)
class LabelRow:
    """One row: its line in the file, its fields by column, and its id; None if the reader refuses its id."""

    line: int
    fields: Mapping[str, str] = field(repr=False)
    video_id: str | None


@dataclass(frozen=True)
class LabelTable:
    """A table of scores as it lies on disk. `digest` is the SHA-256 of its bytes; "" if there is no file yet.

    `mark` is the byte order mark, and `before` is a spreadsheet's line `sep=;` above the table.
    """

    path: Path
    digest: str
    mark: bytes = b""
    before: str = ""
    delimiter: str = ","
    line_end: str = "\n"
    records: tuple[_Record, ...] = field(default=(), repr=False)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns in lower case; empty if there is no table yet."""
        return tuple(name.lower() for name in self.records[self._header].fields) if self.records else ()

    @cached_property
    def rows(self) -> tuple[LabelRow, ...]:
        """The rows under the header that are not blank, in the order of the file."""
        return tuple(row for _, row in self._places)

    def rows_of(self, video_id: str) -> list[LabelRow]:
        """Return the rows of that id: one, unless the table repeats it."""
        return [row for row in self.rows if row.video_id == video_id]

    def values(self, column: str) -> list[str]:
        """Return the fields of a column that are not empty, in the order of the file."""
        return [text for row in self.rows if (text := row.fields.get(column, ""))]

    def with_row(self, fields: Mapping[str, str], *, line: int | None = None) -> "LabelTable":
        """Return the table with these fields in the row that stands in `line`, or in a new last row.

        Fields of other columns keep what the row has. A column is added if it gets a field that is not empty.
        Raises `DatasetError` if a row has more fields than columns: a new column would take them over.
        """
        new_columns = [name for name, text in fields.items() if text and name not in self.columns]
        table = self._with_columns(new_columns)
        at, old = next(((at, row.fields) for at, row in table._places if row.line == line), (None, {}))
        merged = [fields.get(name, old.get(name, "")) for name in table.columns]
        return table._with_record(at, merged)

    def without_row(self, line: int) -> "LabelTable":
        """Return the table without the row that stands in `line`."""
        (at,) = (at for at, row in self._places if row.line == line)
        return replace(self, records=(*self.records[:at], *self.records[at + 1 :]))

    def content(self) -> bytes:
        """Return the bytes of the file."""
        text = self.before + "".join(record.text for record in self.records)
        return self.mark + text.encode(CODECS.get(self.mark, "utf-8"))

    @property
    def _header(self) -> int:
        return next(at for at, record in enumerate(self.records) if not record.is_blank)

    @cached_property
    def _places(self) -> list[tuple[int, LabelRow]]:
        if not self.records:
            return []
        return [
            (at, self._row(record))
            for at, record in enumerate(self.records)
            if at > self._header and not record.is_blank
        ]

    def _row(self, record: _Record) -> LabelRow:
        padded = (*record.fields, *("" for _ in self.columns))
        fields = dict(zip(self.columns, padded, strict=False))
        return LabelRow(record.line, fields, _video_id(fields))

    def _with_columns(self, names: list[str]) -> "LabelTable":
        if not self.records:
            return self._with_record(None, list(dict.fromkeys([*FIRST_COLUMNS, *names])))
        if not names:
            return self
        for record in self.records:
            if any(record.fields[len(self.columns) :]):
                raise DatasetError(
                    f"{self.path.name} line {record.line} has more fields than there are columns, and a new "
                    "column would take them over: quote fields that hold the separator"
                )
        return self._with_record(self._header, [*self.records[self._header].fields, *names])

    def _with_record(self, at: int | None, fields: list[str]) -> "LabelTable":
        """Return the table with a record in the place of another, or at its end."""
        text = self._text(fields)
        if at is not None:
            old = self.records[at]
            text += _line_end(old.text)
            new = _Record(text, tuple(fields), old.line)
            return replace(self, records=(*self.records[:at], new, *self.records[at + 1 :]))
        records = self.records
        if records and not _line_end(records[-1].text):
            last = records[-1]
            records = (*records[:-1], replace(last, text=last.text + self.line_end))
        line = 1 + max((record.line for record in records), default=0)
        return replace(self, records=(*records, _Record(text + self.line_end, tuple(fields), line)))

    def _text(self, fields: list[str]) -> str:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.delimiter, lineterminator="\r\n").writerow(
            fields
        )  # quotes both signs
        return text.getvalue().removesuffix("\r\n")


def read_label_table(root: Path) -> LabelTable:
    """Return the table of scores in the folder; an empty one, `scores.csv`, if the folder has no CSV.

    Raises `DatasetError` for several CSVs, and for a file that is no table of scores.
    """
    if not any(path.suffix.lower() == ".csv" and path.is_file() for path in root.iterdir()):
        return LabelTable(root / USUAL_CSV_NAMES[0], digest="")
    path = find_csv(root)
    content = _bytes_of(path)
    mark = next((mark for mark in CODECS if content.startswith(mark)), b"")
    try:
        text = content[len(mark) :].decode(CODECS.get(mark, "utf-8"))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 text: save it as UTF-8") from error
    below, num_above, delimiter = without_separator_line(text)
    if not below.strip():
        return LabelTable(path, digest_of(content), mark=mark, before=text, delimiter=delimiter or ",")
    delimiter = delimiter or find_delimiter(below)
    records = tuple(_records(path, below, delimiter, first_line=num_above))
    line_end = next((end for record in records if (end := _line_end(record.text))), "\n")
    above = text[: len(text) - len(below)]
    table = LabelTable(path, digest_of(content), mark, above, delimiter, line_end, records)
    check_names_differ(path, table.columns)
    names_of_targets(path, table.columns)
    return table


def write_label_table(table: LabelTable) -> None:
    """Write the table in place of the file that it was read from, as a whole.

    Raises `TableChanged` if the file is not the one that was read.
    """
    now = digest_of(_bytes_of(table.path)) if table.path.exists() else ""
    if now != table.digest:
        raise TableChanged(
            f"{table.path.name} has been changed by somebody else in the meantime. Nothing was written. Look "
            "at it, and save again"
        )
    write_whole(table.path, table.content())


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of the bytes."""
    return hashlib.sha256(content).hexdigest()


def _bytes_of(path: Path) -> bytes:
    try:
        return read_bounded_bytes(path, most_bytes=LABEL_BYTES)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error


def _records(path: Path, text: str, delimiter: str, *, first_line: int) -> Iterator[_Record]:
    """Yield every record with the lines that it stands on; a field in quotes may hold line ends."""
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    begin = 0
    try:
        for fields in reader:
            raw = "".join(lines[begin : reader.line_num])
            begin = reader.line_num
            yield _Record(raw, tuple(field.strip() for field in fields), first_line + reader.line_num)
    except csv.Error as error:
        raise DatasetError(
            f"{path} line {first_line + reader.line_num} cannot be read as CSV: {error}"
        ) from error


def _line_end(text: str) -> str:
    return text[len(text.rstrip("\r\n")) :]


def _video_id(fields: Mapping[str, str]) -> str | None:
    """Return the id by which the reader of the folder knows the row; None if it refuses the row's names."""
    try:
        name = inner_path(fields.get("video", ""), name="video")
        return inner_path(fields["id"], name="id") if fields.get("id") else without_video_suffix(name)
    except DatasetError:
        return None
