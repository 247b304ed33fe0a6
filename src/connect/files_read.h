// One read of one stream of files: what is new at the place, held against what was promised of it, into the sink.
// Used by one thread. The rules: docs/connectors/files.md.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "connect/file_ledger.h"
#include "connect/file_promise.h"
#include "connect/options.h"
#include "connect/place.h"
#include "connect/source.h"

namespace caudal {

/// Takes out what lies where `after_load` of the stream moves files to: it is no news.
void DropPutAway(const Options& stream, std::vector<PlaceFile>& files);

/// All of a file's bytes, from its beginning. Where the connection breaks, the rest is asked for again.
Status ReadWhole(FilePlace& place, const PlaceFile& file, const std::function<bool()>& cancelled, const TakeBytes& take);

class FilesRead {
 public:
  /// All of them outlive it; `options` are the stream's.
  FilesRead(const SourceRequest& request, const Options& options, FilePlace& place, ChunkSink& sink)
      : x_request(request), x_options(options), x_place(place), x_sink(sink) {}

  Result<ReadOutcome> Run(std::chrono::milliseconds settle);

 private:
  /// A file of the place, or a member of an archive there.
  struct Item {
    PlaceFile file;
    Promise promise;
    std::function<Status(const TakeBytes&)> read;
    bool member = false;
  };

  Result<std::vector<PlaceFile>> Candidates();
  Status HoldAgainstManifests(std::vector<PlaceFile>& files, const std::string& glob);
  Status Settle(std::vector<PlaceFile>& files, std::chrono::milliseconds settle);
  Status LoadFile(const PlaceFile& file);
  Status LoadArchive(const PlaceFile& file, const Promise& promise);
  Status LoadItem(const Item& item);
  Status Give(const Item& item);
  /// True where the content was loaded before, under this name or another.
  Result<bool> LoadedBefore(const Item& item);
  Result<std::string> DigestOf(const Item& item) const;
  Result<ChunkFormat> FormatOf(const std::string& name, const std::string& head);
  Status Workbook(const std::string& name, ChunkFormat& format) const;
  Status Dialect(const std::string& name, const std::string& head, ChunkFormat& format);
  Error Cancelled() const { return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""}; }

  const SourceRequest& x_request;
  const Options& x_options;
  FilePlace& x_place;
  ChunkSink& x_sink;
  FileLedger x_ledger;
  std::map<std::string, Promise> x_manifests;
  std::set<std::string> x_side_files;
  ReadOutcome x_outcome;
  std::int64_t x_loaded = 0;
  std::int64_t x_rows = 0;  // of the item that was loaded last
};

}  // namespace caudal
