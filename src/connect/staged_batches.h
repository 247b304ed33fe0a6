// The batch files and the rejects of one read, as the splitters fill them. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connect/chunk.h"

namespace caudal {

/// A file that is written from front to end, through a buffer. Errors name the path.
class AppendFile {
 public:
  AppendFile() = default;
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  /// Creates the file, or goes on at its end.
  Status Open(const std::string& path);
  Status Write(std::string_view bytes);
  Status Close();
  bool open() const { return x_fd >= 0; }
  /// Bytes may be appended here directly; Drain writes once it is full.
  std::string& buffer() { return x_buffer; }
  Status Drain() { return x_buffer.size() < kBufferBytes ? Status() : Flush(); }

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
  Status Flush();
  std::string x_path;
  std::string x_buffer;
  int x_fd = -1;
};

class StagedBatches {
 public:
  explicit StagedBatches(std::string folder) : x_folder(std::move(folder)) {}

  /// Makes the batch of these columns and dialect the current one.
  Status SelectCsv(const std::vector<std::string>& columns, const ChunkFormat& format);
  Status SelectLines();
  /// A Parquet file as it is.
  void AddParquet(const std::string& path, std::int64_t chunk, const ChunkFormat& format);

  /// The current batch, and its file.
  StagedBatch& current() { return x_batches[x_current]; }
  AppendFile& file() { return x_file; }

  Status Reject(const SplitReject& reject);
  /// Closes the files and gives everything to `read`.
  Status Finish(StagedRead& read);

 private:
  Status Select(const StagedBatch& like);
  std::string x_folder;
  std::vector<StagedBatch> x_batches;
  std::size_t x_current = 0;
  AppendFile x_file;
  AppendFile x_rejects;
  std::string x_rejects_path;
  std::int64_t x_rejected = 0;
};

/// Cuts the bytes of one chunk into records. Not thread-safe.
class Splitter {
 public:
  virtual ~Splitter() = default;
  virtual Status Feed(std::string_view bytes) = 0;
  /// The end of a body: of the chunk, or of a page in it. Errors: kCorruption where it ends inside a record.
  virtual Status EndBody() = 0;
  /// Records so far, rejected ones included.
  std::int64_t records() const { return x_records; }
  /// What stands at the front of each JSON object from now on: its inside, without braces, or "". CSV takes none.
  void set_members(std::string members) { x_members = std::move(members); }

 protected:
  std::string x_members;
  std::int64_t x_records = 0;
};

struct SplitTarget {
  StagedBatches* batches = nullptr;  // outlives the splitter
  std::string origin;
  std::int64_t chunk = 0;
  std::int64_t max_record_bytes = std::int64_t{64} << 20;
};

/// `format` is completed: columns from the header. Outlives the splitter.
std::unique_ptr<Splitter> MakeCsvSplitter(SplitTarget target, ChunkFormat& format);
/// One JSON value a line; `_source_row` is the line.
std::unique_ptr<Splitter> MakeLineSplitter(SplitTarget target);
/// Values at `selector`; `_source_row` is their ordinal. An array there gives its members, another value itself.
std::unique_ptr<Splitter> MakeJsonSplitter(SplitTarget target, std::vector<std::string> selector);

/// The byte after the last valid UTF-8 character: bytes.size() where all are.
std::size_t ValidUtf8Prefix(std::string_view bytes);
/// Each byte as the character of that number.
std::string Latin1ToUtf8(std::string_view bytes);

}  // namespace caudal
