// The options that sources of the kind "a database server" have in common. Pure.
#pragma once

#include <string>
#include <vector>

#include "data/connector_spec.h"

namespace caudal {

struct ServerWords {
  std::string name, product;     // "postgres", "PostgreSQL"
  std::string port;              // its usual one
  std::string schema_option;     // of a stream: "schema"
  std::string schema_described;  // what it is there
  std::string delivery;
  std::vector<std::string> sslmodes;  // of disable, prefer, require, verify-ca, verify-full
};

/// Host, port, user, password, TLS, time-out; of a stream: table, query, select, and the schema.
ConnectorSpec ServerSpec(const ServerWords& words);

}  // namespace caudal
