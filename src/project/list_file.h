// Lists that `for_each` of a source goes over: inline, or a file of lists/. Words: docs/project.md.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "project/file_context.h"
#include "project/folder.h"

namespace caudal {

/// One item: what each name stands for, in the order of the list. An empty cell of a CSV is absent.
struct ListItem {
  std::vector<std::pair<std::string, YamlNode>> values;
  Place place;

  const YamlNode* Find(std::string_view name) const;
};

/// Of a YAML list: a word is the item's `each`, a map gives its members. What is wrong is noted, and `good` false.
/// `what`: "'for_each'", for messages.
std::vector<ListItem> ItemsOfYaml(const YamlNode& list, const std::string& what, const FileContext& file, bool& good);

/// Of lists/NAME.csv (a head, then one item a line; RFC 4180, comma) or lists/NAME.yaml.
std::vector<ListItem> ItemsOfFile(const ProjectFile& list, ProblemList& problems, bool& good);

}  // namespace caudal
