#include "base/check.h"
#include "connect/source.h"

namespace caudal {

// Written by cmake/connectors.cmake: `Register_<name>` of every file in builtin/, and RegisterBuiltin that calls them.
#include "connect/register_builtin.inc"

void Registry::Add(Connector connector) {
  CHECK((connector.make_bytes == nullptr) != (connector.make_relation == nullptr), "a connector has exactly one shape");
  CHECK((connector.spec.shape == SourceShape::kBytes) == (connector.make_bytes != nullptr), "the spec names the shape");
  const std::string name = connector.spec.name;
  const bool added = x_connectors.emplace(name, std::move(connector)).second;
  CHECK(added, "a connector is registered once");
}

Result<const Connector*> Registry::Find(std::string_view name) const {
  const auto found = x_connectors.find(name);
  if (found != x_connectors.end()) return &found->second;
  std::string known;
  for (const auto& [other, connector] : x_connectors) known += (known.empty() ? "" : ", ") + other;
  return Error{ErrorKind::kNotFound, "there is no connector of this type (there are: " + known + "): " + std::string(name),
               "write one of them as `type:`", ""};
}

std::vector<ConnectorSpec> Registry::Specs() const {
  std::vector<ConnectorSpec> specs;
  for (const auto& [name, connector] : x_connectors) specs.push_back(connector.spec);
  return specs;
}

const Registry& BuiltinRegistry() {
  static const Registry registry = [] {
    Registry built;
    RegisterBuiltin(built);
    return built;
  }();
  return registry;
}

}  // namespace caudal
