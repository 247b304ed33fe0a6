// What the renderers of the faces share. A face is a pure function of the log: the same bytes whoever renders it.
#pragma once

#include <string>
#include <vector>

namespace caudal {

/// An object of a face. `key` is below the table's root.
struct FaceObject {
  std::string key;
  std::string bytes;
};

}  // namespace caudal
