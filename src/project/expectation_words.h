// The words `freshness` and `volume` of a source or a stream: what it should bring, and how often.
#pragma once

#include <map>
#include <string>

#include "project/file_context.h"
#include "project/project.h"

namespace caudal {

/// Of each stream of `source`, whose file is `root`: its own words, those of resource_defaults, those of the source, in this order.
/// `freshness: 26h`, `volume: {min: 900, max: 1100, change: {warn: 30%, fail: 60%}, per: file, severity: warn}`.
/// `spec` may be null: a connector that nobody knows.
void ReadExpectations(const YamlNode& root, SourceConfig& source, const ConnectorSpec* spec, const FileContext& file,
                      std::map<std::string, Expectation>& by_table);

}  // namespace caudal
