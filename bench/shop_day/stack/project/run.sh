#!/usr/bin/env bash
# One run of the pipeline; ENVIRONMENTS is the folder with one Python environment a tool.
set -euo pipefail
cd "$(dirname "$0")"
"$ENVIRONMENTS/dlt/bin/python" load.py
"$ENVIRONMENTS/dbt/bin/dbt" build --profiles-dir .
"$ENVIRONMENTS/gx/bin/python" check.py
