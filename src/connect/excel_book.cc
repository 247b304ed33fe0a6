#include "connect/excel_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "connect/cell_range.h"
#include "data/name.h"

namespace caudal {
namespace {

constexpr std::size_t kMostTextBytes = std::size_t{1} << 20;  // of one cell; Excel itself holds 32,767 characters
constexpr std::size_t kMostNames = 100'000;                  // sheets, relations, styles: far beyond what Excel opens

int IntOf(std::string_view text, int fallback) {
  int value = fallback;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool IsTrue(std::string_view text) { return text == "1" || text == "true" || text == "on"; }

/// A list of elements, each told by its attributes.
class Elements final : public XmlHandler {
 public:
  using Take = std::function<Status(std::string_view name, const XmlAttributes& attributes)>;
  explicit Elements(Take take) : x_take(std::move(take)) {}
  Status OnStart(std::string_view name, const XmlAttributes& attributes) override { return x_take(name, attributes); }
  Status OnText(std::string_view) override { return {}; }
  Status OnEnd(std::string_view) override { return {}; }

 private:
  Take x_take;
};

/// The texts of <si>, runs of one format joined, what tells their pronunciation left out.
class SharedTexts final : public XmlHandler {
 public:
  SharedTexts(TextStore& store, const std::string& what) : x_store(store), x_what(what) {}
  Status OnStart(std::string_view name, const XmlAttributes&) override {
    if (name == "si") x_text.clear();
    if (name == "t") x_in_text = true;
    if (name == "rPh") x_in_phonetic = true;
    return {};
  }
  Status OnText(std::string_view text) override {
    if (!x_in_text || x_in_phonetic) return {};
    x_text.append(text);
    if (x_text.size() <= kMostTextBytes) return {};
    return Error{ErrorKind::kPermission, x_what + " has a text of more than 1 MiB: no Excel wrote it", "ask for the file again", ""};
  }
  Status OnEnd(std::string_view name) override {
    if (name == "t") x_in_text = false;
    if (name == "rPh") x_in_phonetic = false;
    return name == "si" ? x_store.Add(WithoutEscapes(std::move(x_text))) : Status();
  }

 private:
  TextStore& x_store;
  const std::string& x_what;
  std::string x_text;
  bool x_in_text = false;
  bool x_in_phonetic = false;
};

/// "worksheets/sheet1.xml" as the part "xl/workbook.xml" means it.
std::string PartBeside(const std::string& part, std::string target) {
  if (target.starts_with('/')) return target.substr(1);
  std::string folder = part.substr(0, part.rfind('/') + 1);
  while (target.starts_with("../") || target.starts_with("./")) {
    const bool up = target.starts_with("../");
    target.erase(0, up ? 3 : 2);
    if (up && !folder.empty()) folder.erase(folder.substr(0, folder.size() - 1).rfind('/') + 1);
  }
  return folder + target;
}

/// Says what a file is that is no zip archive; nothing where its bytes do not tell.
std::optional<Error> NoExcelFile(const std::string& path, const std::string& what) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return Error{ErrorKind::kInternal, "cannot read a staged file: " + path, "", ""};
  std::string bytes(std::size_t{1} << 20, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
  const auto has = [&](std::string_view word) {
    std::string wide;  // names in the directory of an OLE container
    for (const char c : word) wide.append({c, '\0'});
    return bytes.find(wide) != std::string::npos;
  };
  const bool container = bytes.starts_with("\xD0\xCF\x11\xE0");
  bool locked = false;
  bool old = false;
  while (container && !bytes.empty() && !locked) {
    locked = has("EncryptedPackage");
    old = old || has("Workbook") || has("Book");
    const std::string tail = bytes.substr(bytes.size() - std::min<std::size_t>(bytes.size(), 64));
    bytes.resize(std::size_t{1} << 20);
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
    if (!bytes.empty()) bytes.insert(0, tail);
  }
  std::fclose(file);
  if (locked) return Error{ErrorKind::kUnsupported, what + " is protected by a password", "save it without one (in Excel: File, Info, Protect Workbook, Encrypt with Password)", ""};
  if (container) {
    return Error{ErrorKind::kUnsupported, what + (old ? " is an .xls file of Excel 97-2003, whatever its name says" : " is no Excel file: it is an OLE container, as old Office files are"),
                 "open it in Excel and save it as .xlsx, or as CSV", ""};
  }
  if (bytes.starts_with("PK")) return std::nullopt;
  std::string_view head = bytes;
  head.remove_prefix(std::min(head.find_first_not_of("\xEF\xBB\xBF \t\r\n"), head.size()));
  const char* is = bytes.empty() ? "it is empty" : head.starts_with("<") ? "it begins as HTML or XML does" : bytes.starts_with("\x1F\x8B") ? "it begins as gzip does"
                   : bytes.find('\0') == std::string::npos ? "it is text; is it CSV?" : "its first bytes are of no zip archive, which an .xlsx file is";
  return Error{ErrorKind::kCorruption, fmt::format("{} is no Excel file: {}", what, is), "ask for the file as .xlsx, or state its `format:`", ""};
}

}  // namespace

Error ExcelBook::Damaged(const std::string& why) const { return Error{ErrorKind::kCorruption, x_what + " " + why, "ask for the file again", ""}; }

const ZipMember* ExcelBook::Find(std::string_view part) const {
  for (const ZipMember& member : x_archive->members()) {
    if (SameName(member.name, part)) return &member;
  }
  return nullptr;
}

Status ExcelBook::Read(const ZipMember& member, XmlHandler& handler) const {
  XmlEvents events(fmt::format("{} is damaged: {}", x_what, member.name), handler);
  TRY(x_archive->Read(member, [&](std::string_view bytes) { return events.Feed(bytes); }));
  return events.Finish();
}

Result<std::unique_ptr<ExcelBook>> ExcelBook::Open(const std::string& path, const std::string& what, InflateLimits limits) {
  if (std::optional<Error> error = NoExcelFile(path, what)) return *std::move(error);
  Result<std::unique_ptr<ZipArchive>> archive = ZipArchive::Open(path, what, limits);
  if (!archive) {
    Error error = std::move(archive).error();
    error.next = error.kind == ErrorKind::kCorruption ? "the file is cut or damaged: ask for it again" : "ask for the file as Excel writes it";
    return error;
  }
  std::unique_ptr<ExcelBook> book(new ExcelBook(*std::move(archive), what));
  TRY(book->ReadWorkbook());
  return book;
}

Status ExcelBook::ReadWorkbook() {
  std::string part = "xl/workbook.xml";
  if (const ZipMember* types = Find("[Content_Types].xml")) {
    Elements overrides([&](std::string_view name, const XmlAttributes& attributes) -> Status {
      const std::string_view type = attributes.Of("ContentType");
      const bool main = name == "Override" && (type.ends_with(".sheet.main+xml") || type.ends_with(".macroEnabled.main+xml"));
      if (main) part = PartBeside("", std::string(attributes.Of("PartName")));
      return {};
    });
    TRY(Read(*types, overrides));
  }
  const ZipMember* workbook = Find(part);
  if (workbook == nullptr) {
    const char* is = Find("xl/workbook.bin") != nullptr ? "is an .xlsb file: a binary workbook" : Find("content.xml") != nullptr ? "is an OpenDocument file"
                     : Find("word/document.xml") != nullptr ? "is a Word document" : "is a zip archive without a workbook in it";
    return Error{ErrorKind::kUnsupported, fmt::format("{} {}, no .xlsx", x_what, is), "save it as .xlsx, or as CSV", ""};
  }
  std::map<std::string, std::string> sheets;  // part by the id of its relation
  Elements relations([&](std::string_view name, const XmlAttributes& attributes) -> Status {
    if (name != "Relationship" || sheets.size() > kMostNames) return {};
    const std::string_view type = attributes.Of("Type");
    const std::string target = PartBeside(part, std::string(attributes.Of("Target")));
    if (type.ends_with("/worksheet")) sheets[std::string(attributes.Of("Id"))] = target;
    if (type.ends_with("/sharedStrings")) x_strings_part = target;
    if (type.ends_with("/styles")) x_styles_part = target;
    return {};
  });
  const std::size_t slash = part.rfind('/') + 1;
  const ZipMember* named = Find(part.substr(0, slash) + "_rels/" + part.substr(slash) + ".rels");
  if (named == nullptr) return Damaged("is damaged: nothing tells where its sheets are");
  TRY(Read(*named, relations));
  Elements names([&](std::string_view name, const XmlAttributes& attributes) -> Status {
    if (name == "workbookPr") x_since_1904 = IsTrue(attributes.Of("date1904"));
    if (name != "sheet" || x_sheets.size() > kMostNames) return {};
    // Not the sheet's own number; sheets of charts and dialogs have no cells.
    const auto found = sheets.find(std::string(attributes.Of("id")));
    if (found != sheets.end()) x_sheets.push_back(ExcelSheet{std::string(attributes.Of("name")), found->second, attributes.Of("state").ends_with("idden")});
    return {};
  });
  TRY(Read(*workbook, names));
  return x_sheets.empty() ? Damaged("has no sheet with cells") : Status();
}

Result<const ExcelSheet*> ExcelBook::Sheet(const std::string& name) const {
  const auto seen = [&](const ExcelSheet& sheet) { return name.empty() ? !sheet.hidden : SameName(sheet.name, name); };
  const auto exact = std::find_if(x_sheets.begin(), x_sheets.end(), [&](const ExcelSheet& sheet) { return sheet.name == name; });
  const auto found = exact != x_sheets.end() ? exact : std::find_if(x_sheets.begin(), x_sheets.end(), seen);
  if (found != x_sheets.end()) return &*found;
  if (name.empty()) return &x_sheets.front();
  std::string names;
  for (const ExcelSheet& sheet : x_sheets) {
    if (names.size() > 1000) break;
    names += fmt::format("{}'{}'{}", names.empty() ? "" : ", ", sheet.name, sheet.hidden ? " (hidden)" : "");
  }
  return Error{ErrorKind::kNotFound, fmt::format("{} has no sheet '{}'; it has: {}", x_what, name, names), "correct `sheet:` of the stream, or have `glob:` leave the file out", ""};
}

Status ExcelBook::ReadParts(ExcelParts& parts) const {
  parts.since_1904 = x_since_1904;
  if (const ZipMember* strings = Find(x_strings_part)) {
    SharedTexts texts(parts.strings, x_what);
    TRY(Read(*strings, texts));
    TRY(parts.strings.Close());
  }
  const ZipMember* styles = Find(x_styles_part);
  if (styles == nullptr) return {};
  std::map<int, NumberForm> forms;  // of the workbook's own formats
  bool of_cells = false;            // cellXfs, whose order the cells' numbers count
  Elements read([&](std::string_view name, const XmlAttributes& attributes) -> Status {
    if (name == "numFmt" && forms.size() < kMostNames) forms[IntOf(attributes.Of("numFmtId"), -1)] = FormOfCode(attributes.Of("formatCode"));
    if (name.ends_with("Xfs") || name == "cellStyles" || name == "dxfs") of_cells = name == "cellXfs";
    if (name != "xf" || !of_cells || parts.styles.size() > kMostNames) return {};
    const int id = IntOf(attributes.Of("numFmtId"), 0);
    const auto own = forms.find(id);
    parts.styles.push_back(own != forms.end() ? own->second : FormOfId(id));
    return {};
  });
  return Read(*styles, read);
}

Status ExcelBook::ReadSheet(const ExcelSheet& sheet, XmlHandler& handler) const {
  const ZipMember* member = Find(sheet.part);
  if (member == nullptr) return Damaged(fmt::format("is damaged: {} with sheet '{}' is missing", sheet.part, sheet.name));
  return Read(*member, handler);
}

}  // namespace caudal
