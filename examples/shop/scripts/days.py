"""The shop's daily CSV drops: find, read and write them (plain or .gz), byte for byte reproducible."""
import csv
import gzip
import io
import os
import re
import sys

COLUMNS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]


def days(folder):
    """{day: path} of the drops of a folder, oldest first."""
    found = {}
    for name in sorted(os.listdir(folder)):
        match = re.fullmatch(r"(\d{4}-\d{2}-\d{2})\.csv(\.gz)?", name)
        if match:
            found[match[1]] = os.path.join(folder, name)
    if not found:
        sys.exit(f"no daily file YYYY-MM-DD.csv or .csv.gz in {folder}")
    return found


def read_bytes(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
        return f.read()


def read(path):
    """The rows of a drop as lists in the order of COLUMNS."""
    rows = list(csv.reader(io.StringIO(read_bytes(path).decode("utf-8"), newline="")))
    if not rows or rows[0] != COLUMNS:
        sys.exit(f"{path}: the first line is not {','.join(COLUMNS)}")
    return rows[1:]


def write_bytes(path, content):
    """Writes beside, then renames: whoever watches the folder never sees half a file."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    temporary = os.path.join(os.path.dirname(path), "." + os.path.basename(path) + ".tmp")
    with open(temporary, "wb") as f:
        f.write(gzip.compress(content, 9, mtime=0) if path.endswith(".gz") else content)
    os.replace(temporary, path)


def to_bytes(rows):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def write(path, rows):
    write_bytes(path, to_bytes(rows))
