#include "project/sql_advice.h"

#include <string_view>

namespace caudal {
namespace {

constexpr std::string_view kWrite = ": write ";

}  // namespace

std::string SqlMessage(const SqlProblem& problem) {
  std::string line = problem.message.substr(0, problem.message.find('\n'));
  if (problem.kind == "parameter") line = line.substr(0, line.find(kWrite));
  while (!line.empty() && line.back() == '!') line.pop_back();
  return line;
}

std::string SqlAdvice(const SqlProblem& problem) {
  // More than two candidates are noise, and the engine's own tables are nobody's.
  std::string near;
  int taken = 0;
  for (const std::string& candidate : problem.candidates) {
    if (taken == 2 || candidate.rfind("pg_catalog.", 0) == 0 || candidate.rfind("information_schema.", 0) == 0) continue;
    near += (near.empty() ? "did you mean '" : "' or '") + candidate;
    ++taken;
  }
  if (!near.empty()) return near + "'?";
  if (problem.kind == "parameter") {
    const std::size_t at = problem.message.find(kWrite);
    if (at != std::string::npos) return problem.message.substr(at + 2);
  }
  if (problem.kind == "not a select") return "write one SELECT: Caudal itself creates, fills and drops tables";
  if (problem.kind == "show") return "`caudal show` lists the tables, `caudal show TABLE` tells the columns of one";
  if (problem.kind == "parser" || problem.kind == "syntax") {
    return "correct the SQL at this place; names that are also words of SQL stand in double quotes";
  }
  if (problem.kind == "catalog") return "correct the name; `caudal show` lists the tables";
  if (problem.kind == "permission") return "read tables of the project: files are read by a source of type files";
  return "correct the SQL at this place";
}

}  // namespace caudal
