// One file of sources/ that stands for many sources: `for_each` over a list, the values put in where `$name` stands.
// Connectors see the sources that come of it, and nothing else. Words: docs/project.md.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "project/file_context.h"
#include "project/folder.h"

namespace caudal {

struct ExpandedSource {
  std::string name;  // a good one, and unlike those of its siblings
  YamlNode root;     // as if it were written for this one alone: without `for_each` and `name`
  std::vector<std::pair<std::string, std::string>> values;
  Place place;  // of the item
};

struct ForEachRequest {
  const std::vector<ProjectFile>* files = nullptr;  // of the project: its lists
  const Project* project = nullptr;                 // its parameters
};

bool HasForEach(const YamlNode& root);

/// Whatever can be made is made, and what is wrong is noted. `complete` is false where a source is missing.
std::vector<ExpandedSource> ExpandForEach(const YamlNode& root, const ForEachRequest& request, const FileContext& file, bool& complete);

/// Moves the problems of each source of one file to `all`: what all of them have is told once, the rest with the source's name.
void MergeProblems(std::vector<std::pair<std::string, ProblemList>> of_sources, ProblemList& all);

}  // namespace caudal
