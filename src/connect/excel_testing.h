// Workbooks for tests, part by part as ECMA-376 has them; Python's zipfile packs them. Header only.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "connect/source_testing.h"

namespace caudal {

inline std::string ZipOf(const std::map<std::string, std::string>& parts) {
  const TempFolder folder;
  for (const auto& [name, text] : parts) folder.Write("parts/" + name, text);
  Shell("cd '" + folder.path() + "/parts' && python3 -c \"import os, zipfile; z = zipfile.ZipFile('../book.xlsx', 'w', zipfile.ZIP_DEFLATED); "
        "[z.write(os.path.join(d, f)) for d, _, fs in os.walk('.') for f in fs]; z.close()\"");
  return Contents(folder / "book.xlsx");
}

struct BookSheet {
  std::string name;
  std::string rows;  // <row>...</row>
  std::string state = {};
};

struct Book {
  std::vector<BookSheet> sheets;
  std::string strings = {};         // <si>...</si>
  std::string formats = {};         // <numFmt .../>
  std::vector<int> styles = {0};    // the format of each
  std::string properties = {};      // of <workbookPr>

  std::map<std::string, std::string> Parts() const {
    const std::string main = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
    const std::string kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    std::map<std::string, std::string> parts;
    std::string names;
    std::string relations = "<Relationship Id=\"s\" Type=\"" + kind + "/styles\" Target=\"styles.xml\"/>";
    if (!strings.empty()) relations += "<Relationship Id=\"t\" Type=\"" + kind + "/sharedStrings\" Target=\"/xl/sharedStrings.xml\"/>";
    for (std::size_t i = 0; i < sheets.size(); ++i) {
      const std::string id = "r" + std::to_string(i);
      names += "<sheet name=\"" + sheets[i].name + "\" sheetId=\"" + std::to_string(i + 7) + "\"" +
               (sheets[i].state.empty() ? "" : " state=\"" + sheets[i].state + "\"") + " r:id=\"" + id + "\"/>";
      relations += "<Relationship Id=\"" + id + "\" Type=\"" + kind + "/worksheet\" Target=\"worksheets/" + id + ".xml\"/>";
      parts["xl/worksheets/" + id + ".xml"] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><worksheet " + main + "><sheetData>" + sheets[i].rows + "</sheetData></worksheet>";
    }
    std::string xfs;
    for (const int id : styles) xfs += "<xf numFmtId=\"" + std::to_string(id) + "\"/>";
    parts["xl/workbook.xml"] = "<workbook " + main + " xmlns:r=\"" + kind + "\"><workbookPr " + properties + "/><sheets>" + names + "</sheets></workbook>";
    parts["xl/_rels/workbook.xml.rels"] = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">" + relations + "</Relationships>";
    parts["xl/styles.xml"] = "<styleSheet " + main + "><numFmts>" + formats + "</numFmts><cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs><cellXfs>" + xfs + "</cellXfs></styleSheet>";
    if (!strings.empty()) parts["xl/sharedStrings.xml"] = "<sst " + main + ">" + strings + "</sst>";
    return parts;
  }
  std::string Bytes() const { return ZipOf(Parts()); }
};

/// A cell of a text.
inline std::string TextCell(const std::string& name, const std::string& text) {
  return "<c r=\"" + name + "\" t=\"inlineStr\"><is><t>" + text + "</t></is></c>";
}
/// A cell of a number, in a style.
inline std::string NumberCell(const std::string& name, const std::string& number, int style = 0) {
  return "<c r=\"" + name + "\" s=\"" + std::to_string(style) + "\"><v>" + number + "</v></c>";
}
inline std::string SheetRow(int number, const std::string& cells) { return "<row r=\"" + std::to_string(number) + "\">" + cells + "</row>"; }

}  // namespace caudal
