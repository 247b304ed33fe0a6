// The files of a project folder, read once. A value.
#pragma once

#include <string>
#include <vector>

#include "project/file_context.h"

namespace caudal {

struct ProjectFile {
  enum class Kind { kConfig, kSource, kModel, kPipeline, kTest, kList };
  Kind kind = Kind::kConfig;
  std::string path;    // below the project folder
  std::string schema;  // kModel
  std::string name;    // without the ending
  std::string text;
};

/// Every file that belongs to the project, ordered by path; what lies in a wrong place or has a wrong name is noted and left out.
std::vector<ProjectFile> ReadProjectFolder(const std::string& folder, ProblemList& problems);

/// SHA-256 over the sorted paths and contents, each with its length before it.
std::string HashOf(const std::vector<ProjectFile>& files);

}  // namespace caudal
