#include "connect/sftp_place.h"

#include <algorithm>
#include <array>

#include "connect/ssh_session.h"

namespace caudal {
namespace {

PlaceFile Described(std::string name, const LIBSSH2_SFTP_ATTRIBUTES& facts) {
  const bool sized = (facts.flags & LIBSSH2_SFTP_ATTR_SIZE) != 0;
  const bool timed = (facts.flags & LIBSSH2_SFTP_ATTR_ACMODTIME) != 0;
  return PlaceFile{std::move(name), sized ? static_cast<std::int64_t>(facts.filesize) : -1,
                   timed ? static_cast<std::int64_t>(facts.mtime) * 1'000'000 : 0};
}

PlaceEntry::Kind KindOf(const LIBSSH2_SFTP_ATTRIBUTES& facts) {
  if ((facts.flags & LIBSSH2_SFTP_ATTR_PERMISSIONS) == 0) return PlaceEntry::Kind::kFile;
  if (LIBSSH2_SFTP_S_ISDIR(facts.permissions)) return PlaceEntry::Kind::kFolder;
  if (LIBSSH2_SFTP_S_ISLNK(facts.permissions)) return PlaceEntry::Kind::kLink;
  return LIBSSH2_SFTP_S_ISREG(facts.permissions) ? PlaceEntry::Kind::kFile : PlaceEntry::Kind::kOther;
}

unsigned int Length(const std::string& text) { return static_cast<unsigned int>(text.size()); }

/// An open file or folder there.
class Handle {
 public:
  Handle(const SshSession& session, LIBSSH2_SFTP_HANDLE* handle) : x_session(session), x_handle(handle) {}
  ~Handle() {
    if (x_handle != nullptr && !x_session.broken()) (void)x_session.Call([&] { return libssh2_sftp_close_handle(x_handle); }).has_value();
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  LIBSSH2_SFTP_HANDLE* get() const { return x_handle; }

 private:
  const SshSession& x_session;
  LIBSSH2_SFTP_HANDLE* x_handle;
};

class SftpPlace final : public FilePlace, public PlaceEditor {
 public:
  SftpPlace(PlaceUrl url, PlaceAccess access) : x_url(std::move(url)), x_access(std::move(access)) {}

  Status Connect() {
    x_session.reset();
    TRY_ASSIGN(x_session, SshSession::Open(x_url, x_access));
    // "/~/drops" is below the user's home, as curl and others write it; the server tells what it really is.
    std::string asked = x_url.path;
    if (asked.starts_with("/~/") || asked == "/~") asked = "." + asked.substr(2);
    if (asked.empty()) asked = "/";
    TRY_ASSIGN(x_root, Real(asked, "find the folder " + asked));
    while (x_root.ends_with('/')) x_root.pop_back();
    LIBSSH2_SFTP_ATTRIBUTES facts{};
    const std::string root = x_root.empty() ? "/" : x_root;
    TRY_ASSIGN(const long code, x_session->Call([&] { return libssh2_sftp_stat_ex(x_session->sftp(), root.c_str(), Length(root), LIBSSH2_SFTP_STAT, &facts); }));
    if (code != 0) return x_session->Failed("find the folder " + root, code);
    if (KindOf(facts) == PlaceEntry::Kind::kFolder) return {};
    return Error{ErrorKind::kInvalidArgument, "the location is no folder: " + x_url.Server() + root,
                 "name the folder as `location:`, and the files as `glob:` of the stream", ""};
  }

  Result<std::vector<PlaceFile>> List(std::string_view glob) override {
    TRY(Alive());
    const auto complete = [this](const PlaceEntry& entry, const std::string& name) -> Result<PlaceFile> {
      if (entry.kind == PlaceEntry::Kind::kLink || entry.size_bytes < 0) return Followed(name);
      return PlaceFile{name, entry.size_bytes, entry.modified_us};
    };
    return Kept(WalkPlace(glob, [this](const std::string& below) { return Entries(below); }, complete));
  }

  Result<PlaceFile> Stat(const std::string& name) override {
    TRY(Alive());
    return Kept(Followed(name));
  }

  Status Read(const PlaceFile& file, std::int64_t from, const TakeBytes& take) override {
    TRY(Alive());
    std::string buffer(std::size_t{256} << 10, '\0');
    const Status read = ReadPieces(file.name, from, buffer, take);
    if (!read) Forget(read.error());
    return read;
  }

  Result<std::string> Head(const std::string& name, std::size_t limit) override {
    TRY(Alive());
    std::string head;
    std::string buffer(std::min<std::size_t>(limit, std::size_t{64} << 10), '\0');
    const Status read = ReadPieces(name, 0, buffer, [&](std::string_view bytes) -> Status {
      head.append(bytes.substr(0, limit - head.size()));
      return head.size() < limit ? Status() : Status(Error{ErrorKind::kAlreadyExists, "enough", "", ""});
    });
    if (read || read.error().kind == ErrorKind::kAlreadyExists) return head;
    Forget(read.error());
    return read.error();
  }

  PlaceEditor* editor() override { return this; }

  Status Rename(const std::string& name, const std::string& to) override {
    TRY(Alive());
    for (std::size_t slash = to.find('/'); slash != std::string::npos; slash = to.find('/', slash + 1)) {
      const std::string folder = Path(to.substr(0, slash));
      // One that is there is as good; what else is wrong shows below.
      TRY(x_session->Call([&] { return libssh2_sftp_mkdir_ex(x_session->sftp(), folder.c_str(), Length(folder), 0755); }).has_value()
              ? Status()
              : Status(Error{ErrorKind::kUnavailable, "the connection to " + x_url.Server() + " broke", "", ""}));
    }
    if (Followed(to)) return Error{ErrorKind::kAlreadyExists, "there is a file of that name: " + to, "", ""};
    const std::string from = Path(name);
    const std::string target = Path(to);
    TRY_ASSIGN(const long code, x_session->Call([&] {  // without LIBSSH2_SFTP_RENAME_OVERWRITE: never over another file
      return libssh2_sftp_rename_ex(x_session->sftp(), from.c_str(), Length(from), target.c_str(), Length(target), LIBSSH2_SFTP_RENAME_ATOMIC);
    }));
    return code == 0 ? Status() : Status(x_session->Failed("move " + name + " to " + to, code));
  }

  Status Remove(const std::string& name) override {
    TRY(Alive());
    const std::string path = Path(name);
    TRY_ASSIGN(const long code, x_session->Call([&] { return libssh2_sftp_unlink_ex(x_session->sftp(), path.c_str(), Length(path)); }));
    if (code == 0) return {};
    Error error = x_session->Failed("remove " + name, code);
    return error.kind == ErrorKind::kNotFound ? Status() : Status(std::move(error));
  }

 private:
  std::string Path(const std::string& name) const { return x_root + "/" + name; }

  Status Alive() { return x_session == nullptr ? Connect() : Status(); }
  /// A connection that failed once is not asked again.
  void Forget(const Error& error) {
    if (error.retryable()) x_session.reset();
  }
  template <typename T>
  Result<T> Kept(Result<T> result) {
    if (!result) Forget(result.error());
    return result;
  }

  Result<std::string> Real(const std::string& path, const std::string& what) {
    std::string real(4096, '\0');
    TRY_ASSIGN(const long size, x_session->Call([&] {
      return libssh2_sftp_symlink_ex(x_session->sftp(), path.c_str(), Length(path), real.data(), Length(real), LIBSSH2_SFTP_REALPATH);
    }));
    if (size < 0) return x_session->Failed(what, size);
    real.resize(static_cast<std::size_t>(size));
    return real;
  }

  Result<std::vector<PlaceEntry>> Entries(const std::string& below) {
    const std::string path = Path(below);
    TRY_ASSIGN(LIBSSH2_SFTP_HANDLE* const opened,
               x_session->Make([&] { return libssh2_sftp_open_ex(x_session->sftp(), path.c_str(), Length(path), 0, 0, LIBSSH2_SFTP_OPENDIR); }));
    if (opened == nullptr) return x_session->Failed("list the folder " + path, x_session->last_error());
    const Handle folder(*x_session, opened);
    std::vector<PlaceEntry> entries;
    std::array<char, 4096> name{};
    for (;;) {
      LIBSSH2_SFTP_ATTRIBUTES facts{};
      TRY_ASSIGN(const long size, x_session->Call([&] { return libssh2_sftp_readdir_ex(folder.get(), name.data(), name.size(), nullptr, 0, &facts); }));
      if (size == 0) return entries;
      if (size < 0) return x_session->Failed("list the folder " + path, size);
      const PlaceFile file = Described("", facts);
      entries.push_back(PlaceEntry{std::string(name.data(), static_cast<std::size_t>(size)), KindOf(facts), file.size_bytes, file.modified_us});
    }
  }

  /// The file, or what a link leads to as long as that lies in the location.
  Result<PlaceFile> Followed(const std::string& name) {
    const std::string path = Path(name);
    LIBSSH2_SFTP_ATTRIBUTES facts{};
    TRY_ASSIGN(const long own, x_session->Call([&] { return libssh2_sftp_stat_ex(x_session->sftp(), path.c_str(), Length(path), LIBSSH2_SFTP_LSTAT, &facts); }));
    if (own != 0) return x_session->Failed("look at " + name, own);
    if (KindOf(facts) == PlaceEntry::Kind::kLink) {
      TRY_ASSIGN(const std::string real, Real(path, "follow the symlink " + name));
      if (!real.starts_with(x_root + "/")) {
        return Error{ErrorKind::kPermission, "a symlink leads out of the location: " + name, "put the file itself there, or take the link away", ""};
      }
      TRY_ASSIGN(const long code, x_session->Call([&] { return libssh2_sftp_stat_ex(x_session->sftp(), path.c_str(), Length(path), LIBSSH2_SFTP_STAT, &facts); }));
      if (code != 0) return x_session->Failed("follow the symlink " + name, code);
    }
    if (KindOf(facts) != PlaceEntry::Kind::kFile) return PlaceFile{name, -1, 0};
    return Described(name, facts);
  }

  Status ReadPieces(const std::string& name, std::int64_t from, std::string& buffer, const TakeBytes& take) {
    const std::string path = Path(name);
    TRY_ASSIGN(LIBSSH2_SFTP_HANDLE* const opened, x_session->Make([&] {
      return libssh2_sftp_open_ex(x_session->sftp(), path.c_str(), Length(path), LIBSSH2_FXF_READ, 0, LIBSSH2_SFTP_OPENFILE);
    }));
    if (opened == nullptr) return x_session->Failed("read " + name, x_session->last_error());
    const Handle file(*x_session, opened);
    libssh2_sftp_seek64(file.get(), static_cast<libssh2_uint64_t>(from));
    for (;;) {
      TRY_ASSIGN(const long size, x_session->Call([&] { return libssh2_sftp_read(file.get(), buffer.data(), buffer.size()); }));
      if (size == 0) return {};
      if (size < 0) return x_session->Failed("read " + name, size);
      TRY(take(std::string_view(buffer).substr(0, static_cast<std::size_t>(size))));
    }
  }

  const PlaceUrl x_url;
  const PlaceAccess x_access;
  std::unique_ptr<SshSession> x_session;
  std::string x_root;  // as the server resolves it, no slash at its end
};

}  // namespace

Result<std::unique_ptr<FilePlace>> OpenSftpPlace(PlaceUrl url, PlaceAccess access) {
  auto place = std::make_unique<SftpPlace>(std::move(url), std::move(access));
  TRY(place->Connect());
  return std::unique_ptr<FilePlace>(std::move(place));
}

}  // namespace caudal
