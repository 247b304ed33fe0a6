#include "connect/put_away.h"

#include <fmt/format.h>

#include <set>

#include "base/ids.h"
#include "connect/file_promise.h"
#include "connect/files_read.h"

namespace caudal {
namespace {

class Keeper {
 public:
  Keeper(FilePlace& place, std::string folder, std::set<std::string> side_files)
      : x_place(place), x_editor(*place.editor()), x_folder(std::move(folder)), x_side_files(std::move(side_files)) {
    while (x_folder.ends_with('/')) x_folder.pop_back();
  }

  Status Remove(const std::string& name) {
    for (const char* suffix : {".sha256", ".md5"}) {
      if (x_side_files.contains(name + suffix)) TRY(x_editor.Remove(name + suffix));
    }
    return x_editor.Remove(name);
  }

  Status Move(const std::string& name, const std::string& sha256) {
    // The file last: as long as it lies there, all of this is done again.
    for (const char* suffix : {".sha256", ".md5"}) {
      if (x_side_files.contains(name + suffix)) TRY(MoveOne(name + suffix, ""));
    }
    return MoveOne(name, sha256);
  }

 private:
  /// `sha256` of the file that is moved; "" = look it up.
  Status MoveOne(const std::string& name, std::string sha256) {
    const std::string target = x_folder + "/" + name;
    const Status moved = x_editor.Rename(name, target);
    if (moved || moved.error().kind != ErrorKind::kAlreadyExists) return moved;
    // A move that was cut in two left a whole copy; or the name came again with another content, which gets a name of its own.
    if (sha256.empty()) {
      TRY_ASSIGN(sha256, DigestOf(name));
    }
    TRY_ASSIGN(const std::string there, DigestOf(target));
    if (there == sha256) return x_editor.Remove(name);
    const std::size_t slash = target.rfind('/') + 1;
    const Status renamed = x_editor.Rename(name, target.substr(0, slash) + sha256.substr(0, 12) + "-" + target.substr(slash));
    return renamed || renamed.error().kind != ErrorKind::kAlreadyExists ? renamed : x_editor.Remove(name);
  }

  Result<std::string> DigestOf(const std::string& name) const {
    TRY_ASSIGN(const PlaceFile file, x_place.Stat(name));
    Sha256 digest;
    TRY(ReadWhole(x_place, file, nullptr, [&](std::string_view bytes) {
      digest.Update(bytes);
      return Status();
    }));
    return digest.Hex();
  }

  FilePlace& x_place;
  PlaceEditor& x_editor;
  std::string x_folder;
  std::set<std::string> x_side_files;
};

}  // namespace

Result<std::vector<std::string>> PutAway(const SourceRequest& request, const Options& stream, FilePlace& place) {
  const std::string wish = stream.Text("after_load", "keep");
  std::vector<std::string> notes;
  if (wish == "keep" || place.editor() == nullptr) return notes;
  TRY_ASSIGN(const FileLedger ledger, FileLedger::Parse(request.cursor));
  TRY_ASSIGN(std::vector<PlaceFile> files, place.List(stream.Text("glob", "")));
  DropPutAway(stream, files);
  std::erase_if(files, [&](const PlaceFile& file) { return !ledger.Knows(file) || IsSideFile(file.name); });  // what changed since is news
  if (files.empty()) return notes;
  TRY_ASSIGN(std::set<std::string> side_files, SideFilesOf(place, stream.Text("glob", "")));
  const std::string folder = stream.Text("move_to", "");
  Keeper keeper(place, folder, std::move(side_files));
  std::int64_t done = 0;
  for (const PlaceFile& file : files) {
    const Status put = wish == "delete" ? keeper.Remove(file.name) : keeper.Move(file.name, ledger.files.at(file.name).sha256);
    if (put) {
      ++done;
      continue;
    }
    notes.push_back(fmt::format("{} stays where it is: {}", file.name, put.error().message));
    if (put.error().retryable()) break;  // the server is gone: the next run goes on
  }
  const std::string what = wish == "delete" ? "deleted" : "moved to " + folder;
  if (done > 0) notes.insert(notes.begin(), fmt::format("{} {} {}", done, done == 1 ? "file" : "files", what));
  return notes;
}

}  // namespace caudal
