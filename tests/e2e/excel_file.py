"""Writes .xlsx files with nothing but Python: numbers, texts, booleans, dates, errors, formulas; as ECMA-376 has the parts."""
import datetime
import zipfile
from xml.sax.saxutils import escape, quoteattr

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = {datetime.date: 1, datetime.datetime: 2, datetime.time: 3}
ZERO = datetime.datetime(1899, 12, 30)


class Raw(str):
    """The inside of a cell as it is, behind its reference: ' t="e"><v>#N/A</v>'."""


NOT_AVAILABLE = Raw(' t="e"><v>#N/A</v>')


def letters(column):
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def cell(place, value):
    if value is None:
        return ""
    if isinstance(value, Raw):
        inside = value
    elif isinstance(value, bool):
        inside = f' t="b"><v>{int(value)}</v>'
    elif isinstance(value, str):
        inside = f' t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is>'
    elif isinstance(value, datetime.time):
        inside = f' s="3"><v>{(value.hour * 3600 + value.minute * 60 + value.second) / 86400!r}</v>'
    elif isinstance(value, datetime.date):
        moment = value if isinstance(value, datetime.datetime) else datetime.datetime(value.year, value.month, value.day)
        inside = f' s="{STYLES[type(value)]}"><v>{(moment - ZERO) / datetime.timedelta(days=1)!r}</v>'
    else:
        inside = f"><v>{value!r}</v>"
    return f'<c r="{place}"{inside}</c>'


def rows_of(rows, first=1):
    """`rows` from row `first` on; None is an empty row."""
    return "".join(f'<row r="{r}">' + "".join(cell(f"{letters(c)}{r}", value) for c, value in enumerate(row, 1)) + "</row>"
                   for r, row in enumerate(rows, first) if row is not None)


def write(path, sheets, hidden=()):
    """`sheets`: rows by name."""
    names = "".join(f'<sheet name={quoteattr(name)} sheetId="{i}" {"state=" + chr(34) + "hidden" + chr(34) if name in hidden else ""} r:id="s{i}"/>'
                    for i, name in enumerate(sheets, 1))
    relations = "".join(f'<Relationship Id="s{i}" Type="{KINDS}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in range(1, len(sheets) + 1))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("xl/workbook.xml", f'<workbook {MAIN} xmlns:r="{KINDS}"><sheets>{names}</sheets></workbook>')
        z.writestr("xl/_rels/workbook.xml.rels", f'<Relationships>{relations}<Relationship Id="y" Type="{KINDS}/styles" Target="styles.xml"/></Relationships>')
        z.writestr("xl/styles.xml", f'<styleSheet {MAIN}><cellXfs>' + "".join(f'<xf numFmtId="{n}"/>' for n in (0, 14, 22, 21)) + "</cellXfs></styleSheet>")
        for i, rows in enumerate(sheets.values(), 1):
            z.writestr(f"xl/worksheets/sheet{i}.xml", f"<worksheet {MAIN}><sheetData>{rows_of(rows)}</sheetData></worksheet>")
