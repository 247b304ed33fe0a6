// The words of an http source, as data.
#pragma once

#include "data/connector_spec.h"

namespace caudal {

ConnectorSpec HttpSpec();

}  // namespace caudal
