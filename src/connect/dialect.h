// How a file is to be read, from its name and its first bytes. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "connect/chunk.h"

namespace caudal {

/// "none", "gzip" or "zstd", by the magic number.
std::string CompressionOf(std::string_view first_bytes);

/// "csv", "ndjson", "json", "parquet" or "xlsx" by the extension, a compression's left out; "" where it says nothing.
std::string KindOfName(std::string_view name);

/// True for files that are compressed in themselves, and read as a whole: their raw object is stored as it came.
bool CompressedWithin(std::string_view kind);

/// True where each file says its columns, so that one it does not say is missing: CSV, Excel. Of JSON any member may be absent.
bool NamesItsColumns(std::string_view kind);

/// The extension says that tabs stand between the fields: .tsv, .tab.
bool IsTabbedName(std::string_view name);

/// The first decompressed bytes, as many as `bytes` gives, at most `limit`.
std::string PlainHead(std::string_view bytes, const std::string& compression, std::size_t limit);

/// The delimiter among , ; tab | that cuts the first lines into the same number of fields, and the most of them; ','
/// where none does.
char GuessDelimiter(std::string_view head);

/// Fields of the first line.
std::size_t CountFields(std::string_view head, char delimiter, char quote);

/// True where `name` matches: * and ? stay within a folder, ** does not.
bool MatchesGlob(std::string_view glob, std::string_view name);

}  // namespace caudal
