#include "connect/zip_archive.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <zip.h>

#include <algorithm>
#include <set>

namespace caudal {
namespace {

constexpr zip_int64_t kMaxMembers = 100'000;

struct CloseZip {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseMember {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

class Archive final : public ZipArchive {
 public:
  Archive(zip_t* archive, std::string what, InflateLimits limits) : x_archive(archive), x_what(std::move(what)), x_limits(limits) {}

  /// `stored_bytes`: of the whole archive; members may lie in the same bytes.
  Status ReadDirectory(std::int64_t stored_bytes) {
    const zip_int64_t count = zip_get_num_entries(x_archive.get(), 0);
    if (count > kMaxMembers) return Refuse(ErrorKind::kPermission, fmt::format("has {} members, more than {}", count, kMaxMembers));
    std::set<std::string> names;
    std::int64_t all_bytes = 0;
    for (zip_int64_t i = 0; i < count; ++i) {
      zip_stat_t facts;
      zip_stat_init(&facts);
      if (zip_stat_index(x_archive.get(), static_cast<zip_uint64_t>(i), 0, &facts) != 0) return Damaged("cannot be listed");
      const std::string name = facts.name == nullptr ? "" : facts.name;
      TRY(CheckName(name, static_cast<zip_uint64_t>(i)));
      if (name.ends_with('/') || name[0] == '.' || name.find("/.") != std::string::npos || name.starts_with("__MACOSX/")) continue;
      TRY(CheckFacts(name, facts));
      if (!names.insert(name).second) return Refuse(ErrorKind::kCorruption, "has two members of one name: " + name);
      all_bytes += static_cast<std::int64_t>(facts.size);
      const bool expands = all_bytes > x_limits.ratio_from_bytes && static_cast<double>(all_bytes) > x_limits.max_ratio * static_cast<double>(stored_bytes);
      if (expands || all_bytes > x_limits.max_bytes) return Refuse(ErrorKind::kPermission, "expands beyond all bounds: refused as a decompression bomb");
      x_members.push_back(ZipMember{name, static_cast<std::int64_t>(facts.size), static_cast<std::uint64_t>(i)});
    }
    std::sort(x_members.begin(), x_members.end(), [](const ZipMember& a, const ZipMember& b) { return a.name < b.name; });
    return {};
  }

  const std::vector<ZipMember>& members() const override { return x_members; }

  Status Read(const ZipMember& member, const TakeBytes& take) override {
    const std::unique_ptr<zip_file_t, CloseMember> file(zip_fopen_index(x_archive.get(), member.index, 0));
    if (file == nullptr) return Damaged(fmt::format("is damaged: {} cannot be opened: {}", member.name, zip_strerror(x_archive.get())));
    std::string buffer(std::size_t{256} << 10, '\0');
    std::int64_t read = 0;
    for (;;) {
      const zip_int64_t n = zip_fread(file.get(), buffer.data(), buffer.size());
      if (n < 0) return Damaged(fmt::format("is damaged: {} cannot be read: {}", member.name, zip_error_strerror(zip_file_get_error(file.get()))));
      if (n == 0) break;
      read += n;
      // What the archive says of a member was held against the limits; it may not give more than it said.
      if (read > member.size_bytes) return Refuse(ErrorKind::kPermission, "holds more than it says: " + member.name + ": refused as a decompression bomb");
      TRY(take(std::string_view(buffer).substr(0, static_cast<std::size_t>(n))));
    }
    if (read == member.size_bytes) return {};
    return Damaged(fmt::format("is damaged: {} has {} bytes instead of {}", member.name, read, member.size_bytes));
  }

 private:
  Error Refuse(ErrorKind kind, const std::string& why) const {
    return Error{kind, fmt::format("{} {}", x_what, why), "ask for an archive of plain files", ""};
  }
  Error Damaged(const std::string& why) const { return Error{ErrorKind::kCorruption, fmt::format("{} {}", x_what, why), "ask for the file again", ""}; }

  Status CheckName(const std::string& name, zip_uint64_t index) const {
    const bool out = name.empty() || name[0] == '/' || ("/" + name + "/").find("/../") != std::string::npos || name.find('\\') != std::string::npos ||
                     (name.size() > 1 && name[1] == ':');
    if (out) return Refuse(ErrorKind::kPermission, fmt::format("has a member that leads out of it: '{}'", name));
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    const bool known = zip_file_get_external_attributes(x_archive.get(), index, 0, &system, &attributes) == 0;
    if (known && system == ZIP_OPSYS_UNIX && S_ISLNK(attributes >> 16)) {
      return Refuse(ErrorKind::kPermission, "has a member that is a symlink: " + name);
    }
    return {};
  }

  Status CheckFacts(const std::string& name, const zip_stat_t& facts) const {
    if ((facts.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && facts.encryption_method != ZIP_EM_NONE) {
      return Refuse(ErrorKind::kUnsupported, "has an encrypted member: " + name);
    }
    if ((facts.valid & ZIP_STAT_SIZE) == 0 || (facts.valid & ZIP_STAT_COMP_SIZE) == 0) return Damaged("does not tell the size of " + name);
    if (zip_compression_method_supported(facts.comp_method, 0) == 0) {
      return Refuse(ErrorKind::kUnsupported, fmt::format("has a member compressed by an unknown method ({}): {}", facts.comp_method, name));
    }
    const bool expands = facts.size > static_cast<zip_uint64_t>(x_limits.ratio_from_bytes) &&
                         static_cast<double>(facts.size) > x_limits.max_ratio * static_cast<double>(facts.comp_size);
    if (!expands && facts.size <= static_cast<zip_uint64_t>(x_limits.max_bytes)) return {};
    return Refuse(ErrorKind::kPermission, fmt::format("expands {} to {} bytes from {}: refused as a decompression bomb", name, facts.size, facts.comp_size));
  }

  const std::unique_ptr<zip_t, CloseZip> x_archive;
  const std::string x_what;
  const InflateLimits x_limits;
  std::vector<ZipMember> x_members;
};

}  // namespace

Result<std::unique_ptr<ZipArchive>> ZipArchive::Open(const std::string& path, const std::string& what, InflateLimits limits) {
  int code = 0;
  zip_t* opened = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (opened == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    Error refused{ErrorKind::kCorruption, fmt::format("{} is no whole zip archive: {}", what, zip_error_strerror(&error)), "ask for the file again", ""};
    zip_error_fini(&error);
    return refused;
  }
  auto archive = std::make_unique<Archive>(opened, what, limits);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Error{ErrorKind::kInternal, "a staged archive is gone: " + path, "", ""};
  TRY(archive->ReadDirectory(info.st_size));
  return std::unique_ptr<ZipArchive>(std::move(archive));
}

}  // namespace caudal
