#include "connect/source.h"
namespace caudal { void Register_files(Registry& r); void Register_files(Registry&) {} }
