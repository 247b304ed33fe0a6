// What one stream asks of an API: path, parameters and body, with places for the values of a parent's record and of the
// cursor. A value; no I/O. Words: dlt's REST vocabulary.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "connect/http_client.h"
#include "connect/http_incremental.h"
#include "connect/options.h"

namespace caudal {

class HttpEndpoint {
 public:
  /// `stream`: the stream's options. Errors: kInvalidArgument; kPermission where the path leads to another host.
  static Result<HttpEndpoint> Make(const std::string& name, const Options& stream, const std::string& base_url);

  const std::string& name() const { return x_name; }
  const std::optional<IncrementalWords>& incremental() const { return x_incremental; }
  const std::string& format() const { return x_format; }
  const std::optional<std::vector<std::string>>& selector() const { return x_selector; }
  /// The stream that this one asks for each record of; "" = none.
  const std::string& parent() const { return x_parent; }

  /// Values for the places, from a record of the parent. Nothing where a value is null: there is nothing to ask.
  /// Errors: kInvalidArgument where the record lacks one, or where it cannot stand in a path.
  Result<std::optional<std::string>> ValuesOf(const Json& parent_record) const;
  /// What include_from_parent adds to each record: the inside of a JSON object, or "".
  Result<std::string> MembersOf(const Json& parent_record) const;
  /// `values`: what ValuesOf gave, or "". Without the paginator's part and without credentials.
  Result<HttpRequest> Request(const std::string& values, const Incremental* incremental) const;

 private:
  struct Place {
    std::string name;   // as it stands between braces
    std::string field;  // of the parent's record
  };
  HttpEndpoint() = default;
  Status FindPlaces(const std::string& text);
  Status TakeParams(const Options& stream);
  Status TakePlace(const std::string& parent, Place place);
  std::string Filled(const std::string& text, const Json& values, bool in_path) const;

  std::string x_name;
  std::string x_base;
  std::string x_path;
  bool x_post = false;
  std::string x_body;    // JSON, or ""
  std::string x_params;  // JSON: name -> value
  std::optional<IncrementalWords> x_incremental;
  std::optional<std::vector<std::string>> x_selector;
  std::string x_format;
  std::string x_parent;
  std::vector<Place> x_places;
  std::vector<std::string> x_include;
};

}  // namespace caudal
