// An Excel workbook (.xlsx, .xlsm; ECMA-376) that a stranger wrote: which sheets it has, and the cells of one as they stream by.
// Used by one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "connect/excel_value.h"
#include "connect/text_store.h"
#include "connect/xml_events.h"
#include "connect/zip_archive.h"

namespace caudal {

struct ExcelSheet {
  std::string name;
  std::string part;  // its member of the archive
  bool hidden = false;
};

/// What the cells of a sheet refer to.
struct ExcelParts {
  explicit ExcelParts(const std::string& scratch_folder) : strings(scratch_folder) {}
  TextStore strings;
  std::vector<NumberForm> styles;
  bool since_1904 = false;
};

class ExcelBook {
 public:
  /// `path` is a file that nobody writes; `what` names it in errors. Errors: kCorruption (no Excel file, or damaged),
  /// kUnsupported (password, another format of Excel), kPermission (what a zip archive must not do).
  static Result<std::unique_ptr<ExcelBook>> Open(const std::string& path, const std::string& what, InflateLimits limits);

  /// Those with cells, in the order of the workbook.
  const std::vector<ExcelSheet>& sheets() const { return x_sheets; }
  /// The sheet of that name; "" is the first that is not hidden. Errors: kNotFound, which lists the sheets there are.
  Result<const ExcelSheet*> Sheet(const std::string& name) const;
  /// Shared strings and styles. `parts` outlives nothing.
  Status ReadParts(ExcelParts& parts) const;
  /// Gives the sheet's XML to `handler`.
  Status ReadSheet(const ExcelSheet& sheet, XmlHandler& handler) const;

 private:
  ExcelBook(std::unique_ptr<ZipArchive> archive, std::string what) : x_archive(std::move(archive)), x_what(std::move(what)) {}
  Status ReadWorkbook();
  const ZipMember* Find(std::string_view part) const;
  Status Read(const ZipMember& member, XmlHandler& handler) const;
  Error Damaged(const std::string& why) const;

  std::unique_ptr<ZipArchive> x_archive;
  std::string x_what;
  std::vector<ExcelSheet> x_sheets;
  std::string x_strings_part;
  std::string x_styles_part;
  bool x_since_1904 = false;
};

}  // namespace caudal
