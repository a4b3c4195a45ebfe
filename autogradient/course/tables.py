"""Tables as spreadsheets write them: CSV with commas, semicolons or tabs, a mark of the byte order
in front or not.
"""

from __future__ import annotations

import codecs
import csv
import io

#: What may stand between two cells.
SEPARATORS = ",;\t"


def rows_of(data: bytes, column: str) -> list[tuple[int, list[str]]]:
    """The rows of a table with the numbers of their last lines, the heading first, which has a
    `column` of that name. A line `sep=;` before it, which is for Excel, is left out.

    Raises UnicodeDecodeError; csv.Error, whose first argument is a line and whose second says what
    is wrong there.
    """
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = data.decode("utf-16" if wide else "utf-8-sig")
    first, _, rest = text.partition("\n")
    given = first.strip().lower().removeprefix("sep=")
    skipped = 0
    if first.strip().lower().startswith("sep=") and (given in SEPARATORS or not given):
        text, skipped = rest, 1
        first = rest.partition("\n")[0]
    names = {
        separator: [name.strip().strip('"').lower() for name in first.split(separator)]
        for separator in SEPARATORS
    }
    separator = next((each for each in SEPARATORS if column in names[each]), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return [(reader.line_num + skipped, row) for row in reader]
    except csv.Error as error:
        raise csv.Error(reader.line_num + skipped, str(error)) from None
